"""What people decided, beside what the machine says: wording, words of their own, and what changes without an observation."""

from __future__ import annotations

import re

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, joined, plain, table, tag
from wigmore.reports.words import not_shown, own_moment, strength

ROWS = 300
SHOWN = 20  # disagreements, or observations, of one decision
SCORE = re.compile(r" \([+-]\d+\.\d+\)")  # working scores stand in their annex alone
BY_SCORE = frozenset(("verdict_fell", "concluded_since", "verdict_changed"))


def reviews(index: Index) -> Safe:
    """Every item that a person decided on, with where the machine disagrees by now."""
    rows = index.data.reviews
    if not rows:
        return tag(
            "p",
            "No person has examined an item of this case yet: each finding is the machine's alone. ",
            tag("code", f"wigmore review {index.case} ITEM --accept --reason TEXT --by NAME"),
        )
    body = [
        [
            joined((_item(index, r), " ", tag("small", plain(r["kind"])))),
            tag("strong", plain(r["review"]), class_="w"),
            joined((clipped(r["by"], 100), ", ", own_moment(r["at"]))),
            joined((clipped(r["reason"], 400), *beside(index, r))),
        ]
        for r in rows[:ROWS]
    ]
    return joined(
        (
            tag(
                "p",
                "A decision changes no belief of the machine: what it would be without what was rejected is computed"
                " beside it.",
            ),
            table(["Item", "Decision", "By, at", "Reason, and where the machine disagrees"], body),
            not_shown(ROWS, len(rows), f"wigmore show {index.case} reviews"),
        )
    )


def beside(index: Index, row: Row) -> list[Part]:
    """A decision's wording beside the machine's, its disagreements, and the beliefs without what it rejects."""
    out: list[Part] = []
    if row["decision"] == "amend" and row.get("text"):
        out.append(
            table(
                ["Machine's wording", "Amended wording"],
                [[clipped(row.get("wording"), 600), _marked(clipped(row["text"], 1200), row)]],
                "beside",
            )
        )
        own = [plain(n["value"]) for n in row.get("not_grounded") or ()]
        if own:
            words = clipped(", ".join(own), 400)
            out.append(tag("p", "Examiner's own words, in no cited fact: ", tag("span", words, class_="own")))
    for said in (row.get("disagreements") or ())[:SHOWN]:
        text = SCORE.sub("", plain(said["said"])) if said["what"] in BY_SCORE else plain(said["said"])
        named = said["phenomena"]
        seen: list[Part] = [
            joined(("; " if n else " Since then: ", index.observation(p, 90))) for n, p in enumerate(named[:SHOWN])
        ]
        seen += [f"; and {len(named) - SHOWN:,} more"] if len(named) > SHOWN else []
        seen += ["."] if seen else []
        out.append(tag("p", tag("strong", "The machine disagrees by now: "), clipped(text, 500), ".", *seen))
    for belief in (row.get("without") or ())[:SHOWN]:
        out.append(tag("p", "Without it: ", index.finding(belief["hypothesis_id"]), " is ", _change(belief)))
    return out


def without(index: Index, hypothesis_id: str) -> list[Part]:
    """What a hypothesis would be without each observation that a person rejected."""
    return [
        tag(
            "p",
            f"Belief without the observation rejected by {clipped(row['by'], 80)} (",
            _item(index, row),
            "): ",
            _change(belief),
        )
        for row in index.data.reviews
        for belief in row.get("without") or ()
        if belief["hypothesis_id"] == hypothesis_id
    ][:SHOWN]


def scores_without(index: Index) -> Safe:
    """The working scores with and without what people rejected, for the annex."""
    rows = [
        [
            _item(index, row),
            clipped(belief["title"], 240),
            f"{belief['with']['log_odds']:+.2f}",
            f"{belief['without']['log_odds']:+.2f}",
        ]
        for row in index.data.reviews
        for belief in row.get("without") or ()
    ]
    if not rows:
        return Safe("")
    return joined(
        (
            tag("h3", "Scores without what people rejected"),
            table(["Rejected", "Hypothesis", "log10 odds", "without it"], rows[:ROWS]),
            not_shown(ROWS, len(rows), f"wigmore show {index.case} reviews"),
        )
    )


def _change(belief: Row) -> Part:
    now, then = belief["with"]["verdict"], belief["without"]["verdict"]
    if now == then:
        return joined((strength(now), ", as with it."))
    return joined((strength(then), ", with it ", strength(now), "."))


def _item(index: Index, row: Row) -> Part:
    name = plain(row["item"])
    if name in index.hypotheses:
        return index.finding(name)
    return index.observation(name) if name in index.phenomena else clipped(row.get("wording") or name, 160)


def _marked(text: str, row: Row) -> Safe:
    """A wording whose values that stand in no cited fact are marked."""
    own = sorted({plain(n["value"]) for n in row.get("not_grounded") or ()} - {""}, key=lambda v: (-len(v), v))
    if not own:
        return joined((text,))
    pieces = re.split("(" + "|".join(re.escape(v) for v in own) + ")", text)
    title = "examiner's own words, not grounded"
    return joined(tag("span", p, class_="own", title=title) if n % 2 else p for n, p in enumerate(pieces))
