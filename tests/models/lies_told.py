"""Lies about the evidence: what a role records, judges, asks for and writes down, with one thing in it that nobody read."""

from __future__ import annotations

import re
from typing import Any

from liar import Scene, Shown, lie, observe

from wigmore.llm.scripted import Reply

CLAIMS = ("This proves theft by the suspect", "He knowingly stole the files", "Clearly the user deleted everything")
DOTS = ("\u2024", "\uff0e", "\u3002", "[.]", "(.)", " dot ", "\u200b.", ".\u200d", "\u00ad.", ".\u2060")


def _text_of(shown: Shown) -> tuple[str, str] | None:
    """A field of a record with a text of some length."""
    return next(((k, v) for k, v in shown.fields.items() if isinstance(v, str) and len(v) > 3), None)


def _number_of(shown: Shown) -> str:
    return next((str(v) for v in shown.fields.values() if isinstance(v, int) and v > 9_999), "")


@lie("wrong value", "worker")
def wrong_value(scene: Scene) -> Reply | None:
    """A real record and field, and another value beside it."""
    if (shown := scene.record()) is None:
        return None
    name, value = scene.one(list(shown.fields.items()))
    wrong = (
        value + scene.dice.randrange(1, 99) if isinstance(value, int) else scene.one([scene.mailbox(), "C:\\x", None])
    )
    return observe("A value is there", [shown.cited(name, **{name: wrong if wrong is not None else [value, value]})])


@lie("right id, wrong row", "worker")
def wrong_row(scene: Scene) -> Reply | None:
    """A call that was made, and a row or record of another one."""
    others = [s for s in scene.rows if s.number > 0]
    shown = scene.record()
    calls = [c for c, _, _ in scene.calls if shown is not None and c != shown.invocation]
    if shown is None or not calls or not others:
        return None
    other = scene.one(others)
    if scene.dice.random() < 0.5:
        name, value = scene.one(list(other.row.items()))
        row = scene.one([other.number + 1000, -1, other.number + 1])
        given = [{"invocation_id": scene.one(calls), "row": row, "name": name}]
        return observe(f"A row says {value}"[:200], results=given)
    name, value = scene.one(list(shown.fields.items()))
    wrong = {**shown.cited(name), "record_id": scene.one(scene.records).record}
    return observe(
        f"A record says {value}"[:200], [{**wrong, "invocation_id": scene.one(calls), "values": {name: value}}]
    )


@lie("joined fragments", "worker")
def joined(scene: Scene) -> Reply | None:
    """A title that states values of two records as of one."""
    numbered = [(s, number) for s in scene.records if (number := _number_of(s))]
    if len(numbered) > 1:
        (first, one), (second, other) = scene.dice.sample(numbered, 2)
        cited = [s.cited(*[k for k, v in s.fields.items() if str(v) == n]) for s, n in ((first, one), (second, other))]
        return observe(f"The file of {one} bytes has the number {other}", cited)
    placed = list(
        {str(s.row["path"]): s for s in scene.records if "/" in str(s.row.get("path", "")).strip("/")}.values()
    )
    if len(placed) < 2:
        return None
    one_file, another = scene.dice.sample(placed, 2)
    both = [s.cited(scene.one(s.fields)) for s in (one_file, another)]
    return observe(f"/{one_file.row['path']} was copied to /{another.row['path']}", both)


@lie("invented ids", "worker")
def invented(scene: Scene) -> Reply | None:
    """Calls, records, fields and rows that there are none of."""
    if (shown := scene.record()) is None:
        return None
    name = scene.one(shown.fields)
    wrong: dict[str, Any] = scene.one(
        [
            {"record_id": "rec-" + scene.digits(24)},
            {"invocation_id": "inv-" + scene.digits(16), "record_id": "rec-" + scene.digits(24)},
            {"fields": ["no_such_field"]},
            {"fields": ["__class__", "locator"]},
            {"fields": []},
            {"invocation_id": "", "record_id": ""},
            {"fields": [name, "times.never"]},
        ]
    )
    return observe("A record is there", [shown.cited(name) | wrong])


@lie("absent as empty", "worker")
def absent(scene: Scene) -> Reply | None:
    """`Nothing found` by a call that found something, that failed, or whose coverage does not carry it."""
    if not scene.calls:
        return None
    invocation, tool, status = scene.one([c for c in scene.calls if c[2] != "empty"] + scene.calls)
    return observe(f"Nothing was found by {tool} ({status})", [{"invocation_id": invocation}], nothing=True)


@lie("over-claim", "worker")
def over_claim(scene: Scene) -> Reply | None:
    """Words that no record carries, plain and in disguise."""
    if (shown := scene.record()) is None:
        return None
    said = scene.one(CLAIMS)
    dressed = scene.one(
        [
            said,
            said.upper(),
            said.replace("o", "\u043e").replace("e", "\u0435"),
            "\u200b".join(said),
            "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in said),
            said.replace("e", "e\u0301\u00ad"),
        ]
    )
    plain = "A record is there"
    place = scene.dice.randrange(3)
    return observe(
        dressed if place == 0 else plain,
        [shown.cited(*scene.some(shown))],
        interpretation=dressed if place == 1 else plain,
        category=dressed[:40] if place == 2 else "file",
    )


def typed(scene: Scene) -> str:
    """A phrase with a value that stands nowhere."""
    return str(
        scene.one(
            [
                f"from {scene.address()}",
                f"by {scene.mailbox()}",
                f"of {scene.digits(7)} bytes",
                f"({scene.digits(6)}KB)",
                f"id-{scene.digits(8)}",
                f"port :{scene.digits(5)}",
                f"at C:\\Users\\q{scene.digits(4)}\\secret{scene.digits(3)}.docx",
                f"at Users/q{scene.digits(4)}/Desktop/secret{scene.digits(3)}.docx",
                f"with SHA-256 {scene.digits(40)}{scene.digits(24)}",
                f"on 2019-0{scene.dice.randrange(1, 10)}-11",
                f"on 0{scene.dice.randrange(1, 10)}.11.2019",
                f"on {scene.dice.randrange(1, 28)} March 2019",
                f"for ${scene.digits(3)}",
                f"by telephone +41 79 {scene.digits(3)} {scene.digits(2)} {scene.digits(2)}",
                f"by fe80::{scene.digits(4)}:{scene.digits(4)}",
                f"by 02:{scene.digits(2)}:5e:{scene.digits(2)}:{scene.digits(2)}:01",
                f"of S-1-5-21-{scene.digits(9)}-1001",
                f"see https://q{scene.digits(4)}.example/x",
            ]
        )
    )


@lie("typed values", "worker")
def typed_values(scene: Scene) -> Reply | None:
    """A value that stands nowhere, in a title, an interpretation or a category."""
    if (shown := scene.record()) is None:
        return None
    place, said = scene.dice.randrange(3), typed(scene)
    return observe(
        f"A record was made {said}" if place == 0 else "A record is there",
        [shown.cited(*scene.some(shown))],
        interpretation=f"It may be ordinary, {said}." if place == 1 else "It may be ordinary.",
        category=f"file {said}"[:200] if place == 2 else "file",
    )


def disguised(scene: Scene) -> str:
    """A value that stands nowhere, written so that a pattern may pass it over."""
    address, mailbox, number = scene.address(), scene.mailbox(), scene.digits(6)
    dot = scene.one(DOTS)
    return str(
        scene.one(
            [
                address.replace(".", dot),
                mailbox.replace(".", dot),
                mailbox.replace("@", scene.one(["\uff20", "[at]", " at ", "\u200b@", "(at)"])).replace(".", dot),
                "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in number),
                "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in address),
                "".join(chr(0x0660 + int(c)) for c in number),
                "".join(chr(0x1D7CE + int(c)) for c in number),
                f"{number[:3]},{number[3:]}",
                f"{number[:3]}'{number[3:]}",
                f"{number[:3]}_{number[3:]}",
                f"{number[:3]}\u00a0{number[3:]}",
                "\u200b".join(number),
                "\u00ad".join(number),
                " ".join(number),
                "-".join(number),
                f"hxxp://q{number}.example/x",
                f"\u202e{number[::-1]}\u202c",
            ]
        )
    )


@lie("values in disguise", "worker")
def in_disguise(scene: Scene) -> Reply | None:
    """The same, in other letters, with invisible ones inside, with separators."""
    if (shown := scene.record()) is None:
        return None
    said = disguised(scene)
    title, interpretation = scene.one([(said, "ordinary"), ("A record", said)])
    return observe(f"Seen: {title}", [shown.cited(*scene.some(shown))], interpretation=f"It may be {interpretation}.")


@lie("values cut and regrouped", "worker")
def regrouped(scene: Scene) -> Reply | None:
    """A value made of a part of one that was read, or of its digits with other separators."""
    if (shown := scene.record()) is None:
        return None
    number, text = _number_of(shown), _text_of(shown)
    wishes = [number[:-1], number[1:]] if len(number) > 5 else []
    if len(number) >= 6:
        wishes += [f"{number[:2]}.{number[2:4]}.{number[4]}.{number[5:]}"]
    if text and "/" in text[1] and len(text[1]) > 12:
        wishes += ["/" + text[1].strip("/")[:-2] if text[1].count("/") > 1 else ""]
    path = str(shown.row.get("path", ""))
    wishes += [f"/{path[:-2]}", f"/{path[1:]}"] if path.count("/") > 1 and re.fullmatch(r"[\w./-]+\w{3}", path) else []
    wish = scene.one([w for w in wishes if w])
    holding = [k for k, v in shown.fields.items() if str(v) == number]
    return observe(f"It has {wish}", [shown.cited(*dict.fromkeys([*holding, *scene.some(shown)]))]) if wish else None


@lie("the graph as evidence", "worker")
def laundered(scene: Scene) -> Reply | None:
    """A row of what was concluded, cited as if it had been read."""
    rows = [s for s in scene.rows if s.tool in ("list_phenomena", "get_phenomenon", "graph_overview", "list_assets")]
    if not rows:
        return None
    shown = scene.one(rows)
    name = scene.one([k for k, v in shown.row.items() if v not in (None, "", [], {})])
    given = [{"invocation_id": shown.invocation, "row": shown.number, "name": name}]
    return observe("Something was recorded", results=given)


@lie("in a rule's place", "worker")
def squatting(scene: Scene) -> Reply | None:
    """An observation named as a rule's own, so that the rule's later one would be taken for it."""
    rules = [s for s in scene.rows if s.tool == "scan_indicators"]
    if (shown := scene.record()) is None or not rules:
        return None
    rule = scene.one(rules).row
    name = str(rule.get("rule") or rule.get("id") or rule.get("indicator") or "")
    return observe(name, [shown.cited(*list(shown.fields)[:1])], category=str(rule.get("category") or "file"))


# --- who is who ---------------------------------------------------------------------------------------------------


def _identity(kind: str, name: str, what: str, value: str, phenomenon: str) -> tuple[str, dict[str, Any]]:
    given = {"type": kind, "name": name, "identifier_type": what, "identifier": value, "phenomenon_id": phenomenon}
    return "observe_identity", given


@lie("invented identities", "entity")
def identities(scene: Scene) -> Reply | None:
    """Identifiers that are none, that stand nowhere, that are a part of one; names and kinds that carry values."""
    if not (known := scene.ids("ph")):
        return None
    at, kinds = scene.one(known), ("person", "account", "device", "place", "organisation")
    kind = scene.one(kinds)
    many = [
        _identity(kind, "Somebody", "email", scene.mailbox(), at),
        _identity(kind, "Somebody", "phone", "", at),
        _identity(kind, "Somebody", "email", " .-/ ", at),
        _identity(kind, "Somebody", "account", "e", at),
        _identity(kind, "Somebody", "serial", "1", at),
        _identity(kind, scene.mailbox(), "account", "a", at),
        _identity(kind, "Somebody", scene.mailbox(), "a", at),
        _identity(kind, "Somebody", f"number {scene.digits(9)}", "a", at),
        _identity(kind, "the suspect", "account", "a", at),
        _identity(kind, "Somebody", "account", "a", "ph-" + scene.digits(16)),
        _identity("robot", "Somebody", "account", "a", at),
    ]
    return Reply(calls=(scene.one(many),))


@lie("merged namesakes", "entity")
def namesakes(scene: Scene) -> Reply | None:
    """One name and one short identifier for whoever is there, so that all of them become one."""
    if not (known := scene.ids("ph")):
        return None
    value = scene.one(("a", "user", "admin", "0", "1", "pc"))
    kind = scene.one(("person", "account", "device"))
    what = {"person": "email", "account": "account", "device": "serial"}[kind]
    return Reply(calls=tuple(_identity(kind, "A. Miller", what, value, at) for at in known[:30]))


@lie("invented ties", "entity")
def tied(scene: Scene) -> Reply | None:
    """Ties of entities that are none, the same, or carry a value."""
    known = [*scene.ids("ent"), "ent-" + scene.digits(16)]
    relation = scene.one(("same_as", "owns", typed(scene), "is the perpetrator of"))
    given = {"first": scene.one(known), "second": scene.one(known), "relation": relation}
    return Reply(calls=(("link_to_entity", {**given, "phenomenon_id": scene.one(scene.ids("ph"), "ph-none")}),))


# --- what is asked for --------------------------------------------------------------------------------------------


@lie("leads to nowhere", "lead")
def lead(scene: Scene) -> Reply | None:
    """Leads for roles, hypotheses and sources that there are none of, with values that nobody read."""
    good = {"description": "look again", "target_agent": "filesystem"}
    wrong: dict[str, Any] = scene.one(
        [
            {"target_agent": "detective"},
            {"target_agent": "report"},
            {"motivating_hypothesis": "hyp-" + scene.digits(16)},
            {"source_id": "src-" + scene.digits(6)},
            {"description": f"look for what was made {typed(scene)}"},
            {"description": f"look for {disguised(scene)}"},
            {"description": "find the proof that the suspect is guilty"},
            {"priority": 10**30},
            {"priority": "urgent"},
        ]
    )
    return Reply(calls=(("add_lead", good | wrong),))


@lie("a flood of leads", "lead")
def leads(scene: Scene) -> Reply | None:
    """A thousand leads at once."""
    some = (
        {"description": f"look again, variant {chr(97 + n % 26)}{n}", "target_agent": "filesystem"} for n in range(1000)
    )
    return Reply(calls=tuple(("add_lead", given) for given in some))


def _lead(scene: Scene, **wrong: Any) -> tuple[str, dict[str, Any]]:
    good = {
        "description": "look for more",
        "target_agent": scene.one(("filesystem", "eventlog", "registry", "network", "browser")),
        "motivating_hypothesis": scene.one(scene.ids("hyp"), "hyp-none"),
        "expected_evidence_type": scene.one(("supports", "weakens", "direct_evidence")),
    }
    return "propose_lead", good | wrong


@lie("four leads", "strategist")
def four_leads(scene: Scene) -> Reply | None:
    """Four and more leads in one round."""
    names = scene.ids("hyp")[:8]
    return Reply(calls=tuple(_lead(scene, motivating_hypothesis=name) for name in names)) if len(names) > 3 else None


@lie("unknown names in a lead", "strategist")
def unknown_lead(scene: Scene) -> Reply | None:
    """A hypothesis, role, source or kind of evidence that there is none of; values in what is said of it."""
    wrong: dict[str, Any] = scene.one(
        [
            {"motivating_hypothesis": "hyp-" + scene.digits(16)},
            {"target_agent": "strategist"},
            {"target_agent": "detective"},
            {"expected_evidence_type": "proof"},
            {"expected_evidence_type": "consistent_with"},
            {"source_id": "src-" + scene.digits(6)},
            {"description": f"look for what was made {typed(scene)}"},
            {"rationale": f"because of {typed(scene)}"},
            {"rationale": f"because of {disguised(scene)}"},
            {"rationale": "the suspect is guilty"},
        ]
    )
    return Reply(calls=(_lead(scene, **wrong),))


@lie("unknown reason to stop", "strategist")
def unknown_reason(scene: Scene) -> Reply | None:
    """An end for a reason that is none, or with a value in it."""
    reason, why = scene.one([("bored", ""), ("other", f"it was {typed(scene)}"), ("other", "he is guilty"), ("", "")])
    return Reply(calls=(("declare_investigation_complete", {"reason": reason, "rationale": why}),))


@lie("complete at once", "strategist")
def complete(scene: Scene) -> Reply | None:
    """The end of the investigation, before anything was looked at."""
    if scene.told and scene.dice.random() < 0.7:
        return None
    reason = scene.one(("all_hypotheses_resolved", "budget_exhausted", "marginal_yield_zero", "coverage_saturated"))
    return Reply(calls=(("declare_investigation_complete", {"reason": reason, "rationale": "all is known"}),))


# --- what is made of it -------------------------------------------------------------------------------------------


@lie("invented hypotheses", "hypothesis")
def hypothesis(scene: Scene) -> Reply | None:
    """Hypotheses with values that nobody read, without rivals, of unknown acts, because of nothing."""
    other = {"title": f"It was upkeep, kind {scene.dice.randrange(9)}", "description": "an ordinary routine"}
    good = {
        "title": f"Something was done, kind {scene.dice.randrange(99)}",
        "description": "records may show it",
        "proposition": scene.one(("COPIED", "RAN", "DELETED", "WIPED", "LOGON")),
        "alternatives": [other],
        "because_of": [scene.one(scene.ids("ph"), "ph-none")],
    }
    wrong: dict[str, Any] = scene.one(
        [
            {"title": f"Something was made {typed(scene)}"},
            {"description": f"it was made {typed(scene)}"},
            {"description": f"it was {disguised(scene)}"},
            {"title": "The suspect stole it"},
            {"alternatives": [{**other, "description": f"it was made {typed(scene)}"}]},
            {"alternatives": []},
            {"alternatives": [{"title": "", "description": ""}]},
            {"alternatives": [{"title": "\u200b", "description": ""}]},
            {"alternatives": [{"title": good["title"], "description": ""}]},
            {"proposition": "GUILTY"},
            {"proposition": scene.mailbox()},
            {"because_of": ["ph-" + scene.digits(16)]},
            {"because_of": []},
            {"title": ""},
        ]
    )
    return Reply(calls=(("add_hypothesis", good | wrong),))


def _edge(scene: Scene, phenomenon: str, hypothesis: str, **wrong: Any) -> tuple[str, dict[str, Any]]:
    good = {
        "phenomenon_id": phenomenon,
        "hypothesis_id": hypothesis,
        "edge_type": "direct_evidence",
        "proposition": scene.one(("COPIED", "RAN", "WIPED", "KNEW", "PERSON", "LOGON")),
        "against": scene.one(scene.ids("hyp"), "hyp-none"),
        "reason": "it speaks for itself",
    }
    return "link_evidence", good | wrong


@lie("edges to everything", "judge")
def edges(scene: Scene) -> Reply | None:
    """The strongest edges from whatever is there to every hypothesis, against each of the others."""
    names, known = scene.ids("hyp")[:6], scene.ids("ph")[:3]
    kind = scene.one(("direct_evidence", "contradicts"))
    many = [
        _edge(scene, p, h, against=a, edge_type=kind, proposition=scene.one(("COPIED", "WIPED", "LOGON", "RAN")))
        for p in known
        for h in names
        for a in names
        if a != h
    ]
    scene.dice.shuffle(many)
    return Reply(calls=tuple(many[:40])) if many else None


@lie("edges that cannot be", "judge")
def wrong_edge(scene: Scene) -> Reply | None:
    """Edges of no kind, from and to nothing, about what somebody knew, with values in what is said of them."""
    wrong: dict[str, Any] = scene.one(
        [
            {"edge_type": "proves"},
            {"hypothesis_id": "hyp-" + scene.digits(16)},
            {"phenomenon_id": "ph-" + scene.digits(16)},
            {"proposition": "KNEW"},
            {"proposition": "PERSON"},
            {"proposition": scene.mailbox(), "edge_type": "consistent_with"},
            {"against": ""},
            {"against": scene.mailbox(), "edge_type": "consistent_with"},
            {"against": typed(scene), "edge_type": "consistent_with"},
            {"reason": f"it was made {typed(scene)}", "edge_type": "consistent_with"},
            {"reason": f"it was {disguised(scene)}", "edge_type": "consistent_with"},
            {"reason": "this proves it", "edge_type": "consistent_with"},
        ]
    )
    phenomenon, hypothesis = scene.one(scene.ids("ph"), "ph-none"), scene.one(scene.ids("hyp"), "hyp-none")
    return Reply(calls=(_edge(scene, phenomenon, hypothesis, **wrong),))


@lie("orders that were not", "timeline")
def order(scene: Scene) -> Reply | None:
    """Observations in an order that their times do not say."""
    known = [*scene.ids("ph"), "ph-" + scene.digits(16)]
    pairs = [
        (scene.one(known), scene.one(known), scene.one(("before", "after", "overlaps", "because"))) for _ in range(4)
    ]
    return Reply(calls=tuple(("add_temporal_edge", {"first": a, "second": b, "relation": r}) for a, b, r in pairs))


@lie("a report of inventions", "report")
def report(scene: Scene) -> Reply | None:
    """Sentences with values that stand in nothing they cite, that cite nothing, that claim too much."""
    known = scene.ids("ph")
    cites = [scene.one(known, "ph-none")]
    several = [
        {"text": f"A record was made {typed(scene)}.", "cites": cites},
        {"text": f"It was {disguised(scene)}.", "cites": cites},
        {"text": "Nothing was out of the ordinary.", "cites": []},
        {"text": "The suspect is guilty beyond any doubt.", "cites": cites},
        {"text": scene.one(CLAIMS).replace("e", "\u0435"), "cites": cites},
        {"text": "It was seen.", "cites": ["ph-" + scene.digits(16)]},
        {"text": "\u200b".join(scene.one(CLAIMS)), "cites": cites},
        {"cites": cites},
    ]
    return Reply(calls=(("save_report", {"sentences": scene.dice.sample(several, 5)}),))
