"""BITS queues: qmgr.db (ESE, Windows 10 and later) and qmgr0.dat/qmgr1.dat (before): transfer jobs and their files.

The structures have no published description by their maker; they follow what ANSSI's bits_parser and FireEye's BitsParser
document: marker, type, priority, state, job id, counted UTF-16 texts (name, description, command, arguments, owner SID),
flags, access token, transfer marker, files. States, types and priorities: Microsoft, bits.h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from wigmore.artifacts.windows.ese_reader import REFERENCE, SIGNATURE, EseClaim, header_of, not_fitting, open_ese
from wigmore.artifacts.windows.ese_values import HEADER
from wigmore.artifacts.windows.structures import guid, utf16
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import FILETIME_OFFSET, Time, filetime
from wigmore.registry import Claim, parser

LAYOUT = EseClaim(
    paths=("qmgr.db",), magic=(SIGNATURE,), both=True, tables=("Jobs", "Files"), sure=("qmgr.db",),
)  # fmt: skip
QUEUE = bytes.fromhex("13f72bc84099124a9f1a3aaebd894eea")
TRANSFER = bytes.fromhex("36da56776f515a43acac44a248fff34d")
FILE = bytes.fromhex("e4cf9e5146d99743b73e268513051ab2")
OLD_JOBS = tuple(
    bytes.fromhex(text)
    for text in (
        "93362035a00c104a84f3b17e7b499cd7 101370c83653b34183e581557f361b87 "
        "8c93ea64030f6840b46ff97fe51d4dcd b346ed3d3b10f944bc2fe8378bd31986"
    ).split()
)
TYPES = {0: "download", 1: "upload", 2: "upload with reply"}
PRIORITIES = {0: "foreground", 1: "high", 2: "normal", 3: "low"}
JOB_STATES = {
    0: "queued", 1: "connecting", 2: "transferring", 3: "suspended", 4: "error", 5: "transient error", 6: "transferred",
    7: "acknowledged", 8: "cancelled",
}  # fmt: skip
TEXT, ITEMS, TOKEN = 32_768, 4_096, 65_536
SPAN = (FILETIME_OFFSET, FILETIME_OFFSET + 4_102_444_800 * 10_000_000)  # FILETIMEs of 1970 to 2100
UNKNOWN_SIZE = 0xFFFFFFFFFFFFFFFF
LIMIT = 64 * 1024 * 1024


class NotSo(Exception):
    """Bytes that are no such structure; says why."""


@dataclass
class Cursor:
    """Reads forward in a blob; raises NotSo past its end."""

    data: bytes
    at: int = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """Numbers of a struct format."""
        size = struct.calcsize(form)
        if self.at + size > len(self.data):
            raise NotSo(f"ends at byte {len(self.data)} inside a number")
        found = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return found

    def raw(self, size: int) -> bytes:
        """So many bytes."""
        if self.at + size > len(self.data):
            raise NotSo(f"ends at byte {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        """A counted UTF-16 text with its NUL."""
        (count,) = self.take("<I")
        if count > TEXT:
            raise NotSo(f"a text of {count} characters")
        return utf16(self.raw(2 * count))


def job_head(cursor: Cursor) -> dict[str, Any]:
    """Type, priority, state, id, texts and flags of a job, from behind its marker."""
    kind, priority, state, _ = cursor.take("<4I")
    if kind > 2 or priority > 3 or state > 8:
        raise NotSo("type, priority or state out of range")
    data: dict[str, Any] = {
        "type": TYPES[kind],
        "priority": PRIORITIES[priority],
        "state": JOB_STATES[state],
        "job_id": guid(cursor.raw(16)),
    }
    for name in ("name", "description", "command", "arguments", "owner_sid"):
        data[name] = cursor.text()
    if data["owner_sid"] and not data["owner_sid"].startswith("S-1-"):
        raise NotSo("the owner is no SID")
    (data["notify_flags"],) = cursor.take("<I")
    return {name: value for name, value in data.items() if value != ""}


def job_tail(cursor: Cursor) -> tuple[dict[str, Any], dict[str, Time]]:
    """Errors and times behind the list of files; an error takes 21 or 25 bytes, whichever makes the times possible."""
    start = cursor.at
    (count,) = cursor.take("<I")
    if count > ITEMS:
        raise NotSo(f"{count} errors")
    for size in (21, 25):
        trial = Cursor(cursor.data, start + 4 + size * count)
        try:
            _, retry, timeout, *first = trial.take("<3I3Q")
            trial.raw(14)
            second = trial.take("<2Q")
        except NotSo:
            continue
        if all(SPAN[0] <= value < SPAN[1] for value in first[:2]):
            names = ("created_at", "modified_at", "modified_also_at", "transferred_at", "expires_at")
            times = {
                name: time
                for name, value in zip(names, (*first, *second), strict=True)
                if SPAN[0] <= value < SPAN[1] and (time := filetime(value))
            }
            return {"error_count": count, "retry_delay_seconds": retry, "no_progress_timeout_seconds": timeout}, times
    raise NotSo("no times of our era where they should stand")


def file_entry(cursor: Cursor) -> dict[str, Any]:
    """A file of a job: local, remote and temporary name, sizes, volume."""
    data: dict[str, Any] = {"local_name": cursor.text(), "remote_name": cursor.text(), "temporary_name": cursor.text()}
    if not data["local_name"] or not re.match(
        r"[a-z][a-z0-9+.-]*:|\\\\|[A-Za-z]:\\", data["remote_name"], re.IGNORECASE
    ):
        raise NotSo("no names where they should stand")
    first, second = cursor.take("<2Q")
    for name, value in (("bytes_transferred", first), ("bytes_total", second)):
        if value != UNKNOWN_SIZE:
            data[name] = value
    cursor.raw(1)
    data["drive"], data["volume"] = cursor.text(), cursor.text()
    return {name: value for name, value in data.items() if value != ""}


def job(raw: bytes, at: int = 16) -> tuple[Record, int, list[str], list[str]]:
    """The job of a blob (`at`: behind its marker): record, place behind its first transfer marker, file ids, what failed."""
    cursor = Cursor(raw, at)
    data = job_head(cursor)
    times: dict[str, Time] = {}
    problems: list[str] = []
    files: list[str] = []
    marker = raw.find(TRANSFER, cursor.at, cursor.at + TOKEN)
    if marker < 0:
        return _job_record(data, times), cursor.at, files, ["no transfer marker behind the job"]
    cursor.at = place = marker + 16
    try:
        (count,) = cursor.take("<I")
        data["file_count"] = count
        if count <= ITEMS and raw[cursor.at + 16 * count : cursor.at + 16 * count + 16] == TRANSFER:
            files = [guid(cursor.raw(16)) for _ in range(count)]
            cursor.at += 16
            more, times = job_tail(cursor)
            data |= more
        else:
            problems.append("the files' ids are not between two transfer markers")
    except NotSo as error:
        problems.append(str(error))
    if files:
        data["file_ids"] = files
    return _job_record(data, times), place, files, problems


def _job_record(data: dict[str, Any], times: dict[str, Time]) -> Record:
    return Record(data, times, "created_at" if "created_at" in times else None, artifact="windows.bits.job")


MEANS = (
    "the transfer service held this job for this account: what was to be fetched from or sent to where, and its state"
)
NOT = "that the transfer ended, unless its state says so; who made the job; jobs that were finished and taken off the queue"
REFS = (
    "https://learn.microsoft.com/en-us/windows/win32/api/bits/",
    "https://github.com/ANSSI-FR/bits_parser (structures)",
    REFERENCE,
)


@parser(
    "windows.bits",
    claims=LAYOUT,
    artifacts=("windows.bits.job", "windows.bits.file", HEADER),
    reads="qmgr.db of Windows 10 and later (ProgramData\\Microsoft\\Network\\Downloader)",
    means=MEANS,
    does_not_mean=NOT,
    refs=REFS,
)
def queue_database(file: EvidenceFile) -> Iterator[Yield]:
    """One record a job and one a file, each with the other's id."""
    with open_ese(file) as database:
        if not LAYOUT.fits(database.tables):
            yield from not_fitting(database, "BITS queue", LAYOUT.tables)
            return
        yield header_of(database)
        owners: dict[str, str] = {}
        for row in database.rows(database.find("Jobs") or "Jobs"):
            raw = row.values.get("Blob")
            if not isinstance(raw, bytes):
                continue
            try:
                record, _, files, problems = job(raw)
            except NotSo as error:
                yield Gap(f"job {row.values.get('Id', row.number)}: {error}", reason="schema_unknown")
                continue
            owners.update(
                {identifier: record.data.get("job_id", "") for identifier in files if len(owners) < 1_000_000}
            )
            yield row.locator, replace(record, state=row.state)
            for problem in problems:
                yield Gap(f"job {row.values.get('Id', row.number)}: {problem}", reason="schema_unknown")
        for row in database.rows(database.find("Files") or "Files"):
            raw = row.values.get("Blob")
            if not isinstance(raw, bytes):
                continue
            try:
                data = file_entry(Cursor(raw, 16))
            except NotSo as error:
                yield Gap(f"file {row.values.get('Id', row.number)}: {error}", reason="schema_unknown")
                continue
            identifier = str(row.values.get("Id") or "")
            data |= {"file_id": identifier, **({"job_id": owners[identifier]} if identifier in owners else {})}
            yield row.locator, Record(data, state=row.state, artifact="windows.bits.file")
        yield from database.gaps


@parser(
    "windows.bits_old",
    claims=Claim(paths=("qmgr0.dat", "qmgr1.dat"), magic=((0, QUEUE),)),
    artifacts=("windows.bits.job", "windows.bits.file"),
    reads="qmgr0.dat and qmgr1.dat of Windows XP to 8.1 and early 10",
    means=MEANS,
    does_not_mean=NOT,
    refs=REFS,
)
def queue_file(file: EvidenceFile) -> Iterator[Yield]:
    """Jobs and files wherever their marks stand, also those that the queue no longer counts."""
    raw = file.read(LIMIT)
    if not raw.startswith(QUEUE):
        raise ParseError(file.path, 0, "no queue marker at the start", "damaged")
    marks = sorted(m.start() for mark in OLD_JOBS for m in re.finditer(re.escape(mark), raw))
    for number, start in enumerate(marks):
        end = marks[number + 1] if number + 1 < len(marks) else len(raw)
        if end - start <= 32:
            continue  # jobs end with the mark they begin with
        try:
            record, place, _, _ = job(raw[:end], start + 16)
        except NotSo as error:
            yield Gap(f"a job's mark without a job: {error}", start, "schema_unknown")
            continue
        yield {"kind": "offset", "offset": start, "length": end - start}, record
        cursor = Cursor(raw[:end], place + 4)
        for _ in range(min(record.data.get("file_count", 0), ITEMS)):
            found = _next_file(cursor)
            if found is None:
                yield Gap(f"files of the job {record.data.get('job_id')} are not where they should be", cursor.at)
                break
            begin, data = found
            where = {"kind": "offset", "offset": begin, "length": cursor.at - begin}
            yield where, Record({**data, "job_id": record.data.get("job_id", "")}, artifact="windows.bits.file")


def _next_file(cursor: Cursor) -> tuple[int, dict[str, Any]] | None:
    """The next file at or within 64 bytes behind the cursor: versions put different fields between two files."""
    for begin in range(cursor.at, min(cursor.at + 64, len(cursor.data))):
        trial = Cursor(cursor.data, begin)
        try:
            data = file_entry(trial)
        except NotSo:
            continue
        cursor.at = trial.at
        return begin, data
    return None
