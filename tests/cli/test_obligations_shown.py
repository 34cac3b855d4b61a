"""`wigmore show CASE obligations` of a generated case: nothing is open, and what has no answer says what was looked at."""

from __future__ import annotations

from pathlib import Path

from wigmore.api.show import show


def test_a_generated_case_receipts_every_question_it_cannot_answer(investigated: Path) -> None:
    found = list(show(investigated / "case", "obligations"))
    assert {r["kind"] for r in found} >= {"question", "standard", "probe", "fact"}
    assert not [r for r in found if r["state"] == "open"]
    owing = [r for r in found if r["state"] == "unanswerable"]
    assert {r["kind"] for r in owing} >= {"standard", "probe"}
    # whether something was done is answered by the verdicts; what somebody meant is not for records, and no record has an IMEI
    unanswered = [r["title"] for r in found if r["kind"] == "question" and r["state"] != "answered"]
    assert len(unanswered) == 2 and "on purpose" in unanswered[0] and "IMEI" in unanswered[1]
    for row in owing:
        said = ("cannot say", "looked at", "not answered: it asks") if row["kind"] != "probe" else ("",)
        assert row["reason"].startswith(said), row
        if row["kind"] == "standard":
            assert row["needs"] and row["invocations"], row
        if row["kind"] == "probe":
            assert row["hypothesis_id"] and "cannot say" in row["reason"], row


def test_facts_are_counted_by_rule_and_none_is_cited_by_an_answer(investigated: Path) -> None:
    case = investigated / "case"
    facts = [r for r in show(case, "obligations") if r["kind"] == "fact"]
    cited = {c["record_id"] for q in show(case, "questions") for c in q.get("citations") or ()}
    by_id = {p["id"]: p for p in show(case, "phenomena")}
    assert facts and all(r["count"] >= len(r["phenomena"]) > 0 for r in facts)
    for row in facts:
        for name in row["phenomena"]:
            assert not cited & {f["citation"]["record_id"] for f in by_id[name]["verified_facts"]}
