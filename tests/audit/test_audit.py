"""The audit: approves what is whole; one changed byte anywhere is a block that names the place."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wigmore.api.audit import audit
from wigmore.api.cases import UseError
from wigmore.api.run import Result
from wigmore.cli.main import app
from wigmore.investigation.audit import Audit
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import GENESIS, Event, link


def flip(file: Path, at: int | None = None) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    file.write_bytes(data)


def blocks(found: Audit) -> list[tuple[str, str]]:
    return [(f.code, f.where) for f in found.findings if f.severity == "block"]


def evidence(case: Path) -> Path:
    return case.parent / "sample" / "evidence"


def ledger(case: Path, change: Callable[[sqlite3.Connection], None]) -> None:
    connection = sqlite3.connect(case / "ledger.sqlite")
    with connection:
        change(connection)
    connection.close()


def test_a_whole_case_is_approved_with_every_citation_run_again(finished: tuple[Path, Result]) -> None:
    found = audit(finished[0] / "case", jobs=1)
    assert (found.overall, found.chain_ok, found.sources_ok, found.findings) == ("approve", True, True, [])
    assert found.citations_checked == found.citations_reproduced > 20
    assert found.graph_hash == finished[1].graph_hash


def test_an_audit_changes_nothing(finished: tuple[Path, Result]) -> None:
    def content() -> dict[str, bytes]:
        return {
            str(p): p.read_bytes()
            for p in sorted((finished[0] / "case").rglob("*"))
            if p.is_file() and p.suffix not in (".sqlite-shm", ".sqlite-wal") and not p.name.endswith(("-shm", "-wal"))
        }

    before = content()
    audit(finished[0] / "case", jobs=1)
    assert content() == before


def test_the_run_itself_was_audited(finished: tuple[Path, Result]) -> None:
    assert finished[1].audit["overall"] == "approve"


def test_a_changed_file_of_a_folder_source_is_named(small: Path) -> None:
    file = next(p for p in sorted((evidence(small) / "server").rglob("*.log")) if p.stat().st_size)
    flip(file)
    found = audit(small, jobs=1)
    assert found.overall == "block" and not found.sources_ok and found.chain_ok
    (changed,) = [f for f in found.findings if f.code == "source_changed"]
    assert file.relative_to(evidence(small) / "server").as_posix() in changed.where and "src-server" in changed.where


def test_a_file_added_to_or_taken_from_a_source_is_named(small: Path) -> None:
    server = evidence(small) / "server"
    (server / "planted.txt").write_text("x", encoding="utf-8")
    gone = next(p for p in sorted(server.rglob("*.log")))
    gone.unlink()
    (changed,) = [f for f in audit(small, jobs=1).findings if f.code == "source_changed"]
    assert "planted.txt (not there at intake)" in changed.where
    assert f"{gone.relative_to(server).as_posix()} (gone)" in changed.where


def test_a_changed_single_file_source_is_named(small: Path) -> None:
    (file,) = (evidence(small) / "archive").iterdir()
    flip(file, -1)
    (changed,) = [f for f in audit(small, jobs=1).findings if f.code == "source_changed"]
    assert "src-archive" in changed.where and file.name in changed.where


def test_a_source_that_is_gone_is_a_block(small: Path) -> None:
    shutil.rmtree(evidence(small) / "server")
    assert ("source_unreadable", "src-server") in blocks(audit(small, jobs=1))


def test_a_changed_output_is_named_by_its_hash(small: Path) -> None:
    file = random.Random(1).choice(sorted((small / "outputs").rglob("*.zst")))
    flip(file)
    found = audit(small, jobs=1)
    assert found.overall == "block" and not found.chain_ok
    assert any((file.parent.name + file.stem)[:16] in where for _, where in blocks(found))


def test_a_changed_part_of_the_records_is_named_by_its_path(small: Path) -> None:
    file = sorted((small / "records").rglob("*.parquet"))[0]
    flip(file)
    assert ("part_damaged", file.relative_to(small).as_posix()) in blocks(audit(small, jobs=1))


def test_a_missing_part_is_named(small: Path) -> None:
    file = sorted((small / "records").rglob("*.parquet"))[0]
    file.unlink()
    assert ("part_missing", file.relative_to(small).as_posix()) in blocks(audit(small, jobs=1))


@pytest.mark.parametrize("kind", ["phenomenon", "invocation", "extraction", "source.hashed"])
def test_a_changed_event_is_named_by_its_number_and_kind(small: Path, kind: str) -> None:
    seqs: list[int] = []

    def change(connection: sqlite3.Connection) -> None:
        seq, body = connection.execute(
            "SELECT seq, body FROM events WHERE kind = ? ORDER BY seq DESC", (kind,)
        ).fetchone()
        seqs.append(seq)
        connection.execute(
            "UPDATE events SET body = ? WHERE seq = ?", (bytes(body).replace(b'"id":"', b'"id":"X', 1), seq)
        )

    ledger(small, change)
    found = audit(small, jobs=1)
    assert found.overall == "block" and not found.chain_ok
    assert ("row_edited", f"event {seqs[0]} ({kind})") in blocks(found)


def test_a_cut_tail_is_found_by_the_head_that_the_run_noted(small: Path) -> None:
    def cut(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM events WHERE seq > (SELECT max(seq) - 3 FROM events)")

    ledger(small, cut)
    assert "tail_cut" in {code for code, _ in blocks(audit(small, jobs=1))}


def test_a_chain_rewritten_whole_is_found_by_the_expected_head(small: Path, finished: tuple[Path, Result]) -> None:
    def rewrite(connection: sqlite3.Connection) -> None:
        previous = GENESIS
        for seq, kind, at, body in connection.execute(
            "SELECT seq, CAST(kind AS BLOB), CAST(at AS BLOB), body FROM events ORDER BY seq"
        ).fetchall():
            if kind == b"edge":
                body = body.replace(b"direct_evidence", b"weakens").replace(b"supports", b"weakens")
            previous = link(previous, seq, kind, at, body)
            connection.execute("UPDATE events SET body = ?, hash = ? WHERE seq = ?", (body, previous, seq))

    ledger(small, rewrite)
    assert "chain_rewritten" in {code for code, _ in blocks(audit(small, jobs=1))}  # the run's own note tells
    shutil.rmtree(small / "runs")
    assert audit(small, jobs=1).chain_ok  # valid in itself: nothing inside the case can tell any more
    found = audit(small, expect_head=finished[1].head, jobs=1)
    assert found.overall == "block" and not found.chain_ok


@pytest.mark.parametrize("kind", ["field", "query_result"])
def test_a_fact_that_says_what_its_call_did_not_print_is_named(small: Path, kind: str) -> None:
    with Workbench(small) as bench:
        seen, fact = next(
            (p, f)
            for p in sorted(bench.state.phenomena.values(), key=lambda p: p.id)
            for f in p.verified_facts
            if f.citation.kind == kind
        )
        forged = tuple(replace(f, value="another") if f == fact else f for f in seen.verified_facts)
        bench.ledger.append([Event("phenomenon", replace(seen, verified_facts=forged).to_dict())])
    found = audit(small)
    assert {code for code, _ in blocks(found)} == {"value_differs"}
    assert found.citations_reproduced == found.citations_checked - 1


def test_the_command_ends_with_4_and_prints_the_interface(small: Path, finished: tuple[Path, Result]) -> None:
    good = CliRunner().invoke(app, ["audit", str(finished[0] / "case"), "-t", "json", "--jobs", "1"])
    values = json.loads(good.stdout)
    assert good.exit_code == 0
    assert {
        "case",
        "overall",
        "chain_ok",
        "sources_ok",
        "citations_checked",
        "citations_reproduced",
        "findings",
        "graph_hash",
    } <= set(values)
    flip(sorted((small / "records").rglob("*.parquet"))[0])
    bad = CliRunner().invoke(app, ["audit", str(small), "-t", "json", "--jobs", "1"])
    assert bad.exit_code == 4
    assert {"severity", "code", "message", "where"} <= set(json.loads(bad.stdout)["findings"][0])


def test_a_ledger_that_is_no_database_is_a_block_and_no_traceback(small: Path) -> None:
    (small / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    found = audit(small, jobs=1)
    assert found.overall == "block" and not found.chain_ok
    assert CliRunner().invoke(app, ["audit", str(small)]).exit_code == 4


def test_without_a_case_or_a_run_there_is_nothing_to_audit(tmp_path: Path, bare: Path) -> None:
    with pytest.raises(UseError, match=r"no case\.yaml"):
        audit(tmp_path)
    with pytest.raises(UseError, match="never run"):
        audit(bare / "case")
