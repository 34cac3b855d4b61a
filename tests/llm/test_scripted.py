"""The scripted server over the wire: what a client of the OpenAI API sends and sees."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from wigmore.llm.scripted import LARGEST_REQUEST, Asked, Reply, Scripted, main, read_replies

SEARCH = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}


def send(
    server: Scripted, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    with closing(HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response, response.read()


def ask(server: Scripted, path: str = "/v1/chat/completions", **fields: Any) -> tuple[HTTPResponse, Any]:
    asked = {"model": "scripted-1", "messages": [{"role": "user", "content": "what happened?"}]} | fields
    response, body = send(server, "POST", path, json.dumps(asked).encode())
    return response, events(body) if response.getheader("Content-Type") == "text/event-stream" else json.loads(body)


def events(body: bytes) -> list[Any]:
    *data, end = [event.removeprefix("data: ") for event in body.decode().removesuffix("\n\n").split("\n\n")]
    assert end == "[DONE]"
    return [json.loads(each) for each in data]


def put_together(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message whose deltas the chunks carry, with the reason it finished for."""
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    for choice in (chunk["choices"][0] for chunk in chunks if chunk["choices"]):
        for name, value in choice["delta"].items():
            if name == "tool_calls":
                call = calls.setdefault(value[0]["index"], {"arguments": ""})
                call["arguments"] += value[0]["function"].pop("arguments")
                call |= value[0]["function"] | {key: value[0][key] for key in value[0] if key == "id"}
            elif value is not None:
                message[name] = message.get(name, "") + value
        message["finish"] = choice["finish_reason"]
    return message | {"calls": [calls[index] for index in sorted(calls)]}


def test_a_completion_carries_text_usage_and_its_ids() -> None:
    with Scripted([Reply("It was the intern.", prompt_tokens=7, completion_tokens=5), Reply()]) as server:
        response, first = ask(server)
        assert (response.status, response.getheader("Content-Type")) == (200, "application/json")
        assert first["object"] == "chat.completion" and first["model"] == "scripted-1"
        assert abs(first["created"] - time.time()) < 60
        assert first["choices"][0]["message"] == {"role": "assistant", "content": "It was the intern.", "refusal": None}
        assert first["choices"][0]["finish_reason"] == "stop"
        assert first["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        _, second = ask(server)
        assert second["id"] != first["id"]
        assert second["choices"][0]["message"]["content"] == ""


def test_tokens_that_are_not_given_are_counted_at_four_characters() -> None:
    with Scripted([Reply("x" * 9), Reply("x" * 9)]) as server:
        small, large = ask(server)[1]["usage"], ask(server, tools=[SEARCH])[1]["usage"]
    assert small["completion_tokens"] == 3
    assert 0 < small["prompt_tokens"] < large["prompt_tokens"]
    assert small["total_tokens"] == small["prompt_tokens"] + 3


def test_reasoning_refusal_and_the_reason_for_the_end_are_said() -> None:
    with Scripted([Reply(refusal="I will not.", reasoning="This is a trap.", finish="content_filter")] * 2) as server:
        choice = ask(server)[1]["choices"][0]
        message = put_together(ask(server, stream=True)[1])
    assert choice["finish_reason"] == message["finish"] == "content_filter"
    assert choice["message"]["content"] is None and "content" not in message
    for said in (choice["message"], message):
        assert (said["refusal"], said["reasoning"]) == ("I will not.", "This is a trap.")


def test_calls_go_out_and_their_results_come_back() -> None:
    calls = (("search", {"words": "Prüfung"}), ("search", '{"words": '))
    with Scripted([Reply(calls=calls), Reply("Done.")]) as server:
        choice = ask(server, tools=[SEARCH])[1]["choices"][0]
        first, second = choice["message"]["tool_calls"]
        assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
        assert (first["type"], first["function"]["name"]) == ("function", "search")
        assert json.loads(first["function"]["arguments"]) == {"words": "Prüfung"}
        assert second["function"]["arguments"] == '{"words": '
        parts = [{"type": "text", "text": "two "}, {"type": "text", "text": "rows"}]
        results = [
            {"role": "tool", "tool_call_id": first["id"], "content": "one row"},
            {"role": "tool", "tool_call_id": second["id"], "content": parts},
        ]
        ask(server, messages=[choice["message"], *results])
    assert server.asked[0].tools == ["search"]
    assert server.asked[1].tool_results == {first["id"]: "one row", second["id"]: "two rows"}
    assert first["id"] != second["id"]


def test_a_stream_put_together_is_the_completion() -> None:
    text, words = "A text of more than one piece, with é and \u2028.", {"words": "more than one piece as well"}
    reply = Reply(text, calls=(("search", words), ("search", '{"words": '), ("list", "")), completion_tokens=3)
    with Scripted([reply, reply]) as server:
        response, chunks = ask(server, stream=True)
        counted = ask(server, stream=True, stream_options={"include_usage": True})[1]
    assert response.getheader("Transfer-Encoding") == "chunked"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        (chunks[0]["id"], "chat.completion.chunk", "scripted-1")
    }
    message = put_together(chunks)
    assert (message["content"], message["finish"]) == (text, "tool_calls")
    first, second, third = message["calls"]
    assert (first["name"], json.loads(first["arguments"])) == ("search", words)
    assert (second["name"], second["arguments"]) == ("search", '{"words": ')
    assert (third["name"], third["arguments"]) == ("list", "")
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert len(chunks) > 8 and all("usage" not in chunk for chunk in chunks)
    *others, last = counted
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 3
    assert len(others) == len(chunks) and all(chunk["usage"] is None for chunk in others)


@pytest.mark.parametrize("path", ["/v1/", "/api/v1/", "/", "/openai/deployments/x/"])
def test_any_base_path_serves(path: str) -> None:
    with Scripted([Reply("here")]) as server:
        assert ask(server, f"{path}chat/completions?api-version=1")[1]["choices"][0]["message"]["content"] == "here"
        assert json.loads(send(server, "GET", f"{path}models")[1])["data"][0]["id"] == "scripted-1"


def test_models_are_listed_and_named() -> None:
    with Scripted([], models=("one", "org/two")) as server:
        listed = json.loads(send(server, "GET", "/v1/models")[1])
        assert (listed["object"], [model["id"] for model in listed["data"]]) == ("list", ["one", "org/two"])
        for name in ("org/two", "org%2Ftwo"):
            assert json.loads(send(server, "GET", f"/v1/models/{name}")[1]) == listed["data"][1]
        response, body = send(server, "GET", "/v1/models/three")
        assert (response.status, json.loads(body)["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(status=400, code="context_length_exceeded"), "invalid_request_error", "context_length_exceeded"),
        (Reply(status=401), "invalid_request_error", "invalid_api_key"),
        (Reply(status=429), "rate_limit_error", "rate_limit_exceeded"),
        (Reply(status=429, code="insufficient_quota"), "insufficient_quota", "insufficient_quota"),
        (Reply(status=500), "server_error", None),
        (Reply(status=503), "service_unavailable_error", "server_is_overloaded"),
        (Reply(status=599, error="odd"), "server_error", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_has_its_type_and_code(reply: Reply, kind: str, code: str | None, stream: bool) -> None:
    with Scripted([reply]) as server:
        response, body = ask(server, stream=stream)
    assert response.status == reply.status
    assert (body["error"]["type"], body["error"]["code"], body["error"]["param"]) == (kind, code, None)
    assert body["error"]["message"] == (reply.error or response.reason)


def test_an_error_may_say_when_to_come_back() -> None:
    with Scripted([Reply(status=429, error="slow down", retry_after=1.5), Reply(status=429)]) as server:
        response, body = ask(server)
        assert (response.getheader("Retry-After"), body["error"]["message"]) == ("1.5", "slow down")
        assert ask(server)[0].getheader("Retry-After") is None


@pytest.mark.parametrize("fields", [{"error": "x"}, {"code": "x"}, {"cut": -1}])
def test_a_reply_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"status of 400|from the start"):
        Reply(**fields)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer other"}, {"Authorization": "k"}])
def test_a_wrong_key_is_refused_and_spends_no_reply(header: dict[str, str]) -> None:
    body = b'{"model": "scripted-1", "messages": []}'
    with Scripted([Reply("in")], key="k") as server:
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
            response, answer = send(server, method, path, body, header)
            assert (response.status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
        response, answer = send(server, "POST", "/v1/chat/completions", body, {"Authorization": "Bearer k"})
        assert json.loads(answer)["choices"][0]["message"]["content"] == "in"
        assert len(server.asked) == 3
        assert server.asked[2].headers["authorization"] == "Bearer k"


def test_an_unknown_model_and_an_unknown_path_are_not_found() -> None:
    with Scripted([Reply()]) as server:
        response, body = ask(server, model="other")
        assert (response.status, body["error"]["code"]) == (404, "model_not_found")
        for method, path in (("POST", "/v1/embeddings"), ("GET", "/v1/chat/completions"), ("POST", "/v1/models")):
            response, answer = send(server, method, path, b"{}")
            assert (response.status, json.loads(answer)["error"]["code"]) == (404, None)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with Scripted([Reply()]) as server:
        response, answer = send(server, "POST", "/v1/chat/completions", body)
        assert (response.status, json.loads(answer)["error"]["type"]) == (400, "invalid_request_error")
        assert server.asked[0].body == {}


def test_a_body_without_a_readable_length_is_refused() -> None:
    with Scripted([Reply()]) as server:
        for header in ({"Content-Length": "many"}, {"Content-Length": "-1"}, {"Transfer-Encoding": "chunked"}):
            response, _ = send(server, "POST", "/v1/chat/completions", None, header)
            assert (response.status, response.getheader("Connection")) == (400, "close")


def test_a_body_that_is_too_large_is_refused() -> None:
    with Scripted([Reply()]) as server:
        response, answer = send(
            server, "POST", "/v1/chat/completions", None, {"Content-Length": str(LARGEST_REQUEST + 1)}
        )
        assert (response.status, json.loads(answer)["error"]["type"]) == (413, "invalid_request_error")
        assert ask(server)[0].status == 200


def test_a_schema_for_the_answer_is_accepted() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    with Scripted([Reply('{"a": 1}')]) as server:
        assert ask(server, response_format=schema)[1]["choices"][0]["message"]["content"] == '{"a": 1}'
        assert server.asked[0].body["response_format"] == schema


def test_a_reply_may_wait() -> None:
    with Scripted([Reply("late", delay=0.15)]) as server:
        begun = time.monotonic()
        ask(server)
        assert time.monotonic() - begun >= 0.15


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 150])
def test_a_reply_may_break_off(stream: bool, cut: int) -> None:
    with Scripted([Reply("x" * 200), Reply("x" * 200, cut=cut), Reply("x" * 200, cut=99_999)]) as server:
        body = {"model": "scripted-1", "messages": [], "stream": stream}
        sent = json.dumps(body).encode()
        _, whole = send(server, "POST", "/v1/chat/completions", sent)
        with pytest.raises(IncompleteRead) as broken:
            send(server, "POST", "/v1/chat/completions", sent)
        assert len(broken.value.partial) == cut
        assert len(send(server, "POST", "/v1/chat/completions", sent)[1]) == len(whole)


@pytest.mark.parametrize("stream", [False, True])
def test_a_raw_body_goes_out_as_it_is(stream: bool) -> None:
    with Scripted([Reply(raw=b"<html>\xff", status=502), Reply(raw=b"data: {\n\n")]) as server:
        sent = json.dumps({"model": "scripted-1", "stream": stream}).encode()
        response, body = send(server, "POST", "/v1/chat/completions", sent)
        assert (response.status, body) == (502, b"<html>\xff")
        assert send(server, "POST", "/v1/chat/completions", sent)[1] == b"data: {\n\n"


def test_a_script_that_has_ended_says_so() -> None:
    with Scripted(iter([Reply("only")])) as server:
        assert ask(server)[0].status == 200
        for _ in range(2):
            response, body = ask(server)
            assert (response.status, body["error"]["message"]) == (500, "the script has ended")


def test_a_script_that_fails_says_so() -> None:
    def script(asked: Asked) -> Reply:
        assert asked.tools == ["search"], "the search is not on offer"
        return Reply(calls=(("search", {"words": {1, 2}}),))  # no JSON can hold a set

    with Scripted(script) as server:
        response, body = ask(server)
        assert (response.status, "the search is not on offer" in body["error"]["message"]) == (500, True)
        assert "TypeError" in ask(server, tools=[SEARCH])[1]["error"]["message"]


def test_requests_are_answered_side_by_side() -> None:
    together = threading.Barrier(4, timeout=10)

    def script(asked: Asked) -> Reply:
        together.wait()
        return Reply(asked.messages[0]["content"])

    def said(number: int) -> str:
        answer = ask(server, messages=[{"role": "user", "content": str(number)}])[1]
        return f"{answer['id']} {answer['choices'][0]['message']['content']}"

    with Scripted(script) as server, ThreadPoolExecutor(4) as pool:
        answers = [answer.split() for answer in pool.map(said, range(8))]
    assert [content for _, content in answers] == [str(number) for number in range(8)]
    assert len({identifier for identifier, _ in answers}) == len(server.asked) == 8


def test_a_generator_answers_requests_that_arrive_together() -> None:
    def script() -> Iterable[Reply]:
        for number in range(4):
            time.sleep(0.02)
            yield Reply(str(number))

    with Scripted(script()) as server, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(server)[1], range(4)))
    assert {answer["choices"][0]["message"]["content"] for answer in answers} == {"0", "1", "2", "3"}


def test_one_connection_serves_many_requests() -> None:
    sent = json.dumps({"model": "scripted-1", "stream": True})
    with (
        Scripted([Reply(str(number)) for number in range(3)]) as server,
        closing(HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)) as connection,
    ):
        for number in range(3):
            connection.request("POST", "/v1/chat/completions", sent)
            held = connection.sock
            assert put_together(events(connection.getresponse().read()))["content"] == str(number)
            assert connection.sock is held


def test_the_end_closes_connections_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    sent = json.dumps({"model": "scripted-1"})
    with (
        closing(HTTPConnection("127.0.0.1", timeout=10)) as idle,
        closing(HTTPConnection("127.0.0.1", timeout=10)) as waiting,
    ):
        arrived = threading.Event()

        def script(asked: Asked) -> Reply:
            arrived.set()
            return Reply("too late", delay=60)

        with Scripted(script) as server:
            idle.port = waiting.port = urlsplit(server.base_url).port or 0
            idle.connect()
            waiting.request("POST", "/v1/chat/completions", sent)
            assert arrived.wait(10)
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            waiting.getresponse()
        assert idle.sock.recv(1) == b""
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        ask(server)


def test_a_client_that_leaves_harms_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with Scripted(lambda asked: Reply(raw=b"x" * 20_000_000) if asked.stream else Reply("here")) as server:
        connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": "scripted-1", "stream": True}))
        with closing(connection), connection.getresponse() as response:
            response.read(10)
        assert ask(server)[1]["choices"][0]["message"]["content"] == "here"
    assert capfd.readouterr().err == ""


def test_a_file_of_replies_is_served(tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text('{"calls": [["search", {"words": "a\u2028b"}]]}\n\n{"raw": "plain"}\n', encoding="utf-8")
    assert read_replies(file) == [Reply(calls=(("search", {"words": "a\u2028b"}),)), Reply(raw=b"plain")]
    command = [sys.executable, "-m", "wigmore.llm.scripted", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = urlsplit(process.stdout.readline().strip())
            assert (url.hostname, url.path) == ("127.0.0.1", "/v1")
            with closing(HTTPConnection(url.netloc, timeout=10)) as connection:
                connection.request("POST", "/v1/chat/completions", '{"model": "scripted-1"}')
                choice = json.loads(connection.getresponse().read())["choices"][0]
        finally:
            process.terminate()
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "search"


@pytest.mark.parametrize("line", ['{"txt": "misspelt"}', "{", "[]", '{"error": "x"}', '{"calls": [["alone"]]}'])
def test_a_file_at_fault_is_named_with_its_line(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text('{"text": "fine"}\n' + line)
    with pytest.raises(SystemExit):
        main([str(file)])
    assert "replies.jsonl, line 2:" in capsys.readouterr().err
