"""Sigma rules that an examiner supplies, as indicator rules over event records.

pySigma reads a rule and its condition; here its tree becomes the tests of `compiler`, and its log source the artifacts of
rules/sigma_sources.yaml. What cannot be said in these terms (correlations, patterns that RE2 does not know, log sources that
no parser gives) refuses that one rule, by name and reason. Format: Sigma specification 2.0.0, https://sigmahq.io/docs/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wigmore.model.yaml_text import read_yaml
from wigmore.records.compiler import RuleError
from wigmore.records.rules import Indicator, check_patterns

COMMON = {
    "EventID": "event_id",
    "Channel": "channel",
    "Provider_Name": "provider",
    "Computer": "computer",
    "ComputerName": "computer",
}
LARGEST = 1024 * 1024  # bytes of one rule file
SIGNIFICANCE = {"informational": 1, "low": 3, "medium": 5, "high": 7, "critical": 9}
TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)$", re.IGNORECASE)
FACTS = ("event_id", "event", "provider", "channel", "computer")


@dataclass(frozen=True)
class Unusable:
    """A Sigma rule that could not be used, and why."""

    file: str
    title: str
    reason: str


class _Cannot(Exception):
    """What a rule asks for cannot be said in our tests."""


def load_sigma(folder: Path, sources: Iterable[Path]) -> tuple[dict[str, Indicator], list[Unusable]]:
    """The rules of a folder (`*.yml`, `*.yaml`, any depth) as indicators by id, and those that could not be used.

    `sources` are the folders that may hold a `sigma_sources.yaml`; the first that has one serves.
    """
    table: list[dict[str, Any]] = next(
        (read_yaml(f / "sigma_sources.yaml") for f in sources if (f / "sigma_sources.yaml").is_file()), []
    )
    rules: dict[str, Indicator] = {}
    unusable: list[Unusable] = []
    for file in sorted(p for p in folder.rglob("*") if p.suffix in (".yml", ".yaml") and p.is_file()):
        name = file.relative_to(folder).as_posix()
        for values in _documents(file, name, unusable):
            title = str(values.get("title") or "without a title")[:200]
            try:
                rule = _indicator(values, table, name)
                check_patterns([rule])
                if rule.id in rules:
                    raise _Cannot(f"its id stands twice, also in {rules[rule.id].origin}")
                rules[rule.id] = rule
            except (_Cannot, RuleError) as error:
                unusable.append(Unusable(name, title, str(error)))
    return dict(sorted(rules.items())), unusable


def _documents(file: Path, name: str, unusable: list[Unusable]) -> list[dict[str, Any]]:
    """The rules of a file; one that is no YAML, or no rule, is said to be unusable."""
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST} bytes")
        loaded = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        unusable.append(Unusable(name, "", f"it cannot be read: {' '.join(str(error).split())[:200]}"))
        return []
    found = []
    for values in loaded:
        if isinstance(values, dict) and "detection" in values:
            found.append(values)
        elif values is not None:
            kind = "a correlation of rules" if isinstance(values, dict) and "correlation" in values else "no Sigma rule"
            title = str(values.get("title", "")) if isinstance(values, dict) else ""
            unusable.append(Unusable(name, title, f"{kind}: only single rules are run"))
    return found


def _indicator(values: dict[str, Any], table: list[dict[str, Any]], origin: str) -> Indicator:
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    try:
        rule = SigmaRule.from_dict(values)
        trees = [condition.parsed for condition in rule.detection.parsed_condition]
    except SigmaError as error:
        raise _Cannot(f"pySigma refuses it: {' '.join(str(error).split())[:300]}") from error
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise _Cannot(f"it is no well-formed rule: {type(error).__name__}: {error}"[:300]) from error
    variants = _variants(rule.logsource, table)
    choices = []
    facts: dict[str, None] = dict.fromkeys(FACTS)
    for variant in variants:
        translator = _Translator({**COMMON, **(variant.get("fields") or {})})
        tests = [translator.test(tree) for tree in trees]
        condition = tests[0] if len(tests) == 1 else {"any": tests}
        choices.append({"all": [*(variant.get("where") or ()), condition]})
        facts.update(dict.fromkeys(translator.named))
    artifacts = sorted({a for variant in variants for a in variant["artifacts"]})
    if len(artifacts) > 1:
        choices = [
            {"all": [{"field": "artifact", "in": list(v["artifacts"])}, *c["all"]]}
            for v, c in zip(variants, choices, strict=True)
        ]
    name = str(rule.id or f"{origin}:{rule.title}")
    innocent = "; ".join(str(f) for f in rule.falsepositives or () if str(f).lower() not in ("unknown", "none"))
    level = str(getattr(rule.level, "name", "") or "not stated").lower()
    return Indicator.read(
        {
            "id": f"sigma.{name}",
            "title": f"A record satisfies the Sigma rule “{_flat(rule.title)}” on {{computer}}",
            "artifacts": artifacts,
            "where": choices if len(choices) == 1 else [{"any": choices}],
            "role": "eventlog",
            "category": "sigma rule",
            "facts": list(facts),
            "group_by": ["host"],
            "interpretation": f"It is named by a rule that the examiner supplied (id {name}, level {level}); "
            "what the rule looks for is its author's.",
            "caveat": f"Its author names as innocent: {_flat(innocent)}."
            if innocent
            else "Its author names no innocent reading.",
            "attack": sorted({m[1].upper() for t in rule.tags if (m := TECHNIQUE.match(str(t)))}),
            "significance": SIGNIFICANCE.get(level, 5),
        },
        origin,
    )


def _flat(text: Any) -> str:
    return " ".join(str(text).replace("{", "(").replace("}", ")").split())[:300]


def _variants(source: Any, table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = {key: getattr(source, key) for key in ("product", "category", "service") if getattr(source, key)}
    for entry in table:
        wanted = {key: entry[key] for key in ("product", "category", "service") if key in entry}
        if all(str(asked.get(key, "")).lower() == value for key, value in wanted.items()) and (
            asked.keys() - {"product"} <= wanted.keys() or "service" in wanted
        ):
            return list(entry["variants"])
    named = ", ".join(f"{key} {value}" for key, value in asked.items()) or "none"
    raise _Cannot(f"no records of its log source ({named}) are made here")


class _Translator:
    """Turns one parsed condition into tests; `named` collects the fields that it reads."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self.named: dict[str, None] = {}

    def test(self, node: Any) -> dict[str, Any]:
        """The test of a node of pySigma's tree."""
        kind = type(node).__name__
        if kind in ("ConditionAND", "ConditionOR"):
            return {"all" if kind == "ConditionAND" else "any": [self.test(a) for a in node.args]}
        if kind == "ConditionNOT":
            return {"not": [self.test(a) for a in node.args]}
        if kind == "ConditionFieldEqualsValueExpression":
            name = self.fields.get(node.field, node.field)
            if name != "*":
                self.named[name] = None
            return self.value(name, node.value)
        if kind == "ConditionValueExpression":
            return self.value("*", node.value)
        raise _Cannot(f"its condition holds {kind}")

    def value(self, name: str, value: Any) -> dict[str, Any]:
        """The test of one value at one field; `*` is the whole record."""
        kind = type(value).__name__
        if kind == "SigmaExpansion":
            return {"any": [self.value(name, v) for v in value.values]}
        if kind in ("SigmaString", "SigmaCasedString"):
            return {
                **_string(name, value.s, whole=name == "*"),
                **({"case": True} if kind == "SigmaCasedString" else {}),
            }
        if kind == "SigmaNumber":
            return {"field": name, "contains" if name == "*" else "eq": str(value.number)}
        if kind == "SigmaBool":
            return {"field": name, "eq": bool(value.boolean)}
        if kind == "SigmaNull":
            return {"field": name, "exists": False}
        if kind == "SigmaExists":
            return {"field": name, "exists": bool(value.exists)}
        if kind == "SigmaRegularExpression":
            flags = {str(getattr(f, "name", f)).upper() for f in value.flags}
            test = {"field": name, "regex": str(value.regexp)}
            return test if flags & {"IGNORECASE", "I"} else {**test, "case": True}
        if kind == "SigmaCIDRExpression":
            return _network(name, value.network)
        if kind == "SigmaCompareExpression":
            sign = {"LT": "lt", "LTE": "le", "GT": "gt", "GTE": "ge"}[value.op.name]
            return {"field": name, sign: value.number.number}
        if kind == "SigmaFieldReference" and not (value.starts_with or value.ends_with):
            other = self.fields.get(value.field, value.field)
            return {"all": [{"field": name, "exists": True}, {"not": {"field": name, "differs": other}}]}
        raise _Cannot(f"it uses {kind.removeprefix('Sigma')} values")


def _string(name: str, parts: tuple[Any, ...], whole: bool) -> dict[str, Any]:
    """A text with wildcards (`*` any, `?` one) as the plainest test that says it."""
    signs = {"WILDCARD_MULTI": ".*", "WILDCARD_SINGLE": "."}
    if any(not isinstance(p, str) and p.name not in signs for p in parts):
        raise _Cannot("it holds a placeholder")
    texts = [p for p in parts if isinstance(p, str)]
    marks = ["t" if isinstance(p, str) else signs[p.name] for p in parts]
    if not texts:
        return {"field": name, "exists": bool(parts)}
    if whole:  # the record's stored JSON: its texts are escaped there, and values stand anywhere in it
        pattern = ".*".join(re.escape(json.dumps(t)[1:-1]) for t in texts)
        return (
            {"field": name, "contains": json.dumps(texts[0])[1:-1]}
            if len(texts) == 1
            else {"field": name, "regex": f"(?s){pattern}"}
        )
    operator = {("t",): "eq", ("t", ".*"): "starts", (".*", "t"): "ends", (".*", "t", ".*"): "contains"}.get(
        tuple(marks)
    )
    if operator:
        return {"field": name, operator: texts[0]}
    pattern = "".join(re.escape(p) if isinstance(p, str) else signs[p.name] for p in parts)
    return {"field": name, "regex": f"(?s)^{pattern}$"}


def _network(name: str, network: Any) -> dict[str, Any]:
    """Membership of a network: by the octets that are whole, and alternatives of the one that is not (IPv4); IPv6 by groups."""
    if network.version == 6:
        if network.prefixlen % 16:
            raise _Cannot("it asks for an IPv6 network that does not end at a group")
        groups = network.network_address.exploded.split(":")[: network.prefixlen // 16]
        pattern = ":".join(f"0{{0,3}}{g.lstrip('0') or '0'}" for g in groups)
        return {"field": name, "regex": f"^{pattern}(:|$)"}
    octets = str(network.network_address).split(".")
    whole, rest = divmod(network.prefixlen, 8)
    head = [re.escape(o) for o in octets[:whole]]
    if rest:
        first = int(octets[whole])
        head.append(f"({'|'.join(str(n) for n in range(first, first + 2 ** (8 - rest)))})")
    tail = 4 - len(head)
    pattern = r"\.".join([*head, *([r"\d{1,3}"] * tail)])
    return {"field": name, "regex": f"^{pattern}$"}
