"""A model that lies: what it has been shown, and the replies that lie about it, each a function under `@lie`.

A lie is told after honest reading, so that it is plausible: real calls, real records, real ids, and one thing wrong. Every
function takes what was shown and a seeded generator in it, and gives a reply, or None where nothing shown fits the lie.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wigmore.llm.scripted import Asked, Reply

Calls = tuple[tuple[str, dict[str, Any] | str], ...]
HEAD = re.compile(r"^(inv-\w+) (\w+): (\w+)", re.MULTILINE)
ROW = re.compile(r"^(\d+) (\{.*\})$", re.MULTILINE)
OFFERED = {  # what a role must be able to call for a lie to be told to it
    "worker": "add_phenomenon",
    "judge": "link_evidence",
    "hypothesis": "add_hypothesis",
    "strategist": "propose_lead",
    "report": "save_report",
    "timeline": "add_temporal_edge",
    "entity": "observe_identity",
    "lead": "add_lead",
}


@dataclass(frozen=True)
class Shown:
    """One row of what a call printed."""

    invocation: str
    tool: str
    number: int
    row: dict[str, Any]

    @property
    def record(self) -> str:
        """The record's id, or nothing."""
        return str(self.row.get("record_id", ""))

    @property
    def fields(self) -> dict[str, Any]:
        """Fields of its record that can be cited."""
        data = self.row.get("data")
        return {k: v for k, v in data.items() if v not in (None, "", [], {})} if isinstance(data, dict) else {}

    def cited(self, *names: str, **values: Any) -> dict[str, Any]:
        """The citation of it as a call states it."""
        out: dict[str, Any] = {"invocation_id": self.invocation, "record_id": self.record, "fields": list(names)}
        return out | ({"values": values} if values else {})


@dataclass
class Scene:
    """What a model was shown so far, and the dice for what it makes of it."""

    asked: Asked
    dice: random.Random
    told: int = 0  # lies before this one in the conversation

    @cached_property
    def tools(self) -> list[str]:
        """What is on offer."""
        return self.asked.tools

    @cached_property
    def texts(self) -> list[str]:
        """What the tools answered, in order."""
        return list(self.asked.tool_results.values())

    @cached_property
    def calls(self) -> list[tuple[str, str, str]]:
        """(invocation, tool, status) of the calls that were made."""
        return [found.groups() for text in self.texts if (found := HEAD.match(text))]  # type: ignore[misc]

    @cached_property
    def rows(self) -> list[Shown]:
        """All rows shown."""
        out = []
        for text in self.texts:
            head = HEAD.match(text)
            for number, line in ROW.findall(text) if head else ():
                try:
                    out.append(Shown(head.group(1), head.group(2), int(number), json.loads(line)))  # type: ignore[union-attr]
                except ValueError:
                    continue
        return out

    @cached_property
    def records(self) -> list[Shown]:
        """The rows that are records with fields."""
        return [s for s in self.rows if s.record and s.fields]

    def ids(self, kind: str) -> list[str]:
        """The ids of a kind that stand anywhere in what was said, in order."""
        said = "\n".join([*self.texts, *(str(m.get("content") or "") for m in self.asked.messages)])
        return list(dict.fromkeys(re.findall(rf"\b{kind}-[0-9a-f]{{8,}}\b", said)))

    def one(self, some: Iterable[Any], fallback: Any = "") -> Any:
        """One of some things."""
        known = list(some)
        return self.dice.choice(known) if known else fallback

    def record(self) -> Shown | None:
        """One record that was shown."""
        return self.one(self.records, None)

    def some(self, shown: Shown) -> list[str]:
        """Two fields of a record."""
        return self.dice.sample(list(shown.fields), min(2, len(shown.fields)))

    @property
    def source(self) -> str:
        """A source that was named."""
        said = str(self.asked.messages)
        return str(self.one(sorted(set(re.findall(r"\bsrc-[\w-]+", said))), "src-unknown"))

    def digits(self, count: int) -> str:
        """Digits that nobody read anywhere."""
        return str(self.dice.randrange(1, 10)) + "".join(str(self.dice.randrange(10)) for _ in range(count - 1))

    def address(self) -> str:
        """An address of a network that no case has."""
        return f"203.0.113.{self.dice.randrange(1, 255)}"

    def mailbox(self) -> str:
        """An e-mail address that no case has."""
        return f"q{self.digits(3)}@nowhere{self.digits(2)}.example"


Lie = Callable[[Scene], "Reply | None"]


@dataclass(frozen=True)
class Told:
    """A lie with its name, and to whom it is told: a kind of OFFERED, or anybody."""

    name: str
    whom: str
    make: Lie
    wire: bool = False  # it is the endpoint that misbehaves: the run of the role ends with it

    def fits(self, tools: Iterable[str]) -> bool:
        """Whether a role with these tools can be told it."""
        return self.whom == "anybody" or OFFERED[self.whom] in tools


LIES: dict[str, Told] = {}


def lie(name: str, whom: str = "anybody", *, wire: bool = False) -> Callable[[Lie], Lie]:
    """Name a function as a lie."""

    def wrap(function: Lie) -> Lie:
        LIES[name] = Told(name, whom, function, wire)
        return function

    return wrap


def observe(
    title: str,
    records: Iterable[dict[str, Any]] = (),
    *,
    category: str = "file",
    interpretation: str = "It may be ordinary.",
    results: Iterable[dict[str, Any]] = (),
    nothing: bool = False,
) -> Reply:
    """A reply that records one observation."""
    given: dict[str, Any] = {"title": title, "category": category, "interpretation": interpretation}
    given |= {"records": list(records)} if records else {}
    given |= {"results": list(results)} if results else {}
    given |= {"nothing_found": True} if nothing else {}
    return Reply(calls=(("add_phenomenon", given),))


def reading(asked: Asked, dice: random.Random) -> Reply:
    """The first, honest turn: what a role of these tools would look at, one call that finds nothing and one that fails."""
    tools = {t["function"]["name"]: t["function"]["parameters"] for t in asked.body.get("tools") or ()}
    calls: list[tuple[str, dict[str, Any] | str]] = []
    said = str(asked.messages)
    for name, many in (
        ("query_records", [{"artifact": a, "limit": 4} for a in _artifacts(said, dice)]),
        ("query_records", [{"artifact": _artifacts(said, dice)[0], "text": "no such text anywhere"}]),
        ("query_records", [{"artifact": "no.such.artifact", "limit": 3}]),
        ("query_events", [{"limit": 5}]),
        ("list_accounts", [{}]),
        ("browser_history", [{"limit": 5}]),
        ("exif_image", [{"path": "no/such/picture.jpg"}]),
        ("read_text_file", [{"path": "no/such/file.txt"}]),
        ("scan_indicators", [{"role": "filesystem", "phase": p} for p in ("triage", "probe")]),
        ("graph_overview", [{}]),
        ("marginal_yield", [{}]),
        ("budget_status", [{}]),
        ("list_phenomena", [{"limit": 12}]),
        ("get_phenomenon", [{"id": p} for p in re.findall(r"ph-[0-9a-f]{16}", said)[:2]]),
    ):
        if name in tools:
            for given in many:
                own = {k: v for k, v in given.items() if k in tools[name]["properties"]}
                known = tools[name]["properties"].get("source_id", {}).get("enum")
                calls.append((name, own | ({"source_id": dice.choice(known)} if known else {})))
    return Reply(calls=tuple(calls)) if calls else Reply("There is nothing to read.")


def _artifacts(said: str, dice: random.Random) -> list[str]:
    """Two artifacts that the brief names as found."""
    found = re.search(r"by artifact: ([^\n]*?)\.(?:\\n|\n|$)", said)
    names = re.findall(r"([a-z][\w.]+) \d+", found.group(1)) if found else []
    first = ["file_listing"] if "file_listing" in names or not names else []
    return [*first, *dice.sample(names, min(2, len(names)))][:2]  # what has names, sizes and hashes, and something else


def honest(scene: Scene) -> Reply | None:
    """One true observation, so that the run stands and what was slipped in beside it is committed with it."""
    if "add_phenomenon" in scene.tools and (shown := scene.record()) is not None:
        return observe("A record is there", [shown.cited(*list(shown.fields)[:2])])
    return None


@dataclass
class Liar:
    """A script for the scripted server: reads, says one true thing, then lies `times` times and stops.

    `only` names the lies; without it all take turns. `said` keeps each lying reply by the request that it answers.
    """

    seed: int = 0
    only: tuple[str, ...] = ()
    times: int = 6
    truth: bool = True
    wire: float = 0.04  # share of replies in which the endpoint itself misbehaves
    said: dict[int, str] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        """The next reply of the conversation asked for."""
        if not asked.tools:
            return Reply("ready")
        spoken = sum(m.get("role") == "assistant" for m in asked.messages)
        said = json.dumps(asked.messages, sort_keys=True)
        dice = random.Random(f"{self.seed} {spoken} {re.sub(r'call_[0-9_]+', '', said)}")  # whatever order they came in
        if spoken == 0:
            return reading(asked, dice)
        scene = Scene(asked, dice, max(0, spoken - 1 - self.truth))
        if spoken == 1 and self.truth and (true := honest(scene)) is not None:
            return true
        if scene.told >= self.times:
            return Reply("Nothing more.")
        return self._lie(asked, scene)

    def _lie(self, asked: Asked, scene: Scene) -> Reply:
        fitting = [
            told for name, told in LIES.items() if (not self.only or name in self.only) and told.fits(asked.tools)
        ]
        if not self.only:
            wire = scene.dice.random() < self.wire
            fitting = [told for told in fitting if told.wire is wire]
        scene.dice.shuffle(fitting)
        fitting.sort(key=lambda told: self.counts[told.name])  # each in its turn
        for told in fitting:
            reply = told.make(scene)
            if reply is not None:
                self.said[id(asked)] = told.name
                return reply
        return Reply("Nothing more.")

    @property
    def counts(self) -> Counter[str]:
        """How often each lie was told."""
        return Counter(self.said.values())
