"""The coreference role: which entities are one person, account, device or place; who wrote or called whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import Any

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import bare, items
from wigmore.agents.prompts import DISCIPLINE, READING
from wigmore.graph.coreference import Pair, pairs, ties
from wigmore.ledger import Event
from wigmore.model.identifiers import HARDWARE, UNIQUE, classify
from wigmore.model.nouns import Entity, Phenomenon
from wigmore.records.rules import Indicator

OUTGOING = ("sent", "outgoing")
BOOK = "contact entry"  # categories of rules: an address book's entries, and what a device says of itself
IDENTITY = ("device identity", "computer name")


@role(
    "coreference",
    goal="Say which entities of the graph are one, and which are two, with what speaks for and against.",
    sources=(),
    aliases=("identities",),
    tools=(*READING, "graph_overview", "get_hypothesis", "list_contacts", "list_messages", "list_calls"),
    mandatory=("add_hypothesis", "link_evidence"),
    prompt=DISCIPLINE
    + """
A shared identifier that one person set joins two records; a name never does. Look for the two people behind one name, one
line or one mailbox before you join. Two entries of one address book are two people until something says otherwise. Who a
person is stays a matter of support, never of direct evidence.
""",
)
def coreference(desk: Desk) -> None:
    """Tie parties to the devices that wrote to them, then weigh each pair of entities that share something."""
    wrote = _contacts(desk)
    for pair in pairs(_entities(desk), wrote, _books(desk)):
        _weigh(desk, pair)
    for thing, person, phenomenon in ties(_entities(desk)):
        desk.gateway.link(thing, person, "shares_identifier", phenomenon_id=phenomenon)


def _entities(desk: Desk) -> list[Entity]:
    """What rules noted: who is who rests on nothing that a model picked out."""
    return [e for _, e in sorted(desk.state.entities.items()) if not e.model]


def _books(desk: Desk) -> dict[str, str]:
    """The address book that each phenomenon is of: its files, so that parts of one book are one; empty for no book."""
    return {
        name: " ".join((p.source_id, p.rule, *sorted({f.path for f in p.verified_facts if f.path})))
        if p.category == BOOK
        else ""
        for name, p in desk.state.phenomena.items()
    }


def _weigh(desk: Desk, pair: Pair) -> None:
    """Raise a pair's hypothesis with its alternative, lay its edges both ways, and the link that it backs."""
    template = desk.templates[pair.template]
    shown = [desk.state.entities[name] for name in (pair.first, pair.second)]
    title = " and ".join(f"“{_short(e.name)}” ({desk.state.sources[e.source_id].label or e.source_id})" for e in shown)
    subject = f"{pair.first} {pair.second}"
    other = template.alternatives[0]
    raised = replace(template.hypothesis(subject), title=f"{template.title}: {title}")
    against = replace(template.hypothesis(subject, other.id), title=f"{other.title}: {title}")
    made, rival = desk.gateway.hypothesis(raised), desk.gateway.hypothesis(against)
    for reason in pair.reasons:
        phenomenon = desk.state.phenomena[reason.phenomenon_id]
        contrary = reason.edge in ("weakens", "contradicts")
        for hypothesis, edge, rivals in (
            (made, reason.edge, other.id),
            *([(rival, "supports" if reason.edge == "contradicts" else "prerequisite_met", template.id)] * contrary),
        ):
            desk.attempt(
                partial(
                    desk.gateway.edge,
                    phenomenon,
                    hypothesis.id,
                    edge,
                    template.act,
                    against=rivals,
                    reason=reason.text,
                    event_key=reason.about,
                )
            )
    desk.gateway.link(pair.first, pair.second, "same_as", hypothesis_id=made.id)
    found = [r for r in pair.reasons if r.edge in ("weakens", "contradicts")]
    desk.gateway.buffer.append(
        Event(
            "probe",
            {
                "id": f"{made.id}:exclusions:",
                "hypothesis_id": made.id,
                "probe": "exclusions",
                "source_id": "",
                "outcome": "found" if found else "empty",
                "reason": "; ".join(r.text for r in found)
                or "names, entries of one book, numbers that exclude each other and messages between the two were compared",
                "decisive": False,
                "disconfirming": True,
                "invocations": [],
                "phenomena": sorted({r.phenomenon_id for r in found}),
            },
        )
    )


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else flat[:79] + "…"


def _contacts(desk: Desk) -> set[frozenset[str]]:
    """Lay `contacted` from the rows of every store's parties; the pairs of entities between which messages passed."""
    ends: dict[tuple[str, tuple[str, str]], str] = {}
    for entity in _entities(desk):
        for identifier in entity.identifiers:
            ends.setdefault((identifier.phenomenon_id, classify(identifier.type, identifier.value).key), entity.id)
    wrote: set[frozenset[str]] = set()
    devices: dict[str, str] = {}
    for phenomenon in sorted(desk.state.phenomena.values(), key=lambda p: p.id):
        rule = desk.indicators.get(phenomenon.rule)
        if rule is None or not rule.contacted or phenomenon.negative:
            continue
        if phenomenon.source_id not in devices:
            devices[phenomenon.source_id] = _own(desk, phenomenon)
        own = devices[phenomenon.source_id]
        ties: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in _rows(phenomenon):
            for first, second in _ends(rule, phenomenon, row, ends, own):
                ties[first, second].append(row)
        for (first, second), rows in sorted(ties.items()):
            starts = [str(r["first"]) for r in rows if r.get("first")]
            finals = [str(r["last"]) for r in rows if r.get("last")]
            desk.gateway.link(
                first,
                second,
                "contacted",
                phenomenon_id=phenomenon.id,
                count=sum(int(r.get("count", 1)) for r in rows),
                span=(min(starts, default=None), max(finals, default=None)),
            )
            wrote.add(frozenset((first, second)))
    return wrote


def _rows(phenomenon: Phenomenon) -> list[dict[str, Any]]:
    """The rows of the query that a phenomenon of parties cites, put together again from its facts."""
    rows: dict[int, dict[str, Any]] = defaultdict(dict)
    for fact in phenomenon.verified_facts:
        if fact.citation.kind == "query_result":
            rows[int(fact.locator["row"])][fact.name] = fact.value
    return [rows[number] for number in sorted(rows) if "group" in rows[number]]


def _ends(
    rule: Indicator,
    phenomenon: Phenomenon,
    row: dict[str, Any],
    ends: dict[tuple[str, tuple[str, str]], str],
    own: str,
) -> list[tuple[str, str]]:
    """From whom to whom the records of a row went; the device stands for the side that a store does not name."""
    group = row["group"]
    accounts = {kind for entry in rule.entities for kind in entry["identifiers"] if kind.startswith("account:")}
    kinds = ("email", "phone", *sorted(accounts))

    def parties(name: str) -> list[str]:
        found = []
        for item in items(group.get(name)):
            keys = [(phenomenon.id, classify(kind, bare(item)).key) for kind in kinds]
            found += [ends[key] for key in keys if key in ends][:1]
        return found

    to = parties(rule.contacted["to"])
    if "from" in rule.contacted:
        return [(a, b) for a in parties(rule.contacted["from"]) for b in to if a != b]
    direction = str(group.get(rule.contacted["direction"]) or "").casefold()
    if not direction or not to:
        return []
    return [(own, party) if direction in OUTGOING else (party, own) for party in to if party != own]


def _own(desk: Desk, phenomenon: Phenomenon) -> str:
    """The device of a source: the one that it names by a number of its own, else whatever its first store was on."""
    source = phenomenon.source_id
    named = [
        e
        for e in _entities(desk)
        if e.type == "device"
        and e.source_id == source
        and any(desk.state.phenomena[i.phenomenon_id].category in IDENTITY for i in e.identifiers)
    ]

    def order(entity: Entity) -> tuple[int, str]:
        known = [classify(i.type, i.value) for i in entity.identifiers]
        return -sum(k.kind in HARDWARE and k.rarity == UNIQUE for k in known), entity.id

    if named:
        return min(named, key=order).id
    path = next(str(f.value) for f in phenomenon.verified_facts if f.name == "path")
    label = desk.state.sources[source].label or source
    return desk.gateway.entity("device", label, source, [("store", path)], phenomenon).id
