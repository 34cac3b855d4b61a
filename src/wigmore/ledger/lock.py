"""One writer a case: an advisory lock that dies with its process and is never inherited."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from wigmore.ledger.errors import CaseLocked, LedgerReadOnly

NAME = "ledger.lock"
_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


class WriterLock:
    """Holds the case's lock file (its text is the holder's process id) until `release`; raises CaseLocked
    or LedgerReadOnly.

    flock belongs to the open file: a second opening is refused in the same process too. Python opens files
    close-on-exec, so a spawned worker never has it; a forked child closes its copy at once.
    """

    def __init__(self, case: Path) -> None:
        path = case / NAME
        # never the ledger file itself: closing any handle on it would drop SQLite's own POSIX locks
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            advice = "Copy the case to a folder that you can write to; reading needs no lock"
            raise LedgerReadOnly(path, "", f"the case cannot be written here ({error.strerror})", advice) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            text = os.read(self._handle, 20).strip()
            self.release()
            raise CaseLocked(path, int(text) if text.isdigit() else None) from error
        os.ftruncate(self._handle, 0)
        os.write(self._handle, str(os.getpid()).encode())
        _held.add(self)

    @property
    def held(self) -> bool:
        """Whether this process still holds it: false after `release`, and in a forked child."""
        return self._handle >= 0

    def release(self) -> None:
        """Let the next writer in; harmless when repeated."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _forget_in_child() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
