"""Entities in tables: which records are held to be of one, on what grounds, and who contacted whom."""

from __future__ import annotations

from collections import defaultdict

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, folded, joined, plain, table, tag
from wigmore.reports.words import AGAINST, EDGES, moment, not_shown

CLUSTERS = 100
MEMBERS = 12
CONTACTS = 100


def same(index: Index) -> Safe:
    """Clusters of entities that joins in force hold together, then the joins that are not in force."""
    joins = [x for x in index.data.links if x["relation"] == "same_as" and "in_force" in x]
    members: dict[str, list[Row]] = defaultdict(list)
    for entity in index.data.entities:
        members[entity.get("cluster") or entity["id"]].append(entity)
    several = {name: rows for name, rows in members.items() if len(rows) > 1}
    inside: dict[str, list[Row]] = defaultdict(list)
    apart = []
    for link in joins:
        if link["in_force"] and link["first_cluster"] == link["second_cluster"]:
            inside[link["first_cluster"]].append(link)
        else:
            apart.append(link)
    head = tag("h3", f"Records held to be of one ({len(several):,})")
    if not several:
        return joined((head, tag("p", "No join of entities is in force."), _apart(index, apart)))
    body = [
        [
            clipped(rows[0].get("cluster_name") or rows[0]["name"], 120),
            _lines([_member(index, e) for e in rows], MEMBERS),
            _lines([_grounds(x) for x in inside[name]], MEMBERS),
        ]
        for name, rows in sorted(several.items(), key=lambda x: (-len(x[1]), x[0]))[:CLUSTERS]
    ]
    said = (
        "Each join is a hypothesis of its own, weighed like the others. It ends when that falls or a person rejects it."
    )
    return joined(
        (
            head,
            tag("p", said),
            table(["Called", "Records of", "Join: strength, for and against"], body, "joins"),
            not_shown(CLUSTERS, len(several), f"wigmore show {index.case} entities"),
            _apart(index, apart),
        )
    )


def contacts(index: Index) -> Safe:
    """Who wrote to or called whom, the most frequent first."""
    rows = sorted(index.data.contacts, key=lambda r: (-r["count"], r["first"], r["second"]))
    if not rows:
        return Safe("")
    body = [
        [
            clipped(r["first_name"], 120),
            clipped(r["second_name"], 120),
            f"{r['count']:,}",
            moment(r["first_at"]),
            moment(r["last_at"]),
            _lines([index.observation(p, 100) for p in r["phenomena"]], 3),
        ]
        for r in rows[:CONTACTS]
    ]
    return joined(
        (
            tag("h3", f"Who contacted whom ({len(rows):,})"),
            tag(
                "p",
                "Numbers and accounts, not people. Records of several stores are added; one store may be a copy of"
                " another.",
            ),
            table(["From", "To", "Records", "First", "Last", "Observation"], body, "contacts"),
            not_shown(CONTACTS, len(rows), f"wigmore show {index.case} contacts"),
        )
    )


def _apart(index: Index, links: list[Row]) -> Safe:
    """Joins that were weighed and hold nothing together."""
    if not links:
        return Safe("")
    body = [
        [clipped(x["first_name"], 120), clipped(x["second_name"], 120), _grounds(x, names=False)]
        for x in links[:CLUSTERS]
    ]
    return joined(
        (
            folded(
                f"Perhaps of one, and not joined ({len(links):,})",
                table(["Entity", "Entity", "Strength, for and against"], body),
                open_=len(links) <= 10,
            ),
            not_shown(CLUSTERS, len(links), f"wigmore show {index.case} links"),
        )
    )


def _lines(lines: list[Part], most: int) -> Part:
    """Lines of one cell; how many are left out."""
    shown = [tag("li", x) for x in lines[:most]]
    if len(lines) > most:
        shown.append(tag("li", f"and {len(lines) - most:,} more", class_="quiet"))
    return tag("ul", *shown, class_="receipt") if shown else "—"


def _member(index: Index, entity: Row) -> Part:
    """An entity with its source and the observations that name it."""
    found = list(dict.fromkeys(plain(i.get("phenomenon_id")) for i in entity["identifiers"] if i.get("phenomenon_id")))
    source = index.labels.get(entity["source_id"], plain(entity["source_id"]))
    said: list[Part] = [f"{plain(entity['type'])} {clipped(entity['name'], 120)}, {source}"]
    for n, name in enumerate(found[:2]):
        said += [": " if not n else "; ", index.observation(name, 90)]
    if len(found) > 2:
        said.append(f"; and {len(found) - 2:,} more")
    return joined(said)


def _grounds(link: Row, names: bool = True) -> Part:
    """A join's hypothesis, its strength in words, and what was read for and against it."""
    state = "rejected by a person" if link.get("rejected") else plain(link.get("status"))
    said: list[Part] = [f"{clipped(link['first_name'], 80)} = {clipped(link['second_name'], 80)}: "] if names else []
    said += [tag("strong", state), " (", tag("code", plain(link["hypothesis_id"])), ")"]
    sides: dict[bool, list[str]] = {False: [], True: []}
    for reason in link.get("reasons") or ():
        kind, _, why = plain(reason).partition(": ")
        if kind in EDGES:
            sides[kind in AGAINST].append(f"{why} ({EDGES[kind][0]} it)")
    for against, word in ((False, "For"), (True, "Against")):
        shown = clipped("; ".join(sides[against]), 400) or "nothing on record"
        said.append(tag("div", f"{word}: {shown}", class_="meta"))
    return joined(said)
