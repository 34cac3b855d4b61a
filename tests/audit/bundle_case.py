"""A case written by hand: every kind of citation, merged phenomena, rivals, identities, links, a folder and a split file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wigmore.evidence.hashing import hash_source
from wigmore.evidence.source import SourceSpec
from wigmore.graph.gateway import Gateway, cited_records
from wigmore.graph.proposals import CitedRecord, CitedResult, Proposal
from wigmore.graph.semantics import Semantics
from wigmore.graph.state import GraphState
from wigmore.ledger import GENESIS, Event, Ledger, Outputs, link
from wigmore.model.canonical import canonical
from wigmore.model.nouns import (
    Citation,
    Edge,
    EvidenceSource,
    Hypothesis,
    Phenomenon,
    ToolInvocation,
    VerifiedFact,
)
from wigmore.tools.context import ToolOutput
from wigmore.tools.runner import decode

AGENT = "network"
NAME = "Besuch \u202e von \x1b[31m"  # evidence text that would turn a terminal red and backwards


class Recorded:
    """Calls and their outputs, kept as the runner keeps them."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.made: dict[str, ToolInvocation] = {}

    def record(self, name: str, tool: str, output: ToolOutput, source_id: str = "src-logs") -> Event:
        """Keep an output; the event of its call."""
        data = output.encode(tool)
        digest = self.outputs.put(data)
        args = {"path": name}
        self.made[name] = ToolInvocation(
            name, tool, args, source_id, AGENT, "t", "", "", output.outcome, digest, len(data), "", "1"
        )
        return Event("invocation", self.made[name].to_dict())

    def invocation(self, invocation_id: str) -> ToolInvocation | None:
        return self.made.get(invocation_id)

    def rows(self, invocation: ToolInvocation) -> list[dict[str, Any]]:
        return decode(self.outputs.get(invocation.output_sha256))

    def of_agent(self, agent: str, source_id: str) -> Iterable[ToolInvocation]:
        return list(self.made.values())


def evidence(folder: Path) -> dict[str, Path]:
    """A folder with a link and a name that is no UTF-8, and a file in two segments."""
    logs = folder / "evidence" / "logs"
    (logs / "inner").mkdir(parents=True)
    (logs / "access.log").write_text("a line\n" * 50, encoding="utf-8")
    (logs / "inner" / "empty").write_bytes(b"")
    (logs / "inner" / "link").symlink_to("../access.log")
    with open(os.path.join(os.fsencode(logs), b"na\xffme"), "wb") as stream:
        stream.write(b"content")
    disk = folder / "evidence" / "disk.001"
    disk.write_bytes(bytes(510) + b"\x55\xaa" + b"first" * 1000)
    disk.with_suffix(".002").write_bytes(b"second" * 1000)
    return {"src-logs": logs, "src-disk": disk}


def record(number: int, value: Any, **data: Any) -> dict[str, Any]:
    """A printed row of a record."""
    time = {"text": f"2026-01-01T00:00:0{number}Z", "instant": number, "zone": "Z", "raw": ""}
    return {
        "record_id": f"rec-{number}",
        "source_id": "src-logs",
        "artifact": "web.access",
        "path": "access.log",
        "locator": {"kind": "line", "line": number},
        "times": {"occurred": time},
        "data": {"value": value, "client": {"address": "192.0.2.7"}, **data},
    }


def hypotheses() -> list[Hypothesis]:
    """A hypothesis and its innocent rival, one that stands alone, and an alternative of every hypothesis."""
    return [
        Hypothesis(
            "hyp-a", "The page was fetched", "", 0.3, frame="f", subject="s", propositions=("RAN",), decisive="p"
        ),
        Hypothesis("hyp-b", "A crawler fetched it", "", 0.5, frame="f", subject="s", innocent=True),
        Hypothesis("hyp-c", NAME, "", 0.5),
        Hypothesis("hyp-s", "Somebody else did it", "", 0.5, frame="standing", innocent=True, standing=True),
    ]


def edge(
    number: int, phenomenon: Phenomenon, hypothesis: str, kind: str, *, mechanism: str = "", event_key: str = ""
) -> Event:
    """An edge."""
    records = () if hypothesis in ("hyp-x", "hyp-y") else cited_records(phenomenon)
    made = Edge(
        f"edge-{number}",
        phenomenon.id,
        hypothesis,
        kind,
        proposition="RAN",
        event_key=event_key,
        source_id="src-logs",
        mechanism=mechanism,
        records=records,
    )
    return Event("edge", made.to_dict())


def events(recorded: Recorded, sources: dict[str, Path]) -> list[Event]:
    """All events of the case, facts through the gateway but the span."""
    out = []
    for name, path in sources.items():
        mode = "tree" if path.is_dir() else "file"
        out.append(Event("source", EvidenceSource(name, path.name, "log_collection", mode, str(path)).to_dict()))
        hashes = hash_source(SourceSpec(name, path, mode))
        out.append(Event("source.hashed", {"id": name, "hashes": hashes, "mismatch": ""}))
    out.append(Event("run.started", {"id": "run-001", "config": {"hypothesis_log_lr": {"supports": 1.25}}}))
    rows = [record(1, "same"), record(2, "same"), record(3, {"n": 1.5, "é": [True, None]}, **{"a.b": "dotted"})]
    out.append(recorded.record("inv-rows", "query_records", ToolOutput.of(rows)))
    out.append(recorded.record("inv-count", "count_records", ToolOutput.of([{"n": 2, "first": "x"}, {"n": 1}])))
    out.append(recorded.record("inv-none", "query_records", ToolOutput.of([])))
    out.append(recorded.record("inv-text", "read_text", ToolOutput.of([{"text": 'He said "é" twice'}])))
    out.append(recorded.record("inv-sheet", "answer_sheet", ToolOutput.of([{"id": "A01", "answer": "no"}]), ""))
    state = GraphState().fold(out)
    desk = Gateway(state, recorded, Semantics([]), agent=AGENT, now=lambda: "2026-01-01T00:00:00Z")

    def cited(number: int, *names: str) -> tuple[CitedRecord, ...]:
        return (CitedRecord("inv-rows", f"rec-{number}", names),)

    first = desk.admit(
        Proposal("src-logs", "c", "a request was logged", "", cited(1, "value", "client.address"), rule="r")
    )
    twin = desk.admit(
        Proposal("src-logs", "c", "a request was logged", "", cited(2, "value", "client.address"), rule="r")
    )
    assert twin is first  # merged
    nested = desk.admit(
        Proposal("src-logs", "c", NAME, "", cited(3, "value", "a.b", "times.occurred", "path"), rule="n")
    )
    desk.admit(Proposal("src-logs", "c", "counted", "", (), (CitedResult("inv-count", 1, "n"),), rule="k"))
    absent = desk.admit(
        Proposal("src-logs", "c", "none", "", (), (CitedResult("inv-none", 0, "outcome"),), rule="e", negative=True)
    )
    entity = desk.entity("account", "visitor", "src-logs", [("address", "192.0.2.7")], first)
    desk.link(entity.id, entity.id, "seen_in", phenomenon_id=nested.id)
    others = [desk.entity("account", "guest", "src-logs", [("user", value)], nested) for value in ("dotted", "access")]
    for name, other in zip(("hyp-x", "hyp-y"), others, strict=True):
        low, high = sorted((entity.id, other.id))
        desk.hypothesis(Hypothesis(name, "One account", "", 0.3, subject=f"{low} {high}", propositions=("SAME",)))
        desk.link(low, high, "same_as", hypothesis_id=name)
    desk.order(first.id, nested.id, "before")
    out += desk.buffer
    spanned = span(recorded)
    out.append(Event("phenomenon", spanned.to_dict()))
    out += [Event("hypothesis", h.to_dict()) for h in hypotheses()]
    out += [
        edge(1, first, "hyp-a", "supports", mechanism="log", event_key="one"),
        edge(2, nested, "hyp-a", "direct_evidence", mechanism="log", event_key="one"),
        edge(3, spanned, "hyp-a", "supports", mechanism="page"),
        edge(4, absent, "hyp-b", "weakens", mechanism="absence"),
        edge(5, first, "hyp-b", "contradicts"),
        edge(6, nested, "hyp-c", "consistent_with"),
        edge(7, nested, "hyp-s", "direct_evidence"),
        edge(8, first, "hyp-x", "direct_evidence"),
        edge(9, nested, "hyp-y", "direct_evidence"),
    ]
    probe = {
        "hypothesis_id": "hyp-a",
        "source_id": "src-logs",
        "phenomena": [first.id],
        "outcome": "found",
        "reason": "",
    }
    out.append(
        Event("probe", {**probe, "id": "p", "probe": "p", "decisive": True, "disconfirming": True, "invocations": []})
    )
    out.append(Event("question", {"id": "std-A01", "answer": "no", "invocation_id": "inv-sheet"}))
    out.append(
        Event("review", {"id": "rev-1", "item": "hyp-y", "decision": "reject", "reason": "two people", "by": "E"})
    )
    out.append(Event("hypotheses.closed", {"inconclusive": ["hyp-c"]}))
    return out


def span(recorded: Recorded) -> Phenomenon:
    """A phenomenon whose only fact is a span of bytes of an output."""
    call = recorded.made["inv-text"]
    value = 'said "é" twice'
    data = recorded.outputs.get(call.output_sha256)
    inside = canonical(value)[1:-1]
    start = data.index(inside)
    citation = Citation("span", call.id, call.output_sha256, start=start, end=start + len(inside))
    fact = VerifiedFact("fact-span", "quote", value, citation, "", "", {})
    return Phenomenon("ph-span", "src-logs", AGENT, "c", "quoted", (fact,), "", "2026-01-01T00:00:00Z")


def build(folder: Path) -> Path:
    """Write the case and its evidence below a folder; the case's folder."""
    sources = evidence(folder)
    case = folder / "case"
    case.mkdir()
    listed = "".join(f"  - {{id: {name}, path: '{path}'}}\n" for name, path in sources.items())
    (case / "case.yaml").write_text(f"case: 0417\nsources:\n{listed}", encoding="utf-8")
    recorded = Recorded(Outputs(case))
    with Ledger.create(case, lambda: datetime(2026, 1, 1, tzinfo=UTC)) as ledger:
        ledger.append(events(recorded, sources))
    return case


class Forged:
    """A bundle taken apart by who knows the format, to be sealed again."""

    def __init__(self, data: bytes) -> None:
        self.members: dict[str, bytes] = {}
        place = data.index(b"\n") + 1
        while not data.startswith(b"manifest ", place):
            line, place = data[place : data.index(b"\n", place)].split(), data.index(b"\n", place) + 1
            self.members[line[1].decode()] = data[place : place + int(line[2])]
            place += int(line[2]) + 1
        size, place = int(data[place : data.index(b"\n", place)].split()[1]), data.index(b"\n", place) + 1
        self.manifest: dict[str, Any] = json.loads(data[place : place + size])
        self.rest = data[place + size + 1 : -77]  # the signature, where there is one

    def sealed(self) -> bytes:
        """The bundle with its list of members and its seal made anew."""
        self.manifest["members"] = [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in self.members.items()
        ]
        out = b"wigmore-bundle 1\n"
        for name, data in self.members.items():
            out += b"member %s %d\n%s\n" % (name.encode(), len(data), data)
        text = canonical(self.manifest)
        out += b"manifest %d\n%s\n" % (len(text), text) + self.rest
        return out + f"seal sha256 {hashlib.sha256(out).hexdigest()}\n".encode()

    def lines(self) -> list[list[bytes]]:
        """The ledger's events: number, hash, kind, time, body."""
        return [line.split(b" ", 4) for line in self.members["ledger"].split(b"\n")[:-1]]

    def chain(self, lines: list[list[bytes]], *, anew: bool) -> None:
        """Put events in place, their numbers and hashes made anew where asked, and the head with them."""
        previous, out = GENESIS, b""
        for number, line in enumerate(lines, 1):
            if anew:
                previous = link(previous, number, *line[2:])
                line = [b"%d" % number, previous.hex().encode(), *line[2:]]
            out += b" ".join(line) + b"\n"
        self.members["ledger"] = out
        if anew:
            self.manifest["head"] = f"{len(lines)}:{previous.hex()}"
