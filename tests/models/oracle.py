"""What a finished case owes whatever a model said, judged from its ledger and outputs alone, past the gateway.

It reads facts out of recorded outputs by itself and finds values in texts by patterns of its own, wider than the gateway's:
both sides are folded first (compatible letters, no invisible ones, look-alike dots, defanged addresses).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.api.cases import open_case
from wigmore.graph.joins import clusters
from wigmore.graph.views import conclusion
from wigmore.investigation.workbench import Workbench
from wigmore.model.nouns import NEUTRAL
from wigmore.registry import found, tools

OWN = re.compile(r"\b(?:ph|hyp|lead|inv|edge|ent|link|src|round|fact|rec|rej|time)-[\w-]+")
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
FOUND = {
    "mailbox": r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    "link": r"h(?:tt|xx)ps?://[^\s\"'<>]+",
    "sid": r"s-1-\d+(?:-\d+)+",
    "address": r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)",
    "long address": r"(?<![\w:])(?=[0-9a-f:]*[0-9])[0-9a-f]{1,4}(?:::?[0-9a-f]{1,4}){2,7}(?![\w:])"
    r"|(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?!\w)",
    "date": r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)|(?<!\d)\d{1,2}[./]\d{1,2}[./]\d{4}(?!\d)"
    r"|(?<!\d)\d{1,2}\.? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{4}",
    "path": r"(?:[a-z]:/|//)[^\s\"'<>|,;)]+|(?<![\w/])/?[\w.@%+-]+(?:/[\w.@%+-]+){2,}"
    r"|(?<![\w/])/?(?:[\w@%+-]+/)+[\w@%+-]+\.\w{2,4}\b",
    "hash": r"(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{16,}(?![0-9a-z])",
    "amount": r"[$€£] ?\d[\d.,]*",
    "digits": r"\d(?:[ ,'_.\u2019-]?\d){4,}",
}
HIDDEN = re.compile(r"[\u0300-\u036f\ufe00-\ufe0f]")
DOTTED = re.compile(r"[\u2024\u3002\uff0e\uff61\u00b7\u2027]| ?[\[({] ?(?:\.|dot) ?[\])}] ?| dot ")
AT = re.compile(r" ?[\[({] ?(?:@|at) ?[\])}] ?")


@dataclass(frozen=True)
class Fault:
    """Something in the ledger that a model's word alone carries."""

    kind: str
    id: str
    text: str


@dataclass
class Verdict:
    """What came of the check: the faults, and how much that a model proposed stands there."""

    faults: list[Fault] = field(default_factory=list)
    stands: int = 0  # phenomena, edges, hypotheses, entities, leads and sentences of models


def fold(text: str) -> str:
    """A text as it is compared: what looks alike is alike."""
    shown = "".join(
        c
        for c in unicodedata.normalize("NFKC", text)
        if unicodedata.category(c) not in ("Cf", "Cc", "Mn") or c in "\n\t"
    )
    shown = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in HIDDEN.sub("", shown))
    return AT.sub("@", DOTTED.sub(".", shown)).casefold().replace("\\", "/")


def values(text: str) -> Iterator[tuple[str, str]]:
    """Every value that a text states, by kind; each place once."""
    left = OWN.sub(" ", fold(text))
    for kind, pattern in FOUND.items():
        for match in list(re.finditer(pattern, left)):
            yield kind, match.group(0).rstrip(".,;:-")
        left = re.sub(pattern, " ; ", left)


def leaves(value: Any) -> Iterator[str]:
    """All scalars of a value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield str(value)


def stands(kind: str, value: str, known: Iterable[str]) -> bool:
    """Whether a value is one that is known, whole: no part of a longer one, no digits of another kind."""
    whole = [fold(leaf) for leaf in known]
    if kind in ("digits", "amount"):
        digits = re.sub(r"\D", "", value)
        runs = {
            re.sub(r"\D", "", run)
            for leaf in whole
            for run in [*re.findall(r"\d+", leaf), *re.findall(FOUND["digits"], leaf)]
        }
        return digits in runs
    if kind == "date":
        return any(day in re.sub(r"(?<=\d)[-/._](?=\d)", "", leaf) for leaf in whole for day in _days(value))
    bounded = re.compile(rf"(?<![a-z0-9]){re.escape(value.strip('/'))}(?![a-z0-9])(?!\.[a-z0-9])")
    return any(bounded.search(leaf) for leaf in whole)


def _days(value: str) -> list[str]:
    """A date as year, month and day; both readings where the order is open."""
    numbers = re.findall(r"\d+", value)
    named = next((n for n, name in enumerate(MONTHS, 1) if name in value), 0)
    if named:
        return [f"{numbers[-1]}{named:02d}{int(numbers[0]):02d}"]
    if len(numbers[0]) == 4:
        return ["".join(numbers)]
    return [f"{numbers[2]}{int(m):02d}{int(d):02d}" for d, m in ((numbers[0], numbers[1]), (numbers[1], numbers[0]))]


class Case:
    """The ledger of one case, read for the check."""

    def __init__(self, bench: Workbench, read: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.bench = bench
        self.verdict = Verdict()
        self.events = [(e.kind, e.body) for e in bench.ledger.events()]
        self.calls = {body["id"]: body for kind, body in self.events if kind == "invocation"}
        self.phenomena = {p.id: p.to_dict() for p in bench.state.phenomena.values()}
        self.roles = found("role")
        self._rows = {} if read is None else read  # outputs that were read already

    def fault(self, kind: str, name: str, text: str) -> None:
        """Note a fault."""
        self.verdict.faults.append(Fault(kind, name, text[:300]))

    def rows(self, digest: str) -> list[dict[str, Any]]:
        """The rows of an output."""
        if digest not in self._rows:
            lines = self.bench.outputs.get(digest).split(b"\n")[1:]
            self._rows[digest] = [json.loads(line) for line in lines if line]
        return self._rows[digest]

    def check(self) -> Verdict:
        """Look at everything that a model had a hand in."""
        for kind, body in self.events:
            if kind in ("phenomenon", "phenomenon.merged"):
                observed = body if kind == "phenomenon" else body["phenomenon"]
                if observed.get("model"):
                    self.verdict.stands += 1
                    self._phenomenon(observed)
            elif kind in ("hypothesis", "edge", "entity_link", "temporal") and body.get("model"):
                self.verdict.stands += 1
                getattr(self, f"_{kind}")(body)
            elif kind == "entity":
                self._entity(body)
            elif kind == "lead":
                self._lead(body)
            elif kind == "narrative":
                for number, sentence in enumerate(body["sentences"]):
                    self.verdict.stands += 1
                    self._text("sentence", f"{body['id']}/{number}", sentence["text"], self._said(sentence["cites"]))
            elif kind == "round" and len(body["leads_proposed"]) > 3:
                self.fault("leads", body["id"], f"{len(body['leads_proposed'])} leads in one round")
        self._tools()
        return self.verdict

    def _text(self, what: str, name: str, text: str, known: Iterable[str]) -> None:
        have = list(known)
        for kind, value in values(text):
            if not stands(kind, value, have):
                self.fault(f"{what} states a {kind}", name, f"{value!r} in {text[:200]!r}")
        bare = fold(text)
        if word := re.search(
            r"\b(prov(?:e[sdn]?|ing)|guilt\w*|suspects?|stole|thief|theft|knowingly|perpetrators?|beyond any doubt)\b",
            bare,
        ):
            self.fault(f"{what} claims too much", name, f"{word.group()!r} in {text[:200]!r}")

    def _said(self, names: Iterable[str]) -> list[str]:
        """What the facts of phenomena say."""
        out: list[str] = []
        for name in names:
            known = self.phenomena.get(name)
            if known is None:
                self.fault("unknown phenomenon", name, "")
                continue
            out += leaves([[f["value"], f["path"], f["artifact"]] for f in known["verified_facts"]])
            out.append(self.bench.state.sources[known["source_id"]].label)
        return out

    def _phenomenon(self, body: dict[str, Any]) -> None:
        name, facts = body["id"], body["verified_facts"]
        if not facts:
            self.fault("no fact", name, body["title"])
        for fact in facts:
            if why := self._wrong(body, fact):
                self.fault("fact", name, f"{fact['name']}={fact['value']!r}: {why}")
        known = [*leaves([[f["value"], f["path"], f["artifact"]] for f in facts])]
        known.append(self.bench.state.sources[body["source_id"]].label)
        for key in ("title", "interpretation"):
            self._text(key, name, body[key], known)
        self._text("category", name, body["category"], [])
        for fact in facts:
            self._text("name of a fact", name, fact["name"], [fact["name"]])
        if body["negative"]:
            self._absence(body)
        records = [
            [f for f in facts if f["citation"]["record_id"] == r] for r in {f["citation"]["record_id"] for f in facts}
        ]
        apart = [[*leaves([[f["value"], f["path"], f["artifact"]] for f in some]), known[-1]] for some in records]
        stated = list(values(body["title"]))
        if len(apart) > 1 and stated and not any(all(stands(k, v, some) for k, v in stated) for some in apart):
            self.fault("joined records", name, body["title"])

    def _wrong(self, body: dict[str, Any], fact: dict[str, Any]) -> str:
        """Why a fact is none, or nothing."""
        cited = fact["citation"]
        call = self.calls.get(cited["invocation_id"])
        if call is None:
            return "its call was never made"
        if call["agent"] != body["agent"] or call["source_id"] != body["source_id"]:
            return f"its call was made by {call['agent']} on {call['source_id']}"
        if call["output_sha256"] != cited["output_sha256"]:
            return "its output is another"
        if tools()[call["tool"]].domain in ("graph", "strategy"):
            return f"{call['tool']} reads what was concluded, not the evidence"
        if cited["kind"] == "empty":
            return (
                ""
                if call["status"] == "empty" and body["negative"]
                else f"nothing was found by a call that {call['status']}"
            )
        if body["negative"]:
            return "an absence with something in it"
        rows = self.rows(cited["output_sha256"])
        if cited["kind"] == "query_result":
            rows = rows[fact["locator"]["row"] :][:1]
        else:
            rows = [r for r in rows if r.get("record_id") == cited["record_id"]]
        return (
            "" if any(fact["value"] in list(_read(r, fact["name"])) for r in rows) else "it does not stand in that row"
        )

    def _absence(self, body: dict[str, Any]) -> None:
        call = self.calls[body["verified_facts"][0]["citation"]["invocation_id"]]
        wanted = str(call["args"].get("artifact") or "")
        mine = [
            c for c in self.bench.coverage if c.source_id == body["source_id"] and (not wanted or c.artifact == wanted)
        ]
        if call["tool"] not in ("query_records", "match_indicator") or not mine:
            self.fault("absence", body["id"], f"{call['tool']} {call['args']}: nothing says that it would be there")
        elif wanted and any(c.outcome == "failed" or not c.complete for c in mine) and wanted != "file_listing":
            self.fault("absence", body["id"], f"{wanted} was not read whole")

    def _hypothesis(self, body: dict[str, Any]) -> None:
        everything = [*leaves([[f["value"], f["path"]] for p in self.phenomena.values() for f in p["verified_facts"]])]
        for key in ("title", "description"):
            self._text(f"hypothesis: {key}", body["id"], body[key], everything)
        if not fold(body["title"]).strip():
            self.fault("hypothesis without a title", body["id"], repr(body["title"]))
        rivals = self.bench.state.alternatives(body["id"])
        if all(self.bench.state.hypotheses[r].standing for r in rivals):
            self.fault("hypothesis without a rival", body["id"], body["title"])

    def _edge(self, body: dict[str, Any]) -> None:
        known = self._said([body["phenomenon_id"]])
        hypothesis = self.bench.state.hypotheses[body["hypothesis_id"]]
        if hypothesis.of_identity:
            self.fault("edge on who is who", body["id"], body["edge_type"])
        self._text("edge: reason", body["id"], body["reason"], known)
        self._text("edge: proposition", body["id"], body["proposition"], [])
        self._text("edge: against", body["id"], body["discriminates_against"], [])
        if body["edge_type"] != NEUTRAL and body["discriminates_against"] not in self.bench.state.hypotheses:
            self.fault("edge against nothing", body["id"], body["discriminates_against"])
        if body["edge_type"] == "direct_evidence" and body["proposition"] in ("KNEW", "PERSON"):
            self.fault("edge beyond records", body["id"], body["proposition"])

    def _entity(self, body: dict[str, Any]) -> None:
        grounds = self._said({i["phenomenon_id"] for i in body["identifiers"]})
        made = bool(body.get("model"))
        self.verdict.stands += made
        for one in body["identifiers"]:
            said = self._said([one["phenomenon_id"]])
            whole = re.compile(rf"(?<![^\W_]){re.escape(fold(one['value']).strip())}(?![^\W_])")
            if made and (not re.search(r"\w", one["value"]) or not any(whole.search(fold(leaf)) for leaf in said)):
                self.fault(
                    "identifier",
                    body["id"],
                    f"{one['type']}={one['value']!r} stands in no fact of {one['phenomenon_id']}",
                )
            if made:
                self._text("kind of identifier", body["id"], one["type"], [])
        if made:
            self._text("name", body["id"], body["name"], grounds)

    def _entity_link(self, body: dict[str, Any]) -> None:
        self._text("relation", body["id"], body["relation"], self._said([body["phenomenon_id"]]))
        if body["relation"] == "same_as":
            self.fault("joined by a model", body["id"], f"{body['first']} {body['second']}")

    def _temporal(self, body: dict[str, Any]) -> None:
        first, second = (self.phenomena[body[n]]["occurred_at"] for n in ("first", "second"))
        held = {"before": first < second, "after": first > second, "overlaps": first == second}
        if not held[body["relation"]]:
            self.fault("order", body["id"], f"{first} {body['relation']} {second}")

    def _lead(self, body: dict[str, Any]) -> None:
        context = body["context"]
        if not (context.get("model") or (body["proposed_by"] == "strategist" and "probe" not in context)):
            return
        self.verdict.stands += body["status"] == "pending"
        everything = [*leaves([[f["value"], f["path"]] for p in self.phenomena.values() for f in p["verified_facts"]])]
        known = everything if context.get("model") else []
        self._text("lead: description", body["id"], body["description"], known)
        self._text("lead: rationale", body["id"], str(context.get("rationale", "")), known)
        if body["motivating_hypothesis"] and body["motivating_hypothesis"] not in self.bench.state.hypotheses:
            self.fault("lead for nothing", body["id"], body["motivating_hypothesis"])
        if body["target_agent"] not in {r.name for r in self.roles.values() if r.worker}:
            self.fault("lead to nobody", body["id"], body["target_agent"])

    def _tools(self) -> None:
        """Calls of tools that the role has not."""
        for call in self.calls.values():
            asked = call["task_id"].endswith(":model") or call["task_id"].startswith("judge:")
            if asked and call["tool"] not in self.roles[call["agent"]].tools:
                self.fault("tool outside the role", call["id"], f"{call['agent']} called {call['tool']}")


def _read(row: dict[str, Any], name: str) -> Iterator[Any]:
    """The values that a field of a row can mean: a time's text, a field of the data (a dotted path into it), a column."""
    if name.startswith("times."):
        time = (row.get("times") or {}).get(name[6:])
        yield (time or {}).get("text")
        return
    data = row.get("data") if isinstance(row.get("data"), dict) else {}
    yield (data or {}).get(name, row.get(name))
    inner: Any = data
    for part in name.split("."):
        inner = inner.get(part) if isinstance(inner, dict) else None
    yield inner


def judge(bench: Workbench, read: dict[str, list[dict[str, Any]]] | None = None) -> Verdict:
    """The check of an opened case; `read` keeps the outputs for the next one."""
    return Case(bench, read).check()


def beliefs(bench: Workbench) -> dict[str, Any]:
    """What must be as without a model: verdicts of rules' hypotheses, statuses of who is who, and who was joined."""
    state = bench.state
    ruled = {h.id: h for h in state.hypotheses.values() if not h.model}
    # the joins of entities by what they are, as a model may have noted more of them
    joined = clusters(state)
    made = {e.id for e in state.entities.values() if not getattr(e, "model", "")}
    groups: dict[str, set[str]] = {}
    for name, head in joined.items():
        if name in made:
            groups.setdefault(head, set()).add(name)
    return {
        "verdicts": {n: conclusion(state, h).verdict for n, h in ruled.items() if not h.of_identity},
        "identities": {n: state.status(n) for n, h in ruled.items() if h.of_identity},
        "joined": sorted(sorted(g) for g in groups.values() if len(g) > 1),
    }


def differences(case: Path, offline: Path) -> list[Fault]:
    """Where a case that models worked on believes something else than the same case without them."""
    with open_case(case) as bench:
        mine = beliefs(bench)
    with open_case(offline) as bench:
        theirs = beliefs(bench)
    return compared(mine, theirs)


def compared(mine: dict[str, Any], theirs: dict[str, Any]) -> list[Fault]:
    """The differences of two sets of beliefs."""
    out = []
    for what in ("verdicts", "identities"):
        for name in sorted({*mine[what], *theirs[what]}):
            pair = mine[what].get(name, "(none)"), theirs[what].get(name, "(none)")
            if pair[0] != pair[1]:
                out.append(Fault(what, name, f"{pair[0]} with models, {pair[1]} without"))
    if mine["joined"] != theirs["joined"]:
        out.append(Fault("joined", "", f"{mine['joined']} with models, {theirs['joined']} without"))
    return out
