"""An opened case: ledger, outputs, records, the folded graph, rules, and the runner over them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from wigmore.agents.reasoner import BudgetSpent
from wigmore.evidence.secret import named
from wigmore.evidence.source import Source, SourceSpec, open_source
from wigmore.graph.state import GraphState
from wigmore.investigation.case_file import CaseFileError, read_case, secret
from wigmore.investigation.config import Config, load_config
from wigmore.investigation.covered import Covered, Era
from wigmore.investigation.lists import case_lists
from wigmore.investigation.rule_book import RuleBook
from wigmore.investigation.sealed_secrets import seal, sealed_secrets
from wigmore.ledger import Event, Ledger, Outputs, Stored
from wigmore.llm.exchange import Exchange
from wigmore.model.canonical import identify
from wigmore.model.clocks import Interval
from wigmore.model.lists import ListFile
from wigmore.model.nouns import Coverage
from wigmore.model.protocols import Clock
from wigmore.model.times import iso
from wigmore.records.store import Part, RecordStore
from wigmore.tools.context import Recovery, ToolContext
from wigmore.tools.runner import ToolRunner


def wall_clock() -> datetime:
    """The machine's clock, UTC."""
    return datetime.now(UTC)


@dataclass
class Asked:
    """What models were asked so far, and the minutes of runs that were cut short: budgets go on where they stood."""

    tokens: int = 0
    cost_usd: float = 0.0
    by_lead: dict[str, tuple[int, float]] = field(default_factory=dict)
    pictures: int = 0
    picture_bytes: int = 0  # as sent
    _cut_short: float = 0.0  # minutes of earlier runs without an end
    _begun: str = ""  # of the run that is being read
    _last: str = ""

    def count(self, body: dict[str, Any]) -> None:
        """Take in one exchange."""
        tokens, cost = body["tokens_in"] + body["tokens_out"], body["cost_usd"]
        self.tokens += tokens
        self.cost_usd += cost
        if body["lead_id"]:
            before = self.by_lead.get(body["lead_id"], (0, 0.0))
            self.by_lead[body["lead_id"]] = before[0] + tokens, before[1] + cost

    def note(self, event: Stored) -> None:
        """Take in one event of the ledger; a run that came to its audit came to its end; a question asked after it is no part."""
        if event.kind == "exchange":
            self.count(event.body)
            if shown := event.body.get("picture"):
                self.pictures += 1
                self.picture_bytes += shown["sent_bytes"]
        elif event.kind == "run.started":
            self._cut_short, self._begun = self.minutes, event.at
        elif event.kind == "ask.started":
            self._cut_short, self._begun = self.minutes, ""
        elif event.kind == "audit":
            self._cut_short, self._begun = 0.0, ""
        self._last = event.at

    @property
    def minutes(self) -> float:
        """The minutes of the runs that were cut short, up to what each recorded last."""
        if not self._begun:
            return self._cut_short
        last, begun = datetime.fromisoformat(self._last), datetime.fromisoformat(self._begun)
        return self._cut_short + (last - begun).total_seconds() / 60


class Workbench:
    """Everything about one case that is open. Close it, or use it as a context manager."""

    def __init__(
        self,
        case: Path,
        *,
        clock: Clock = wall_clock,
        write: bool = True,
        config: Config | None = None,
        threads: int = 2,
    ) -> None:
        self.case = case
        self.clock = clock
        self.case_file = read_case(case)
        self.local_only = self.case_file.local_only
        self._lists: tuple[ListFile, ...] | None = None
        self.config = config or load_config(config_of(case))
        if write and not (case / "ledger.sqlite").exists():
            self.ledger = Ledger.create(case, clock)
        else:
            self.ledger = Ledger.open(case, clock) if write else Ledger.open_readonly(case)
        self.outputs = Outputs(case)
        self.store = RecordStore(case, threads)
        self._rules: RuleBook | None = None
        self._reading = threading.Lock()
        if self.case_file.rules or self.case_file.sigma:
            self.rules  # noqa: B018  # a fault in the examiner's own is said before anything is looked at
        self.state = GraphState(self.config.hypothesis_log_lr, self.config.damping)
        self._covered = Covered()
        self._eras: list[str] = []  # the snapshots that tasks were made under, in their order
        self._received: dict[str, str] = {}  # source → when it was first taken in
        self.recovered: list[dict[str, Any]] = []  # passwords found, as the ledger names their sealed files
        self._sources: dict[tuple[int, str], Source] = {}
        self.say: Callable[[str], None] = lambda text: None  # where long calls tell how far they are
        self._lock = threading.Lock()
        self.started = clock()
        self.asked = Asked()
        self.cut_short = 0.0  # minutes of runs before this one that came to no end
        self.phase_calls: dict[str, int] = {}
        for event in self.ledger.events():
            self.asked.note(event)
            self._take(event.kind, event.body)
            self.state.apply(event)
        self.cut_short = self.asked.minutes
        self.runner = ToolRunner(
            self.ledger,
            self.outputs,
            self.context,
            case_name=str(case),
            clock=clock,
            snapshot=self.snapshot,
            threads=threads,
        )

    @property
    def rules(self) -> RuleBook:
        """The case's rules, read when first asked for (a quarter of a second); errors as of `RuleBook.load`."""
        with self._reading:
            if self._rules is None:
                self._rules = RuleBook.load(self.case_file)
            return self._rules

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "extraction":
            self.store.add([Part(**p) for p in body["parts"]])
            self._covered.add(body["coverage"])
        elif kind == "era":
            self._eras.append(body["id"])
        elif kind == "secret_recovered":
            self.recovered.append(body)
        elif kind == "coverage":
            self._covered.add(body["rows"])

    def append(self, events: Iterable[Event]) -> None:
        """Record events and take them into the state; those already known by id are left out."""
        fresh: list[Event] = []
        seen: set[tuple[str, str]] = set()
        for event in events:
            key = (event.kind, str(event.body.get("id", "")))
            if event.kind in ("phenomenon", "hypothesis", "edge", "temporal", "entity_link"):
                tables: dict[str, Mapping[str, object]] = {
                    "phenomenon": self.state.phenomena,
                    "hypothesis": self.state.hypotheses,
                    "edge": self.state.edges,
                    "temporal": self.state.temporal,
                    "entity_link": self.state.links,
                }
                known = tables[event.kind]
                if key[1] in known or key in seen:
                    continue
                seen.add(key)
            fresh.append(event)
        if not fresh:
            return
        self.ledger.append(fresh)
        for event in fresh:
            self._take(event.kind, event.body)
            self.state.apply(event)

    def refresh_extraction(self, events: Iterable[dict[str, Any]]) -> None:
        """Take coverage of extraction events that the extraction appended itself (its parts are in the store)."""
        for body in events:
            self._covered.add(body["coverage"])

    @property
    def coverage(self) -> list[Coverage]:
        """The coverage rows that hold."""
        return self._covered.rows

    @contextmanager
    def as_of(self, era: Era) -> Iterator[None]:
        """Show the records and the coverage that there were when calls were made; for one caller at a time."""
        held = self.store.parts, self._covered
        fewer = len(era.parts) < len(held[0])
        if fewer:  # what was derived from the parts is made anew
            self.store.show(era.parts)
        self._covered = Covered(list(era.coverage))
        try:
            yield
        finally:
            if fewer:
                self.store.show(held[0])
            self._covered = held[1]

    def snapshot(self) -> str:
        """What calls turn on beside their arguments: records, rules, period, lists, acquisitions; part of every cache key."""
        parts = [[p.file, p.sha256] for p in self.store.parts]
        try:
            lists = [[file.kind, file.sha256] for file in self.lists]
        except CaseFileError:  # a case is read without its lists; a call that needs them says so
            lists = []
        taken = [["acquired", s.id, s.acquired] for s in self.case_file.sources if s.acquired is not None]
        left_out = [["exclude", *self.case_file.exclude]] if self.case_file.exclude else []
        stated = [values for values in (lists, taken, left_out) if values]
        return identify("snapshot", parts, self.rules.sha256, self.period(), *stated)

    def era(self) -> str:
        """How tasks name the snapshot they are made under: by its number in this case, so that two cases of one evidence name
        their tasks and calls alike (which row of a part came first differs from run to run)."""
        now = self.snapshot()
        if now not in self._eras:
            self.append([Event("era", {"id": now})])
        return f"era-{self._eras.index(now) + 1}"

    @property
    def lists(self) -> tuple[ListFile, ...]:
        """The examiner's lists, hashed when first asked for; CaseFileError where one cannot be read."""
        if self._lists is None:
            self._lists = case_lists(self.case_file)
        return self._lists

    def spec(self, source_id: str) -> SourceSpec:
        """How to open a source."""
        entry = next((s for s in self.case_file.sources if s.id == source_id), None)
        if entry is None:
            raise KeyError(f"unknown source {source_id!r}; known: {', '.join(s.id for s in self.case_file.sources)}")
        known = self.state.sources.get(source_id)
        mode = known.access_mode if known else ("tree" if entry.path.is_dir() else "file")
        return SourceSpec(source_id, entry.path, mode)

    def secrets(self, source_id: str) -> dict[str, str]:
        """The secrets of a source, resolved, and those that were recovered for it; never logged."""
        given = {
            name: secret(reference, self.case)
            for name, reference in sorted(self.case_file.secrets.get(source_id, {}).items())
        }
        return given | sealed_secrets(self.case, [b for b in self.recovered if b["source_id"] == source_id])

    def keep_secret(self, source_id: str, path: str, value: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Seal a recovered password in the case folder; the ledger gets the sealed file's hash, never the password."""
        body = {"source_id": source_id, "path": path, **facts, **seal(self.case, source_id, path, value)}
        body["id"] = identify("secret", source_id, path, body["sha256"])
        self.append([Event("secret_recovered", body)])
        return body

    def open_source(self, source_id: str) -> Source:
        """The source, opened once a thread (its handles never cross threads)."""
        key = (threading.get_ident(), source_id)
        with self._lock:
            if key not in self._sources:
                secrets = named(self.secrets(source_id))
                self._sources[key] = open_source(self.spec(source_id), secrets=secrets).__enter__()
            return self._sources[key]

    def context(self, source_id: str, agent: str) -> ToolContext:
        """What a tool call sees."""
        return ToolContext(
            source_id=source_id,
            store=self.store,
            state=self.state,
            indicators=self.rules.indicators,
            open_source=self.open_source,
            coverage=lambda: self.coverage,
            agent=agent,
            period=self.period(),
            budget=self.budget(),
            expected=self.rules.expected,
            questions=self.rules.questions,
            invocations=lambda: [i.to_dict() for i in list(self.runner.known.values())],
            save_asset=self.save_asset,
            lists=lambda: self.lists,
            clocks=self.clocks,
            taken=self.taken,
            exclude=self.case_file.exclude,
            recovery=Recovery(self.case_file.password_recovery, self.spec, self.secrets, self.keep_secret, self.say),
        )

    def budget(self) -> dict[str, Any]:
        """Use and caps of every budget."""
        caps = self.config.budgets
        minutes = self.cut_short + (self.clock() - self.started).total_seconds() / 60
        return {
            "tool_calls": {
                "used": len(self.runner.known) if hasattr(self, "runner") else 0,
                "cap": caps.tool_calls_total,
            },
            "strategist_rounds": {"used": len(self.state.rounds), "cap": caps.strategist_rounds_max},
            "wall_clock_minutes": {"used": minutes, "cap": caps.wall_clock_minutes_max},
            "tokens": {"used": self.asked.tokens, "cap": caps.tokens_total},
            "cost_usd": {"used": self.asked.cost_usd, "cap": caps.cost_usd_max},
            "phases": dict(self.phase_calls),
        }

    def exceeded(self) -> str:
        """The budget that is spent, or nothing (caps compare with ≥; rounds have their own stop)."""
        for name, entry in self.budget().items():
            if name in ("phases", "strategist_rounds"):
                continue
            if entry["cap"] is not None and entry["used"] >= entry["cap"]:
                return name
        return ""

    def nearly_spent(self) -> bool:
        """Whether less than a tenth of a budget is left (calls, clock, tokens, cost; SPEC D)."""
        return any(
            entry["cap"] is not None and entry["used"] >= 0.9 * entry["cap"]
            for name, entry in self.budget().items()
            if name not in ("phases", "strategist_rounds")
        )

    def allowance(self, lead_id: str = "") -> Callable[[], None]:
        """What is asked ahead of each call of a model's run; it raises BudgetSpent where a budget of run or lead is spent."""
        caps, begun = self.config.budgets, self.clock()

        def ask() -> None:
            spent = self.exceeded()
            if spent:
                raise BudgetSpent(f"budget spent: {spent}")
            if not lead_id:
                return
            used = self.asked.by_lead.get(lead_id, (0, 0.0))
            minutes = (self.clock() - begun).total_seconds() / 60
            for name, value, cap in (
                ("lead_tool_calls", self.runner.by_lead[lead_id], caps.lead_tool_calls_max),
                ("lead_tokens", used[0], caps.lead_tokens_max),
                ("lead_cost_usd", used[1], caps.lead_cost_usd_max),
                ("lead_minutes", minutes, caps.lead_minutes_max),
            ):
                if cap is not None and value >= cap:
                    raise BudgetSpent(f"budget spent: {name}")

        return ask

    def reserve_picture(self, size: int) -> bool:
        """Take a picture of `size` bytes from what a run may show to models; False where that is spent."""
        caps = self.config.budgets
        with self._lock:
            if caps.pictures_max is not None and self.asked.pictures >= caps.pictures_max:
                return False
            if caps.picture_bytes_max is not None and self.asked.picture_bytes + size > caps.picture_bytes_max:
                return False
            self.asked.pictures += 1
            self.asked.picture_bytes += size
        return True

    def note_exchange(self, exchange: Exchange, data: bytes, role: str, lead_id: str) -> None:
        """Keep an exchange with a model whole among the outputs, and count what it used."""
        body = {
            "id": exchange.id,
            "task_id": exchange.task_id,
            "number": exchange.number,
            "role": role,
            "lead_id": lead_id,
            "endpoint": exchange.endpoint,
            "digest": exchange.digest,
            "output_sha256": self.outputs.put(data),
            "error": exchange.error,
            "tokens_in": exchange.tokens_in,
            "tokens_out": exchange.tokens_out,
            "cost_usd": exchange.cost_usd,
            **({"picture": exchange.picture} if exchange.picture else {}),
        }
        event = Event("exchange", body)
        self.ledger.append([event])
        with self._lock:
            self.asked.count(body)
            self.state.apply(event)

    def save_asset(self, name: str, data: bytes) -> dict[str, Any]:
        """Keep an extracted file as an asset: its content among the outputs, its name and hash in the ledger."""
        digest = self.outputs.put(data)
        body = {
            "id": identify("asset", name, digest),
            "name": name,
            "sha256": digest,
            "bytes": len(data),
            "output_sha256": digest,
        }
        self.append([Event("asset", body)])
        return body

    @property
    def clocks(self) -> dict[str, tuple[Interval, ...]]:
        """What the case file states of the sources' clocks."""
        return {s.id: s.intervals for s in self.case_file.sources if s.clocks}

    def taken(self) -> dict[str, tuple[int, str]]:
        """By source: the latest time (µs UTC) that a record of it can honestly carry, and why that one."""
        if len(self._received) < len(self.case_file.sources):
            for event in self.ledger.events("source"):
                self._received.setdefault(event.body["id"], event.at)
        out = {}
        for entry in self.case_file.sources:
            received = iso(self._received.get(entry.id, ""))
            if entry.acquired is not None:
                out[entry.id] = (entry.acquired, "the acquisition, as the case file states it")
            elif received is not None and received["instant"] is not None:
                out[entry.id] = (received["instant"], "the intake of the source")
        return out

    def period(self) -> tuple[int | None, int | None]:
        """From and to of the case's scope, in microseconds UTC; CaseFileError for what is no time in UTC."""
        out = []
        for name, text in (("from", self.case_file.scope_from), ("to", self.case_file.scope_to)):
            time = iso(text, zone="Z") if text else None
            if text and time is None:
                raise CaseFileError(f"{self.case / 'case.yaml'}: scope.{name} is no ISO 8601 time in UTC: {text!r}")
            out.append(time["instant"] if time else None)
        return out[0], out[1]

    def close(self) -> None:
        """Close everything."""
        for source in self._sources.values():
            with suppress(OSError):
                source.close()
        self._sources.clear()
        self.runner.close()
        self.store.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def config_of(case: Path) -> Path | None:
    """The configuration file of a case: the one that WIGMORE_CONFIG names, its own, or none."""
    named = os.environ.get("WIGMORE_CONFIG")
    own = case / "config.yaml"
    return Path(named) if named else own if own.is_file() else None
