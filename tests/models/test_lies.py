"""A model lies in every way there is: nothing of it becomes a fact, moves a verdict, or stops the program."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from oracle import Fault, beliefs, compared, judge, stands, values

from lies import LIES, Liar, fates, told
from wigmore.agents import briefs
from wigmore.agents.roles import coreference
from wigmore.api.cases import open_case
from wigmore.api.demo import make
from wigmore.api.run import Options, run
from wigmore.investigation.decisions import Decisions
from wigmore.investigation.phases import Investigation
from wigmore.investigation.reasoning import Reasoned, Reasoning
from wigmore.investigation.tasks import Ask
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.llm.endpoint import Endpoint
from wigmore.llm.scripted import Scripted

ROLES = {
    "judge": "hypothesis",
    "hypothesis": "hypothesis",
    "strategist": "strategist",
    "report": "report",
    "timeline": "timeline",
}
REFUSED = {  # words that each lie meets; none where a whole turn is refused and the run ends before its answers are sent
    "10 MB of arguments": "answer is longer than|Connection error",
    "10 MB of text": "answer is longer than|Connection error",
    "HTTP errors": "status_code: (500|429|503|400|401|418)",
    "JSON of the wrong shape": "ModelFailed|Error|Invalid|nothing was recorded",
    "a cut connection": "Connection error",
    "a flood of leads": "",
    "a flood of observations": "these fields are recorded already",
    "a report of inventions": "kept 0|no sentence could be kept|left out [1-5]",
    "a silent server": "timed out|TimeoutError",
    "absent as empty": "cannot say|needs an `empty` call",
    "deep nesting": "refused|not an object|Invalid|validation error|RecursionError",
    "edges that cannot be": "refused: |Input should be",
    "edges to everything": "",
    "endless reading": "nothing was recorded|cap of iterations|.",
    "enormous arguments": "characters: 300 are the most|validation error|unknown",
    "false counts": "",
    "four leads": "at most 3 leads a round",
    "in a rule's place": "",
    "invented hypotheses": "stands in nothing that was cited|competes with it|unknown proposition|claims more|unknown phenomena",
    "invented identities": "stands in no fact|stands in nothing|claims more|unknown phenomena|Input should be",
    "invented ids": "has no field|does not occur|no recorded invocation|no field of record",
    "invented ties": "unknown entity|judged by code|no identifier|stands in nothing|claims more|unknown phenomena",
    "joined fragments": "stand in different records",
    "leads to nowhere": "unknown agent|unknown hypothesis|unknown source|stands in nothing|claims more|valid integer",
    "malformed JSON": "Invalid JSON|validation error|JSON|object",
    "many calls": "",
    "merged namesakes": "",
    "no JSON": "ModelFailed|Error|Invalid response",
    "numbers that are none": "refused|validation error|Invalid|number",
    "orders that were not": "the recorded times say otherwise|no known instant|unknown phenomena|Input should be",
    "over-claim": "claims more than records carry",
    "refusal": "nothing was recorded|refus|Refusal|content",
    "repetition": "",
    "right id, wrong row": "has no|does not occur|is .*, not|looked at source",
    "silence": "",
    "the graph as evidence": "shows what was concluded",
    "the same page under other numbers": "",
    "truncated": "incomplete|Incomplete|token limit|max_tokens|cut|EOF while parsing",
    "typed values": "stands in no",
    "unknown names in a lead": "unknown|stands in nothing|claims more",
    "unknown reason to stop": "unknown reason|stands in nothing|claims more",
    "unknown tools": "Unknown tool",
    "values cut and regrouped": "stands in none of the cited facts|recorded already",
    "values in disguise": "stands in no",
    "wrong types": "validation error|refused|Input should be",
    "wrong value": "state what was read",
    "200 calls at once": "",
    "complete at once": "",
}


BUSY = (
    "200 calls at once",
    "merged namesakes",
    "a flood of leads",
    "a flood of observations",
)  # told once: each is many


RUNS = {"values cut and regrouped": 6, "joined fragments": 6}  # not every record that is shown has what they need


@dataclass
class Told:
    """How one lie went: what its calls were answered, how its runs ended, what the ledger then lacks."""

    attempts: int
    answers: list[str]
    ends: list[str]
    faults: list[Fault]
    leads: int = 0


class House:
    """A small case that rules have finished, and models that lie about it one at a time."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.before = beliefs(bench)
        self.read: dict[str, list[dict[str, Any]]] = {}
        self.known: set[Fault] = set()  # faults that lies before this one left
        self.sources = tuple(sorted(bench.state.sources))

    def tell(self, name: str, *, runs: int, times: int) -> Told:
        """Have roles told a lie; `times` replies in each of some runs."""
        role = ROLES.get(LIES[name].whom, "filesystem")
        out = Told(0, [], [], [])
        for seed in range(runs):
            liar = Liar(seed, (name,), times)
            with Scripted(liar) as server:
                endpoint = Endpoint(server.base_url, "scripted-1", timeout_seconds=0.4, retries=0)
                working = Investigation(self.bench, jobs=1, reasoning=Reasoning(self.bench, [endpoint]))
                out.leads = max(out.leads, self._work(working, role, f"{name}:{seed}"))
                out.answers += [text for _, said in told(server, liar) for text in said]
                out.attempts += sum(f.attempts for f in fates(server, liar).values())
        for event in self.bench.ledger.events("reasoned"):
            if event.body["task_id"].startswith(f"{name}:") or event.body["role"] == "strategist":
                out.ends += [str(t["reason"]) for t in event.body["tried"]]
        out.faults = [f for f in judge(self.bench, self.read).faults if f not in self.known]
        self.known.update(out.faults)
        return out

    def _work(self, working: Investigation, name: str, task: str) -> int:
        role, source = working.roles[name], self.sources[0]
        before = set(self.bench.state.leads)
        if name == "strategist":
            number = 100 + len(list(self.bench.ledger.events("reasoned")))
            desk, _ = working._decided(number)
            leads = desk.config["decide"].leads
            self.bench.append([*desk.gateway.buffer, *(Event("lead", x.to_dict()) for x in leads)])
            return len(leads)
        across = name in ("hypothesis", "report")

        def brief(desk: Any) -> str:
            known = sorted(self.bench.state.phenomena)[:12]
            return briefs.hypotheses(role, desk, known) if across else briefs.triage(role, desk)

        def narrative(reasoned: Reasoned) -> list[Event]:
            if reasoned.writing is None or not reasoned.writing.sentences:
                return []
            return [Event("narrative", {"id": task, "model": "x", "sentences": reasoned.writing.sentences})]

        sources = () if across else (source,)
        working._reason([Ask(role, f"{task}:model", "" if across else source, sources, brief, also=narrative)])
        return len(set(self.bench.state.leads) - before)


@pytest.fixture(scope="module")
def investigated_by_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated case, run once without a model; not to be changed."""
    _, case = make(tmp_path_factory.mktemp("lies") / "usb", scenario="usb_copy", seed=901)
    run(case, Options(audit=False))
    return case


@pytest.fixture
def house(investigated_by_rules: Path, tmp_path: Path) -> Iterator[House]:
    """A copy of that case: no lie finds what another one left."""
    case = tmp_path / "case"
    shutil.copytree(investigated_by_rules, case)
    with open_case(case, write=True) as bench:
        yield House(bench)


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_lie_becomes_no_fact_and_moves_no_verdict(house: House, name: str) -> None:
    wire = LIES[name].wire
    came = house.tell(name, runs=RUNS.get(name, 2 if wire else 1), times=1 if wire or name in BUSY else 8)
    assert came.attempts, "the lie was never told"
    assert came.faults == []
    assert compared(beliefs(house.bench), house.before) == []
    assert came.leads <= 3
    assert re.search(REFUSED[name], "\n".join([*came.answers, *came.ends])), (came.answers[:8], came.ends)


def test_a_budget_is_said_to_be_spent_only_where_it_is(house: House) -> None:
    roles = Investigation(house.bench).roles
    for spent in (False, True):
        decide = Decisions(house.bench.state, roles, 1, only_complete=spent)
        decide.complete("budget_exhausted", "nothing is left")
        assert decide.completed == ("budget_exhausted" if spent else "")


def test_rules_look_past_what_models_judged(house: House) -> None:
    working = Investigation(house.bench)
    ruled = working._ruled("strategist", "t", "").state
    assert not any(edge.model for edge in ruled.edges.values())
    assert not any(entity.model for entity in coreference._entities(working._ruled("coreference", "t", "")))


def test_every_lie_of_the_failure_table_is_told() -> None:
    wanted = ("wrong value", "right id, wrong row", "joined fragments", "invented ids", "absent as empty", "over-claim",
              "repetition", "endless reading", "four leads", "unknown names in a lead", "malformed JSON", "silence",
              "10 MB of text")  # fmt: skip
    assert set(wanted) <= set(LIES)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("by bob\uff20evil\u2024example", "mailbox"),
        ("from 203\u30020\u3002113\u30029", "address"),
        ("from 203[.]0[.]113[.]9", "address"),
        ("\uff11\uff12\uff13\uff14\uff15", "digits"),
        ("1\u200b2\u200b3\u200b4\u200b5", "digits"),
        ("12,345 bytes", "digits"),
        ("on 3 March 2019", "date"),
        ("at Users/bob/Desktop/x.docx", "path"),
    ],
)
def test_the_oracle_sees_through_disguises(text: str, kind: str) -> None:
    assert [k for k, _ in values(text)] == [kind]


def test_the_oracle_takes_no_part_for_the_whole() -> None:
    known = ["10.0.0.12", "1826541", "bob@example.com", "2026-03-01T10:00:00Z", "C:\\Users\\bob\\a.docx"]
    for kind, value in (
        ("address", "10.0.0.1"),
        ("digits", "182654"),
        ("mailbox", "bob@example.co"),
        ("address", "18.26.5.41"),
    ):
        assert not stands(kind, value, known)
    for kind, value in (
        ("address", "10.0.0.12"),
        ("digits", "1,826,541"),
        ("date", "1 march 2026"),
        ("path", "c:/users/bob/a.docx"),
    ):
        assert stands(kind, value, known)
