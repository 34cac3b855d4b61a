"""The hypothesis × evidence matrix as a picture: observations down, hypotheses across, a sign in each cell."""

from __future__ import annotations

from wigmore.reports.index import Index
from wigmore.reports.markup import Part, Safe, clipped, joined, tag
from wigmore.reports.words import EDGES, not_shown

ROWS, COLUMNS = 40, 14
CELL, LABEL = 26, 430


def matrix(index: Index) -> Safe:
    """The picture with its legend; at most ROWS × COLUMNS are drawn, what is left out is counted."""
    heads, rows = index.data.matrix.get("hypotheses") or [], index.data.matrix.get("rows") or []
    if not rows or not heads:
        return tag("p", "No observation bears on a hypothesis: there is no matrix to draw.")
    columns = _columns(heads, rows)
    drawn = [r for r in rows if any(r["edges"][c] for c in columns)][:ROWS]
    top = 30
    width, height = LABEL + len(columns) * CELL + 12, top + len(drawn) * CELL + 6
    parts: list[Part] = []
    for place, column in enumerate(columns):
        parts.append(
            tag(
                "text",
                tag("title", clipped(heads[column]["title"], 300)),
                str(place + 1),
                x=LABEL + place * CELL + CELL // 2,
                y=18,
                text_anchor="middle",
            )
        )
    for line, row in enumerate(drawn):
        y = top + line * CELL
        parts.append(tag("line", x1=0, y1=y, x2=width, y2=y, class_="rule"))
        label = tag("text", tag("title", clipped(row["title"], 300)), clipped_label(row["title"], 62), x=0, y=y + 17)
        here = row["phenomenon_id"] in index.drawn
        parts.append(tag("a", label, href=f"#p-{row['phenomenon_id']}") if here else label)
        parts += [
            _cell(row["edges"][column], LABEL + place * CELL, y, heads[column]["title"])
            for place, column in enumerate(columns)
        ]
    picture = tag(
        "svg",
        tag("title", "Matrix of observations and hypotheses"),
        *parts,
        viewBox=f"0 0 {width} {height}",
        role="img",
        width=width,
        height=height,
    )
    names = tag(
        "ol",
        *(
            tag("li", index.finding(heads[c]["id"]), " (an alternative)" if heads[c]["innocent"] else "")
            for c in columns
        ),
    )
    more = [
        not_shown(len(drawn), len(rows), f"wigmore show {index.case} matrix"),
        (
            tag("p", f"{len(heads) - len(columns)} of {len(heads)} hypotheses are not drawn.", class_="more")
            if len(columns) < len(heads)
            else ""
        ),
    ]
    return tag("figure", tag("div", picture, class_="scroll"), tag("figcaption", _legend()), names, *more)


def _columns(heads: list[dict[str, object]], rows: list[dict[str, list[str]]]) -> list[int]:
    """The columns drawn: those with most cells, in the order of the matrix."""
    filled = [sum(1 for r in rows if r["edges"][c]) for c in range(len(heads))]
    best = sorted(range(len(heads)), key=lambda c: (-filled[c], c))[:COLUMNS]
    return sorted(best)


def clipped_label(text: str, limit: int) -> str:
    """A title short enough for a picture."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _cell(edge: str, x: int, y: int, title: str) -> Safe:
    if not edge:
        return Safe("")
    words, sign = EDGES.get(edge, (edge, "?"))
    dark = " dark" if edge in ("prerequisite_met", "consistent_with") else ""
    return tag(
        "g",
        tag("title", f"{words}: {clipped(title, 200)}"),
        tag(
            "rect",
            x=x + 2,
            y=y + 3,
            width=CELL - 4,
            height=CELL - 6,
            rx=3,
            class_=f"e-{edge}" if edge in EDGES else "node",
        ),
        tag("text", sign, x=x + CELL / 2, y=y + 17, class_="sign" + dark),
    )


def _legend() -> Safe:
    return joined(
        (
            "Signs: ",
            "; ".join(f"{sign} {words}" for words, sign in EDGES.values()),
            (
                ". An empty cell says that no bearing was recorded, not that there is none. Numbers above are the"
                " hypotheses below."
            ),
        )
    )
