"""Lies of form: calls that are none, endless and enormous ones, and an endpoint that does not keep to its protocol."""

from __future__ import annotations

import json
from typing import Any

from liar import Scene, lie, observe

from wigmore.llm.scripted import Reply

TEN_MB = 10 << 20
OUTSIDE = ("run_shell", "execute_python", "extract_file", "recover_password", "sqlite_query", "save_report", "http_get")
BODY: dict[str, Any] = {"id": "x", "object": "chat.completion", "created": 0, "model": "scripted-1"}


def _first(scene: Scene) -> str:
    return str(scene.one(sorted(scene.tools)))


@lie("malformed JSON")
def malformed(scene: Scene) -> Reply | None:
    """Arguments that are no JSON, or not the JSON that was asked for."""
    text = scene.one(
        ('{"title": "x', "{'title': 'x'}", "null", "[]", '"x"', "", "{}}", "\x00", '{"title": "\\ud800"}', "7")
    )
    return Reply(calls=((_first(scene), text),))


@lie("wrong types")
def wrong_types(scene: Scene) -> Reply | None:
    """Numbers for texts, texts for lists, lists for numbers."""
    odd = (7, 1.5, None, True, [], {}, ["x"], {"x": 1}, "x", [[]], -1)
    names = (
        "title",
        "category",
        "records",
        "results",
        "page",
        "artifact",
        "limit",
        "id",
        "sentences",
        "source_id",
        "first",
    )
    return Reply(calls=((_first(scene), {name: scene.one(odd) for name in names}),))


@lie("numbers that are none")
def numbers(scene: Scene) -> Reply | None:
    """NaN, infinities and numbers of thousands of digits."""
    value = scene.one(("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 400, "1" + "0" * 30))
    name = scene.one(("page", "limit", "last_n_rounds", "priority", "row"))
    readers = [
        t for t in scene.tools if t.startswith(("list_", "query_", "scan_", "graph_", "marginal"))
    ] or scene.tools
    return Reply(calls=((scene.one(readers), f'{{"{name}": {value}}}'),))


@lie("deep nesting")
def nested(scene: Scene) -> Reply | None:
    """Arguments nested deeper than a reader of JSON goes, or nearly so."""
    deep = scene.one((150, 450, 900, 950, 5000, 200_000))
    inner = "[" * deep + "]" * deep
    if "add_phenomenon" in scene.tools and deep < 5000:
        shown = scene.record()
        cited = shown.cited(*list(shown.fields)[:1]) if shown else {}
        given = {"title": "x", "category": "file", "interpretation": "x"}
        text = json.dumps({**given, "records": [cited | {"values": {"x": "@"}}]}).replace('"@"', inner)
        return Reply(calls=(("add_phenomenon", text),))
    return Reply(calls=((_first(scene), f'{{"title": {inner}}}'),))


@lie("unknown tools")
def unknown_tools(scene: Scene) -> Reply | None:
    """Tools that there are none of, or that this role has not."""
    name = scene.one([t for t in OUTSIDE if t not in scene.tools] + ["", "add_phenomenon " * 9])
    return Reply(calls=((name, {"path": "/etc/passwd", "command": "id", "pattern": "x"}),))


@lie("repetition")
def repetition(scene: Scene) -> Reply | None:
    """One call again and again."""
    name = scene.one([n for n in ("list_phenomena", "graph_overview", "scan_indicators") if n in scene.tools])
    return Reply(calls=((name, {}),) * 12) if name else None


@lie("the same page under other numbers")
def pages(scene: Scene) -> Reply | None:
    """One call whose page is asked for under numbers that it does not have."""
    name = scene.one([n for n in ("list_phenomena", "graph_overview", "scan_indicators") if n in scene.tools])
    return Reply(calls=tuple((name, {"page": 10**n}) for n in range(3, 15))) if name else None


@lie("endless reading")
def endless(scene: Scene) -> Reply | None:
    """Something new to read each time, and nothing ever recorded."""
    if "list_phenomena" not in scene.tools:
        return None
    return Reply(calls=(("list_phenomena", {"limit": scene.dice.randrange(1, 10**9)}),))


@lie("200 calls at once")
def many(scene: Scene) -> Reply | None:
    """Two hundred calls in one reply."""
    if "query_records" in scene.tools:
        some = ({"artifact": "volume", "limit": n} for n in range(200 * scene.told + 1, 200 * scene.told + 201))
        return Reply(calls=tuple(("query_records", given) for given in some))
    return Reply(calls=tuple((_first(scene), {"x": n}) for n in range(200)))


@lie("a flood of observations", "worker")
def flood(scene: Scene) -> Reply | None:
    """Every record as an observation of its own, in one reply."""
    calls = [observe("A record is there", [s.cited(n)]).calls[0] for s in scene.records for n in list(s.fields)[:4]]
    return Reply(calls=tuple(calls[:200])) if calls else None


@lie("enormous arguments")
def enormous(scene: Scene) -> Reply | None:
    """Arguments of half a megabyte."""
    title = "lorem ipsum " * 45_000
    if "add_phenomenon" in scene.tools:
        return observe(
            title, [{"invocation_id": title[:100], "record_id": "x", "fields": ["x"], "values": {"x": title}}]
        )
    return Reply(calls=((_first(scene), {"title": title, "id": title, "description": title}),))


@lie("silence", wire=True)
def silence(scene: Scene) -> Reply | None:
    """An empty answer."""
    return Reply(scene.one(("", " ", "\u200b")))


@lie("refusal", wire=True)
def refusal(scene: Scene) -> Reply | None:
    """It will not."""
    return Reply(refusal="I cannot help with that.")


@lie("truncated", wire=True)
def truncated(scene: Scene) -> Reply | None:
    """An answer cut by its length in the middle of a call."""
    return Reply(
        calls=(("add_phenomenon" if "add_phenomenon" in scene.tools else _first(scene), '{"title": "A fi'),),
        finish="length",
    )


@lie("10 MB of text", wire=True)
def ten_megabytes(scene: Scene) -> Reply | None:
    """An answer of ten megabytes."""
    return Reply("x" * TEN_MB)


@lie("10 MB of arguments", wire=True)
def ten_megabytes_of_arguments(scene: Scene) -> Reply | None:
    """A call with ten megabytes of arguments."""
    return Reply(calls=((_first(scene), {"title": "x" * TEN_MB}),))


@lie("HTTP errors", wire=True)
def errors(scene: Scene) -> Reply | None:
    """Errors of the server, busy and not."""
    status, after = scene.one(
        ((500, None), (429, 0.0), (429, 600.0), (503, None), (400, None), (401, None), (418, None))
    )
    return Reply(status=status, error="no", retry_after=after)


@lie("a silent server", wire=True)
def timeout(scene: Scene) -> Reply | None:
    """No answer before anybody stops waiting."""
    return Reply("late", delay=30.0)


@lie("a cut connection", wire=True)
def cut(scene: Scene) -> Reply | None:
    """A connection that ends in the middle of an answer."""
    return Reply("x" * 500, cut=scene.one((0, 1, 100, 300)))


@lie("no JSON", wire=True)
def no_json(scene: Scene) -> Reply | None:
    """A page, a stream, or nothing where JSON was asked for."""
    raw = scene.one(
        (b"", b"<html>It works!</html>", b"data: {}\n\ndata: [DONE]\n\n", b"\xff\xfe\x00", b"null", b"[]", b'"x"', b"7")
    )
    return Reply(raw=raw)


@lie("JSON of the wrong shape", wire=True)
def wrong_shape(scene: Scene) -> Reply | None:
    """JSON that is no completion."""
    call = {"id": "c", "type": "function", "function": {"name": _first(scene), "arguments": {"a": 1}}}
    message: Any = scene.one(
        (
            None,
            "x",
            [],
            {"role": "assistant"},
            {"role": "assistant", "content": {"a": 1}},
            {"role": "assistant", "content": None, "tool_calls": "x"},
            {"role": "assistant", "content": None, "tool_calls": [None]},
            {"role": "assistant", "content": None, "tool_calls": [call, call]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": None, "function": None}]},
        )
    )
    choice = {"index": 0, "message": message, "finish_reason": scene.one(("stop", None, "bored"))}
    choices: Any = scene.one(([choice], [choice], [choice], [], None, "x", [None]))
    return Reply(raw=json.dumps(BODY | {"choices": choices}).encode())


@lie("false counts", wire=True)
def counts(scene: Scene) -> Reply | None:
    """Tokens that were not used: fewer than none, or more than there are."""
    number = scene.one((-(10**9), 10**40, 1.5, "many", None))
    choice = {"index": 0, "message": {"role": "assistant", "content": "done"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": number, "completion_tokens": number, "total_tokens": number}
    return Reply(raw=json.dumps(BODY | {"choices": [choice], "usage": usage}).encode())
