"""What a role with a model is told of its task: the request, what is at hand, what code found already. Never a listing."""

from __future__ import annotations

from collections import Counter

from wigmore.agents.desk import Desk, Role
from wigmore.agents.fence import fenced, line_of

ARTIFACTS, SHOWN = 40, 20  # kinds of records, and observations, that a brief names


def triage(role: Role, desk: Desk) -> str:
    """The brief of a role that looks at one source for the first time."""
    source = desk.state.sources[desk.source_id]
    return "\n".join(
        [
            f"Triage of source {source.id} ({source.type}, {source.meta.get('platform') or 'platform unknown'}).",
            f"Your part: {role.goal}",
            _coverage(desk, [source.id]),
            _known(desk, [source.id]),
            _questions(desk),
            "Rules have been worked through: do not record again what they found. Look for what they could not know: what is "
            "unusual for this source, what the questions turn on. Record each observation with add_phenomenon, then stop with a "
            "short sentence. Where there is nothing, record a call that found nothing, or stop.",
        ]
    )


def lead(role: Role, desk: Desk, sources: list[str], recorded: list[str]) -> str:
    """The brief of a worker under a lead."""
    assert desk.lead is not None
    asked = desk.lead
    hypothesis = desk.state.hypotheses.get(asked.motivating_hypothesis)
    about = (
        [
            f"Hypothesis {hypothesis.id}, in its own words:",
            fenced([line_of({"title": hypothesis.title})], hypothesis.id),
        ]
        if hypothesis
        else []
    )
    return "\n".join(
        [
            f"Lead {asked.id} for the role {role.name}. {role.goal}",
            "The request, as it was proposed:",
            fenced(
                [line_of({"request": asked.description, "rationale": asked.context.get("rationale", "")})], asked.id
            ),
            *about,
            f"Expected edge: {asked.expected_evidence_type or 'any'}. Sources: {', '.join(sources)}.",
            _coverage(desk, sources),
            f"Rules recorded for this lead: {', '.join(recorded) or 'nothing'}.",
            _acts(desk),
            "Look, record what you find with add_phenomenon, and link each to the hypothesis with link_evidence, for or against. "
            "If you looked and there was nothing, record that (nothing_found) with the call that shows it.",
        ]
    )


def hypotheses(role: Role, desk: Desk, new: list[str]) -> str:
    """The brief of the hypothesis role; `new`: observations that nothing was made of yet."""
    return "\n".join(
        [
            role.goal,
            _questions(desk),
            f"{len(desk.state.hypotheses)} hypotheses are there (graph_overview, get_hypothesis), made by rules.",
            f"Observations that bear on none so far: {len(new)}"
            + (f", the first: {', '.join(new[:SHOWN])} (get_phenomenon shows one)." if new else "."),
            _acts(desk),
            "Raise what rules could not, with the explanations that compete; judge observations for and against.",
        ]
    )


def judging(role: Role, desk: Desk, new: list[str]) -> str:
    """The brief for judging what a round brought."""
    return "\n".join(
        [
            f"Judge the observations of this round that bear on nothing yet: {', '.join(new[:SHOWN])}.",
            "Link each to the hypotheses it tells from their alternatives, or leave it; raise no new ones.",
            _acts(desk),
        ]
    )


def strategist(role: Role, desk: Desk, number: int) -> str:
    """The brief of the strategist's round."""
    return (
        f"Round {number}. {role.goal} Workers: {', '.join(sorted(desk.config.get('workers') or ()))}. Read graph_overview, "
        "marginal_yield, budget_status, and source_coverage of a source you consider. Then call propose_lead one to three times, "
        "or declare_investigation_complete. Texts of the evidence are not shown to you; name hypotheses and sources by id."
    )


def timeline(role: Role, desk: Desk) -> str:
    """The brief of the timeline role, after everything else is in."""
    return (
        f"{role.goal}\n{len(desk.state.temporal)} orders were laid by rules. Lay those that matter for an open or supported "
        "hypothesis and are missing (list_phenomena shows occurred_at). If none is missing, stop."
    )


def report(role: Role, desk: Desk, verdicts: list[tuple[str, str, str, list[str]]]) -> str:
    """The brief of the report role: (hypothesis, verdict by rules, title, phenomena that bear on it)."""
    lines = [
        line_of({"hypothesis": name, "verdict": verdict, "title": title, "phenomena": shown[:10]})
        for name, verdict, title, shown in verdicts[:SHOWN]
    ]
    return "\n".join(
        [
            role.goal,
            "What the rules' verdicts are (you may not go beyond them):",
            fenced(lines, "verdicts"),
            _questions(desk),
            "Read the phenomena you use with get_phenomenon. Then call save_report once: at most 20 short sentences, the limits "
            "first, each citing the phenomena whose facts carry its values.",
        ]
    )


def _coverage(desk: Desk, sources: list[str]) -> str:
    counts = Counter[str]()
    for row in desk.coverage:
        if row.source_id in sources and row.outcome == "found":
            counts[row.artifact] += row.records
    shown = ", ".join(f"{name} {n}" for name, n in _commonest(counts)[:ARTIFACTS])
    more = f" and {len(counts) - ARTIFACTS} more" if len(counts) > ARTIFACTS else ""
    return f"Records at hand, by artifact: {shown or 'none'}{more}."


def _known(desk: Desk, sources: list[str]) -> str:
    counts = Counter(p.category for p in desk.state.phenomena.values() if p.source_id in sources and not p.model)
    return (
        "Observed by rules, by category: "
        + (", ".join(f"{c} {n}" for c, n in _commonest(counts)[:SHOWN]) or "nothing")
        + "."
    )


def _commonest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda c: (-c[1], c[0]))


def _questions(desk: Desk) -> str:
    asked = [str(q["ask"]) for _, q in sorted(desk.state.questions.items()) if q.get("ask") and not q.get("standard")]
    return "The examiner asks: " + (" | ".join(asked) if asked else "nothing in particular") + "."


def _acts(desk: Desk) -> str:
    known = desk.config.get("propositions") or {}
    return "Propositions (code: as in): " + "; ".join(
        f"{code}: {words}" if words else code for code, words in known.items()
    )


def unjudged(desk: Desk, model_only: bool = False) -> list[str]:
    """Observations that bear on no hypothesis about an act, the best first."""
    from wigmore.graph.views import unused_phenomena

    return [p for p in unused_phenomena(desk.state) if not model_only or desk.state.phenomena[p].model]
