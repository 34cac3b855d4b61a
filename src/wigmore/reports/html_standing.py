"""Alternatives to every finding: each once for the case, and the line in a finding that points there."""

from __future__ import annotations

from collections import Counter

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, joined, link, plain, table, tag

NAMED = 12  # observations, findings or reasons of one alternative


def standing(index: Index) -> Safe:
    """A row an alternative: whether it was tested, why not, what bears on it, and which findings it stands against."""
    held: dict[str, list[tuple[Row, Row]]] = {}
    for hypothesis in index.data.hypotheses:
        for said in hypothesis.get("standing_alternatives") or ():
            held.setdefault(said["hypothesis_id"], []).append((hypothesis, said))
    if not held:
        return tag("p", "The rules in use hold no alternative against every finding of this case.")
    body = [
        [
            clipped(rows[0][1]["title"], 240),
            _tested(rows),
            _named([index.observation(p, 110) for p in sorted({p for _, s in rows for p in s["phenomena"]})]),
            _named([index.finding(h["id"]) for h, s in rows if s["stands"]]),
        ]
        for _, rows in sorted(held.items(), key=lambda x: (plain(x[1][0][1]["title"]), x[0]))
    ]
    return joined(
        (
            tag(
                "p",
                "These could account for the records of any finding. Each is looked at in the sources that a finding"
                " rests on. Not tested means not excluded.",
            ),
            table(["Alternative", "Tested", "Observations that bear on it", "Stands as well against"], body),
        )
    )


def pointer(hypothesis: Row) -> Part:
    """One line for a finding, empty where no such alternative stands or has an observation."""
    told = []
    for said in hypothesis.get("standing_alternatives") or ():
        number = len(said["phenomena"])
        if said["stands"] or number:
            words = "stands as well, " if said["stands"] else ""
            told.append(f"{clipped(said['title'], 200)} ({words}{number:,} observation{'' if number == 1 else 's'})")
    if not told:
        return ""
    return tag("p", "Of the ", link("s", "standing", "alternatives to every finding"), ": ", "; ".join(told), ".")


def _tested(rows: list[tuple[Row, Row]]) -> Part:
    """For how many findings it was tested, and the reasons where it was not."""
    done = sum(bool(s["tested"]) for _, s in rows)
    if done == len(rows):
        return "yes" if done == 1 else f"for all {done:,} findings"
    why = Counter(plain(s["why"]) for _, s in rows if not s["tested"])
    head = f"for {done:,} of {len(rows):,} findings; not tested:" if done else "not tested:"
    ordered = sorted(why.items(), key=lambda x: (-x[1], x[0]))
    return joined((head, _named([f"{clipped(w, 300)} ({n:,})" for w, n in ordered])))


def _named(parts: list[Part]) -> Part:
    if not parts:
        return "—"
    more = [tag("li", f"and {len(parts) - NAMED:,} more", class_="quiet")] if len(parts) > NAMED else []
    return tag("ul", *(tag("li", p) for p in parts[:NAMED]), *more, class_="receipt")
