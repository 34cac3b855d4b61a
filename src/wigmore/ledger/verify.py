"""Verification: the chain over stored bytes, heads kept elsewhere, SQLite's own structure, the caches, the outputs."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from wigmore.ledger.chain import GENESIS, Head, link
from wigmore.ledger.errors import UNREADABLE, Damage
from wigmore.ledger.outputs import Outputs
from wigmore.ledger.projections import FRESH, STORED, Key, altered, key_of, make_tables, project
from wigmore.model.canonical import shown

OUTPUT = "output_sha256"  # the field of a body that names an output the event relies on
SHOWN = 100  # findings listed one by one; the rest are counted
BATCH = 1000
RUN_FILE_LIMIT = 16 * 1024 * 1024
RAW = (
    "SELECT seq, coalesce(CAST(kind AS BLOB), x''), coalesce(CAST(at AS BLOB), x''), "
    "coalesce(CAST(body AS BLOB), x''), coalesce(CAST(hash AS BLOB), x''), "
    "typeof(kind) || typeof(at) || typeof(body) || typeof(hash) FROM main.events"
)
ROWS = f"{RAW} ORDER BY seq"
TYPES = "texttextblobblob"

Row = tuple[int, bytes, bytes, bytes, bytes, str]
Heads = dict[int, list[tuple[str, str]]]  # by number: who noted it, and the hash noted


class _Findings:
    """Damage as it is met, at most SHOWN of each code one by one."""

    def __init__(self) -> None:
        self._listed: list[Damage] = []
        self._seen: Counter[str] = Counter()

    def note(self, code: str, where: str, message: str) -> None:
        self._seen[code] += 1
        if self._seen[code] <= SHOWN:
            self._listed.append(Damage(code, where, message))

    def all(self) -> list[Damage]:
        rest = [
            Damage(code, "ledger.sqlite", f"and {count - SHOWN} more")
            for code, count in sorted(self._seen.items())
            if count > SHOWN
        ]
        return self._listed + rest


def read_body(body: bytes) -> dict[str, Any] | None:
    """The JSON object a stored body holds; None where it holds none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def place(seq: int, kind: bytes | str) -> str:
    """How an event is named in findings."""
    return f"event {seq} ({shown(kind)[:80] if isinstance(kind, bytes) else kind})"


def _checked(connection: sqlite3.Connection, findings: _Findings, heads: Heads) -> Iterator[Row]:
    """The rows in order, each tried against the one before it and against the heads kept elsewhere."""
    expected, previous = 1, GENESIS
    alternative = GENESIS  # what the row before should have held: tells an edited hash from an edited successor
    for row in connection.execute(ROWS):
        seq, kind, at, body, stored, types = row
        whole = seq == expected
        if not whole:
            missing = f"event {expected} is" if seq == expected + 1 else f"events {expected} to {seq - 1} are"
            if seq < 1:
                missing = "a number below 1 is"
            findings.note("seq_gap", place(seq, kind), f"{missing} {'impossible' if seq < 1 else 'missing before it'}")
        computed = link(previous, max(seq, 0), kind, at, body)
        if whole and stored != computed and stored != link(alternative, seq, kind, at, body):
            findings.note("row_edited", place(seq, kind), "its stored bytes do not give its hash")
        if types != TYPES:
            findings.note("row_edited", place(seq, kind), f"its columns are stored as {types}, not {TYPES}")
        for label, wanted in heads.pop(seq, ()):
            if stored.hex() != wanted:
                message = f"its hash is {stored.hex()[:16]}…, but {label} recorded {wanted[:16]}…"
                findings.note("chain_rewritten", place(seq, kind), message)
        yield row
        expected, previous, alternative = seq + 1, stored, computed


def _fill(connection: sqlite3.Connection, rows: Iterator[Row], tables: dict[str, str], findings: _Findings) -> int:
    """Build the caches (and, when verifying, the list of outputs named) from the rows; the number of the last row."""
    kinds: Counter[str] = Counter()
    keys: list[Key] = []
    outputs: list[tuple[str, int, str]] = []
    last = 0

    def flush() -> None:
        project(connection, kinds, keys, tables)
        if tables is FRESH:
            connection.executemany("INSERT OR IGNORE INTO temp.outputs_named VALUES (?, ?, ?)", outputs)
        kinds.clear()
        keys.clear()
        outputs.clear()

    for last, kind, _, raw, _, _ in rows:
        name, body = shown(kind), read_body(raw)
        kinds[name] += 1
        if body is None:
            findings.note("row_edited", place(last, kind), "its body is no JSON object")
            continue
        key = key_of(body)
        if key is not None:
            keys.append((name, key, last))
        if isinstance(body.get(OUTPUT), str):
            outputs.append((body[OUTPUT].encode("ascii", "backslashreplace").decode(), last, name))
        if len(keys) + len(outputs) >= BATCH:
            flush()
    flush()
    return last


def rebuild(connection: sqlite3.Connection) -> None:
    """Make the caches anew from the events, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        make_tables(connection, STORED)
        _fill(connection, iter(connection.execute(ROWS)), STORED, _Findings())
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _compare(connection: sqlite3.Connection, findings: _Findings, last: int) -> None:
    """The stored caches against those just built; caches ahead of the events mean that the tail was cut."""
    counted = connection.execute("SELECT CAST(total(n) AS INTEGER) FROM main.counts").fetchone()[0]
    if counted > last:
        message = f"{counted} events were counted when they were written, the chain ends here"
        findings.note("tail_cut", f"event {last}", message)
    for name in STORED:
        stored, fresh = f"SELECT * FROM main.{STORED[name]}", f"SELECT * FROM {FRESH[name]}"
        for one, other, what, word in (
            (stored, fresh, "is stored, but", "otherwise"),
            (fresh, stored, "is missing, but", "so"),
        ):
            for row in connection.execute(f"{one} EXCEPT {other}"):
                entry = ", ".join(str(value)[:80] for value in row)
                findings.note("projection_stale", f"{name} ({entry})", f"{what} the events say {word}")


def _check_outputs(connection: sqlite3.Connection, findings: _Findings, case: Path) -> None:
    outputs = Outputs(case)
    for sha256, seq, kind in connection.execute("SELECT * FROM temp.outputs_named ORDER BY seq"):
        damage = outputs.check(sha256)
        if damage is not None:
            findings.note(damage.code, f"{place(seq, kind)}, {damage.where}", damage.message)


def run_heads(case: Path) -> Iterator[tuple[str, Head] | Damage]:
    """The heads that the runs of a case noted in `runs/*/run.json` (key `ledger_head`), by name of the run."""
    for file in sorted(case.glob("runs/*/run.json")):
        label = file.relative_to(case).as_posix()
        try:
            if file.stat().st_size > RUN_FILE_LIMIT:
                raise ValueError(f"larger than {RUN_FILE_LIMIT} bytes")
            run = json.loads(file.read_bytes())
            noted = run.get("ledger_head") if isinstance(run, dict) else None
            if noted is None:
                continue
            yield label, Head.parse(f"{noted['seq']}:{noted['hash']}" if isinstance(noted, dict) else str(noted))
        except (OSError, ValueError, KeyError, RecursionError) as error:
            yield Damage("run_head_unreadable", label, f"the ledger head noted there cannot be read: {error}")


def verify(connection: sqlite3.Connection, case: Path, expect: Head | None) -> list[Damage]:
    """Everything found wrong, in one consistent view of the ledger; an empty list for a good one.

    A broken database is a finding too (`ledger_damaged`), never an exception.
    """
    findings = _Findings()
    heads: Heads = {}
    if expect is not None:
        heads[expect.seq] = [("the expected head", expect.hash)]
    for noted in run_heads(case):
        if isinstance(noted, Damage):
            findings.note(noted.code, noted.where, noted.message)
        else:
            heads.setdefault(noted[1].seq, []).append((noted[0], noted[1].hash))
    for label, wanted in heads.pop(0, []):
        if wanted != GENESIS.hex():
            findings.note("chain_rewritten", label, "the head before the first event is always 64 zeros")
    reached = 0
    try:
        connection.execute("BEGIN")
        for name in altered(connection):
            findings.note("schema_changed", name, "the table or definition is missing, changed, or not ours")
        for (problem,) in connection.execute(f"PRAGMA main.integrity_check({SHOWN})"):
            if problem != "ok":
                findings.note("ledger_damaged", "ledger.sqlite", str(problem)[:300])
        make_tables(connection, FRESH)
        connection.execute("CREATE TABLE temp.outputs_named (sha256 TEXT PRIMARY KEY, seq, kind) WITHOUT ROWID")
        reached = _fill(connection, _checked(connection, findings, heads), FRESH, findings)
        for seq, label in sorted((seq, label) for seq, noted in heads.items() for label, _ in noted):
            if seq > reached:
                findings.note("tail_cut", f"event {reached}", f"the chain ends here, but {label} recorded event {seq}")
            else:
                findings.note(
                    "chain_rewritten", f"event {seq}", f"the chain has no such event, but {label} recorded it"
                )
        _compare(connection, findings, reached)
        _check_outputs(connection, findings, case)
    except UNREADABLE as error:
        findings.note("ledger_damaged", "ledger.sqlite", f"SQLite cannot read on: {error}")
    finally:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")  # takes the temporary tables with it
    return findings.all()
