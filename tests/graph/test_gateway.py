"""The gateway: what is grounded gets in with the value that was read; nothing else does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from wigmore.graph.gateway import Gateway, Refused
from wigmore.graph.proposals import CitedRecord, CitedResult, Proposal, field_of
from wigmore.investigation.workbench import Workbench
from wigmore.tools.runner import Call

NEVER = "2001-01-01T00:00:00.000000Z"


class Desk:
    """Two agents with recorded calls on two sources of a real (generated) case."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        call = bench.runner.call
        self.logs = call(
            "query_records",
            {"artifact": "*", "path": "auth.log", "limit": 400},
            source_id="src-server",
            agent="network",
            task_id="t1",
        )
        self.other_agent = call(
            "query_records",
            {"artifact": "*", "path": "access.log", "limit": 300},
            source_id="src-server",
            agent="malware",
            task_id="t2",
        )
        self.other_source = call(
            "query_records",
            {"artifact": "windows.registry*", "limit": 300},
            source_id="src-laptop",
            agent="network",
            task_id="t3",
        )

    def gateway(self, agent: str = "network") -> Gateway:
        return Gateway(self.bench.state, self.bench.runner, self.bench.rules.semantics, agent=agent, now=lambda: NEVER)


@pytest.fixture
def desk(case: Path) -> Iterator[Desk]:
    with Workbench(case) as bench:
        yield Desk(bench)


def fields(row: dict[str, object]) -> list[str]:
    data = row["data"]
    assert isinstance(data, dict)
    return sorted(k for k, v in data.items() if v not in (None, "", []))


def propose(call: Call, row: dict[str, object], names: tuple[str, ...], **values: object) -> Proposal:
    return Proposal(
        "src-server",
        "test",
        "an observation",
        "",
        (CitedRecord(call.invocation.id, str(row["record_id"]), names, dict(values)),),
    )


def test_a_grounded_fact_gets_the_value_the_parser_read(desk: Desk) -> None:
    row = desk.logs.rows[0]
    name = fields(row)[0]
    made = desk.gateway().admit(propose(desk.logs, row, (name,)))
    assert made.verified_facts[0].value == field_of(row, name)
    assert made.verified_facts[0].citation.output_sha256 == desk.logs.invocation.output_sha256
    assert made.verified_facts[0].locator == row["locator"]


def test_none_of_many_false_proposals_is_admitted(desk: Desk) -> None:
    chance = random.Random(11)
    rows = [r for r in desk.logs.rows if len(fields(r)) > 1]
    foreign = [r for r in desk.other_source.rows if fields(r)]
    strange = [r for r in desk.other_agent.rows if fields(r)]
    assert len(rows) > 50 and foreign and strange
    attempts = admitted = 0
    for number in range(700):
        gateway = desk.gateway()
        row, other = chance.choice(rows), chance.choice(rows)
        name = chance.choice(fields(row))
        kind = number % 7
        if kind == 0:  # a wrong value
            proposal = propose(desk.logs, row, (name,), **{name: f"{field_of(row, name)}{chance.randint(1, 9)}"})
        elif kind == 1:  # a wrong row: the value of another record
            if field_of(other, name) in (None, "", field_of(row, name)):
                continue
            proposal = propose(desk.logs, row, (name,), **{name: field_of(other, name)})
        elif kind == 2:  # joined fragments of two rows under one record
            second = next((n for n in fields(other) if field_of(other, n) != field_of(row, n)), None)
            if second is None:
                continue
            proposal = propose(
                desk.logs, row, (name, second), **{name: field_of(row, name), second: field_of(other, second)}
            )
        elif kind == 3:  # another agent's call
            borrowed = chance.choice(strange)
            proposal = propose(desk.other_agent, borrowed, (fields(borrowed)[0],))
        elif kind == 4:  # another source's call
            borrowed = chance.choice(foreign)
            proposal = propose(desk.other_source, borrowed, (fields(borrowed)[0],))
        elif kind == 5:  # a record that the call did not print, or an invented one
            proposal = Proposal(
                "src-server",
                "test",
                "x",
                "",
                (CitedRecord(desk.logs.invocation.id, f"rec-{chance.getrandbits(96):024x}", (name,)),),
            )
        else:  # an invented call, and an invented record in it
            proposal = Proposal(
                "src-server",
                "test",
                "x",
                "",
                (CitedRecord(f"inv-{chance.getrandbits(64):016x}", f"rec-{chance.getrandbits(96):024x}", (name,)),),
            )
        attempts += 1
        try:
            gateway.admit(proposal)
            admitted += 1
        except Refused as refusal:
            assert refusal.rejection.reason
            assert [e.kind for e in gateway.buffer] == ["rejection"]
    assert attempts >= 500
    assert admitted == 0


def test_a_wrong_invocation_is_healed_where_the_record_stands_in_exactly_one_other_output(desk: Desk) -> None:
    row = desk.logs.rows[0]
    elsewhere = desk.bench.runner.call(
        "query_records", {"artifact": "*", "path": "wtmp"}, source_id="src-server", agent="network", task_id="t4"
    )
    gateway = desk.gateway()
    made = gateway.admit(propose(elsewhere, row, (fields(row)[0],)))
    assert made.verified_facts[0].citation.invocation_id == desk.logs.invocation.id
    assert [e.kind for e in gateway.buffer] == ["rescue", "phenomenon"]


def test_a_record_in_two_other_outputs_is_not_healed(desk: Desk) -> None:
    row = desk.logs.rows[0]
    desk.bench.runner.call(
        "query_records",
        {"artifact": "*", "path": "auth.log", "limit": 3},
        source_id="src-server",
        agent="network",
        task_id="t5",
    )
    elsewhere = desk.bench.runner.call(
        "query_records", {"artifact": "*", "path": "wtmp"}, source_id="src-server", agent="network", task_id="t6"
    )
    with pytest.raises(Refused, match="does not occur in the output"):
        desk.gateway().admit(propose(elsewhere, row, (fields(row)[0],)))


@pytest.mark.parametrize(
    "text",
    [
        "seen from 203.0.113.250",
        "mail to nobody@example.org",
        "written to C:\\Temp\\never.exe",
        "on 2019-05-05T05:05:05Z",
        "hash d41d8cd98f00b204e9800998ecf8427e",
        "called +44 20 7946 0958",
        "paid $1,250.00",
        "see https://never.example/x",
    ],
)
@pytest.mark.parametrize("where", ["title", "interpretation"])
def test_a_hard_value_that_no_fact_holds_is_refused(desk: Desk, text: str, where: str) -> None:
    row = desk.logs.rows[0]
    cited = (CitedRecord(desk.logs.invocation.id, str(row["record_id"]), (fields(row)[0],)),)
    words = {"title": "an observation", "interpretation": "", where: text}
    with pytest.raises(Refused, match="stands in none of the cited facts"):
        desk.gateway().admit(Proposal("src-server", "test", words["title"], words["interpretation"], cited))


def test_a_phenomenon_without_a_fact_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="at least one verified fact"):
        desk.gateway().admit(Proposal("src-server", "test", "nothing cited", ""))


def test_absence_needs_an_empty_call(desk: Desk) -> None:
    found = Proposal(
        "src-server", "absence", "none", "", results=(CitedResult(desk.logs.invocation.id, 0, "result"),), negative=True
    )
    with pytest.raises(Refused, match="needs an `empty` call"):
        desk.gateway().admit(found)
    empty = desk.bench.runner.call(
        "query_records", {"artifact": "never.there"}, source_id="src-server", agent="network", task_id="t7"
    )
    assert empty.invocation.status == "empty"
    made = desk.gateway().admit(
        Proposal(
            "src-server", "absence", "none", "", results=(CitedResult(empty.invocation.id, 0, "result"),), negative=True
        )
    )
    assert made.verified_facts[0].citation.kind == "empty"


def test_nothing_of_a_source_is_admitted_before_its_intake_hash(desk: Desk) -> None:
    desk.bench.state.hashes.pop("src-server")
    with pytest.raises(Refused, match="intake hash"):
        desk.gateway().admit(propose(desk.logs, desk.logs.rows[0], (fields(desk.logs.rows[0])[0],)))


def test_an_edge_to_nowhere_or_of_no_known_type_is_refused(desk: Desk) -> None:
    gateway = desk.gateway()
    made = gateway.admit(propose(desk.logs, desk.logs.rows[0], (fields(desk.logs.rows[0])[0],)))
    with pytest.raises(Refused, match="unknown hypothesis"):
        gateway.edge(made, "hyp-none", "supports", "RAN")
    with pytest.raises(Refused, match="unknown edge type"):
        gateway.edge(made, "hyp-none", "proves", "RAN")


def test_the_same_observation_twice_is_one(desk: Desk) -> None:
    gateway = desk.gateway()
    proposal = propose(desk.logs, desk.logs.rows[0], (fields(desk.logs.rows[0])[0],))
    assert gateway.admit(proposal).id == gateway.admit(proposal).id
    assert [e.kind for e in gateway.buffer] == ["phenomenon"]
