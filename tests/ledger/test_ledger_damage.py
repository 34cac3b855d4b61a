"""Every kind of damage is found and named, and none raises."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from wigmore.ledger import GENESIS, Event, Ledger, LedgerDamaged, LedgerError, Outputs, link, verify_case, wal
from wigmore.model.protocols import Clock

Fill = Callable[[int], Path]


def tamper(case: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    connection = sqlite3.connect(case / "ledger.sqlite")
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def codes(case: Path, expect: str | None = None) -> list[tuple[str, str]]:
    return [(damage.code, damage.where) for damage in verify_case(case, expect)]


def head(case: Path, upto: int | None = None) -> str:
    with Ledger.open_readonly(case) as ledger:
        return str(ledger.head(upto))


def put_back(case: Path, main: bytes, log: bytes | None = None) -> None:
    for rest in ("-wal", "-shm"):
        (case / f"ledger.sqlite{rest}").unlink(missing_ok=True)
    (case / "ledger.sqlite").write_bytes(main)
    if log is not None:
        (case / "ledger.sqlite-wal").write_bytes(log)


def content(case: Path) -> list[object]:
    with Ledger.open_readonly(case) as ledger:
        return [ledger.counts(), *ledger.events()]


@pytest.mark.parametrize(
    "change",
    [
        "body = CAST(replace(CAST(body AS TEXT), 'f-', 'g-') AS BLOB)",
        "hash = zeroblob(32)",
        "hash = x'00'",
        "at = '2020-01-01T00:00:00.000000Z'",
        "kind = 'lead'",
        "body = CAST(body AS TEXT)",
        "kind = CAST(kind AS BLOB)",
        "hash = 7",
        "body = x'ff'",
    ],
)
def test_an_edited_row_is_named_by_its_number_and_kind(filled: Fill, change: str) -> None:
    case = filled(10)
    tamper(case, f"UPDATE events SET {change} WHERE seq = 5")
    kind = "lead" if change.startswith("kind = 'lead'") else "fact"
    named = [where for code, where in codes(case) if code == "row_edited"]
    assert named and set(named) == {f"event 5 ({kind})"}


def test_300_flipped_bytes_in_bodies_hashes_kinds_and_times_are_all_found(filled: Fill) -> None:
    case, choice = filled(12), random.Random(20)
    pristine = (case / "ledger.sqlite").read_bytes()
    for _ in range(300):
        column, seq = choice.choice(("body", "hash", "body", "kind", "at")), choice.randrange(1, 13)
        connection = sqlite3.connect(case / "ledger.sqlite")
        query = f"SELECT CAST({column} AS BLOB) FROM events WHERE seq = ?"
        value = bytearray(connection.execute(query, (seq,)).fetchone()[0])
        connection.close()
        value[choice.randrange(len(value))] ^= 1 << choice.randrange(8)
        kept = "TEXT" if column in ("kind", "at") else "BLOB"
        tamper(case, f"UPDATE events SET {column} = CAST(? AS {kept}) WHERE seq = ?", values=(bytes(value), seq))
        found = codes(case)
        (where,) = {where for code, where in found if code == "row_edited"}
        assert where.startswith(f"event {seq} (")
        (case / "ledger.sqlite").write_bytes(pristine)


def test_a_flipped_byte_anywhere_in_the_file_is_found_or_changes_nothing(filled: Fill, clock: Clock) -> None:
    case, choice = filled(30), random.Random(21)
    file, expect, before = case / "ledger.sqlite", head(case), content(case)
    pristine, found = file.read_bytes(), 0
    used = [n for n, byte in enumerate(pristine) if byte]
    for number in range(500):
        position = choice.choice(used) if number % 2 else choice.randrange(len(pristine))
        damaged = bytearray(pristine)
        damaged[position] ^= 1 << choice.randrange(8)
        put_back(case, damaged)
        if verify_case(case, expect):
            found += 1
        else:
            assert content(case) == before, f"byte {position}"
        # appending refuses, or goes on; it never fails otherwise
        with contextlib.suppress(LedgerError), Ledger.open(case, clock) as ledger:
            ledger.append([Event("fact", {"id": "f-1"})])
    assert found > 200


def test_a_cut_or_foreign_file_is_named(filled: Fill, clock: Clock) -> None:
    case, choice = filled(60), random.Random(22)
    file, expect = case / "ledger.sqlite", head(case)
    pristine = file.read_bytes()
    pieces = [pristine[: choice.randrange(len(pristine))] for _ in range(40)]
    for damaged in (*pieces, b"", b"no database", choice.randbytes(8192), pristine[:4096]):
        put_back(case, damaged)
        assert codes(case, expect)
        with contextlib.suppress(LedgerError):  # where only the last page is torn, it opens; nothing else is raised
            Ledger.open(case, clock).close()


def test_missing_rows_are_named(filled: Fill) -> None:
    case = filled(10)
    tamper(case, "DELETE FROM events WHERE seq IN (4, 5)")
    assert ("seq_gap", "event 6 (fact)") in codes(case)
    assert "row_edited" not in dict(codes(case))


def test_a_cut_tail_is_found_by_an_expected_head_and_by_the_heads_of_runs(filled: Fill, clock: Clock) -> None:
    case = filled(10)
    newest, older = head(case), head(case, 6)
    tamper(case, "DELETE FROM events WHERE seq > 7")
    assert ("tail_cut", "event 7") in codes(case)  # the caches still count ten
    with pytest.raises(LedgerDamaged, match="tail was cut"):
        Ledger.open(case, clock)
    tamper(case, "DELETE FROM counts", "DELETE FROM keys")
    Ledger.open(case, clock).close()  # a careful hand mends the caches too
    assert codes(case) == codes(case, older) == []
    assert codes(case, newest) == [("tail_cut", "event 7")]
    for run, noted in (("2026-01-01", older), ("2026-01-02", newest)):
        (case / "runs" / run).mkdir(parents=True)
        (case / "runs" / run / "run.json").write_text(json.dumps({"ledger_head": noted}))
    (damage,) = verify_case(case)
    assert (damage.code, damage.where) == ("tail_cut", "event 7")
    assert "runs/2026-01-02/run.json recorded event 10" in damage.message


def test_a_rewritten_chain_is_valid_in_itself_and_still_found(filled: Fill) -> None:
    case = filled(10)
    kept = head(case, 8)
    connection = sqlite3.connect(case / "ledger.sqlite")
    previous = GENESIS
    for seq, kind, at, body in connection.execute("SELECT seq, kind, at, body FROM events ORDER BY seq").fetchall():
        changed = body.replace(b'"n":4', b'"n":44')
        previous = link(previous, seq, kind.encode(), at.encode(), changed)
        connection.execute("UPDATE events SET body = ?, hash = ? WHERE seq = ?", (changed, previous, seq))
    connection.commit()
    connection.close()
    assert codes(case) == []
    assert codes(case, kept) == [("chain_rewritten", "event 8 (lead)")]
    (case / "runs" / "one").mkdir(parents=True)
    (case / "runs" / "one" / "run.json").write_text(json.dumps({"ledger_head": kept}))
    assert codes(case) == [("chain_rewritten", "event 8 (lead)")]
    assert codes(case, "0:" + "1" * 64)[0] == ("chain_rewritten", "the expected head")


@pytest.mark.parametrize(
    "text", ["", "[", '{"ledger_head": "abc"}', '{"ledger_head": {"seq": 1}}', '{"ledger_head": 7}']
)
def test_a_run_head_that_cannot_be_read_is_named(filled: Fill, text: str) -> None:
    case = filled(3)
    (case / "runs" / "one").mkdir(parents=True)
    (case / "runs" / "one" / "run.json").write_text(text)
    assert codes(case) == [("run_head_unreadable", "runs/one/run.json")]


def test_a_run_without_a_head_is_no_finding(filled: Fill) -> None:
    case = filled(3)
    (case / "runs" / "one").mkdir(parents=True)
    (case / "runs" / "one" / "run.json").write_text('{"started": "interrupted"}')
    assert codes(case) == []


def test_what_is_not_part_of_a_ledger_is_named(filled: Fill, clock: Clock) -> None:
    case = filled(3)
    tamper(case, "CREATE TRIGGER quiet AFTER INSERT ON events BEGIN DELETE FROM events WHERE kind = 'lead'; END")
    assert codes(case) == [("schema_changed", "quiet")]
    with pytest.raises(LedgerDamaged, match="quiet"):
        Ledger.open(case, clock)


def test_a_damaged_newest_event_is_not_built_upon(filled: Fill, clock: Clock) -> None:
    case = filled(10)
    tamper(case, "UPDATE events SET body = x'7b7d' WHERE seq = 10")
    with pytest.raises(LedgerDamaged, match=r"event 10 \(fact\): the newest event does not follow"):
        Ledger.open(case, clock)


def test_a_missing_or_damaged_output_is_named_with_the_event_that_needs_it(case: Path, clock: Clock) -> None:
    outputs = Outputs(case)
    names = outputs.put_many([b"kept", b"lost", b"torn"])
    with Ledger.create(case, clock) as ledger:
        ledger.append([Event("invocation", {"id": f"inv-{n}", "output_sha256": name}) for n, name in enumerate(names)])
        ledger.append([Event("invocation", {"output_sha256": "nonsense"})])
    outputs.path(names[1]).unlink()
    outputs.path(names[2]).write_bytes(b"torn")
    assert codes(case) == [
        ("output_missing", f"event 2 (invocation), output {names[1][:16]}…"),
        ("output_damaged", f"event 3 (invocation), output {names[2][:16]}…"),
        ("output_missing", "event 4 (invocation), output nonsense…"),
    ]


def test_many_findings_are_counted_not_listed(filled: Fill) -> None:
    case = filled(400)
    tamper(case, "UPDATE events SET body = x'7b7d'")
    found = verify_case(case)
    assert sum(damage.code == "row_edited" for damage in found) == 101
    assert "and 300 more" in [damage.message for damage in found]


@pytest.fixture
def killed(tmp_path: Path, clock: Clock) -> tuple[Path, list[list[object]]]:
    """A case as a killed writer leaves it, all in the write-ahead log; and its content after each batch."""
    living, dead = tmp_path / "living", tmp_path / "dead"
    with Ledger.create(living, clock) as ledger:
        states = [[ledger.counts(), *ledger.events()]]
        for batch in range(8):
            ledger.append([Event("fact", {"id": f"f-{n}", "batch": batch, "text": "x" * 700}) for n in range(5)])
            states.append([ledger.counts(), *ledger.events()])
        dead.mkdir()
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            shutil.copyfile(living / name, dead / name)
    return dead, states


def test_a_torn_write_leaves_whole_batches_only(killed: tuple[Path, list[list[object]]], clock: Clock) -> None:
    case, states = killed
    log, main = (case / "ledger.sqlite-wal").read_bytes(), (case / "ledger.sqlite").read_bytes()
    choice = random.Random(23)
    for length in (0, 16, 32, 40, *(choice.randrange(len(log)) for _ in range(60)), len(log)):
        put_back(case, main, log[:length])
        with Ledger.open(case, clock) as ledger:
            assert [ledger.counts(), *ledger.events()] in states
            assert ledger.recovery == []  # an unfinished write at the end was never acknowledged
            assert ledger.verify() == []


def test_a_flipped_byte_in_the_log_loses_batches_and_is_named(
    killed: tuple[Path, list[list[object]]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "PATIENCE", 0.0)
    case, states = killed
    log, main = (case / "ledger.sqlite-wal").read_bytes(), (case / "ledger.sqlite").read_bytes()
    choice, lost = random.Random(24), 0
    for number in range(150):
        damaged = bytearray(log)
        position = choice.randrange(32 if number < 30 else len(log))
        damaged[position] ^= 1 << choice.randrange(8)
        put_back(case, main, bytes(damaged))
        read = {damage.code for damage in verify_case(case)}
        with Ledger.open(case, clock) as ledger:
            now = [ledger.counts(), *ledger.events()]
            assert now in states
            named = [damage.code for damage in ledger.recovery]
            if now != states[-1]:
                lost += 1
                # the very last commit's own mark and salts: such a frame is like one that was never finished
                assert named == ["wal_damaged"] or 4 <= position - (len(log) - 4120) < 16
                assert read == set(named)
            ledger.append([Event("fact", {"id": "after"})])
            assert [damage.code for damage in ledger.verify()] == named
        if now != states[-1]:
            assert verify_case(case) == []  # told once, to who opened it: the run records it
    assert lost > 100
