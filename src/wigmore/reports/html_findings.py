"""Findings: facts, interpretation, caveats, alternatives and opinion, visibly apart; then every observation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wigmore.graph.reviews import STATES
from wigmore.reports.html_reviews import beside, without
from wigmore.reports.html_standing import pointer
from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, anchor, clipped, folded, joined, link, pairs, plain, table, tag
from wigmore.reports.words import (
    CITED,
    EDGES,
    PROBES,
    STRENGTHS,
    counted,
    moment,
    not_shown,
    own_moment,
    place,
    strength,
)

BUDGET = 9_000_000  # bytes of observations printed in full; the rest is counted and pointed to
PRINTED = 700_000  # the same on paper
ROWS = 40  # observations listed in one finding, for and against each
MOOT = 10  # observations that weigh nothing and are named
FACTS = 40  # facts of one observation
ALTERNATIVES = 30
FINDINGS = 300


def part(letter: str, label: str, *inside: Part) -> Safe:
    """A marked part of a finding: f facts, i interpretation, c caveat, a alternatives, o opinion."""
    return tag("div", tag("span", label, class_="label"), *inside, class_=f"part {letter}")


def findings(index: Index) -> Safe:
    """The findings, strongest first; alternatives stand inside the findings they compete with."""
    rows = [h for h in index.data.hypotheses if not h["innocent"]]
    if not rows:
        return tag(
            "p",
            "No hypothesis was raised, so there is no finding to weigh. The observations that were recorded are"
            " printed ",
            link("s", "unused", "below"),
            ". The lack of findings is not a clean bill of health.",
        )
    return joined(
        (
            *(_finding(index, h) for h in rows[:FINDINGS]),
            not_shown(FINDINGS, len(rows), f"wigmore show {index.case} hypotheses"),
        )
    )


def _finding(index: Index, hypothesis: Row) -> Safe:
    attack = ", ".join(plain(a) for a in index.techniques(hypothesis))
    head = joined(
        (
            strength(hypothesis["conclusion"]),
            " ",
            tag("span", f"MITRE ATT&CK {attack}", class_="meta") if attack else "",
        )
    )
    caveats = _caveats(index, hypothesis)
    return tag(
        "article",
        tag("h3", clipped(hypothesis["title"], 400)),
        tag("p", head),
        part("f", "Facts", *_bearing(index, hypothesis)),
        part("i", "Interpretation", tag("p", clipped(hypothesis["description"], 1200)), _reading(index, hypothesis)),
        part("c", "Caveats", tag("ul", *(tag("li", c) for c in caveats))),
        part("a", "Alternatives", *_alternatives(index, hypothesis)),
        part("t", "Tests made", _probes(index, hypothesis)),
        part("o", "Opinion", *_opinion(index, hypothesis)),
        class_="finding",
        id=anchor("h", hypothesis["id"]),
    )


def _bearing(index: Index, hypothesis: Row) -> list[Part]:
    out: list[Part] = []
    for against, words in ((False, "Observations for it"), (True, "Observations against it")):
        edges = index.edges(hypothesis, against)
        if not edges:
            out.append(tag("p", f"{words}: none was recorded.", class_="quiet"))
            continue
        rows = [
            [
                moment(index.phenomena[e["phenomenon_id"]]["occurred_at"]),
                index.observation(e["phenomenon_id"]),
                _weight(e),
                clipped(e.get("mechanism"), 60),
            ]
            for e in edges[:ROWS]
        ]
        out += [
            table(["Time", f"{words} ({len(edges):,})", "Bearing", "Kind of record"], rows),
            not_shown(ROWS, len(edges), f"wigmore show {index.case} edges -t jsonl"),
        ]
    if moot := index.moot(hypothesis):
        why = (
            f"Recorded against it, and weighing nothing ({len(moot):,}): another source holds what one lacks, the act was done "
            "in a way that leaves no such trace, or a test put again found otherwise. "
        )
        named = [part for name in moot[:MOOT] for part in (index.observation(name, 120), "; ")][:-1]
        more = f"; {len(moot) - MOOT:,} more" if len(moot) > MOOT else "."
        out.append(tag("p", why, *named, more, class_="quiet"))
    return out


def _weight(edge: Row) -> Safe:
    """How an observation bears, and whether it is one that was heard before."""
    said = f"{EDGES[edge['edge_type']][0]} it"
    tail = "" if edge.get("counts", True) else " (its records or its event are told of above: counts with that)"
    return tag("span", said + tail, title=clipped(edge.get("reason"), 300) or None)


def _reading(index: Index, hypothesis: Row) -> Safe:
    edges = index.edges(hypothesis, False)
    apart = Counter(
        plain(e["discriminates_against"]).replace("_", " ") for e in edges if e.get("discriminates_against")
    )
    kinds = Counter(EDGES[e["edge_type"]][0] for e in edges if e.get("counts", True))
    if not edges:
        return Safe("")
    said = "; ".join(f"{n} × {k} it" for k, n in sorted(kinds.items()))
    judged = sum(bool(e.get("model")) for e in edges)
    said += f" ({judged} of these by a model's judgement, on which no verdict rests)" if judged else ""
    tail = f" They tell it apart from: {clipped(', '.join(sorted(apart)), 300)}." if apart else ""
    return tag("p", f"How the observations are read: {said}.{tail}")


def _caveats(index: Index, hypothesis: Row) -> list[Part]:
    seen: dict[str, None] = {}
    artifacts: dict[str, None] = {}
    for edge in (*index.edges(hypothesis, False), *index.edges(hypothesis, True)):
        phenomenon = index.phenomena[edge["phenomenon_id"]]
        if phenomenon.get("caveat"):
            seen.setdefault(plain(phenomenon["caveat"]))
        for fact in phenomenon["facts"]:
            artifacts.setdefault(fact["artifact"])
    if said := index.not_enough(hypothesis):
        seen.setdefault(said[0].upper() + said[1:])
    out: list[Part] = [clipped(c, 600) for c in list(seen)[:12]]
    for artifact in list(artifacts)[:8]:
        name = index.parser_of(artifact)
        if name:
            out.append(
                joined(
                    (
                        link("parser", name, artifact),
                        " does not mean: ",
                        clipped(index.parsers[name].get("does_not_mean"), 500),
                    )
                )
            )
    return out or ["None is recorded; the general limits of this report apply."]


def _alternatives(index: Index, hypothesis: Row) -> list[Part]:
    others = [index.hypotheses[i] for i in hypothesis.get("alternatives") or () if i in index.hypotheses]
    others = [h for h in others if not h.get("standing")]
    if not others:
        none = (
            "No competing explanation of its own is on record for this hypothesis: read its strength with that in mind."
        )
        return [tag("p", none), pointer(hypothesis)]
    rows = [
        [
            clipped(h["title"], 240),
            clipped(h["description"], 300),
            strength(h["conclusion"]),
            f"{len(index.edges(h, False))} for, {len(index.edges(h, True))} against"
            + ("; no rule of this run could speak for it: that it stays weak says nothing" if index.mute(h) else ""),
        ]
        for h in others[:ALTERNATIVES]
    ]
    return [
        table(["Explanation", "What it says", "Strength", "Observations"], rows),
        not_shown(ALTERNATIVES, len(others), f"wigmore show {index.case} hypotheses"),
        pointer(hypothesis),
    ]


def _probes(index: Index, hypothesis: Row) -> Safe:
    rows = [
        [
            plain(p["probe"]).replace("_", " "),
            index.labels.get(p["source_id"], p["source_id"]),
            ", ".join(
                w
                for w, on in (("could tell against it", p.get("disconfirming")), ("decisive", p.get("decisive")))
                if on
            ),
            PROBES.get(p["outcome"], p["outcome"]),
            clipped(p.get("reason"), 300),
        ]
        for p in hypothesis.get("probes_made") or ()
    ]
    if not rows:
        return tag("p", "No test was put to the evidence for this hypothesis.")
    return joined(
        (
            table(["Test", "Source", "Role", "Outcome", "Reason"], rows[:100]),
            not_shown(100, len(rows), f"wigmore show {index.case} leads"),
        )
    )


def _opinion(index: Index, hypothesis: Row) -> list[Part]:
    verdict = hypothesis["conclusion"]
    _, says, says_not = STRENGTHS.get(verdict, ("", "", ""))
    out: list[Part] = [
        tag(
            "p",
            joined(
                ("Machine: ", strength(verdict), " ", says, " It does not say: ", says_not[:1].lower(), says_not[1:])
            ),
        )
    ]
    reasons = index.reasons(hypothesis)
    if reasons:
        limit = "What limits it: " if verdict == "concluded" else "Why no more is said: "
        out.append(tag("p", limit, clipped("; ".join(reasons), 800), "."))
    reviews = index.reviews.get(hypothesis["id"], [])
    for review in reviews:
        out.append(
            tag(
                "p",
                joined(
                    (
                        "Person: ",
                        tag("strong", STATES.get(plain(review.get("decision")), "")),
                        " by ",
                        clipped(review.get("by"), 100),
                        ", ",
                        own_moment(review.get("at")),
                        ". Reason: ",
                        clipped(review.get("reason"), 800),
                    )
                ),
            )
        )
    if reviews:
        out += beside(index, index.decided[hypothesis["id"]])
    else:
        out.append(
            tag(
                "p",
                "Person: no one has accepted, amended or rejected this yet. ",
                tag("code", f"wigmore review {index.case} {hypothesis['id']} --accept --reason TEXT --by NAME"),
            )
        )
    return [*out, *without(index, hypothesis["id"])]


def choose(index: Index, budget: int) -> dict[str, Safe]:
    """The observations printed in full, those that bear on hypotheses first, until `budget` bytes are spent."""
    used = [p for p in index.data.phenomena if index.bearing.get(p["id"])]
    negative = [p for p in index.data.phenomena if p["negative"] and not index.bearing.get(p["id"])]
    unused = [index.phenomena[i] for i in index.data.unused if i in index.phenomena]
    rest = [p for p in index.data.phenomena if not index.bearing.get(p["id"]) and not p["negative"]]
    out: dict[str, Safe] = {}
    spent = 0
    for row in (*used, *negative, *unused, *rest):
        if row["id"] in out:
            continue
        block = _observation(index, row)
        spent += len(block.encode("utf-8", "replace"))
        if spent > budget:
            break
        out[row["id"]] = block
    index.drawn = set(out)
    return out


def observations(index: Index, blocks: dict[str, Safe], rows: Iterable[Row]) -> Safe:
    """Observations printed in full, by source and category; how many are not shown."""
    wanted = list(rows)
    groups: dict[tuple[str, str], list[Safe]] = {}
    shown = 0
    for row in wanted:
        if row["id"] in blocks:
            source = index.labels.get(row["source_id"], plain(row["source_id"]))
            groups.setdefault((source, clipped(row["category"], 100)), []).append(blocks[row["id"]])
            shown += 1
    parts = [
        folded(
            joined((tag("strong", category or "observation"), f" — {counted(len(group), 'observation')}, {source}")),
            *group,
            open_=len(wanted) <= 60,
        )
        for (source, category), group in sorted(groups.items())
    ]
    return joined((*parts, not_shown(shown, len(wanted), f"wigmore show {index.case} phenomena -t jsonl")))


def _of_each(groups: list[list[Row]]) -> list[list[Row]]:
    """Facts to show: all, or where they are too many the first of each record, so that no record goes unnamed."""
    if sum(map(len, groups)) <= FACTS:
        return groups
    each = max(FACTS // len(groups), 2)
    return [group[:each] for group in groups[: FACTS // 2]]


def _observation(index: Index, row: Row) -> Safe:
    edges = index.bearing.get(row["id"], [])
    bears = joined(
        [
            joined(("; " if n else "", EDGES[e["edge_type"]][0], " ", index.finding(e["hypothesis_id"])))
            for n, e in enumerate(edges[:6])
        ]
    )
    attack = ", ".join(plain(a) for a in row.get("attack") or ())
    source = index.labels.get(row["source_id"], row["source_id"])
    groups = _of_each(index.occasions(row))
    facts = [_occasion(index, group) for group in groups]
    rest = not_shown(sum(map(len, groups)), len(row["facts"]), f"wigmore show {index.case} facts -t jsonl")
    meta: list[Part] = [moment(row["occurred_at"]), f" · {plain(row['category'])} · {source}"]
    if attack:
        meta.append(f" · ATT&CK {attack}")
    records = f"{int(row.get('record_count') or 1):,}"
    who = f"{plain(row['agent'])}, rule {plain(row['rule'])}" if row.get("rule") else plain(row["agent"])
    who += f", worded by {clipped(row['model'], 120)}" if row.get("model") else ""
    interpretation = (
        part("i", "Interpretation", tag("p", clipped(row["interpretation"], 1500), " ", tag("small", f"({who})")))
        if row["interpretation"]
        else ""
    )
    caveat = part("c", "Caveat", tag("p", clipped(row["caveat"], 1000))) if row.get("caveat") else ""
    tail: list[Part] = [tag("code", row["id"]), f" · {records} record{'' if records == '1' else 's'}"]
    if edges:
        tail += [" · ", bears, f"; and {len(edges) - 6} more" if len(edges) > 6 else ""]
    if row.get("also"):
        tail.append(f" · the same event also as {clipped(', '.join(plain(a) for a in row['also']), 300)}")
    for review in [
        r for item in (row["id"], *(f["fact_id"] for f in row["facts"])) for r in index.reviews.get(item, ())
    ]:
        tail.append(
            f" · {plain(review.get('decision'))} ({plain(review.get('item'))}) by {clipped(review.get('by'), 80)}:"
            f" {clipped(review.get('reason'), 300)}"
        )
    return tag(
        "article",
        tag("h4", clipped(row["title"], 300)),
        tag("p", *meta, class_="meta"),
        part("f", "Facts", *facts, rest),
        interpretation,
        caveat,
        tag("p", *tail, class_="meta"),
        class_="obs",
        id=anchor("p", row["id"]),
    )


def _occasion(index: Index, facts: list[Row]) -> Safe:
    """The facts of one place, and the way to its bytes."""
    first = facts[0]
    rows = [
        tag(
            "tr",
            tag("th", clipped(f["name"], 120), scope="row"),
            tag("td", clipped(f["value"], 600), _state(f)),
            id=anchor("f", f["fact_id"]),
        )
        for f in facts
    ]
    name = index.parser_of(first["artifact"])
    where = pairs(
        [
            ("Source and path", tag("code", f"{first['source_id']}: {clipped(first['path'], 1000)}")),
            ("Locator", tag("code", clipped(first["locator"], 1500))),
            ("Artifact", link("parser", name, first["artifact"]) if name else plain(first["artifact"])),
            ("Record", tag("code", plain(first["record_id"])) if first["record_id"] else ""),
            ("Cited as", CITED.get(first["kind"], first["kind"])),
            ("Call", tag("code", plain(first["invocation_id"]))),
            ("Output SHA-256", tag("code", plain(first["output_sha256"]))),
            ("Run again", tag("code", clipped(first["rerun"], 1500))),
            ("Fact ids", tag("code", clipped(" ".join(plain(f["fact_id"]) for f in facts), 800))),
        ]
    )
    locator = first["locator"] if isinstance(first["locator"], dict) else {}
    tail = plain(first["path"]).rsplit("/", 1)[-1]
    said = (
        f"Where the bytes are: {clipped(tail, 120)}, {clipped(place(locator), 160)}"
        if first["record_id"]
        else (f"What this rests on: {CITED.get(first['kind'], first['kind'])}")
    )
    return joined((tag("div", tag("table", tag("tbody", *rows), class_="kv"), class_="scroll"), folded(said, where)))


def _state(fact: Row) -> Part:
    state = plain(fact.get("state"))
    return tag("span", state.replace("_", " "), class_="state") if state not in ("", "live") else ""
