"""Passwords are looked for only where the authority covers it, within a budget, and found ones are never shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import pyzipper

from wigmore.api.cases import open_case
from wigmore.api.run import Options, run
from wigmore.api.tool import call_tool
from wigmore.investigation.case_file import CaseFileError, read_case
from wigmore.records.recovery import MaskError, distinct, listed, mask_parts, masked

PASSWORD = "Quince77"


def made(tmp_path: Path, authority: str) -> Path:
    """A case over a folder with an encrypted zip and a note that names the password."""
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    evidence.mkdir()
    case.mkdir()
    with pyzipper.AESZipFile(
        evidence / "safe.zip", "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(PASSWORD.encode())
        archive.writestr("letter.txt", b"the hidden letter")
    (evidence / "note.txt").write_text(f"remember: {PASSWORD}, as always\n", encoding="utf-8")
    (case / "case.yaml").write_text(
        f"case: C-1\nauthority: {authority}\nsources:\n  - {{id: src-a, path: '{evidence}'}}\n", encoding="utf-8"
    )
    return case


def recover(case: Path, *given: str) -> tuple[dict[str, object], str]:
    """The row that the tool gives, and its outcome."""
    output, outcome = call_tool(case, "recover_password", ["path=safe.zip", *given])
    lines = output.decode().splitlines()
    return (json.loads(lines[1]) if len(lines) > 1 else json.loads(lines[0])), outcome


@pytest.fixture
def covered(tmp_path: Path) -> Path:
    case = made(tmp_path, "{order: Order 7, password_recovery: true}")
    assert run(case, Options(jobs=1)).exit_code in (0, 3)
    return case


def test_without_authority_nothing_is_tried(tmp_path: Path) -> None:
    case = made(tmp_path, "Order 7")
    assert run(case, Options(jobs=1)).exit_code in (0, 3)
    row, outcome = recover(case)
    assert outcome == "failed" and "authority" in str(row["note"])
    assert not (case / "secrets").exists()


def test_a_word_of_the_case_opens_it_and_the_next_run_reads_it(covered: Path) -> None:
    with open_case(covered) as bench:
        assert any(c.path == "safe.zip/letter.txt" and c.reason_code == "locked" for c in bench.coverage)
    row, outcome = recover(covered)
    assert outcome == "found" and row["result"] == "opened" and PASSWORD not in json.dumps(row)
    sealed = covered / str(row["secret_file"])
    assert stat.S_IMODE(os.stat(sealed).st_mode) == 0o600
    assert json.loads(sealed.read_bytes())["secret"] == PASSWORD
    result = run(covered, Options(jobs=1))
    assert result.exit_code in (0, 3)
    with open_case(covered) as bench:
        assert not any(c.path == "safe.zip/letter.txt" and c.reason_code == "locked" for c in bench.coverage)
        texts = list(bench.store.records(["generic.text"], "src-a", "path = ?", ["safe.zip/letter.txt"]))
        assert "the hidden letter" in str(texts)
        ids = [r["record_id"] for r in bench.store.records()]
        assert len(ids) == len(set(ids))
        bodies = [json.dumps(e.body) for e in bench.ledger.events() if e.kind in ("secret_recovered", "invocation")]
        assert any(e.kind == "secret_recovered" for e in bench.ledger.events())
        assert not any(PASSWORD in body for body in bodies)
    from wigmore.api.audit import audit

    assert not [f for f in audit(covered).findings if f.severity == "block"]


def test_an_exhausted_budget_is_an_outcome_of_its_own(covered: Path) -> None:
    row, outcome = recover(covered, "harvest=no", "mask=?d?d?d", "attempts=50")
    assert outcome == "empty" and row["result"] == "budget_exhausted" and row["attempts"] == 50
    row, outcome = recover(covered, "harvest=no", "mask=?d")
    assert outcome == "empty" and row["result"] == "not_found" and row["attempts"] == 10
    row, outcome = recover(covered, "harvest=no", "mask=?l?l?l?l?l?l", "seconds=0.5")
    assert row["result"] == "budget_exhausted"


def test_a_list_and_a_mask_find_it(covered: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"caf\xe9\nquince\n" + PASSWORD.encode() + b"\r\n")
    assert recover(covered, "harvest=no", f"wordlist={tmp_path / 'words.txt'}")[0]["result"] == "opened"
    assert recover(covered, "harvest=no", "mask=Quince?d7")[0]["result"] == "opened"


def test_what_is_not_locked_is_refused(covered: Path) -> None:
    output, outcome = call_tool(covered, "recover_password", ["path=note.txt"])
    assert outcome == "failed" and b"nothing here" in output


def test_a_mask_stands_for_every_text_of_its_classes() -> None:
    assert list(masked("a?d??"))[:2] == ["a0?", "a1?"] and len(list(masked("?l?d"))) == 260
    assert len(mask_parts("?s")[0]) == 33 and list(masked("")) == [""]
    with pytest.raises(MaskError, match=r"\?x"):
        mask_parts("a?x")
    assert list(distinct(["a", "", "a", "b" * 200, "b"])) == ["a", "b"]


def test_a_word_list_may_be_latin(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"caf\xe9\nsch\xc3\xb6n\n")
    assert list(listed(tmp_path / "words")) == ["café", "schön"]


@pytest.mark.parametrize(
    ("written", "order", "allowed"),
    [
        ("Order 7", "Order 7", False),
        ("{order: Order 7, password_recovery: true}", "Order 7", True),
        ("{order: Order 7}", "Order 7", False),
        ("{password_recovery: no}", "", False),
    ],
)
def test_the_authority_is_a_text_or_a_mapping(tmp_path: Path, written: str, order: str, allowed: bool) -> None:
    (tmp_path / "case.yaml").write_text(f"case: C\nauthority: {written}\n", encoding="utf-8")
    case = read_case(tmp_path)
    assert case.authority == order and case.password_recovery is allowed


def test_an_authority_that_is_neither_yes_nor_no_is_refused(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("case: C\nauthority: {password_recovery: perhaps}\n", encoding="utf-8")
    with pytest.raises(CaseFileError, match="password_recovery"):
        read_case(tmp_path)
