"""What the ledger promises while nothing is damaged."""

from __future__ import annotations

import hashlib
import os
import resource
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wigmore.ledger import (
    CaseLocked,
    Event,
    Head,
    Ledger,
    LedgerDamaged,
    LedgerExists,
    LedgerFull,
    LedgerMissing,
    LedgerReadOnly,
    LedgerWriteFailed,
    Outputs,
    SchemaTooNew,
    durable_file,
    verify_case,
)
from wigmore.model.protocols import Clock

SRC = Path(__file__).resolve().parents[2] / "src"


def python(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Another process of this Python with the package in reach."""
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )


def test_events_come_back_in_order_and_as_they_were_given(case: Path, clock: Clock) -> None:
    odd = {"id": "a", "name": "lone \ud800 surrogate", "nul": "a\0b", "big": 2**80, "float": 0.1, "deep": [{"x": None}]}
    with Ledger.create(case, clock) as ledger:
        assert ledger.append([Event("fact", odd), Event("lead", {"id": "a"})]) == range(1, 3)
        assert ledger.append([]) == range(3, 3)
        assert ledger.append([Event("fact", {"id": "a", "again": True})]) == range(3, 4)
    with Ledger.open(case, clock) as ledger:
        assert [(e.seq, e.kind) for e in ledger.events()] == [(1, "fact"), (2, "lead"), (3, "fact")]
        assert next(ledger.events()).body == odd
        assert [e.seq for e in ledger.events("fact", after=1)] == [3]
        assert [e.seq for e in ledger.events("fact", "lead", upto=2)] == [1, 2]
        assert ledger.counts() == {"fact": 2, "lead": 1}
        assert ledger.verify() == []


def test_the_newest_event_of_an_id_is_found(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:
        ledger.append(
            [Event("fact", {"id": "a", "n": 1}), Event("lead", {"id": "a"}), Event("fact", {"id": "a", "n": 2})]
        )
        ledger.append([Event("fact", {"id": 7}), Event("fact", {}), Event("fact", {"id": "\udcff"})])
        found = ledger.find("fact", "a")
        assert found and (found.seq, found.body["n"]) == (3, 2)
        odd = ledger.find("fact", "\udcff")
        assert odd and odd.seq == 6
        assert ledger.find("fact", "7") is None
        assert ledger.find("round", "a") is None


def test_a_long_ledger_is_read_in_pages_while_it_grows(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:
        ledger.append([Event("fact", {"n": n}) for n in range(1000)])
        seen = 0
        for event in ledger.events():
            seen += 1
            if event.seq % 100 == 0:
                ledger.append([Event("fact", {"late": event.seq})])
        assert seen == 1000
        assert ledger.head().seq == 1010


def test_an_events_kind_and_body_are_refused_when_it_is_made_wrongly() -> None:
    for kind in ("", "Fact", "two words", "x" * 65, "fact\n"):
        with pytest.raises(ValueError, match="kind"):
            Event(kind, {})
    with pytest.raises(TypeError, match="dictionary"):
        Event("fact", ["no"])  # type: ignore[arg-type]  # the mistake under test


def test_a_batch_with_a_body_that_is_no_json_leaves_nothing(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:
        for wrong in (float("nan"), b"bytes", {1, 2}):
            with pytest.raises((TypeError, ValueError)):
                ledger.append([Event("fact", {"id": "a"}), Event("fact", {"value": wrong})])
        assert ledger.head().seq == 0
        assert ledger.append([Event("fact", {})]) == range(1, 2)


def test_the_standard_library_alone_can_verify_the_chain(filled: Callable[[int], Path]) -> None:
    case = filled(10)
    previous = bytes(32)
    connection = sqlite3.connect(case / "ledger.sqlite")
    for seq, kind, at, body, stored in connection.execute("SELECT seq, kind, at, body, hash FROM events ORDER BY seq"):
        lengths = struct.pack(">QIII", seq, len(kind), len(at), len(body))
        previous = hashlib.sha256(previous + lengths + kind.encode() + at.encode() + body).digest()
        assert previous == stored
    connection.close()
    assert verify_case(case, f"10:{previous.hex()}") == []


def test_a_head_can_be_written_kept_and_read(filled: Callable[[int], Path]) -> None:
    with Ledger.open_readonly(filled(7)) as ledger:
        assert ledger.head(0) == Head(0, "0" * 64)
        for upto in (3, 7, None):
            head = ledger.head(upto)
            assert Head.parse(str(head)) == head
            assert ledger.verify(str(head)) == ledger.verify(head) == []
        with pytest.raises(ValueError, match="seq:hash"):
            ledger.verify("7:abc")


def test_our_own_clock_is_read_once_a_batch(filled: Callable[[int], Path]) -> None:
    with Ledger.open_readonly(filled(5)) as ledger:
        assert [event.at[17:] for event in ledger.events()] == ["00.000000Z"] * 3 + ["01.000000Z"] * 2


def test_wrong_openings_are_named(case: Path, clock: Clock) -> None:
    for opening in (lambda: Ledger.open(case, clock), lambda: Ledger.open_readonly(case)):
        with pytest.raises(LedgerMissing, match="no ledger"):
            opening()
    Ledger.create(case, clock).close()
    with pytest.raises(LedgerExists):
        Ledger.create(case, clock)
    with Ledger.open_readonly(case) as ledger, pytest.raises(LedgerReadOnly):
        ledger.append([Event("fact", {})])
    connection = sqlite3.connect(case / "ledger.sqlite")
    connection.execute("UPDATE meta SET value = 99")
    connection.commit()
    connection.close()
    for opening in (lambda: Ledger.open(case, clock), lambda: Ledger.open_readonly(case)):
        with pytest.raises(SchemaTooNew, match="schema 99"):
            opening()
    assert [damage.code for damage in verify_case(case)] == ["schema_too_new"]


def test_a_reader_works_beside_the_writer(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as writer:
        writer.append([Event("fact", {"id": "a"})])
        with Ledger.open_readonly(case) as reader:
            assert reader.head() == writer.head()
            writer.append([Event("fact", {"id": "b"})])
            assert reader.find("fact", "b") == writer.find("fact", "b") is not None
            assert reader.verify(writer.head()) == []


def test_a_second_writer_is_refused_and_told_who_holds_the_case(case: Path, clock: Clock) -> None:
    Ledger.create(case, clock).close()
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from wigmore.ledger import Ledger
with Ledger.open(Path(sys.argv[1]), lambda: datetime.now(UTC)):
    print("open", flush=True)
    sys.stdin.read()
"""
    with python(code, case) as other:
        assert other.stdout and other.stdout.readline() == "open\n"
        with pytest.raises(CaseLocked, match=f"process {other.pid}") as caught:
            Ledger.open(case, clock)
        assert caught.value.pid == other.pid
        assert verify_case(case) == []
        other.kill()
    with Ledger.open(case, clock), pytest.raises(CaseLocked, match=f"process {os.getpid()}"):
        Ledger.open(case, clock)


def test_neither_a_spawned_nor_a_forked_child_keeps_the_lock(case: Path, clock: Clock) -> None:
    ledger = Ledger.create(case, clock)
    with python("import sys; sys.stdin.read()", close_fds=False) as spawned:
        ready, go = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            try:
                ledger.append([Event("fact", {})])
            except LedgerReadOnly:
                ledger.close()
                os.write(ready[1], b"refused")
                os.read(go[0], 1)
            finally:
                os._exit(0)
        assert os.read(ready[0], 7) == b"refused"
        ledger.append([Event("fact", {})])
        ledger.close()
        with Ledger.open(case, clock) as again:
            assert again.verify() == []
        os.write(go[1], b".")
        os.waitpid(child, 0)
        for handle in (*ready, *go):
            os.close(handle)
        spawned.kill()


def test_a_writer_that_ignores_the_lock_is_noticed(filled: Callable[[int], Path], clock: Clock) -> None:
    with Ledger.open(filled(5), clock) as ledger:
        stranger = sqlite3.connect(ledger.file)
        stranger.execute("INSERT INTO events VALUES (6, 'fact', '', x'', x'')")
        stranger.commit()
        stranger.close()
        with pytest.raises(LedgerDamaged, match="another program"):
            ledger.append([Event("fact", {})])
        assert [(d.code, d.where) for d in ledger.verify()][:1] == [("row_edited", "event 6 (fact)")]


def test_threads_share_one_ledger(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:

        def work(name: str) -> None:
            for n in range(20):
                numbers = ledger.append([Event("fact", {"id": f"{name}-{n}"}), Event("fact", {"id": name})])
                found = ledger.find("fact", f"{name}-{n}")
                assert found and found.seq == numbers[0]

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.counts() == {"fact": 160}
        assert ledger.verify() == []


def test_a_full_disk_keeps_nothing_of_the_batch_and_the_ledger_goes_on(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:
        ledger.append([Event("fact", {"id": "a"})])
        head = ledger.head()
        pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(LedgerFull, match=r"the disk is full. Nothing of this batch was kept"):
            ledger.append([Event("fact", {"id": "b"}), Event("fact", {"id": "c", "text": "x" * 100_000})])
        assert ledger.head() == head
        assert ledger.find("fact", "b") is None
        assert ledger.verify(head) == []
        ledger._connection.execute("PRAGMA max_page_count = 1000000")
        assert ledger.append([Event("fact", {"id": "b"})]) == range(2, 3)
        assert ledger.verify() == []


def test_a_limit_on_file_sizes_keeps_nothing_of_the_batch(case: Path, clock: Clock) -> None:
    Ledger.create(case, clock).close()
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from wigmore.ledger import Event, Ledger, LedgerWriteFailed
with Ledger.open(Path(sys.argv[1]), lambda: datetime.now(UTC)) as ledger:
    while True:
        try:
            ledger.append([Event("fact", {"n": n, "text": "x" * 1000}) for n in range(10)])
        except LedgerWriteFailed as error:
            print(ledger.head(), error.message, flush=True)
            break
"""
    limit = 600_000
    with python(code, case, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) as other:
        head, _, message = other.communicate()[0].partition(" ")
    assert "refused to write" in message
    assert Head.parse(head).seq % 10 == 0
    assert verify_case(case, head) == []
    with Ledger.open(case, clock) as ledger:
        assert str(ledger.head()) == head
        assert ledger.recovery == []


def test_the_family_of_write_failures_is_one() -> None:
    assert issubclass(LedgerFull, LedgerWriteFailed)


def test_projections_are_caches(filled: Callable[[int], Path], clock: Clock) -> None:
    case = filled(12)

    def spoil(statement: str) -> None:
        connection = sqlite3.connect(case / "ledger.sqlite")
        connection.execute(statement)
        connection.commit()
        connection.close()

    spoil("UPDATE keys SET seq = 2 WHERE kind = 'fact' AND key = 'f-0'")
    assert {damage.code for damage in verify_case(case)} == {"projection_stale"}
    with Ledger.open(case, clock) as ledger:
        with pytest.raises(LedgerDamaged, match="Rebuild"):
            ledger.find("fact", "f-0")
        ledger.rebuild()
        assert ledger.verify() == []
    for statement in ("DROP TABLE keys", "DROP TABLE counts", "DELETE FROM counts"):
        spoil(statement)
        assert verify_case(case)
        with Ledger.open(case, clock) as ledger:  # gone or behind: opening makes them anew
            assert ledger.counts() == {"fact": 9, "lead": 3}
            assert ledger.verify() == []


def test_what_an_event_names_is_on_the_disk_before_it(
    case: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, replace, write = os.fsync, os.replace, Path.write_bytes

    def kind(path: Path) -> str:
        return "folder" if path.is_dir() else path.suffix

    def noted_sync(handle: int) -> None:
        steps.append(f"fsync {kind(Path(f'/proc/self/fd/{handle}').resolve())}")
        sync(handle)

    def noted_replace(source: Path, target: Path) -> None:
        steps.append(f"rename {source.suffix} to {target.suffix}")
        replace(source, target)

    def noted_write(path: Path, data: bytes) -> int:
        steps.append(f"write {path.suffix}")
        return write(path, data)

    with Ledger.create(case, clock) as ledger:
        outputs = Outputs(case)
        outputs.put(b"first")  # makes outputs/
        (case / "outputs" / hashlib.sha256(b"x").hexdigest()[:2]).mkdir()
        (case / "part").mkdir()
        monkeypatch.setattr(os, "fsync", noted_sync)
        monkeypatch.setattr(os, "replace", noted_replace)
        monkeypatch.setattr(Path, "write_bytes", noted_write)
        ledger._connection.set_trace_callback(lambda statement: steps.append(statement.split()[0]))
        name = outputs.put(b"x")
        with durable_file(case / "part" / "part-0.parquet") as temporary:
            temporary.write_bytes(b"rows")
        ledger.append([Event("invocation", {"output_sha256": name})])
        ledger._connection.set_trace_callback(None)
    assert steps[:8] == [
        *("write .part", "fsync .part", "rename .part to .zst", "fsync folder"),
        *("write .part", "fsync .part", "rename .part to .parquet", "fsync folder"),
    ]
    assert steps[8:].index("BEGIN") < steps[8:].index("INSERT") < steps[8:].index("COMMIT")
    assert not [step for step in steps[8:] if step.startswith(("write", "fsync", "rename"))]


def test_the_ledger_waits_for_the_disk_at_each_commit(case: Path, clock: Clock) -> None:
    with Ledger.create(case, clock) as ledger:
        assert ledger._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ledger._connection.execute("PRAGMA synchronous").fetchone() == (2,)
