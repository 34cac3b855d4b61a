"""The chain: how an event is hashed onto the one before it, over the bytes as they are stored.

A row of the table `events` is (seq, kind, at, body, hash). With `previous` the 32 bytes of the hash of event seq - 1
(32 zero bytes before event 1), and kind and at as UTF-8,

    hash = SHA-256( previous || seq as 8 bytes || len(kind), len(at), len(body) as 4 bytes each || kind || at || body )

all numbers unsigned and big-endian. The lengths stand at a fixed place before the texts, so that no two rows share an
input. `body` is canonical JSON, stored and hashed as those bytes, and never re-encoded to verify it: events stay
verifiable after an upgrade. `at` is our own clock; it is hashed but takes no part in the graph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any

GENESIS = bytes(32)  # the hash before the first event
KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
LENGTHS = Struct(">QIII")


@dataclass(frozen=True, slots=True)
class Event:
    """Something to record: its kind (lower-case word) and its body (a JSON object)."""

    kind: str
    body: dict[str, Any]

    def __post_init__(self) -> None:
        if not KIND.fullmatch(self.kind):
            raise ValueError(f"an event's kind is a lower-case word of at most 64 letters, not {self.kind!r}")
        if not isinstance(self.body, dict):
            raise TypeError(f"an event's body is a dictionary, not {type(self.body).__name__}")


@dataclass(frozen=True, slots=True)
class Stored:
    """A recorded event: number (from 1), kind, time of recording (UTC text), body, and hash (hexadecimal)."""

    seq: int
    kind: str
    at: str
    body: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain, written `seq:hash`; whoever kept one can tell later whether the chain still holds it."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read `seq:hash`; raises ValueError for anything else."""
        match = HEAD.fullmatch(text.strip())
        if not match:
            raise ValueError(f"a ledger head is written seq:hash with 64 hexadecimal digits, not {text[:100]!r}")
        return cls(int(match[1]), match[2])


def link(previous: bytes, seq: int, kind: bytes, at: bytes, body: bytes) -> bytes:
    """The hash (32 bytes) of one event, as the module's docstring frames it."""
    lengths = LENGTHS.pack(seq, len(kind), len(at), len(body))
    return sha256(b"".join((previous, lengths, kind, at, body))).digest()
