"""What could be looked for elsewhere, as a STIX 2.1 bundle of indicators and sightings (docs.oasis-open.org/cti/stix/v2.1).

Indicators come from observations that carry ATT&CK ids, or that the examiner's lists, YARA and Sigma rules made. Their
patterns hold values of cited facts, never words of ours. A sighting says that a value stands in the evidence, with its
facts as references and, where its time is known, the observed data. Nothing is attributed to anyone; an indicator is a
value to look for, not a verdict. Ids are hashes in the shape of a version 4 UUID, which the standard wants, and of a
version 5 UUID over the contributing properties for observables.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from wigmore.ledger import durable_file
from wigmore.model.canonical import canonical, clean
from wigmore.model.times import instant_text, iso
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.markup import clipped, plain
from wigmore.reports.stix_values import Value, values

Thing = dict[str, Any]
Row = Mapping[str, Any]

OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # the namespace that the standard names for observables
LISTS = ("lists.", "sigma.")
TYPES = {"domain": "domain-name", "url": "url", "email": "email-addr"}
FACTS = 50  # facts named by one sighting
TITLES = 5
UNDATED = "1970-01-01T00:00:00.000Z"


def bears(phenomenon: Row) -> bool:
    """Whether an observation may give indicators: it has ATT&CK ids, or comes from a list or rule of the examiner."""
    rule = plain(phenomenon.get("rule"))
    return not phenomenon["negative"] and bool(phenomenon.get("attack") or rule.startswith(LISTS))


def quoted(text: str) -> str:
    """A text as a string of a STIX pattern."""
    return "'" + clean(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def pattern(value: Value) -> str:
    """The pattern that matches a value."""
    if value.kind == "ip":
        return f"[ipv{ipaddress.ip_address(value.text).version}-addr:value = {quoted(value.text)}]"
    if value.kind in TYPES:
        return f"[{TYPES[value.kind]}:value = {quoted(value.text)}]"
    if value.kind == "name":
        where = f"LIKE {quoted('%' + value.folder)}" if value.anywhere else f"= {quoted(value.folder)}"
        folder = f" AND file:parent_directory_ref.path {where}" if value.folder else ""
        return f"[file:name = {quoted(value.text)}{folder}]"
    path = "MD5" if value.kind == "MD5" else f"'{value.kind}'"
    return f"[file:hashes.{path} = {quoted(value.text)}]"


def observables(value: Value) -> list[Thing]:
    """The value as an observable object, a file after its folder."""
    before: list[Thing] = []
    made: Thing
    if value.kind == "ip":
        made = {"type": f"ipv{ipaddress.ip_address(value.text).version}-addr", "value": value.text}
    elif value.kind in TYPES:
        made = {"type": TYPES[value.kind], "value": clean(value.text)}
    elif value.kind == "name":
        made = {"type": "file", "name": clean(value.text)}
        if value.folder:
            before = [_named({"type": "directory", "path": clean(value.folder)})]
            made["parent_directory_ref"] = before[0]["id"]
    else:
        made = {"type": "file", "hashes": {value.kind: value.text}}
    return [*before, _named(made)]


def _named(made: Thing) -> Thing:
    """An observable with its id, made from its contributing properties: here all but its type."""
    key = {k: v for k, v in made.items() if k != "type"}
    name = json.dumps(key, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**made, "id": f"{made['type']}--{uuid5(OBSERVABLES, name)}", "spec_version": "2.1"}


def bundle(data: ReportData) -> Thing:
    """The bundle: identities, then for each value its indicator, its sightings and what they saw."""
    case = plain(data.context.get("case"))
    found: dict[Value, dict[str, list[tuple[Row, Row]]]] = {}
    for phenomenon in filter(bears, data.phenomena):
        for value, fact in values(phenomenon):
            found.setdefault(value, {}).setdefault(plain(fact["source_id"]), []).append((phenomenon, fact))
    maker = _Maker(data, case)
    objects = [maker.identity]
    for value, places in sorted(found.items()):
        objects += maker.indicator(value, [pair for pairs in places.values() for pair in pairs])
        for source, pairs in sorted(places.items()):
            objects += maker.sighting(value, source, pairs)
    unique = {o["id"]: o for o in objects}
    return {"type": "bundle", "id": maker.id("bundle", sorted(unique)), "objects": list(unique.values())}


class _Maker:
    """Makes the objects of one case."""

    def __init__(self, data: ReportData, case: str) -> None:
        self.case, self.root = case, data.root
        run = data.context.get("run") or {}
        self.begun = _written(data.context["origin"]["at"])  # stays, whatever later runs change (STIX 2.1, 3.6.1)
        self.made = max(self.begun, _written(run.get("finished") or run.get("started")))
        examiner = data.context.get("examiner") or {}
        name = plain(examiner.get("organisation")) if isinstance(examiner, dict) else ""
        self.identity = self.object(
            "identity", [name], name=name or "wigmore", identity_class="organization" if name else "system"
        )

    def id(self, kind: str, *names: Any) -> str:
        """An id that depends on the case (`ReportData.root`) and the names alone."""
        return f"{kind}--{UUID(bytes=hashlib.sha256(canonical([self.root, kind, *names])).digest()[:16], version=4)}"

    def object(self, kind: str, names: list[Any], **properties: Any) -> Thing:
        """A domain object or relationship with what all of them carry."""
        out = {"type": kind, "spec_version": "2.1", "id": self.id(kind, *names)}
        if kind != "identity":
            out["created_by_ref"] = self.identity["id"]
        kept = {k: v for k, v in properties.items() if v not in (None, [], "")}
        return {**out, "created": self.begun, "modified": self.made, **kept}

    def indicator(self, value: Value, pairs: list[tuple[Row, Row]]) -> Iterator[Thing]:
        """The indicator of a value."""
        phenomena = {p["id"]: p for p, _ in pairs}
        titles = sorted({plain(p["title"]) for p in phenomena.values()})
        more = f"; and {len(titles) - TITLES} more" if len(titles) > TITLES else ""
        attack = sorted({plain(a) for p in phenomena.values() for a in p.get("attack") or ()})
        first, _ = _span(phenomena.values())
        yield self.object(
            "indicator",
            _key(value),
            name=clipped(f"{value.kind}: {clean(value.text)}", 300),
            description=clipped(f"Stands in facts of: {'; '.join(clean(t) for t in titles[:TITLES])}{more}", 2000),
            indicator_types=["unknown"],  # a value that was met; what it stands for is not said
            pattern=pattern(value),
            pattern_type="stix",
            pattern_version="2.1",
            valid_from=_stamp(first) if first is not None else self.made,
            external_references=[{"source_name": "mitre-attack", "external_id": a} for a in attack],
        )

    def sighting(self, value: Value, source: str, pairs: list[tuple[Row, Row]]) -> Iterator[Thing]:
        """Where in one source a value stands, and what was seen where the time is known."""
        phenomena = {p["id"]: p for p, _ in pairs}
        first, last = _span(phenomena.values())
        facts = {plain(f["fact_id"]): f for _, f in pairs}
        seen: list[str] = []
        if first is not None and last is not None:
            things = observables(value)
            data = self.object(
                "observed-data",
                [source, *_key(value)],
                first_observed=_stamp(first),
                last_observed=_stamp(last),
                number_observed=len(facts),
                object_refs=[t["id"] for t in things],
            )
            seen = [data["id"]]
            yield from things
            yield data
        yield self.object(
            "sighting",
            [source, *_key(value)],
            description=f"In source {clean(source)} of case {clean(self.case)}: {len(facts)} facts",
            first_seen=_stamp(first) if first is not None else None,
            last_seen=_stamp(last) if last is not None else None,
            count=len(facts),
            sighting_of_ref=self.id("indicator", *_key(value)),
            observed_data_refs=seen,
            external_references=[
                {
                    "source_name": "wigmore fact",
                    "external_id": name,
                    "description": clipped(clean(f"{plain(f['path'])}, {plain(f['locator'])}"), 1000),
                }
                for name, f in sorted(facts.items())[:FACTS]
            ],
        )


def _written(text: Any) -> str:
    """A time of our own clock, as the standard writes it."""
    time = iso(plain(text))
    return _stamp(time["instant"]) if time and isinstance(time["instant"], int) else UNDATED


def _key(value: Value) -> list[Any]:
    return [value.kind, value.text, value.folder]


def _span(phenomena: Any) -> tuple[int | None, int | None]:
    """The first and last known instants of phenomena, µs UTC; None where none is known."""
    moments = [iso(plain(p["occurred_at"])) for p in phenomena if p.get("occurred_at")]
    known = sorted(m["instant"] for m in moments if m and isinstance(m["instant"], int))
    return (known[0], known[-1]) if known else (None, None)


def _stamp(microseconds: int) -> str:
    """A time with milliseconds, as the standard writes it."""
    head, _, fraction = instant_text(microseconds).rstrip("Z").partition(".")
    return f"{head}.{(fraction + '000')[:3]}Z"


@report_format("stix", "stix.json")
def stix(data: ReportData, folder: Path) -> Path:
    """Indicators and sightings as a STIX 2.1 bundle, from facts of ATT&CK-tagged observations and of the lists."""
    target = folder / "stix.json"
    with durable_file(target) as temporary:
        temporary.write_text(json.dumps(bundle(data), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return target
