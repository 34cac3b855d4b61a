"""The front of the report: title, summary of what was asked and found, items received, and how the work was done."""

from __future__ import annotations

from collections import Counter

from wigmore.reports.html_models import models
from wigmore.reports.html_questions import questions
from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, coded, escaped, folded, joined, link, pairs, plain, table, tag
from wigmore.reports.words import STRENGTHS, counted, not_shown, own_moment, strength

SUMMARY_ROWS = 200


def title(index: Index) -> Safe:
    """Case, authority, dates, versions, and the two hashes that pin the record."""
    context, run = index.data.context, index.run
    examiner = context.get("examiner") or {}
    who = ", ".join(plain(v) for v in examiner.values() if v) if isinstance(examiner, dict) else plain(examiner)
    name = plain(context.get("title") or context.get("case") or "untitled case")
    rows: list[tuple[Part, Part]] = [
        ("Case", plain(context.get("case"))),
        ("Examiner", who or "not stated in the case file"),
        ("Authority", plain(context.get("authority")) or "not stated in the case file"),
        (
            "Run",
            (
                joined(
                    (
                        plain(run.get("run")),
                        " · begun ",
                        own_moment(run.get("started")),
                        " · ended ",
                        own_moment(run.get("finished")),
                    )
                )
                if run
                else ""
            ),
        ),
        ("Program", f"wigmore {plain((run.get('versions') or {}).get('wigmore'))}"),
        ("Ledger head", tag("code", plain(run.get("ledger_head")))),
        ("Graph hash", tag("code", plain(run.get("graph_hash")))),
        (
            "Times",
            (
                "Each as the evidence holds it, with its zone: UTC, an offset from UTC, or “local” where the zone is"
                " not known. A local time is never turned into UTC by guess."
            ),
        ),
    ]
    return joined((tag("p", "Examination report", class_="eyebrow"), tag("h1", name), pairs(rows)))


def summary(index: Index) -> Safe:
    """Limits first, then each question and hypothesis with its answer, strength and chief limit."""
    data = index.data
    asked = [h for h in data.hypotheses if not h["innocent"]]
    verdicts = Counter(h["conclusion"] for h in asked)
    told = "; ".join(f"{verdicts[v]} {STRENGTHS[v][0]}" for v in STRENGTHS if verdicts[v])
    negative = sum(1 for p in data.phenomena if p["negative"])
    lead = (
        f"{counted(len(data.sources), 'source')} examined; "
        f"{counted(len(data.phenomena) - negative, 'observation')} recorded, each cited to its bytes; "
        f"{counted(len(asked), 'hypothesis', 'hypotheses')} weighed" + (f": {told}." if told else ".")
    )
    parts: list[Part] = [tag("p", lead), _limits(index)]
    if any(not q.get("standard") for q in data.questions) or data.context.get("questions"):
        parts += [tag("h3", "Questions put to the examination"), questions(index)]
    parts.append(tag("h3", "Hypotheses and how far the evidence carries them"))
    if asked:
        rows = [
            [
                index.finding(h["id"]),
                strength(h["conclusion"]),
                _opinion_of_people(index, h["id"]),
                clipped(index.chief_limit(h), 300),
            ]
            for h in asked[:SUMMARY_ROWS]
        ]
        parts += [
            table(["Hypothesis", "Strength", "Review", "Chief limit"], rows),
            not_shown(SUMMARY_ROWS, len(asked), f"wigmore show {index.case} hypotheses"),
        ]
    else:
        parts.append(
            tag(
                "p",
                "No observation raised a hypothesis that the rules in use know of. That is a statement about "
                "these rules and these records. The lack of findings is not a clean bill of health.",
            )
        )
    parts.append(
        tag(
            "p",
            "Strength is an ordinal word of a ",
            link("s", "scale", "declared scale"),
            ". No number stands for it: no independent real data set backs one for these artifacts.",
            class_="meta",
        )
    )
    return joined(parts)


def _limits(index: Index) -> Safe:
    outcomes = Counter(c["outcome"] for c in index.data.coverage)
    partial = sum(1 for c in index.data.coverage if c["outcome"] in ("found", "empty") and not c["complete"])
    gaps = [clipped(g, 400) for g in index.run.get("gaps") or ()]
    told = f"{outcomes['failed']} files or parts could not be read"  # the run's own words for the row below
    items: list[Part] = [coded(g) for g in gaps if not g.startswith(told)]
    if outcomes["failed"]:
        items.append(
            joined(
                (counted(outcomes["failed"], "reading"), " failed: ", link("s", "failed", "each with its reason"), ".")
            )
        )
    if partial:
        items.append(
            joined((counted(partial, "file"), " could be read only in part: ", link("s", "partial", "listed"), "."))
        )
    if outcomes["not_run"]:
        items.append(
            joined(
                (
                    counted(outcomes["not_run"], "expected artifact"),
                    " not met or not run: ",
                    link("s", "not_run", "listed"),
                    ".",
                )
            )
        )
    items.append(
        "A record shows that something was recorded. Presence is not execution, and an account is not a person."
    )
    return tag(
        "div", tag("p", tag("strong", "Read this first")), tag("ul", *(tag("li", i) for i in items)), class_="box"
    )


def _opinion_of_people(index: Index, item: str) -> Part:
    row = index.decided.get(item)
    if row is None:
        return tag("span", "not examined", class_="quiet")
    differs = tag("span", "disagrees by now", class_="state") if row.get("disagreements") else ""
    return joined((tag("strong", plain(row["review"])), f" by {clipped(row['by'], 60)}", differs))


def items(index: Index) -> Safe:
    """Every source: where it came from, its hashes, its clock and its custody."""
    entries = index.data.context.get("source_entries") or {}
    parts: list[Part] = [
        tag(
            "p",
            "Evidence is opened for reading only, and without touching its access time where the system "
            "allows it. Hashes were computed at intake by this program.",
        )
    ]
    for source in index.data.sources:
        parts.append(_source(source, entries.get(source["id"], {})))
    for source_id in sorted(set(entries) - {s["id"] for s in index.data.sources}):
        parts.append(
            tag(
                "section",
                tag("h3", source_id),
                tag(
                    "p",
                    "Named in the case file and not examined: it could not be opened. ",
                    tag("code", plain(entries[source_id].get("path"))),
                    class_="bad",
                ),
            )
        )
    return joined(parts)


def _source(source: Row, entry: Row) -> Safe:
    intake = source.get("hashes") or {}
    hashes = intake.get("hashes") or {}
    meta = source.get("meta") or {}
    rows: list[tuple[Part, Part]] = [
        ("Id", tag("code", source["id"])),
        ("Exhibit", plain(entry.get("exhibit") or meta.get("exhibit"))),
        ("Kind", " · ".join(plain(x) for x in (source["type"], meta.get("platform"), source["access_mode"]) if x)),
        ("Recognised by", clipped(meta.get("reason"), 500)),
        ("Path", tag("code", plain(source["path"]))),
        ("Owner", plain(source.get("owner"))),
        *_hash_rows(hashes),
    ]
    if intake.get("mismatch"):
        rows.append(("Mismatch", tag("span", clipped(intake["mismatch"], 600), class_="bad")))
    acquisition = entry.get("acquisition") or {}
    rows.append(
        (
            "Acquisition",
            "; ".join(f"{plain(k)} {plain(v)}" for k, v in acquisition.items()) or "not stated in the case file",
        )
    )
    clocks = [
        " ".join(f"{plain(k)} {plain(v)}" for k, v in c.items())
        for c in entry.get("clocks") or ()
        if isinstance(c, dict)
    ]
    rows.append(
        ("Clock", "; ".join(clocks) or "no comparison of its clock is stated: times are as that clock wrote them")
    )
    rows.append(("Zone", plain(source.get("timezone")) or "not stated"))
    segments = [s for s in hashes.get("segments") or () if isinstance(s, dict)]
    more = (
        folded(
            f"{counted(len(segments), 'segment')} with hashes",
            table(
                ["File", "Bytes", "MD5", "SHA-1", "SHA-256"],
                [
                    [
                        clipped(s.get("path"), 200),
                        plain(s.get("size")),
                        *(tag("code", plain(s.get(k))) for k in ("md5", "sha1", "sha256")),
                    ]
                    for s in segments[:200]
                ],
            ),
        )
        if len(segments) > 1
        else ""
    )
    return tag("section", tag("h3", clipped(source["label"], 200)), pairs(rows), more)


def _hash_rows(hashes: Row) -> list[tuple[Part, Part]]:
    names = {
        "container_sha256": "File SHA-256",
        "manifest_sha256": "SHA-256 over the list of files",
        "files": "Files",
        "bytes": "Bytes",
        "media_sha256": "Medium SHA-256",
        "media_sha1": "Medium SHA-1",
        "media_md5": "Medium MD5",
    }
    rows: list[tuple[Part, Part]] = [
        (label, tag("code", plain(hashes[key]))) for key, label in names.items() if hashes.get(key)
    ]
    if hashes.get("media_size"):
        rows.append(("Medium size", f"{int(hashes['media_size']):,} bytes"))
    stored = [
        f"{k.removeprefix('stored_').upper()} {plain(hashes[k])}"
        for k in ("stored_md5", "stored_sha1", "stored_sha256")
        if hashes.get(k)
    ]
    if stored:
        verdict: Part = ""
        if hashes.get("stored_ok") is True:
            verdict = tag("span", " — equals what was computed", class_="good")
        elif hashes.get("stored_ok") is False:
            verdict = tag("span", " — DIFFERS from what was computed", class_="bad")
        rows.append(("Stored in the container", joined((tag("code", ", ".join(stored)), verdict))))
    known = {
        *names,
        "media_size",
        "stored_md5",
        "stored_sha1",
        "stored_sha256",
        "stored_ok",
        "segments",
        "kind",
        "error",
    }
    rows += [
        (escaped(k), tag("code", clipped(v, 300)))
        for k, v in sorted(hashes.items())
        if k not in known and v not in (None, "", [], {})
    ]
    if hashes.get("error"):
        rows.append(("Hashes", tag("span", f"could not be computed: {clipped(hashes['error'], 300)}", class_="bad")))
    elif not rows:
        rows.append(("Hashes", tag("span", "none recorded", class_="bad")))
    return rows


def method(index: Index) -> Safe:
    """How records became facts, facts observations and observations beliefs; versions; what a model did."""
    used = sorted({plain(c["parser"]).partition("@")[0] for c in index.data.coverage if c["parser"]})
    calls = len(index.invocations)
    steps = [
        (
            "Parsers read files by their content and write records: fields as the artifact holds them, each with a"
            " locator that finds the bytes again. A parser states what its records mean and what they do not."
        ),
        "Tools query the records; every call is kept with its complete output and that output's SHA-256.",
        (
            "A fact is admitted only if its value stands in the output it cites. Interpretation is kept apart from"
            " facts and may not bring in values of its own."
        ),
        (
            "Each observation bears on named hypotheses, each told apart from innocent alternatives. Repeated"
            " observations of one kind count less and less; one event seen in several records counts once."
        ),
        "Before a hypothesis may be called concluded, a test that could tell against it has to be completed.",
    ]
    versions = index.run.get("versions") or {}
    return joined(
        (
            tag("ol", *(tag("li", s) for s in steps)),
            tag("h3", "What a model did"),
            models(index),
            tag("h3", "Tools and versions"),
            tag(
                "p",
                f"{counted(len(used), 'parser')} met files of theirs; {counted(calls, 'tool call')} recorded. ",
                link("s", "parsers", "Parsers, with what their records mean and do not mean"),
                ".",
            ),
            pairs([(escaped(k), plain(v)) for k, v in sorted(versions.items())], "tools"),
            tag("h3", "Scale of strength", id="s-scale"),
            table(
                ["Word", "It says", "It does not say"],
                [[strength(v), says, not_] for v, (_, says, not_) in STRENGTHS.items()],
            ),
            tag(
                "p",
                "The words are ordered by what they let a reader rely on; they are not likelihood ratios. The machine"
                " stops here: accepting, amending or rejecting is a person's act, recorded with name and reason.",
            ),
        )
    )
