"""The five phases over an opened case."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from wigmore.agents import briefs
from wigmore.agents.templates import template_of
from wigmore.agents.writing import Writing
from wigmore.graph.views import conclusion
from wigmore.investigation.reasoning import Reasoned
from wigmore.investigation.rounds import Rounds
from wigmore.investigation.tasks import Ask, Outcome
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event
from wigmore.model.canonical import identify
from wigmore.model.nouns import NEUTRAL, Hypothesis, InvestigationArea
from wigmore.model.times import stamp


class Investigation(Rounds):
    """Triage, hypotheses, rounds, timeline; the report is the fifth."""

    def _phase(self, name: str, before: int) -> None:
        calls = len(self.bench.runner.known) - before
        self.bench.phase_calls[name] = self.bench.phase_calls.get(name, 0) + calls

    # phase 1 ------------------------------------------------------------------------------------------------------

    def triage(self) -> None:
        """Every source, by every role that fits its type and platform."""
        before, era = len(self.bench.runner.known), self.bench.era()
        tasks = []
        for source_id, source in sorted(self.bench.state.sources.items()):
            kind = f"{source.type}+{source.meta.get('platform', '')}"
            for role in self.roles.values():
                if any(fnmatchcase(kind, s) or fnmatchcase(source.type, s) for s in role.sources):
                    tasks.append((role, f"triage:{source_id}:{role.name}:{era}", source_id))
        self.say(f"triage: {len(tasks)} tasks over {len(self.bench.state.sources)} sources")
        self._tasks(tasks)
        self._reason(
            [
                Ask(role, f"{task}:model", source_id, (source_id,), partial(briefs.triage, role))
                for role, task, source_id in tasks
                if "add_phenomenon" in role.mandatory_record_tools
            ]
        )
        self._phase("triage", before)

    # phase 2 ------------------------------------------------------------------------------------------------------

    def hypothesise(self) -> None:
        """Hypotheses across sources (or those configured), areas, questions as obligations."""
        before, era = len(self.bench.runner.known), self.bench.era()
        config = self.bench.config
        events = [
            Event(
                "area",
                InvestigationArea(
                    str(a["area"]),
                    str(a.get("description", "")),
                    str(a.get("agent", "filesystem")),
                    int(a.get("priority", 5)),
                    tuple(a.get("keywords") or ()),
                    tuple(a.get("tools") or ()),
                ).to_dict(),
            )
            for a in config.investigation_areas
            if str(a["area"]) not in self.bench.state.areas
        ]
        for question in self.bench.case_file.questions:
            if question["id"] not in self.bench.state.questions:
                events.append(Event("question", {**question, "status": "open"}))
        if config.hypotheses:
            for given in config.hypotheses:
                name = identify("hyp", "configured", given["title"])
                if name not in self.bench.state.hypotheses:
                    events.append(
                        Event(
                            "hypothesis",
                            Hypothesis(
                                name,
                                str(given["title"]),
                                str(given.get("description", "")),
                                float(given.get("prior_prob", 0.5)),
                                template=str(given.get("template", "")),
                                created_at=stamp(self.bench.clock()),
                            ).to_dict(),
                        )
                    )
            self.bench.append(events)
        else:
            self.bench.append(events)
            self._tasks([(self.roles["hypothesis"], f"hypotheses:{era}", "")])
            self._hypothesise_further(era)
        self._raise_standing()
        # also where hypotheses are configured
        self._tasks([(self.roles["coreference"], f"coreference:{era}", "")])
        self._derive_areas()
        mine = [h.of_identity for h in self.bench.state.hypotheses.values()]
        self.say(f"hypotheses: {len(mine) - sum(mine)}, and {sum(mine)} on which records name one")
        self._phase("hypotheses", before)

    def _hypothesise_further(self, era: str) -> None:
        """Have a model raise hypotheses that rules could not, and judge what nothing was made of."""
        role = self.roles["hypothesis"]
        if self.reasoning.on:
            new = briefs.unjudged(self.desk("hypothesis", "hypotheses", ""))
            self._reason([Ask(role, f"hypotheses:{era}:model", "", (), lambda d: briefs.hypotheses(role, d, new))])

    def _raise_standing(self) -> None:
        """The alternatives that compete with every hypothesis, once a case, as soon as there is one."""
        if self.bench.state.hypotheses:
            at = stamp(self.bench.clock())
            self.bench.append(
                Event("hypothesis", replace(template.hypothesis("", other.id), created_at=at).to_dict())
                for template in self.bench.rules.templates.values()
                if template.standing
                for other in template.alternatives
            )

    def _derive_areas(self) -> None:
        events: list[Event] = []
        for hypothesis in sorted(self.bench.state.hypotheses.values(), key=lambda h: h.id):
            template = template_of(self.bench.rules.templates, hypothesis)
            named = template is None or template.id in self.bench.state.areas
            if template is None or named or hypothesis.innocent or hypothesis.of_identity:
                continue
            tools = tuple(dict.fromkeys(p.tool for p in template.probes if p.tool))
            area = InvestigationArea(
                template.id,
                template.title,
                template.probes[0].role if template.probes else "filesystem",
                5,
                template.attack,
                tools,
                "derived",
            )
            if not any(e.body["area"] == area.area for e in events):
                events.append(Event("area", area.to_dict()))
        self.bench.append(events)

    # phase 3 ------------------------------------------------------------------------------------------------------

    def investigate(self) -> None:
        """The strategist loop, or the fixed-round loop; then one retry of failed leads, gap analysis, inconclusive."""
        before = len(self.bench.runner.known)
        self._repair()
        self._ask_anew()
        led = self.bench.config.strategist.enabled and "strategist" in self.roles
        while True:
            if led:
                self._strategist_loop()
            else:
                self._fixed_loop()
            self._finish_leads()
            self._retry()
            self._gap_analysis()
            if not led or not self._more_to_judge():
                break
        state = self.bench.state
        open_ones = sorted(h for h in state.hypotheses if state.status(h) == "active")
        if set(open_ones) - state.inconclusive:
            self.bench.append([Event("hypotheses.closed", {"inconclusive": sorted({*open_ones, *state.inconclusive})})])
        self.outcome.failed_leads = sum(x.status == "failed" for x in state.leads.values())
        self._phase("investigation", before)

    # phase 4 ------------------------------------------------------------------------------------------------------

    def timeline(self) -> None:
        """The order of observations, after everything else is in; anew where the case file says something else of clocks."""
        before = len(self.bench.runner.known)
        clocks = [[s.id, list(s.clocks)] for s in self.bench.case_file.sources if s.clocks]
        seen = identify("graph", self.bench.state.graph_hash(), clocks)
        role = self.roles["timeline"]
        self._tasks([(role, f"timeline:{seen}", "")])
        sources = tuple(sorted(self.bench.state.sources))
        self._reason([Ask(role, f"timeline:{seen}:model", "", sources, partial(briefs.timeline, role))])
        self._phase("timeline", before)

    # phase 5 ------------------------------------------------------------------------------------------------------

    def narrate(self) -> None:
        """Have a model write a summary from accepted facts; what rules concluded bounds what it may say."""
        role, state = self.roles["report"], self.bench.state
        if not self.reasoning.on:
            return
        told = [
            (
                str(row["hypothesis_id"]),
                str(row["verdict"]),
                str(row["title"]),
                sorted({e.phenomenon_id for e in state.edges_to(str(row["hypothesis_id"])) if e.edge_type != NEUTRAL}),
            )
            for row in conclusions(self.bench)
            if row["verdict"] != "open"
        ]
        task = f"report:{identify('graph', state.graph_hash())}:model"

        def told_by(reasoned: Reasoned) -> list[Event]:
            if not isinstance(reasoned.writing, Writing) or reasoned.desk is None:
                return []
            said = {"model": reasoned.desk.gateway.model, "sentences": reasoned.writing.sentences}
            return [Event("narrative", {"id": task, **said})]

        self._reason([Ask(role, task, "", (), lambda desk: briefs.report(role, desk, told), also=told_by)])

    def run(self, *, triage_only: bool = False) -> Outcome:
        """Phases 1 to 4, or the first alone."""
        self.triage()
        if triage_only:
            self.outcome.stop = "triage only"
            return self.outcome
        self.hypothesise()
        self.investigate()
        self.timeline()
        self.narrate()
        return self.outcome


def conclusions(bench: Workbench) -> list[dict[str, Any]]:
    """What may be said of each hypothesis that is no mere alternative, the strongest first."""
    state = bench.state
    out = []
    for hypothesis in state.hypotheses.values():
        if hypothesis.innocent or hypothesis.of_identity:
            continue
        said = conclusion(state, hypothesis)
        out.append(
            {
                "hypothesis_id": hypothesis.id,
                "title": hypothesis.title,
                "verdict": said.verdict,
                "reasons": list(said.reasons),
                "standing": list(said.standing),
                "status": state.status(hypothesis.id),
                "log_odds": state.log_odds(hypothesis.id),
            }
        )
    order = ("concluded", "contested", "not_tested", "refuted", "open")
    return sorted(out, key=lambda r: (order.index(str(r["verdict"])), -float(r["log_odds"]), str(r["hypothesis_id"])))
