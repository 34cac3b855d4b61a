"""The entity graph as a picture: clusters of entities in a column a type, ties between them, the most tied first."""

from __future__ import annotations

from collections import Counter, defaultdict

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, plain, table, tag
from wigmore.reports.svg_matrix import clipped_label
from wigmore.reports.words import counted, not_shown, strength

NODES, PER_COLUMN, COLUMNS = 48, 16, 5
BOX, GAP, ROW = 190, 70, 40
TABLE = 400


def entities(index: Index) -> Safe:
    """The picture, and the table of all entities and links up to its cap."""
    known = {e["id"]: e for e in index.data.entities}
    if not known:
        return tag("p", "No person, account, device or place was recorded as an entity.")
    links = [x for x in index.data.links if x["first"] in known and x["second"] in known]
    clusters, ties = _clusters(known), _ties(known, links)
    degree = Counter(i for x in ties for i in (x["first"], x["second"]))
    chosen = sorted(clusters.values(), key=lambda e: (-degree[e["id"]], e["type"], e["name"], e["id"]))
    columns: dict[str, list[Row]] = defaultdict(list)
    for entity in chosen:
        if sum(map(len, columns.values())) >= NODES:
            break
        room = entity["type"] in columns or len(columns) < COLUMNS
        if room and len(columns[entity["type"]]) < PER_COLUMN:
            columns[entity["type"]].append(entity)
    drawn = sum(map(len, columns.values()))
    picture = _picture(dict(sorted(columns.items())), ties)
    joined = sum(c["size"] > 1 for c in clusters.values())
    left_out = f"; the {len(clusters) - drawn:,} with fewest ties are left out" if drawn < len(clusters) else ""
    caption = tag(
        "figcaption",
        f"{drawn:,} of {len(clusters):,} clusters of {len(known):,} entities and the ties between them{left_out}."
        f" {joined:,} clusters join several entities (×n): each join rests on a hypothesis of its own, and ends when that is"
        " rejected. A dashed tie: perhaps the same, not supported. A plain one was seen in an observation. An account is not"
        " a person.",
    )
    return tag(
        "figure",
        tag("div", picture, class_="scroll"),
        caption,
        tag(
            "details",
            tag("summary", f"All entities ({len(known):,}) and ties ({len(links):,})"),
            *_tables(index, known, links),
        ),
    )


def _clusters(known: dict[str, Row]) -> dict[str, Row]:
    """Clusters by the entity that stands for them: type, name and number of entities."""
    out: dict[str, Row] = {}
    for entity in known.values():
        name = entity.get("cluster") or entity["id"]
        row = {"id": name, "type": entity["type"], "name": entity.get("cluster_name") or entity["name"], "size": 0}
        out.setdefault(name, row)["size"] += 1
    return out


def _ties(known: dict[str, Row], links: list[Row]) -> list[Row]:
    """The ties between clusters, those of one kind and direction together."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for link in links:
        first, second = (known[link[end]].get("cluster") or link[end] for end in ("first", "second"))
        if first != second:
            found[first, second, plain(link["relation"])] += link.get("count") or 0
    return [
        {"first": first, "second": second, "relation": relation, "count": count}
        for (first, second, relation), count in sorted(found.items())
    ]


def _picture(columns: dict[str, list[Row]], links: list[Row]) -> Safe:
    spots: dict[str, tuple[int, int]] = {}
    parts: list[Part] = []
    for column, (kind, rows) in enumerate(columns.items()):
        x = column * (BOX + GAP)
        parts.append(tag("text", clipped_label(plain(kind), 28), x=x + 2, y=14, class_="q"))
        for line, entity in enumerate(rows):
            spots[entity["id"]] = (x, 26 + line * ROW)
    ties: list[Part] = []
    for tie in links:
        if tie["first"] in spots and tie["second"] in spots:
            (ax, ay), (bx, by) = sorted((spots[tie["first"]], spots[tie["second"]]))
            same = ax == bx
            start, end = (ax + BOX, ay + 14), ((bx + BOX) if same else bx, by + 14)
            bend = GAP * 0.55 if same else (end[0] - start[0]) / 2
            path = (
                f"M{start[0]} {start[1]}C{start[0] + bend} {start[1]} {end[0] + (bend if same else -bend)} {end[1]}"
                f" {end[0]} {end[1]}"
            )
            ties.append(
                tag(
                    "path",
                    tag("title", clipped(tie["relation"], 100), f" ({tie['count']:,})" if tie["count"] else ""),
                    d=path,
                    class_="tie same" if tie["relation"] == "same_as" else "tie",
                )
            )
    boxes: list[Part] = []
    for rows in columns.values():
        for entity in rows:
            x, y = spots[entity["id"]]
            shown = clipped_label(plain(entity["name"]), 22) + f" ×{entity['size']}" * (entity["size"] > 1)
            boxes.append(
                tag(
                    "g",
                    tag("title", clipped(entity["name"], 200)),
                    tag("rect", x=x, y=y, width=BOX, height=28, rx=5, class_="node"),
                    tag("text", shown, x=x + 9, y=y + 18),
                )
            )
    width = len(columns) * (BOX + GAP)
    height = 26 + ROW * max(len(r) for r in columns.values())
    return tag(
        "svg",
        tag("title", "Entities and ties"),
        *parts,
        *ties,
        *boxes,
        viewBox=f"0 0 {width} {height}",
        role="img",
        width=width,
        height=height,
    )


def _tables(index: Index, known: dict[str, Row], links: list[Row]) -> list[Part]:
    rows = [
        [
            clipped(e["type"], 60),
            clipped(e["name"], 200),
            index.labels.get(e["source_id"], e["source_id"]),
            clipped(e.get("cluster_name") or e["name"], 120) if e.get("cluster_size", 1) > 1 else "—",
            clipped("; ".join(f"{plain(i['type'])} {plain(i['value'])}" for i in e["identifiers"]), 400),
        ]
        for e in list(known.values())[:TABLE]
    ]
    ties = [
        [
            clipped(known[x["first"]]["name"], 160),
            _relation(x),
            clipped(known[x["second"]]["name"], 160),
            _basis(index, x),
        ]
        for x in links[:TABLE]
    ]
    return [
        table(["Type", "Name", "Source", "One with", "Identifiers"], rows),
        not_shown(TABLE, len(known), f"wigmore show {index.case} entities"),
        table(["Entity", "Tie", "Entity", "Rests on"], ties) if ties else "",
        not_shown(TABLE, len(links), f"wigmore show {index.case} links -t jsonl"),
    ]


def _relation(tie: Row) -> str:
    """A tie in words: how often, or whether a join is in force."""
    said = clipped(tie["relation"], 100).replace("_", " ")
    if "in_force" in tie:
        said += "" if tie["in_force"] else " (rejected)" if tie.get("rejected") else " (not supported)"
    return f"{said}, {counted(tie['count'], 'record')}" if tie.get("count") else said


def _basis(index: Index, tie: Row) -> Part:
    if "in_force" in tie:
        why = "; ".join(plain(r) for r in tie.get("reasons") or ())
        return clipped(f"{tie['hypothesis_id']}: {why}", 400)
    hypothesis = index.hypotheses.get(tie.get("hypothesis_id") or "")
    if hypothesis:
        return tag("span", index.finding(hypothesis["id"]), " ", strength(hypothesis["conclusion"]))
    return index.observation(tie["phenomenon_id"]) if tie.get("phenomenon_id") else "—"
