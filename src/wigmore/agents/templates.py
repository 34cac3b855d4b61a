"""Hypothesis templates: a proposition with its alternatives and the probes that tell them apart (rules/hypotheses/*.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wigmore.model.canonical import identify
from wigmore.model.nouns import EDGE_TYPES, Hypothesis
from wigmore.model.yaml_text import read_yaml
from wigmore.records.rules import Indicator

SUBJECTS = ("case", "source", "subject")


class TemplateError(ValueError):
    """A template that cannot be used: says which, and what is wrong with it."""


@dataclass(frozen=True)
class Probe:
    """A question to the evidence that would move belief in a hypothesis, whichever way it comes out."""

    id: str
    role: str
    description: str
    edge: str
    proposition: str
    rules: tuple[str, ...] = ()
    tool: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    title: str = ""
    against: str = ""
    decisive: bool = False
    disconfirming: bool = False
    cost: float = 1.0
    artifacts: tuple[str, ...] = ()  # what must be covered for an absence to mean something
    recorded: tuple[
        str, ...
    ] = ()  # rules; one must find something, or the kind of record was not kept and none is no absence
    platforms: tuple[str, ...] = ()
    if_empty: str = ""  # edge that a receipted absence carries to the hypothesis: weakens or nothing
    unless: tuple[
        str, ...
    ] = ()  # rules (or probes, for theirs): what they found shows the act done in another way, and what
    # this probe lacks or weakens then weighs nothing
    likely: float = 0.5  # stated expectation that it finds something, before looking
    after_acquisition: bool = (
        False  # its rules ask for `$acquired`, when the case file says that the source was acquired
    )
    of: str = ""  # in a standing frame: the alternative that it is about

    def __post_init__(self) -> None:
        if self.edge not in EDGE_TYPES:
            raise TemplateError(f"probe {self.id}: unknown edge type {self.edge!r}")
        if self.if_empty not in ("", "weakens"):
            raise TemplateError(f"probe {self.id}: an absence carries at most `weakens`")
        if bool(self.rules) == bool(self.tool):
            raise TemplateError(f"probe {self.id}: name rules or a tool, one of them")


@dataclass(frozen=True)
class Alternative:
    """An innocent (or other) explanation that competes with the template's proposition."""

    id: str
    title: str
    description: str
    prior: float = 0.5


@dataclass(frozen=True)
class Template:
    """A frame of competing hypotheses; a standing one has alternatives alone, which compete with every hypothesis."""

    id: str
    title: str
    description: str
    act: str  # the proposition a conclusion must rest on
    prior: float
    per: str
    attack: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    probes: tuple[Probe, ...]
    not_enough: str = ""
    reference: str = ""
    asks: tuple[str, ...] = ()  # patterns of the questions that raise it and that its verdict answers
    standing: bool = False
    judged_by: str = ""  # the role that weighs such a hypothesis whole, for and against, when it raises it: no probes
    origin: str = ""

    def hypothesis(self, subject: str, alternative: str = "") -> Hypothesis:
        """The hypothesis about one subject; with `alternative`, that competitor of it."""
        shown = f" ({subject})" if subject else ""
        probes = [p for p in self.probes if p.of == alternative]
        decisive = next((p.id for p in probes if p.decisive), "")
        if alternative:
            other = next((a for a in self.alternatives if a.id == alternative), None)
            if other is None:
                raise TemplateError(f"template {self.id} has no alternative {alternative!r}")
            return Hypothesis(
                identify("hyp", self.id, alternative, subject),
                other.title + shown,
                other.description,
                other.prior,
                f"{self.id}/{alternative}",
                self.id,
                (self.act,),
                (),
                subject,
                True,
                "",
                tuple(p.id for p in probes),
                decisive,
                self.standing,
            )
        return Hypothesis(
            identify("hyp", self.id, "", subject),
            self.title + shown,
            self.description,
            self.prior,
            self.id,
            self.id,
            (self.act,),
            self.attack,
            subject,
            False,
            "",
            tuple(p.id for p in probes),
            decisive,
        )

    def probes_of(self, hypothesis: Hypothesis) -> tuple[Probe, ...]:
        """The probes of one of the frame's hypotheses; only those of a standing frame are about alternatives."""
        return tuple(p for p in self.probes if p.of == hypothesis.template.partition("/")[2])


def read_template(values: dict[str, Any], origin: str) -> Template:
    """A template from YAML values; raises TemplateError naming the template and the fault."""
    name = str(values.get("id", "?"))
    made = dict(values)
    try:
        probes = []
        for entry in made.pop("probes", ()):
            entry = dict(entry)
            for key in ("rules", "facts", "artifacts", "recorded", "unless", "platforms"):
                entry[key] = tuple(entry.get(key) or ())
            probes.append(Probe(**entry))
        rules = {p.id: p.rules or (f"probe:{p.id}",) for p in probes}
        probes = [replace(p, unless=tuple(r for name in p.unless for r in rules.get(name, (name,)))) for p in probes]
        alternatives = tuple(Alternative(**a) for a in made.pop("alternatives", ()))
        made["attack"] = tuple(made.get("attack") or ())
        made["asks"] = tuple(made.get("asks") or ())
        for pattern in made["asks"]:
            re.compile(pattern)
        template = Template(**made, alternatives=alternatives, probes=tuple(probes), origin=origin)
    except (TypeError, re.error) as error:
        raise TemplateError(f"{origin}: template {name}: {error}") from error
    if not template.alternatives:
        raise TemplateError(f"{origin}: template {name}: a hypothesis needs at least one alternative")
    if not template.judged_by and not any(p.disconfirming for p in template.probes):
        raise TemplateError(f"{origin}: template {name}: a hypothesis needs a disconfirming probe")
    about = {a.id for a in template.alternatives} if template.standing else {""}
    if strange := sorted({p.of for p in template.probes} - about):
        raise TemplateError(f"{origin}: template {name}: `of` names {', '.join(strange)}; it may be {sorted(about)}")
    if template.per not in SUBJECTS:
        raise TemplateError(f"{origin}: template {name}: per is one of {', '.join(SUBJECTS)}")
    return template


def template_of(templates: dict[str, Template], hypothesis: Hypothesis) -> Template | None:
    """The template that a hypothesis was made from, or the one that the examiner's configuration gives it."""
    return templates.get(hypothesis.frame or hypothesis.template)


def asked_about(templates: dict[str, Template], question: str) -> list[Template]:
    """The templates whose act a question is about, by the patterns that they state."""
    return [t for t in templates.values() if any(re.search(a, question, re.IGNORECASE) for a in t.asks)]


def mute(template: Template, indicators: Iterable[Indicator]) -> list[str]:
    """The alternatives of a template that no rule and no probe could speak for: that they stay weak says nothing."""
    heard = {b.template for rule in indicators for b in rule.bears_on} | {
        f"{template.id}/{p.of}" for p in template.probes
    }
    return [a.id for a in template.alternatives if f"{template.id}/{a.id}" not in heard]


def load_templates(folders: Iterable[Path]) -> dict[str, Template]:
    """All templates of `hypotheses/*.yaml` under some folders, by id."""
    out: dict[str, Template] = {}
    for folder in folders:
        for file in sorted(folder.glob("hypotheses/*.yaml")):
            for values in read_yaml(file) or ():
                template = read_template(values, file.name)
                if template.id in out:
                    raise TemplateError(f"{file.name}: template {template.id} stands twice")
                out[template.id] = template
    return dict(sorted(out.items()))


def check_references(templates: dict[str, Template], indicators: dict[str, Indicator], roles: Iterable[str]) -> None:
    """Refuse rules and templates that name what is not there: rules of probes, templates and alternatives, roles."""
    known_roles = set(roles)
    for template in templates.values():
        if template.judged_by and template.judged_by not in known_roles:
            raise TemplateError(f"{template.origin}: template {template.id}: no role {template.judged_by!r}")
        for probe in template.probes:
            ways = (r for r in probe.unless if not r.startswith("probe:"))
            if missing := [r for r in (*probe.rules, *probe.recorded, *ways) if r not in indicators]:
                raise TemplateError(
                    f"{template.origin}: template {template.id}, probe {probe.id}: no rule {', '.join(missing)}"
                )
            if probe.role not in known_roles:
                raise TemplateError(
                    f"{template.origin}: template {template.id}, probe {probe.id}: no role {probe.role!r}"
                )
    for rule in indicators.values():
        if rule.role not in known_roles:
            raise TemplateError(f"{rule.origin}: rule {rule.id}: no role {rule.role!r}")
        for bearing in rule.bears_on:
            name, _, alternative = bearing.template.partition("/")
            owner = templates.get(name)
            others = {a.id for a in owner.alternatives} if owner else set()
            if owner is None or ((alternative or owner.standing) and alternative not in others):
                raise TemplateError(f"{rule.origin}: rule {rule.id} bears on {bearing.template!r}, which is not there")
            against = bearing.against
            if against and against not in {a.id for a in owner.alternatives} | {name}:
                raise TemplateError(f"{rule.origin}: rule {rule.id}: {name} has no alternative {against!r}")
