"""What a scripted server is asked and answers, and the answer in bytes as OpenAI's reference words it.

- chat completions: https://developers.openai.com/api/reference/resources/chat/subresources/completions
- their stream, a null `usage` in every chunk but the last when `include_usage` is set:
  https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
- errors: https://developers.openai.com/docs/guides/error-codes
The reference has no field for the model's reasoning; it goes out as `reasoning`, the name vLLM gives it
(https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs/).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import responses
from typing import Any

PIECE = 12  # characters of text or arguments in one chunk of a stream
CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 503: "server_is_overloaded"}
TYPES = {
    429: "rate_limit_error",
    503: "service_unavailable_error",
}  # other 4xx: invalid_request_error, other 5xx: server_error


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; names of headers in lower case, `body` is {} where none could be read."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body.get("model", ""))

    @property
    def stream(self) -> bool:
        """Whether the answer is to arrive in chunks."""
        return self.body.get("stream") is True

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation so far."""
        return list(self.body.get("messages") or ())

    @property
    def tools(self) -> list[str]:
        """The names of the tools on offer."""
        return [tool["function"]["name"] for tool in self.body.get("tools") or ()]

    @property
    def tool_results(self) -> dict[str, str]:
        """What the tools answered, by the id of the call."""
        return {m["tool_call_id"]: _text(m.get("content")) for m in self.messages if m.get("role") == "tool"}


@dataclass(frozen=True)
class Reply:
    """What the server answers; a `status` of 400 or more makes it an error, `error` its message.

    Arguments of a call that are a text go out as they are (a model may write malformed JSON). Tokens that are not
    given are counted at four characters each. `delay`: seconds before the first byte. `cut`: bytes of the body after
    which the connection is closed. `raw`: a body sent as it is. Raises ValueError for an error without its status.
    """

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    status: int = 200
    error: str = ""
    code: str = ""
    retry_after: float | None = None
    delay: float = 0.0
    cut: int | None = None
    raw: bytes | None = None
    reasoning: str = ""
    refusal: str = ""

    def __post_init__(self) -> None:
        if (self.error or self.code) and self.status < 400:
            raise ValueError("an error needs a status of 400 or more")
        if self.cut is not None and self.cut < 0:
            raise ValueError("cut counts bytes from the start")


def body_of(reply: Reply, asked: Asked, number: int) -> list[bytes]:
    """The body of the answer to request `number`: one piece, or the events of a stream."""
    if reply.raw is not None:
        return [reply.raw]
    if reply.status >= 400:
        return [as_json({"error": _error(reply)})]
    calls = [
        {"id": f"call_{number}_{index}", "type": "function", "function": {"name": name, "arguments": _arguments(given)}}
        for index, (name, given) in enumerate(reply.calls)
    ]
    finish = reply.finish or ("tool_calls" if calls else "stop")
    head: dict[str, Any] = {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": asked.model}
    usage = _usage(reply, asked)
    if asked.stream:
        return _chunks(head | {"object": "chat.completion.chunk"}, reply, calls, finish, usage, asked)
    said = reply.text or (None if calls or reply.refusal else "")
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": reply.refusal or None}
    message |= {"reasoning": reply.reasoning} if reply.reasoning else {}
    message |= {"tool_calls": calls} if calls else {}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return [as_json(head | {"object": "chat.completion", "choices": [choice], "usage": usage})]


def _chunks(
    head: dict[str, Any], reply: Reply, calls: list[dict[str, Any]], finish: str, usage: dict[str, int], asked: Asked
) -> list[bytes]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if reply.text else None}]
    for name, text in (("reasoning", reply.reasoning), ("content", reply.text), ("refusal", reply.refusal)):
        deltas += [{name: piece} for piece in _split(text)]
    for index, call in enumerate(calls):
        function = call["function"]
        begun = call | {"index": index, "function": {"name": function["name"], "arguments": ""}}
        rest: list[dict[str, Any]] = [
            {"index": index, "function": {"arguments": piece}} for piece in _split(function["arguments"])
        ]
        deltas += [{"tool_calls": [part]} for part in (begun, *rest)]
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
    ]
    choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish})
    counted = (asked.body.get("stream_options") or {}).get("include_usage") is True
    chunks = [head | {"choices": [choice]} | ({"usage": None} if counted else {}) for choice in choices]
    if counted:
        chunks.append(head | {"choices": [], "usage": usage})
    return [b"data: %s\n\n" % as_json(chunk) for chunk in chunks] + [b"data: [DONE]\n\n"]


def _error(reply: Reply) -> dict[str, str | None]:
    kind = TYPES.get(reply.status) or ("server_error" if reply.status >= 500 else "invalid_request_error")
    return {
        "message": reply.error or responses.get(reply.status, "error"),
        "type": reply.code if reply.code == "insufficient_quota" else kind,
        "param": None,
        "code": reply.code or CODES.get(reply.status),
    }


def _usage(reply: Reply, asked: Asked) -> dict[str, int]:
    prompt, completion = reply.prompt_tokens, reply.completion_tokens
    if prompt is None:
        prompt = _tokens(json.dumps([asked.body.get("messages"), asked.body.get("tools")]))
    if completion is None:
        called = "".join(name + _arguments(given) for name, given in reply.calls)
        completion = _tokens(reply.text + reply.reasoning + reply.refusal + called)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _arguments(given: dict[str, Any] | str) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _split(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _text(content: Any) -> str:
    """The text of a message, which may be sent in parts."""
    return "".join(part.get("text", "") for part in content) if isinstance(content, list) else str(content or "")


def as_json(value: Any) -> bytes:
    """A value as the wire carries it."""
    return json.dumps(value).encode()
