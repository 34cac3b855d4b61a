"""The protocols siblings meet through: evidence files, clocks, and what a parser yields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from wigmore.model.times import Time

Clock = Callable[[], datetime]
Locator = dict[str, Any]

STATES = frozenset(
    "live wal_committed wal_superseded wal_uncommitted journal log_replayed freelist unallocated carved snapshot".split()
)
ORIGINS = frozenset(("local", "synced", "imported", ""))
REASONS = frozenset(
    "not_in_acquisition impossible_on_version switched_off locked excluded dirty_without_log schema_unknown truncated "
    "expected_but_missing damaged timeout memory too_large unsupported crashed depth".split()
)


@runtime_checkable
class EvidenceFile(Protocol):
    """One stream of bytes inside a source, opened read-only."""

    @property
    def source_id(self) -> str:
        """The source the bytes belong to."""

    @property
    def path(self) -> str:
        """The path inside the source, `/` between parts."""

    @property
    def inode(self) -> str | None:
        """Inode, entry or stream number where the store has one."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def state(self) -> str:
        """`live`, or `unallocated` for recovered deleted content."""

    def open(self) -> BinaryIO:
        """A seekable binary stream over the content."""

    def read(self, limit: int = 512 * 1024 * 1024) -> bytes:
        """The whole content; raises ParseError (reason too_large) past `limit` bytes."""

    def sibling(self, name: str) -> EvidenceFile | None:
        """The file of that name in the same folder (case as the file system has it), or None."""

    def on_disk(self, *siblings: str) -> AbstractContextManager[Path]:
        """A private copy in a temporary folder, with the named siblings beside it where they exist.

        For libraries that need a path. Never the evidence itself: such libraries may write.
        """


@runtime_checkable
class ReadThrough(Protocol):
    """A file that extraction read through before its parsers: what that gave."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """MD5, SHA-1 and SHA-256 of the content, hexadecimal."""

    @property
    def opened(self) -> bool:
        """Whether it is a container whose entries are examined one by one."""


class ParseError(Exception):
    """A file that could not be read on from here: path, offset (None: whole file), what was wrong, reason code."""

    def __init__(self, path: str, offset: int | None, message: str, reason: str = "damaged") -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason code {reason!r}; one of {sorted(REASONS)}")
        super().__init__(f"{path}{'' if offset is None else f' at offset {offset}'}: {message}")
        self.path, self.offset, self.message, self.reason = path, offset, message, reason


@dataclass(frozen=True, slots=True)
class Record:
    """What a parser read at one place: fields as the artifact holds them, and its times.

    `data` holds JSON values only (bytes as hex text, no NaN). `time_field` names the entry of `times` (key: the field's
    name) that dates the record; None where no time does. `host_id` is an identity found *in* the artifact (computer
    name, SID authority, device id). `state` is one of STATES. `artifact` overrides the parser's artifact name for parsers
    that yield several kinds.
    """

    data: dict[str, Any]
    times: dict[str, Time] = field(default_factory=dict)
    time_field: str | None = None
    state: str = "live"
    host_id: str = ""
    origin: str = ""
    artifact: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"unknown record state {self.state!r}; one of {sorted(STATES)}")
        if self.origin not in ORIGINS:
            raise ValueError(f"unknown origin {self.origin!r}; one of {sorted(ORIGINS)}")
        if self.time_field is not None and self.time_field not in self.times:
            raise ValueError(f"time_field {self.time_field!r} is not among the times {sorted(self.times)}")


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a file that could not be read while the rest could: makes the coverage row incomplete, with reasons."""

    message: str
    offset: int | None = None
    reason: str = "damaged"

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"unknown reason code {self.reason!r}; one of {sorted(REASONS)}")


@dataclass(frozen=True, slots=True)
class Recorder:
    """What a file says of the recorder behind it: on, off, unknown or since a time; and what it would need."""

    recorder: str = "unknown"
    covers_from: str | None = None
    covers_to: str | None = None
    needs: str = ""
    note: str = ""  # what a coverage row says where nothing went wrong (which of the examiner's lists were applied)


Yield = tuple[Locator, Record] | Gap | Recorder
