"""The entity graph as a picture: entities in a column a type, ties drawn between them, the most tied first."""

from __future__ import annotations

from collections import Counter, defaultdict

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, plain, table, tag
from wigmore.reports.svg_matrix import clipped_label
from wigmore.reports.words import not_shown, strength

NODES, PER_COLUMN, COLUMNS = 48, 16, 5
BOX, GAP, ROW = 190, 70, 40
TABLE = 400


def entities(index: Index) -> Safe:
    """The picture, and the table of all entities and links up to its cap."""
    known = {e["id"]: e for e in index.data.entities}
    if not known:
        return tag("p", "No person, account, device or place was recorded as an entity.")
    links = [x for x in index.data.links if x["first"] in known and x["second"] in known]
    degree = Counter(i for x in links for i in (x["first"], x["second"]))
    chosen = sorted(known.values(), key=lambda e: (-degree[e["id"]], e["type"], e["name"], e["id"]))
    columns: dict[str, list[Row]] = defaultdict(list)
    for entity in chosen:
        if sum(map(len, columns.values())) >= NODES:
            break
        room = entity["type"] in columns or len(columns) < COLUMNS
        if room and len(columns[entity["type"]]) < PER_COLUMN:
            columns[entity["type"]].append(entity)
    drawn = sum(map(len, columns.values()))
    picture = _picture(index, dict(sorted(columns.items())), links)
    caption = tag(
        "figcaption",
        f"{drawn:,} of {len(known):,} entities and the ties between them. A dashed tie says “the same as” and rests on"
        " a hypothesis of its own; a plain one was seen in an observation. An account is not a person.",
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


def _picture(index: Index, columns: dict[str, list[Row]], links: list[Row]) -> Safe:
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
                    tag("title", clipped(tie["relation"], 100)),
                    d=path,
                    class_="tie same" if tie["relation"] == "same_as" else "tie",
                )
            )
    boxes: list[Part] = []
    for rows in columns.values():
        for entity in rows:
            x, y = spots[entity["id"]]
            boxes.append(
                tag(
                    "g",
                    tag("title", clipped(entity["name"], 200)),
                    tag("rect", x=x, y=y, width=BOX, height=28, rx=5, class_="node"),
                    tag("text", clipped_label(plain(entity["name"]), 27), x=x + 9, y=y + 18),
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
            clipped("; ".join(f"{plain(i['type'])} {plain(i['value'])}" for i in e["identifiers"]), 400),
        ]
        for e in list(known.values())[:TABLE]
    ]
    ties = [
        [
            clipped(known[x["first"]]["name"], 160),
            clipped(x["relation"], 100).replace("_", " "),
            clipped(known[x["second"]]["name"], 160),
            _basis(index, x),
        ]
        for x in links[:TABLE]
    ]
    return [
        table(["Type", "Name", "Source", "Identifiers"], rows),
        not_shown(TABLE, len(known), f"wigmore show {index.case} entities"),
        table(["Entity", "Tie", "Entity", "Rests on"], ties) if ties else "",
        not_shown(TABLE, len(links), f"wigmore show {index.case} entities -t jsonl"),
    ]


def _basis(index: Index, tie: Row) -> Part:
    hypothesis = index.hypotheses.get(tie.get("hypothesis_id") or "")
    if hypothesis:
        return tag("span", index.finding(hypothesis["id"]), " ", strength(hypothesis["conclusion"]))
    return index.observation(tie["phenomenon_id"]) if tie.get("phenomenon_id") else "—"
