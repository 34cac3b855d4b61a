"""SQLite's write-ahead log, looked at for commits that it holds but that can no longer be reached.

SQLite reads its log up to the last commit before the first frame with a bad checksum and forgets the rest without a
word. An unfinished write at the end is normal (a killed process, nothing acknowledged); a whole commit behind the bad
frame means that recorded events were lost. Format: https://www.sqlite.org/walformat.html (header 32 bytes: magic,
version, page size, sequence, two salts, checksum; frame header 24 bytes: page, size after commit or 0, salts, checksum;
the wal-index keeps the number of the last valid frame at byte 16 and the salts at byte 32, in the machine's order).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from struct import Struct
from threading import Lock

from wigmore.ledger.errors import Damage

MAGIC = 0x377F0682  # its last bit: checksums over big-endian words
HEADER, FRAME = Struct(">8I"), Struct(">6I")
INDEX = Struct("=4I4I2I")  # 16 bytes, mxFrame, nPage, frame checksum, salts
PATIENCE = 1.0  # seconds a live writer gets between writing a commit and publishing it


def _header_sound(header: bytes) -> bool:
    words = HEADER.unpack(header)
    order = ">6I" if words[0] & 1 else "<6I"
    first = second = 0
    pairs = Struct(order).unpack(header[:24])
    for even, odd in zip(pairs[::2], pairs[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return words[0] & ~1 == MAGIC and (first, second) == words[6:8]


def _last_commit(log: Path) -> tuple[int, bytes] | None:
    """The number of the last commit frame and the salts it carries; None where the log holds none."""
    try:
        size = log.stat().st_size
        with log.open("rb") as stream:
            header = stream.read(HEADER.size)
            if len(header) < HEADER.size:
                return None
            if not _header_sound(header):
                return (1, b"") if size > HEADER.size + FRAME.size else None
            page = HEADER.unpack(header)[2]
            salts, last = header[16:24], 0
            for number in range(1, (size - HEADER.size) // (FRAME.size + page) + 1):
                stream.seek(HEADER.size + (number - 1) * (FRAME.size + page))
                frame = stream.read(FRAME.size)
                if len(frame) == FRAME.size and frame[8:16] == salts and any(frame[4:8]):
                    last = number
            return (last, salts) if last else None
    except FileNotFoundError:
        return None


def _last_valid(index: Path) -> tuple[int, bytes] | None:
    """The number of the last frame that SQLite reached, and its salts; None where no index is kept."""
    try:
        raw = _kept_open(index)
    except FileNotFoundError:
        return None
    return (INDEX.unpack(raw)[4], raw[32:40]) if len(raw) == INDEX.size else None


_handles: dict[tuple[int, int], int] = {}  # of indexes, by device and inode
_mutex = Lock()


def _kept_open(index: Path) -> bytes:
    """The first bytes of an index, through a handle that stays open while the index exists.

    Closing any handle on it would drop this process's POSIX locks on it, SQLite's among them; the next reader would take
    the index for abandoned and cut it to nothing under a live writer, which then dies of SIGBUS.
    """
    with _mutex:
        for key, handle in list(_handles.items()):
            if os.fstat(handle).st_nlink == 0:  # SQLite removed it: nobody has locks there any more
                os.close(_handles.pop(key))
        found = index.stat()
        key = (found.st_dev, found.st_ino)
        if key not in _handles:
            _handles[key] = os.open(index, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(_handles[key], INDEX.size, 0)


def lost_commits(ledger: Path, live: bool) -> list[Damage]:
    """Damage `wal_damaged` where commits of the log cannot be reached; call it with the ledger open and read from.

    `live`: another process may be writing, so a commit only counts as lost when it stays unreachable for a second.
    """
    log, index = Path(f"{ledger}-wal"), Path(f"{ledger}-shm")
    deadline = time.monotonic() + (PATIENCE if live else 0)
    while True:
        commit = _last_commit(log)  # before the index: a commit is written first and published afterwards
        valid = _last_valid(index)
        if commit is None or valid is None:
            return []
        number, salts = commit
        # a sound header whose salts the index no longer holds: everything is in the ledger file, the log begins anew
        if salts and (salts != valid[1] or number <= valid[0]):
            return []
        if time.monotonic() >= deadline:
            message = f"commits up to this frame were written, but only {valid[0]} frames can be read: events were lost"
            return [Damage("wal_damaged", f"{log.name}, frame {number}", message)]
        time.sleep(0.02)
