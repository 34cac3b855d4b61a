"""Questions asked of a model: what stands is read again from the record that is cited, and everything else is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wigmore.agents.answering import agrees, stray
from wigmore.api.ask import ask
from wigmore.api.audit import audit
from wigmore.api.cases import UseError, open_case
from wigmore.api.demo import make
from wigmore.api.models import probed
from wigmore.api.run import Options, latest_report, run
from wigmore.cli.main import app
from wigmore.investigation.asking import Asking, answer_questions
from wigmore.investigation.tasks import Tasks
from wigmore.ledger import Ledger
from wigmore.llm.scripted import Reply, Scripted
from wigmore.llm.scripted_wire import Asked
from wigmore.reports.html import render_html

Script = Callable[[Asked], Reply]
KEYS = {"id", "question", "status", "answer", "answers", "citations", "looked_at", "model"}
LOGON = "Which address logged on over the network as administrator?"
CAKE = "What is the colour of the curtains?"
GUESSED = "Did someone guess a password of the server and get in?"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, made = make(tmp_path_factory.mktemp("asked") / "case", scenario="password_attack", seed=907, noise=10)
    file = made / "case.yaml"
    text = re.sub(r"(?m)^questions:.*\n(?:[ #-].*\n)*", "", file.read_text(encoding="utf-8"))
    asked = "".join(f'  - {{id: X{n}, ask: "{q}"}}\n' for n, q in enumerate((LOGON, CAKE, GUESSED), 1))
    file.write_text(f"{text}questions:\n{asked}", encoding="utf-8")
    with Scripted(works_on_a_run, models=("small",)) as server:
        configure(made, server)
        run(made, Options(jobs=2, audit=False))
    (made / "config.yaml").unlink()
    return made


def works_on_a_run(asked: Asked) -> Reply:
    """Answers one question, cannot answer the other; as any other role it looks, and has nothing to propose."""
    if "answer" in asked.tools:
        return honest(asked) if LOGON in bundle(asked) else look_and_decline(asked)
    looks = "list_phenomena" in asked.tools and not asked.tool_results
    return Reply(calls=(("list_phenomena", {}),)) if looks else Reply("nothing")


@pytest.fixture(autouse=True)
def no_model(case: Path) -> Iterator[None]:
    yield
    (case / "config.yaml").unlink(missing_ok=True)


def configure(case: Path, *servers: Scripted, budgets: str = "") -> None:
    agents = [f"{{base_url: {s.base_url}, model: {s.models[0]}, timeout_seconds: 20}}" for s in servers]
    lines = [f"agent: {agents[0]}", "escalation:" if agents[1:] else "", *(f"  - {a}" for a in agents[1:]), budgets]
    (case / "config.yaml").write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")


def answers(script: Script) -> Script:
    """A script for the questions; the probe and every other role get a word."""
    return lambda asked: script(asked) if "answer" in asked.tools else Reply("ready")


def bundle(asked: Asked) -> str:
    return str(next(m["content"] for m in asked.messages if m["role"] == "user"))


def records(asked: Asked) -> list[dict[str, Any]]:
    """The records of a bundle that can be read whole."""
    lines = [line for line in bundle(asked).split("\n") if line.startswith('{"record_id"')]
    out = []
    for line in lines:
        try:
            out.append(json.loads(line))
        except ValueError:  # a long one is cut
            continue
    return out


def with_field(asked: Asked, name: str) -> dict[str, Any]:
    return next(r for r in records(asked) if r["fields"].get(name))


def cited(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {"record_id": record["record_id"], "field": name, "value": record["fields"][name]}


def said(text: str, *values: dict[str, Any]) -> Reply:
    return Reply(calls=(("answer", {"text": text, "values": list(values)}),))


def honest(asked: Asked) -> Reply:
    record = with_field(asked, "IpAddress")
    return said(f"The logon names {record['fields']['IpAddress']}.", cited(record, "IpAddress"))


def events(case: Path, kind: str) -> list[dict[str, Any]]:
    ledger = Ledger.open_readonly(case)
    try:
        return [e.body for e in ledger.events(kind)]
    finally:
        ledger.close()


def one(case: Path, script: Script, question: str = LOGON, **more: Any) -> tuple[dict[str, Any], list[Asked]]:
    with Scripted(answers(script), models=("small",)) as server:
        configure(case, server)
        [answer] = ask(case, question, **more)
        return answer, server.asked


def test_without_a_model_nothing_changes_and_nothing_is_written(case: Path) -> None:
    before = (case / "ledger.sqlite").read_bytes()
    [answer] = ask(case, LOGON)
    assert answer["model"] == "offline" and set(answer) == KEYS | {"case"}
    assert (case / "ledger.sqlite").read_bytes() == before


def test_an_honest_answer_stands_with_its_records_and_what_code_found(case: Path) -> None:
    [alone] = ask(case, LOGON)
    answer, asked = one(case, honest)
    assert answer["status"] == "answered" and answer["model"].startswith("small at 127.0.0.1")
    assert set(answer) >= KEYS and answer["offline"] == alone["answer"]
    first = answer["answers"][0]
    assert first["value"].startswith("IpAddress: ") and first["value"].split(": ")[1] in answer["answer"]
    assert {"value", "record_id", "path"} <= set(first)
    assert answer["citations"][0]["record_id"] == first["record_id"] and answer["citations"][0]["locator"]
    with open_case(case) as bench:
        stored = bench.store.by_id([first["record_id"]])[first["record_id"]]
    assert json.loads(stored["data"])["IpAddress"] == first["value"].split(": ")[1]
    assert len(bundle(asked[1])) < 12_500
    task = events(case, "answer")[-1]["task_id"]
    assert task.startswith("ask:") and [e for e in events(case, "exchange") if e["task_id"] == task]
    assert [e for e in events(case, "invocation") if e["task_id"] == task and e["tool"] == "get_records"]


def test_asked_again_it_is_another_task(case: Path) -> None:
    for _ in range(2):
        one(case, honest, "Which address did a logon name?")
    tasks = [e["task_id"] for e in events(case, "answer")][-2:]
    assert tasks[1] == f"{tasks[0]}#2"


def wrong_value(asked: Asked) -> Reply:
    record = with_field(asked, "IpAddress")
    return said("The logon names 10.9.8.7.", {**cited(record, "IpAddress"), "value": "10.9.8.7"})


def wrong_row(asked: Asked) -> Reply:
    """The value of one record under the id of another."""
    first, *rest = [r for r in records(asked) if "IpAddress" in r["fields"]]
    name, other = next(
        (n, r) for r in rest for n, v in r["fields"].items() if first["fields"].get(n) not in (None, "", v) and v
    )
    return said("A record is there.", {**cited(first, name), "record_id": other["record_id"]})


def from_memory(asked: Asked) -> Reply:
    return said(
        "It came from 198.51.100.77 at 2025-01-02T03:04:05Z.", cited(with_field(asked, "IpAddress"), "IpAddress")
    )


def too_much(asked: Asked) -> Reply:
    return said("This proves that the attacker got in.", cited(with_field(asked, "IpAddress"), "IpAddress"))


def unseen(asked: Asked) -> Reply:
    return said("An address is named.", {"record_id": "rec-0123456789abcdef", "field": "IpAddress", "value": "x"})


def no_field(asked: Asked) -> Reply:
    return said("A colour is named.", {**cited(with_field(asked, "IpAddress"), "IpAddress"), "field": "Colour"})


def nothing_cited(asked: Asked) -> Reply:
    return said("An address is named.")


def counted(asked: Asked) -> Reply:
    return said("There were 8731 tries.", cited(with_field(asked, "IpAddress"), "IpAddress"))


def quoted(asked: Asked) -> Reply:
    return said('The account is called "grand vizier".', cited(with_field(asked, "IpAddress"), "IpAddress"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (wrong_value, "does not say '10.9.8.7'"),
        (wrong_row, "does not say"),
        (from_memory, "198.51.100.77, 2025-01-02T03:04:05Z, which stands in no cited value"),
        (too_much, "claims more than records carry (proves, attacker)"),
        (unseen, "was not shown to you"),
        (no_field, "has no field 'Colour'; it has "),
        (nothing_cited, "no value is cited"),
        (counted, "states 8731"),
        (quoted, "states 'grand vizier'"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_does_not_stand_in_what_it_cites_is_refused_and_left_out(case: Path, script: Script, reason: str) -> None:
    [alone] = ask(case, LOGON)
    answer, asked = one(case, script)
    assert answer["model"] == "offline" and "does not stand" in answer["note"]
    assert (answer["answer"], answer["answers"]) == (alone["answer"], alone["answers"])
    assert reason in next(iter(asked[-1].tool_results.values()))
    assert len(asked) == 3  # the probe, the answer, and one more try with the reasons
    refused = [r for r in events(case, "rejection") if r["what"] == "answer"]
    assert reason in refused[-1]["reason"] and "10.9.8.7" not in json.dumps(answer)


def test_an_answer_that_is_mended_stands(case: Path) -> None:
    answer, asked = one(case, lambda a: honest(a) if a.tool_results else wrong_value(a))
    assert answer["model"].startswith("small at") and len(asked) == 3


def test_an_address_of_the_question_that_no_record_holds_is_named_as_such(case: Path) -> None:
    def repeats(asked: Asked) -> Reply:
        return said("A logon names 192.0.2.99.", cited(with_field(asked, "TargetUserName"), "TargetUserName"))

    answer, _ = one(case, repeats, "Which account did 192.0.2.99 log on with over the network?")
    assert answer["note"] == "stands in the question, and in none of the cited values: 192.0.2.99"


@pytest.mark.parametrize(
    "reply",
    [Reply("It was the butler."), Reply(status=500, error="no"), Reply(raw=b"{}")],
    ids=["prose", "500", "shape"],
)
def test_silence_noise_and_errors_leave_the_answer_of_code(case: Path, reply: Reply) -> None:
    [alone] = ask(case, LOGON)
    answer, _ = one(case, lambda asked: reply)
    assert answer["model"] == "offline" and answer["note"].startswith("answered by code alone")
    assert answer["answers"] == alone["answers"] and "butler" not in json.dumps(answer)


def look_and_decline(asked: Asked) -> Reply:
    if not asked.tool_results:
        [source] = set(re.findall(r'"source_id":"([^"]+)"', bundle(asked))) or {""}
        given = {"artifact": "windows.evtx*", "text": "curtain"} | ({"source_id": source} if source else {})
        return Reply(calls=(("query_records", given),))
    return Reply(calls=(("cannot_answer", {"why": "No record tells of furnishings."}),))


def test_what_cannot_be_found_says_what_was_looked_at(case: Path) -> None:
    answer, _ = one(case, look_and_decline, CAKE)
    assert answer["status"] == "unanswered" and answer["model"] == "offline" and not answer["answers"]
    assert "could not find it either; it looked at 1 × get_records, 1 × query_records" in answer["answer"]
    assert "No record tells of furnishings." in answer["answer"]
    looked = [row for row in answer["looked_at"] if row.get("call") == "query_records"]
    assert looked[0]["artifact"] == "windows.evtx*" and looked[0]["records"] == 0 and looked[0]["outcome"] == "empty"


def test_a_second_model_is_asked_and_how_far_both_agree_is_kept(case: Path) -> None:
    def decline(asked: Asked) -> Reply:
        return Reply(calls=(("cannot_answer", {"why": ""}),))

    for first, second, stands, jaccard in (
        (decline, honest, "large", 0.0),
        (wrong_value, honest, "large", 0.0),
        (decline, decline, "offline", 1.0),
    ):
        with Scripted(answers(first), models=("small",)) as one_, Scripted(answers(second), models=("large",)) as two:
            configure(case, one_, two)
            [answer] = ask(case, LOGON)
        told = events(case, "reasoned")[-1]
        assert answer["model"].split(" ")[0] == stands
        assert [t["endpoint"].split(" ")[0] for t in told["tried"]] == ["small", "large"] and told["role"] == "answer"
        assert told["agreement"]["jaccard"] == jaccard


def test_an_answer_that_stands_asks_no_second_model(case: Path) -> None:
    with Scripted(answers(honest), models=("small",)) as one_, Scripted(answers(honest), models=("large",)) as two:
        configure(case, one_, two)
        [answer] = ask(case, LOGON)
        assert answer["model"].startswith("small") and len(two.asked) == 1  # its probe


def test_only_what_lies_below_the_path_is_shown_and_can_be_cited(case: Path) -> None:
    with open_case(case) as bench:
        [*rows] = bench.store.query("SELECT path, count(*) AS n FROM records GROUP BY path ORDER BY n DESC, path")
        inner = next(r["path"] for r in rows if not r["path"].endswith("Security.evtx") and "/" in r["path"])
        outside = bench.store.query("SELECT record_id FROM records WHERE path LIKE '%Security.evtx' LIMIT 1")[0][
            "record_id"
        ]
    shown: list[str] = []

    def reaches_out(asked: Asked) -> Reply:
        assert set(asked.tools) == {"query_records", "get_records", "answer", "cannot_answer"}
        if not asked.tool_results:
            shown.extend(re.findall(r'"path":"([^"]+)"', bundle(asked)))
            return Reply(calls=(("get_records", {"record_ids": [outside]}),))
        shown.extend(asked.tool_results.values())
        return said("A record is there.", {"record_id": outside, "field": "event_id"})

    answer, asked = one(case, reaches_out, "Which file is it and how large?", path=inner)
    results = list(asked[-1].tool_results.values())
    assert "nothing within the path" in results[0] and "was not shown to you" in results[1]
    assert not any("Security.evtx" in text for text in shown)
    assert answer["model"] == "offline" and outside not in json.dumps(answer["answers"])


def test_text_of_the_evidence_stays_inside_its_fence(case: Path) -> None:
    _, asked = one(case, honest)
    text = bundle(asked[1])
    marks = re.findall(r"<evidence (data-\w+)>", text)
    assert marks and all(text.count(f"</evidence {mark}>") == 1 for mark in marks)
    fenced = "".join(re.findall(r"<evidence data-\w+>(.*?)</evidence data-\w+>", text, re.DOTALL))
    assert all(line in fenced for line in (json.dumps(r["record_id"]) for r in records(asked[1])))
    assert text.index("The examiner asks: " + LOGON) < text.index("<evidence")


def test_verdicts_and_what_records_are_not_to_be_asked_are_asked_of_no_model(case: Path) -> None:
    for question in (GUESSED, "Was the password guessed on purpose?"):
        answer, asked = one(case, honest, question)
        assert answer["model"] == "offline" and len(asked) == 1 and "note" not in answer


def test_a_case_that_stays_here_asks_no_other_machine(case: Path) -> None:
    text = (case / "case.yaml").read_text(encoding="utf-8")
    (case / "config.yaml").write_text("agent: {base_url: 'https://192.0.2.1/v1', model: far}\n", encoding="utf-8")
    (case / "case.yaml").write_text(re.sub(r"(?m)^local_only:.*\n", "", text) + "\nlocal_only: true\n", "utf-8")
    try:
        with pytest.raises(UseError, match="local_only") as refused:
            list(ask(case, LOGON))
        assert refused.value.code == 1
        [answer] = ask(case, LOGON, offline=True)
        assert answer["model"] == "offline"
    finally:
        (case / "case.yaml").write_text(text, encoding="utf-8")


def test_a_model_that_cannot_be_reached_is_said_before_anything_is_asked(case: Path) -> None:
    with Scripted(answers(honest), models=("small",)) as server:
        configure(case, server)
    with pytest.raises(UseError, match="the model cannot be used: nothing usable answers"):
        list(ask(case, LOGON))


def test_a_case_that_another_works_on_is_said_with_the_way_out(case: Path) -> None:
    with Scripted(answers(honest), models=("small",)) as server:
        configure(case, server)
        with open_case(case, write=True), pytest.raises(UseError, match=r"is working on this case.*--offline"):
            list(ask(case, LOGON))
        assert not server.asked


def test_a_sheet_keeps_to_the_budget(case: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"id,question,path\nA,{LOGON},\nB,{CAKE},\nC,{LOGON},\n", encoding="utf-8")
    used = sum(e["tokens_in"] + e["tokens_out"] for e in events(case, "exchange"))
    with Scripted(answers(honest), models=("small",)) as server:
        configure(case, server, budgets=f"budgets: {{tokens_total: {used + 10}}}")
        first, second, third = ask(case, "", file=sheet)
    assert [a["id"] for a in (first, second, third)] == ["A", "B", "C"]
    assert first["model"].startswith("small")
    for answer in (second, third):
        assert answer["model"] == "offline" and answer["note"] == "no model was asked: budget spent: tokens"


def test_the_command_prints_the_shape_of_the_interface(case: Path) -> None:
    with Scripted(answers(honest), models=("small",)) as server:
        configure(case, server)
        printed = CliRunner().invoke(app, ["ask", str(case), LOGON, "-t", "jsonl"])
        table = CliRunner().invoke(app, ["ask", str(case), LOGON])
        offline = CliRunner().invoke(app, ["ask", str(case), LOGON, "--offline", "-t", "jsonl"])
    [line] = printed.stdout.splitlines()
    answer = json.loads(line)
    assert set(answer) >= KEYS and all({"record_id", "path", "locator"} <= set(c) for c in answer["citations"])
    assert "from recorded facts: interpretation" in table.stdout
    assert json.loads(offline.stdout)["model"] == "offline"


def test_a_run_asks_its_questions_of_the_model_and_its_report_says_whose_answer_it_is(case: Path) -> None:
    with open_case(case) as bench:
        first, second, third = (bench.state.questions[name] for name in ("X1", "X2", "X3"))
        page = render_html(latest_report(bench))
    assert first["model"].startswith("small at") and first["status"] == "answered"
    assert second["model"] == "offline" and second["status"] == "unanswered" and second["receipt"]
    assert "could not find it either" in second["answer"]
    assert third["model"] == "offline" and third["verdict"] and not third["note"]
    assert "answered by a model from recorded facts: interpretation (small at" in page


def test_what_a_run_recorded_of_the_same_records_and_graph_is_not_asked_again(case: Path) -> None:
    with Scripted(answers(honest), models=("small",)) as server:
        configure(case, server)
        with open_case(case, write=True) as bench:
            asking = Asking(bench, Tasks(bench, reasoning=probed(bench, print)), case / "index", kind="question")
            answer_questions(asking, [bench.state.questions["X1"]])
        assert len(server.asked) == 1  # the probe


def test_the_audit_approves_a_case_that_was_asked(case: Path) -> None:
    result = audit(case)
    assert result.overall == "approve", result.findings


def test_what_is_typed_agrees_with_what_was_read() -> None:
    assert agrees("443", 443) and agrees({"a": 1}, {"a": 1}) and not agrees("44", 443)
    long = "a sentence that goes on for longer than what one line shows of it, and on"
    assert agrees(f"{long[:45]}… (28 characters more)", long) and not agrees(f"{long[:12]}…", long)


def test_what_a_text_states_beyond_its_grounds_is_seen() -> None:
    grounds = ["2025-07-15T18:11:06Z", "203.0.113.143", 1234, "Lena's “plan”"]
    for text in (
        "On 15 July 2025 at 18:11 it came from 203.0.113.143.", "2 values, 1,234 bytes.", "It is called 'plan'.", "Lena's files"
    ):  # fmt: skip
        assert stray(text, grounds, 2) == [], text
    assert stray("On 16 July 2025.", grounds, 2) == ["16 July 2025"]
    assert stray("It is called 'secret plan'.", grounds, 2) == ["'secret plan'"]
