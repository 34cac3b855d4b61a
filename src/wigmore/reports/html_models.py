"""What models did: which were asked, what was taken in and refused, where rules went on alone, and the summary one wrote."""

from __future__ import annotations

from collections import Counter, defaultdict

from wigmore.reports.index import Index, Row
from wigmore.reports.markup import Part, Safe, clipped, joined, plain, table, tag
from wigmore.reports.words import counted, not_shown

REASONS, SENTENCES = 20, 100


def models(index: Index) -> Safe:
    """The part of models in the run; that there was none, where there was none. A key is never among it."""
    data = index.data
    if not data.reasoned and not data.exchanges:
        return _unasked(index)
    roles: dict[str, Counter[str]] = defaultdict(Counter)
    for row in data.reasoned:
        counts = roles[plain(row["role"])]
        counts.update({"tasks": 1, "stand": bool(row["stands"])})
        for tried in row["tried"]:
            counts.update({"taken": int(tried["proposals"]) * (tried["endpoint"] == row["stands"])})
            counts.update({"refused": int(tried["refused"])})
    shown = sum(int(used.get("pictures", 0)) for used in data.exchanges.values())
    pictures = (
        f" They were shown pictures in {counted(shown, 'request')} (wigmore show {index.case} exchanges names the records); what"
        " they say they saw is an impression, no fact, and is marked so."
        if shown
        else ""
    )
    made = sum(bool(p.get("model")) for p in data.phenomena), sum(bool(e.get("model")) for e in data.edges)
    parts: list[Part] = [
        tag(
            "p",
            "Rules were worked through first, and their results stand whatever a model said. A model proposed beyond them: code"
            " read each value from the record it cited, or refused. ",
            tag("strong", "No verdict rests on what a model judged"),
            "; it moves working scores, and is told beside the verdict.",
        ),
        table(
            ["Model", "Requests", "Failed", "Tokens", "Cost (USD)"],
            [
                [
                    clipped(name, 160),
                    *(f"{int(used.get(k, 0)):,}" for k in ("requests", "failures", "tokens")),
                    _cost(used),
                ]
                for name, used in data.exchanges.items()
            ],
        ),
        table(
            ["Role", "Tasks", "A model's answer stands", "Left to the rules", "Proposals taken in", "Refused"],
            [
                [
                    role.replace("_", " "),
                    *(f"{n:,}" for n in (c["tasks"], c["stand"], c["tasks"] - c["stand"], c["taken"], c["refused"])),
                ]
                for role, c in sorted(roles.items())
            ],
        ),
        tag(
            "p",
            f"{counted(made[0], 'observation')} and {counted(made[1], 'bearing')} of this report were proposed by a model; each"
            " says so where it stands." + pictures,
        ),
        *_agreement(data.reasoned),
        *_left(index),
    ]
    return joined(parts)


def _cost(used: dict[str, float]) -> str:
    return f"{used['cost_usd']:.4f}" if used.get("cost_usd") else "none stated"


def _unasked(index: Index) -> Safe:
    agent = (index.run.get("config") or {}).get("agent") or {}
    if not (agent.get("base_url") or agent.get("model")):
        said = (
            "No model was used. Every proposal came from the rules of the offline proposer, and the same rules on the"
            " same records propose the same."
        )
    else:
        said = f"The model “{clipped(agent.get('model'), 120)}” is configured and was asked nothing."
    return tag("p", said)


def _agreement(rows: list[Row]) -> list[Part]:
    """How far two answers to one task were the same."""
    measured = [r["agreement"]["jaccard"] for r in rows if r.get("agreement")]
    if not measured:
        return []
    mean, whole = sum(measured) / len(measured), sum(m == 1 for m in measured)
    return [
        tag(
            "p",
            f"{counted(len(measured), 'task')} were answered twice: {whole} with the same decisions; on average"
            f" {100 * mean:.0f} % of what either decided was decided by both.",
        )
    ]


def _left(index: Index) -> list[Part]:
    """Why tasks were left to the rules, the commonest reason first."""
    why = Counter(plain(r["why"]) for r in index.data.reasoned if not r["stands"])
    if not why:
        return []
    rows = sorted(why.items(), key=lambda w: (-w[1], w[0]))
    return [
        tag("p", "Why tasks were left to the rules:"),
        table(["Reason", "Tasks"], [[clipped(reason, 300), f"{n:,}"] for reason, n in rows[:REASONS]]),
        not_shown(REASONS, len(rows), f"wigmore show {index.case} models -t jsonl"),
    ]


def narrative(index: Index) -> Safe:
    """The summary that a model wrote: sentences whose values stand in the facts they cite; all others were left out."""
    said = index.data.narrative
    sentences = said.get("sentences") or []
    items = [
        tag("li", clipped(s["text"], 1000), " ", tag("small", *_cites(index, s["cites"])))
        for s in sentences[:SENTENCES]
    ]
    return joined(
        (
            tag(
                "p",
                f"Worded by {clipped(said.get('model'), 160)}: interpretation, no opinion of the examination. Each value stands"
                " in a fact of the observations that are named; a sentence of which that was not so was left out.",
                class_="box",
            ),
            tag("ol", *items),
        )
    )


def _cites(index: Index, names: list[str]) -> list[Part]:
    return [part for n, name in enumerate(names[:8]) for part in ("; " if n else "— ", index.observation(name, 80))]
