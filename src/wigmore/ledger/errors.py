"""What can go wrong with a ledger or an output: each error says which file, where in it, what, and what to do."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

# what SQLite raises; its messages quote damaged names, which Python may fail to decode
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing found wrong: `code` for programs, `where` (event, output, file) and `message` for people."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.where}: {self.message}"


class LedgerError(Exception):
    """The family of these errors: `file`, `place` in it ("" for the whole file), `message` and `remedy`."""

    code = "ledger_damaged"

    def __init__(self, file: Path, place: str, message: str, remedy: str) -> None:
        super().__init__(f"{file}{f', {place}' if place else ''}: {message}. {remedy}")
        self.file, self.place, self.message, self.remedy = file, place, message, remedy

    @property
    def damage(self) -> Damage:
        """The same as a finding; its place is the file's name, never a machine's path."""
        return Damage(self.code, self.place or self.file.name, self.message)


class LedgerMissing(LedgerError):
    """The folder holds no ledger: it is no case."""

    code = "ledger_missing"


class LedgerExists(LedgerError):
    """A new ledger was asked for where one is already."""


class LedgerReadOnly(LedgerError):
    """The ledger cannot be written here, by this process."""

    code = "ledger_read_only"


class LedgerDamaged(LedgerError):
    """The ledger cannot be read here, or cannot safely be continued."""


class SchemaTooNew(LedgerError):
    """The ledger was written by a newer version of this program."""

    code = "schema_too_new"


class CaseLocked(LedgerError):
    """Another process (`pid`, None where unknown) is writing to the case."""

    def __init__(self, file: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(file, "", f"{holder} is working on this case", "Wait for it or stop it; reading needs no lock")
        self.pid = pid


class LedgerWriteFailed(LedgerError):
    """A batch could not be written; nothing of it was kept."""


class LedgerFull(LedgerWriteFailed):
    """The disk is full; nothing of the batch was kept."""


class OutputMissing(LedgerError):
    """An output that an event names is not in the case."""

    code = "output_missing"


class OutputDamaged(LedgerError):
    """An output's bytes are not those its name promises."""

    code = "output_damaged"
