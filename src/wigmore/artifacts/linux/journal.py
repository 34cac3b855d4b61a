"""systemd journals: each entry with its fields; messages of sshd, sudo, cron and the kernel read as in syslog files."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.linux.journal_objects import ENTRY, MAGIC, SEALED, STATES, TAG, Broken, EntryObject, Journal
from wigmore.artifacts.logs.authentication import decode
from wigmore.artifacts.logs.syslog import FACILITIES, SEVERITIES
from wigmore.model.canonical import sha256, shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Recorder, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

LONGEST = 256 * 1024  # bytes of a value that a record holds; a longer one gives its hash and beginning
RENAMED = {  # fields that have a word of their own, as syslog records have; the others stand under `fields`
    "_HOSTNAME": "host",
    "_MACHINE_ID": "machine_id",
    "_SYSTEMD_UNIT": "unit",
    "_UID": "process_uid",
    "_GID": "process_gid",
    "_COMM": "process_name",
    "_EXE": "executable",
    "_CMDLINE": "command_line",
    "_AUDIT_LOGINUID": "login_uid",
    "_AUDIT_SESSION": "audit_session",
    "_TRANSPORT": "transport",
}
NUMBERS = frozenset(("process_uid", "process_gid", "login_uid", "audit_session"))


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() and len(text) < 20 else None


def _time(value: int | None, source: str) -> Time | None:
    return posix(value, unit="us", source=source) if value else None


def _fields(journal: Journal, entry: EntryObject) -> tuple[dict[str, object], list[str]]:
    """The fields of an entry by name (a list where a name stands twice), and what is wrong with those not read."""
    found: dict[str, object] = {}
    problems = []
    for offset, expected in entry.items:
        try:
            raw = journal.value(offset, expected)
        except Broken as error:
            problems.append(f"the field at {offset}: {error}")
            continue
        name, equals, value = raw.partition(b"=")
        if not equals:
            problems.append(f"the field at {offset} has no name")
            continue
        text: object = shown(value)
        if len(value) > LONGEST:
            text = {"bytes": len(value), "sha256": sha256(value), "beginning": shown(value[:1024])}
        key = shown(name[:256])
        if key not in found:
            found[key] = text
        elif isinstance(held := found[key], list):
            held.append(text)
        else:
            found[key] = [held, text]
    return found, problems


def _record(entry: EntryObject, fields: dict[str, object], linked: bool, problems: list[str]) -> Record:
    program = fields.get("SYSLOG_IDENTIFIER") or fields.get("_COMM") or ""
    program = program if isinstance(program, str) else ""
    message = fields.get("MESSAGE", "")
    text = (
        message
        if isinstance(message, str)
        else "\n".join(str(one) for one in message)
        if isinstance(message, list)
        else ""
    )
    data: dict[str, object] = {"message": text, "sequence_number": entry.number, "boot_id": entry.boot_id}
    data["monotonic_microseconds"] = entry.monotonic
    used = {"MESSAGE"} if text or not message else set()
    if program:
        data["program"] = program
        used.add("SYSLOG_IDENTIFIER" if fields.get("SYSLOG_IDENTIFIER") == program else "_COMM")
    for name in ("_PID", "SYSLOG_PID"):
        if (number := _number(fields.get(name))) is not None and "pid" not in data:
            data["pid"] = number
            used.add(name)
    for name, key, words in (("PRIORITY", "severity", SEVERITIES), ("SYSLOG_FACILITY", "facility", FACILITIES)):
        number = _number(fields.get(name))
        if number is not None and number < len(words):
            data[key] = words[number]
            used.add(name)
    artifact, said = decode(program, text)
    data |= {name: value for name, value in said.items() if name not in data}
    for name, key in RENAMED.items():
        value = fields.get(name)
        if isinstance(value, str) and name not in used:
            number = _number(value) if key in NUMBERS else None
            data[key] = value if number is None else number
            used.add(name)
    if rest := {name: value for name, value in sorted(fields.items()) if name not in used}:
        data["fields"] = rest
    if not linked:
        data["in_entry_chain"] = False
    if problems:
        data["unread_fields"] = len(problems)
    times = {
        "logged_at": _time(entry.realtime, "the journal's realtime clock is UTC"),
        "sent_at": _time(_number(fields.get("_SOURCE_REALTIME_TIMESTAMP")), "the sender's realtime clock is UTC"),
    }
    kept = {name: time for name, time in times.items() if time}
    return Record(
        data, kept, "logged_at" if "logged_at" in kept else None, host_id=str(data.get("host", "")), artifact=artifact
    )


def _file_record(journal: Journal, tags: int) -> tuple[Locator, Record]:
    head = journal.header
    data: dict[str, object] = {
        "state": STATES[head.state] if head.state < len(STATES) else f"unknown ({head.state})",
        "file_id": head.file_id,
        "machine_id": head.machine_id,
        "last_boot_id": head.boot_id,
        "sequence_id": head.sequence_id,
        "first_sequence_number": head.first_number,
        "last_sequence_number": head.last_number,
        "entries_stated": head.entries,
        "compact": head.compact,
        "sealed": bool(head.compatible & SEALED),
        "seals": tags,
    }
    times = {
        "first_entry_at": _time(head.first_time, "the journal's realtime clock is UTC"),
        "last_entry_at": _time(head.last_time, "the journal's realtime clock is UTC"),
    }
    kept = {name: time for name, time in times.items() if time}
    locator: Locator = {"kind": "offset", "offset": 0, "length": head.header_size}
    return locator, Record(data, kept, next(iter(kept), None), artifact="linux.journal_file")


@parser(
    "linux.journal",
    claims=Claim(magic=((0, MAGIC),)),
    artifacts=(
        "linux.journal", "linux.journal_file", "linux.authlog", "linux.cron", "linux.devices", "linux.network",
    ),
    reads="/var/log/journal/<machine>/*.journal and *.journal~, /run/log/journal: system, user and archived journals, "
    "regular and compact, values compressed with xz, LZ4 or Zstandard",
    means="a program, or the kernel, handed this message to journald at the written time (UTC, microseconds); fields "
    "that begin with an underscore (process, account, unit, host) were added by journald itself",
    does_not_mean="that fields without an underscore are true (the sender writes them); that entries before the oldest "
    "one, or of other users' journals, did not exist; that the clock was right; that the journal was not written or "
    "cut by other programs (seals are counted, not verified)",
    refs=(
        "systemd, Journal File Format (systemd.io/JOURNAL_FILE_FORMAT)",
        "systemd.journal-fields(7)",
        "lz4, LZ4 Block Format Description",
    ),
    limit_seconds=600.0,
)  # fmt: skip
def journal(file: EvidenceFile) -> Iterator[Yield]:
    """The file's header, then one record an entry in the order of writing, those outside the chain of arrays too."""
    with file.open() as stream:
        source = Journal(stream, file.size, file.path)
        head = source.header
        if source.end < head.header_size + head.arena_size:
            missing = head.header_size + head.arena_size - source.end
            yield Gap(f"the file ends {missing} bytes before its stated size", source.end, "truncated")
        linked: set[int] = set()
        for item in source.chain():
            if isinstance(item, Gap):
                yield item
            else:
                linked.add(item)
        places = set(linked)
        tags = 0
        for found in source.objects():
            if isinstance(found, Gap):
                yield found
            elif found[0] == ENTRY:
                places.add(found[1])
            elif found[0] == TAG:
                tags += 1
        yield _file_record(source, tags)
        count = outside = 0
        for offset in sorted(places):
            try:
                entry = source.entry(offset)
            except Broken as error:
                yield Gap(f"an entry cannot be read: {error}", offset)
                continue
            fields, problems = _fields(source, entry)
            for problem in problems[:3]:
                yield Gap(f"entry {entry.number}: {problem}", offset)
            count += 1
            outside += offset not in linked
            locator: Locator = {"kind": "offset", "offset": offset, "length": entry.length}
            yield locator, _record(entry, fields, offset in linked, problems)
        if outside:
            yield Gap(f"{outside} of {count} entries are not reachable from the chain of entry arrays; they were read")
        if count < head.entries:
            yield Gap(f"the header states {head.entries} entries, {count} were found", None, "truncated")
        if head.state == 1:
            yield Recorder(note="the journal was open for writing when it was copied (state online)")
