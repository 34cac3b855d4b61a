"""Endpoints: what is reached and what never, what a wrong key or model says, how long an answer may be."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from wigmore.llm.endpoint import LARGEST_ANSWER, Endpoint, EndpointError, client, close, is_loopback
from wigmore.llm.probe import probe
from wigmore.llm.scripted import Asked, Reply, Scripted


def at(server: Scripted, **more: Any) -> Endpoint:
    return Endpoint(server.base_url, server.models[0], "k-1", timeout_seconds=5, retries=0, **more)


def ask(endpoint: Endpoint, *, local_only: bool = True) -> str:
    """One question to an endpoint; the text of its answer."""
    from pydantic_ai.messages import ModelRequest
    from pydantic_ai.models import ModelRequestParameters

    async def once() -> str:
        model = client(endpoint, local_only=local_only)
        try:
            request = [ModelRequest.user_text_prompt("what happened?")]
            answer = await model.request(request, None, ModelRequestParameters())
        finally:
            await close(model)
        return str(answer.text)

    return asyncio.run(once())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST."])
def test_a_loopback_address_is_local(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.org", "10.0.0.1", "0.0.0.0", "localhost.example.org", "127.0.0.1.nip.io", ""]
)
def test_a_name_or_another_address_is_not_local(host: str) -> None:
    assert not is_loopback(host)


def test_localhost_is_never_resolved() -> None:
    assert Endpoint("http://localhost:11434/v1", "m").address == "http://127.0.0.1:11434/v1"


def test_a_local_only_case_refuses_another_machine_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
    with pytest.raises(EndpointError, match="the case is local_only"):
        client(Endpoint("https://models.example.org/v1", "m"), local_only=True)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(lambda _: Reply("from elsewhere")) as other, Scripted(lambda _: Reply("here")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.base_url)
        assert ask(at(server)) == "here"
        assert other.asked == []


def test_an_answer_that_is_too_long_is_none() -> None:
    from pydantic_ai.exceptions import AgentRunError

    with Scripted(lambda _: Reply("x" * (LARGEST_ANSWER + 1))) as server, pytest.raises(AgentRunError):
        ask(at(server))


def test_the_key_goes_out_as_a_bearer_and_a_message_never_holds_it() -> None:
    with Scripted(lambda _: Reply("ready"), key="k-1") as server:
        probe(at(server), local_only=True)
        assert server.asked[-1].headers["authorization"] == "Bearer k-1"

    def echo(asked: Asked) -> Reply:
        return Reply(status=400, error=f"bad request from {asked.headers['authorization']}")

    with Scripted(echo) as server, pytest.raises(EndpointError) as refused:
        probe(at(server), local_only=True)
    assert "k-1" not in str(refused.value)


def test_a_wrong_key_says_where_it_is_set() -> None:
    said = r"refuses the key \(HTTP 401\).*WIGMORE_MODEL_API_KEY"
    with Scripted(lambda _: Reply("ready"), key="another") as server, pytest.raises(EndpointError, match=said):
        probe(at(server), local_only=True)


def test_a_wrong_model_names_those_that_are_there() -> None:
    said = r"does not serve the model 'gwen'.*it has: llama3, qwen3:8b"
    there = ("qwen3:8b", "llama3")
    with Scripted(lambda _: Reply("ready"), models=there) as server, pytest.raises(EndpointError, match=said):
        probe(replace(at(server), model="gwen"), local_only=True)


def test_an_address_where_nothing_answers_says_so() -> None:
    with Scripted(()) as server:
        gone = at(server)
    with pytest.raises(EndpointError, match="nothing usable answers at"):
        probe(gone, local_only=True)


def test_what_is_no_chat_endpoint_is_told_apart() -> None:
    with Scripted(lambda _: Reply(raw=b"<html>It works!</html>")) as server, pytest.raises(EndpointError):
        probe(at(server), local_only=True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://127.0.0.1/v1", "is no http or https address"),
        ("127.0.0.1:11434", "is no http or https address"),
        ("http://user:secret@127.0.0.1/v1", "carries a secret"),
        ("http://127.0.0.1/v1?api-key=secret", "carries a secret"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(url: str, said: str) -> None:
    with pytest.raises(EndpointError, match=said) as refused:
        Endpoint(url, "m")
    assert "secret@" not in str(refused.value)


def test_other_servers_are_sent_max_tokens_and_openai_its_own_name() -> None:
    with Scripted(lambda _: Reply("ready")) as server:
        ask(at(server, max_tokens=77))
        assert server.asked[0].body["max_tokens"] == 77
        assert "max_completion_tokens" not in server.asked[0].body
