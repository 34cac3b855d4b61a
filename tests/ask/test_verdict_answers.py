"""Whether something was done is answered by the verdicts; which and when, by records."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wigmore.agents.templates import TemplateError, load_templates, read_template
from wigmore.api.ask import ask
from wigmore.api.demo import make
from wigmore.api.run import Options, run
from wigmore.records.rules import OWN_RULES

QUESTION = "Did someone guess a password of the server and get in?"


@pytest.fixture(scope="module", params=["guilty", "innocent"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("asked") / "case"
    _, case = make(folder, scenario="password_attack", seed=907, variant=request.param, noise=10)
    run(case, Options(jobs=1, audit=False))
    return request.param, case


def test_whether_it_was_done_is_answered_by_the_verdict(asked: tuple[str, Path]) -> None:
    variant, case = asked
    [answer] = ask(case, QUESTION)
    assert "A password was guessed or sprayed, and then used" in answer["answer"]
    if variant == "guilty":
        assert answer["status"] == "answered" and "concluded, for a person to accept" in answer["answer"]
        assert answer["citations"] and all(c["path"].endswith("Security.evtx") for c in answer["citations"][:1])
    else:
        assert "concluded" not in answer["answer"] and "open: neither supported nor refuted" in answer["answer"]


def test_a_question_for_a_value_keeps_what_records_answer(asked: tuple[str, Path]) -> None:
    [answer] = ask(asked[1], "What is the name of the server?")
    assert "hypotheses" not in answer


def test_of_what_somebody_meant_only_the_act_is_answered(asked: tuple[str, Path]) -> None:
    [answer] = ask(asked[1], "Was the password guessed on purpose?")
    assert answer["answer"].startswith("not answered: it asks what somebody meant")
    assert "Of the act itself: " in answer["answer"]
    assert answer["status"] == "refused" and "verdict" not in answer


def test_patterns_of_questions_are_checked_and_tell_acts_apart() -> None:
    templates = load_templates([OWN_RULES])
    asks = {t.id: t.asks for t in templates.values() if t.asks}
    assert len(asks) >= 30
    for question, wanted in (
        ("Was the design copied to a removable device?", "removable_media_copy"),
        ("Were logs cleared?", "log_clearing"),
        ("Was anything uploaded to a web service?", "cloud_upload"),
        ("Were files encrypted for ransom?", "ransom_destruction"),
    ):
        assert [n for n, ps in asks.items() if any(re.search(p, question, re.IGNORECASE) for p in ps)] == [wanted]
    with pytest.raises(TemplateError, match="unterminated"):
        read_template(
            {"id": "t", "asks": ["(open"], "alternatives": [{"id": "a", "title": "", "description": ""}]}, "x"
        )
