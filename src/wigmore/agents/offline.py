"""The offline proposer: works through indicator rules and probes, and proposes what they found through the gateway."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from wigmore.agents.absence import covered
from wigmore.agents.desk import Desk
from wigmore.agents.templates import Probe, Template, asked_about
from wigmore.graph.proposals import CitedRecord, CitedResult, Proposal, field_of
from wigmore.ledger import Event
from wigmore.model.clocks import latest
from wigmore.model.nouns import FOR, Hypothesis, Phenomenon
from wigmore.model.times import instant_text
from wigmore.records.rules import Bearing, Indicator, fill
from wigmore.tools.content import DIGITS, owners
from wigmore.tools.runner import Call

NAMED = re.compile(r"\+\d[\d ()./-]{5,18}\d|[\w.+-]+@[\w-]+\.[\w.-]*\w")  # numbers with their country, mail addresses


@dataclass(frozen=True)
class Observed:
    """A phenomenon that a rule led to, with what the rule says it bears on and whom it is about."""

    phenomenon: Phenomenon
    bearings: tuple[Bearing, ...]
    subject: str


def work_through_indicators(desk: Desk) -> None:
    """Triage: which of the role's rules match, then a phenomenon for each group they find."""
    scanned = desk.call("scan_indicators", role=desk.role, phase="triage")
    if scanned.invocation.status == "failed":
        raise RuntimeError(f"the scan for indicators failed: {scanned.invocation.error}")
    for call in desk.calls("match_indicator", [{"rule": row["rule"]} for row in scanned.rows]):
        rule = desk.indicators[call.invocation.args["rule"]]
        if call.invocation.status == "failed":
            raise RuntimeError(f"rule {rule.id} failed: {call.invocation.error}")
        observe(desk, rule, call)


def present(row: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of fields that a row has."""
    return tuple(dict.fromkeys(n for n in names if field_of(row, n) not in (None, "", [])))


def observe(desk: Desk, rule: Indicator, call: Call) -> list[Observed]:
    """A phenomenon for each group that a rule found, proposed with the facts of its example records."""
    records = {r["record_id"]: r for r in call.rows if "record_id" in r}
    if rule.together:
        return _observe_together(desk, rule, call, records)
    out = []
    for index, group in enumerate(r for r in call.rows if "group" in r):
        examples = [records[i] for i in group["record_ids"] if i in records]
        if not examples:
            continue
        cited = tuple(
            CitedRecord(call.invocation.id, r["record_id"], fields)
            for r in examples
            if (
                fields := present(
                    r, (*rule.facts, *(("times." + str(r["time_field"]),) if r.get("time_field") else ()))
                )
            )
        )
        if not cited:
            continue
        counted = group["count"] > 1
        results = tuple(
            CitedResult(call.invocation.id, index, name)
            for name in ("count", "first", "last")
            if counted and group.get(name) is not None
        )
        values = {**group["group"], "count": group["count"], "first": group["first"], "last": group["last"]}
        for name in rule.facts:
            values.setdefault(name, field_of(examples[0], name))
        subject = str(values.get(rule.subject) or "") if rule.subject else ""
        key = (
            tuple(f"{k}={v}" for k, v in sorted(group["group"].items()))
            if rule.group_by
            else (examples[0]["record_id"],)
        )
        event = tuple(str(field_of(examples[0], name)) for name in rule.event_key)
        proposal = Proposal(
            source_id=desk.source_id or examples[0].get("source_id", ""),
            category=rule.category,
            title=_title(fill(rule.title, values)),
            interpretation=fill(rule.interpretation, values),
            records=cited,
            results=results,
            rule=rule.id,
            caveat=rule.caveat,
            attack=rule.attack,
            event_key="|".join((desk.source_id, *event)) if event else "",
            key=key,
            record_count=group["count"],
        )
        made = desk.attempt(partial(desk.gateway.admit, proposal))
        if made is None:
            continue
        for example in examples:
            note_entities(desk, rule, made, example, example["record_id"])
        out.append(Observed(made, rule.bears_on, subject))
    return out


def _observe_together(desk: Desk, rule: Indicator, call: Call, records: dict[str, dict[str, Any]]) -> list[Observed]:
    """One phenomenon of all groups that a rule found: an example record, and each group as a row of the query."""
    groups = [r for r in call.rows if "group" in r]
    example = next((records[i] for g in groups for i in g["record_ids"] if i in records), None)
    if example is None or not (fields := present(example, rule.facts)):
        return []
    values = {"count": len(groups), **{name: field_of(example, name) for name in rule.facts}}
    proposal = Proposal(
        source_id=desk.source_id or example.get("source_id", ""),
        category=rule.category,
        title=_title(fill(rule.title, values)),
        interpretation=fill(rule.interpretation, values),
        records=(CitedRecord(call.invocation.id, example["record_id"], fields),),
        results=tuple(
            CitedResult(call.invocation.id, index, name)
            for index, group in enumerate(groups)
            for name in ("group", "count", "first", "last")
            if group.get(name) is not None
        ),
        rule=rule.id,
        caveat=rule.caveat,
        key=(rule.id,),
        record_count=sum(g["count"] for g in groups),
    )
    made = desk.attempt(partial(desk.gateway.admit, proposal))
    if made is None:
        return []
    for index, group in enumerate(groups):
        note_entities(desk, rule, made, group["group"], f"row {index}")
    return [Observed(made, rule.bears_on, "")]


def _title(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= 300:
        return flat
    return flat[:298].rsplit(" ", 1)[0] + " …"  # a value is named whole or not at all


def note_entities(desk: Desk, rule: Indicator, phenomenon: Phenomenon, row: dict[str, Any], part: str) -> list[str]:
    """Note what a rule names in a record or group, `part` of a phenomenon; the ids of the entities."""
    out = []
    for entry in rule.entities:
        whole = {what: items(field_of(row, name)) for what, name in entry["identifiers"].items()}
        named = str(field_of(row, entry.get("name", "")) or "")
        each = items(field_of(row, entry["each"])) if "each" in entry else [""]
        for item in each:
            found = {what: [item] if item else many for what, many in whole.items()}
            identifiers = [(what, bare(one) if item else one) for what, many in found.items() for one in many]
            name = shown_name(item) or named or (identifiers[0][1] if identifiers else "")
            loose = ("name", "phone") if entry["type"] == "device" else ("name",)
            if any(what not in loose for what, _ in identifiers):  # a name identifies nobody, a number no device
                source, kind = phenomenon.source_id, str(entry["type"])
                made = desk.attempt(partial(desk.gateway.entity, kind, name, source, identifiers, phenomenon, part))
                out += [made.id] if made is not None else []
    return out


def items(value: Any) -> list[str]:
    """The items of a field: each of a list (also one written as JSON), without a label before it (`Mobile: +44…`)."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    listed = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return [re.sub(r"^[A-Za-z][^:@+]{0,40}: +", "", str(item)) for item in listed[:50]]


def bare(text: str) -> str:
    """The address of a party written `Name <address>`; else the text itself."""
    found = re.search(r"<([^<>\s]+@[^<>\s]+)>", text)
    return found.group(1) if found else text.strip()


def shown_name(text: str) -> str:
    """The name of a party written `Name <address>`; empty where there is none."""
    found = re.match(r"\s*(.+?)\s*<[^<>]+>", text)
    return found.group(1).strip("\"' ") if found else ""


def party(text: str) -> str:
    """A party as a subject: a messenger's identifier made of a telephone number is that number."""
    found = re.fullmatch(r"\+?(\d{7,15})@(?:s\.whatsapp\.net|c\.us)", text)
    return "+" + found.group(1) if found else text


def subject_of(desk: Desk, template: Template, phenomenon: Phenomenon, named: str) -> str:
    """The subject that a template's hypothesis about this phenomenon has."""
    if template.per == "source":
        return desk.state.sources[phenomenon.source_id].label or phenomenon.source_id
    return party(named) if template.per == "subject" else ""


def raise_hypotheses(desk: Desk, template: Template, subject: str) -> Hypothesis:
    """The template's hypothesis about a subject, with every alternative beside it."""
    made = desk.gateway.hypothesis(template.hypothesis(subject))
    for alternative in template.alternatives:
        desk.gateway.hypothesis(template.hypothesis(subject, alternative.id))
    return made


def raise_led_to(desk: Desk, observed: Observed) -> None:
    """Raise the hypotheses that a phenomenon speaks for; what speaks against one or for an alternative, or lies outside the
    period of the case, leads to none."""
    if desk.gateway.outside(observed.phenomenon):
        return
    for bearing in observed.bearings:
        template = desk.templates.get(bearing.template)
        if template is not None and bearing.edge in FOR:
            raise_hypotheses(desk, template, subject_of(desk, template, observed.phenomenon, observed.subject))


def raise_asked_about(desk: Desk, question: str) -> None:
    """Raise the hypotheses that a question of the case is about, wherever they could be refuted, where no observation raised one
    of the kind: so they are looked into. Those about a subject are raised for each number and address that it names."""
    raised = [(h.template, h.subject) for h in (*desk.state.hypotheses.values(), *desk.gateway.hypotheses.values())]
    for template in asked_about(desk.templates, question):
        sources = {s for probe in template.probes if probe.disconfirming for s in applicable_sources(desk, probe)}
        known = {_number(subject) for name, subject in raised if name == template.id}
        if template.per == "subject" and sources:
            for named in NAMED.findall(question):
                subject = "+" + re.sub(r"\D", "", named) if named[0] == "+" else named.lower()
                if _number(subject) not in known:
                    raise_hypotheses(desk, template, subject)
        elif template.per == "case" and sources and not known:
            raise_hypotheses(desk, template, "")
        elif template.per == "source" and not known:
            for source in sorted(sources):
                raise_hypotheses(desk, template, desk.state.sources[source].label or source)


def _number(subject: str) -> str:
    """The last digits of a telephone number, which it has with and without its prefix; any other subject whole."""
    return subject.casefold() if "@" in subject else re.sub(r"\D", "", subject)[-DIGITS:] or subject


def judge(desk: Desk, observed: Observed) -> None:
    """Lay the edges that a rule declares to hypotheses that were raised."""
    for bearing in observed.bearings:
        name, _, alternative = bearing.template.partition("/")
        template = desk.templates.get(name)
        if template is None:
            continue
        subject = subject_of(desk, template, observed.phenomenon, observed.subject)
        target = template.hypothesis(subject, alternative)
        if target.id not in desk.state.hypotheses and target.id not in desk.gateway.hypotheses:
            continue
        against = bearing.against or (template.alternatives[0].id if not alternative else name)
        desk.attempt(
            partial(
                desk.gateway.edge, observed.phenomenon, target.id, bearing.edge, bearing.proposition, against=against
            )
        )


def applicable_sources(desk: Desk, probe: Probe) -> tuple[str, ...]:
    """The sources in which a probe could find something: those with records of its artifacts."""
    wanted = {a.partition(":")[0] for a in probe.artifacts}
    for name in probe.rules:
        wanted.update(desk.indicators[name].artifacts)
    out = []
    for source_id, source in sorted(desk.state.sources.items()):
        if probe.platforms and str(source.meta.get("platform", "")) not in (*probe.platforms, "unknown", ""):
            continue
        have = {c.artifact for c in desk.coverage if c.source_id == source_id and c.outcome == "found"}
        have |= {p.artifact for p in desk.runner.context(source_id, desk.role).store.parts if p.source_id == source_id}
        if any(fnmatchcase(h, w) or fnmatchcase(h, w + ".*") for h in have for w in wanted):
            out.append(source_id)
    return tuple(out)


def run_probe(desk: Desk, template: Template, probe: Probe, hypothesis: Hypothesis) -> str:
    """Put a probe to the desk's source; returns found, empty, cannot_say or failed, and records which, with the reason."""
    observed: list[Observed] = []
    calls: list[Call] = []
    acquired = _acquired(desk) if probe.after_acquisition else ""
    if probe.after_acquisition and not acquired:
        return _made(desk, probe, hypothesis, "cannot_say", "the case file states no time of acquisition", [], [])
    if probe.rules:
        known = {"subject": hypothesis.subject, "acquired": acquired}
        known = {name: value for name, value in known.items() if value}
        about = {"parameters": known} if known else {}
        for call in desk.calls("match_indicator", [{"rule": name, **about} for name in probe.rules]):
            calls.append(call)
            observed += observe(desk, desk.indicators[call.invocation.args["rule"]], call)
    else:
        call = desk.call(probe.tool, **{k: hypothesis.subject if v == "$subject" else v for k, v in probe.args.items()})
        calls.append(call)
        observed += _observe_rows(desk, probe, call)
    for seen in observed:
        desk.attempt(
            partial(
                desk.gateway.edge,
                seen.phenomenon,
                hypothesis.id,
                probe.edge,
                probe.proposition,
                against=_against(template, probe),
            )
        )
        judge(
            desk,
            Observed(
                seen.phenomenon,
                tuple(b for b in seen.bearings if b.template not in (template.id, hypothesis.template)),
                seen.subject,
            ),
        )
    outcome, reason = _came_to(desk, probe, calls, observed)
    if (
        outcome == "empty"
        and probe.rules
        and template.per == "subject"
        and (why := _other_stores(desk, hypothesis.subject))
    ):
        outcome, reason = "cannot_say", why
    if outcome == "empty":
        _note_absence(desk, template, probe, hypothesis, calls)
    return _made(desk, probe, hypothesis, outcome, reason, calls, observed)


def _came_to(desk: Desk, probe: Probe, calls: list[Call], observed: list[Observed]) -> tuple[str, str]:
    """The outcome of a probe's calls, and why: what speaks for a hypothesis outside the period of the case is context alone."""
    bearing = [o for o in observed if probe.edge not in FOR or not desk.gateway.outside(o.phenomenon)]
    if bearing:
        return "found", f"{len(bearing)} observations"
    statuses = {c.invocation.status for c in calls}
    if "failed" in statuses:
        return "failed", next(c.invocation.error for c in calls if c.invocation.status == "failed")
    if statuses == {"not_applicable"}:
        return "cannot_say", "nothing of the kind is in this source"
    if "found" in statuses and not observed:
        return "cannot_say", "what it found could not be recorded as an observation (the rejections say why)"
    complete, why = covered(desk, desk.source_id, probe.artifacts, kept=bool(probe.recorded))
    if complete and probe.recorded and not _within_period(desk, probe.recorded):
        complete, why = False, "no record of the kind is in this source for the period: it may not have been kept"
    if not complete:
        return "cannot_say", why
    return "empty", "looked, and the records cover it" + ("; what it found lies outside the period" if observed else "")


def _other_stores(desk: Desk, subject: str) -> str:
    """Why records about a party that a question names would stand elsewhere than in the desk's source; empty if here."""
    if "@" in subject:
        return "a mail address: mail is not among what this looks at"
    digits = _number(subject)
    own = len(digits) == DIGITS and desk.source_id in owners(desk.runner.context(desk.source_id, desk.role), digits)
    return "the device of this number itself: its stores name the other side" if own else ""


def _within_period(desk: Desk, rules: tuple[str, ...]) -> bool:
    """Whether one of some rules finds something within the period of the case."""
    groups = [
        row.get("group", {}) for name in rules for row in desk.call("match_indicator", rule=name).rows if "group" in row
    ]
    return any(group.get("period", "inside") == "inside" for group in groups)


def _acquired(desk: Desk) -> str:
    """By when the desk's source was acquired, as the case file says, in UTC; nothing where it says none."""
    at = latest(str(desk.state.sources[desk.source_id].meta.get("acquired") or ""))
    return "" if at is None else instant_text(at)


def _made(
    desk: Desk,
    probe: Probe,
    hypothesis: Hypothesis,
    outcome: str,
    reason: str,
    calls: list[Call],
    observed: list[Observed],
) -> str:
    """Record what a probe came to; returns the outcome."""
    desk.gateway.buffer.append(
        Event(
            "probe",
            {
                "id": f"{hypothesis.id}:{probe.id}:{desk.source_id}",
                "hypothesis_id": hypothesis.id,
                "probe": probe.id,
                "source_id": desk.source_id,
                "outcome": outcome,
                "reason": reason,
                "decisive": probe.decisive,
                "disconfirming": probe.disconfirming,
                "snapshot": desk.runner.snapshot(),
                "unless": list(probe.unless),
                "invocations": [c.invocation.id for c in calls],
                "phenomena": sorted(o.phenomenon.id for o in observed),
            },
        )
    )
    return outcome


def _against(template: Template, probe: Probe) -> str:
    return probe.against or ("" if template.standing else template.alternatives[0].id)


def _observe_rows(desk: Desk, probe: Probe, call: Call) -> list[Observed]:
    out = []
    for row in [r for r in call.rows if "record_id" in r][:20]:
        fields = present(row, probe.facts)
        if not fields:
            continue
        values = {name: field_of(row, name) for name in fields}
        proposal = Proposal(
            source_id=desk.source_id,
            category=probe.id,
            title=_title(fill(probe.title or probe.description, values)),
            interpretation=probe.description,
            records=(CitedRecord(call.invocation.id, row["record_id"], fields),),
            rule=f"probe:{probe.id}",
            key=(row["record_id"],),
        )
        made = desk.attempt(partial(desk.gateway.admit, proposal))
        if made is not None:
            out.append(Observed(made, (), ""))
    return out


def _note_absence(desk: Desk, template: Template, probe: Probe, hypothesis: Hypothesis, calls: list[Call]) -> None:
    empty = next((c for c in calls if c.invocation.status == "empty"), None)
    if empty is None:
        return
    proposal = Proposal(
        source_id=desk.source_id,
        category="absence",
        title=f"No record found: {probe.description}",
        interpretation="This is about records, not about the world: what none of these artifacts records is not excluded.",
        results=(CitedResult(empty.invocation.id, 0, "result"),),
        rule=f"absence:{template.id}:{probe.id}",
        negative=True,
        key=(probe.id, hypothesis.id),
    )
    made = desk.attempt(partial(desk.gateway.admit, proposal))
    if made is not None and probe.if_empty:
        desk.attempt(
            partial(
                desk.gateway.edge,
                made,
                hypothesis.id,
                probe.if_empty,
                probe.proposition,
                against=_against(template, probe),
            )
        )
