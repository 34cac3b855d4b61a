"""Exchanges with a model: each is kept whole, and can be played again without an endpoint.

An exchange is one request and what came of it. It is named by its task and its number there; its digest is over what was
asked, without clocks and call ids, so that a replay can tell whether the same was asked. A picture is kept as hashes and size,
never as bytes, and counts in the digest by what it was made from: another version of a codec writes other bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from wigmore.llm.endpoint import Endpoint
from wigmore.model.canonical import canonical, clean, identify

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

CLOCKED = ("budget_status",)  # tools whose answer tells of the clock: it counts in no digest
LEFT = "the replay left the recorded run"
KEYS = 10  # characters from which a key is one, and no word such as `ollama` or `EMPTY` that stands for none
PATIENCE = 3  # times the timeout of one request that an exchange with its retries may take


class ModelFailed(Exception):
    """A model gave no usable answer; the message says why, without any key."""


@dataclass(frozen=True)
class Exchange:
    """One request to a model and what came of it, as JSON holds it."""

    task_id: str
    number: int
    endpoint: str
    digest: str
    asked: list[dict[str, Any]] = field(default_factory=list)  # the messages since the exchange before
    offered: dict[str, Any] = field(default_factory=dict)  # instructions and tools, with the first of a conversation
    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    picture: dict[str, Any] = field(default_factory=dict)  # what was shown: record, source, hashes, size as sent

    @property
    def id(self) -> str:
        """Its name in the ledger."""
        return identify("exc", self.task_id, self.endpoint, self.number)


def told(message: ModelMessage) -> dict[str, Any]:
    """A message as it is kept and compared: what was said, no clocks, no ids."""
    parts = []
    for part in message.parts:
        entry: dict[str, Any] = {"kind": part.part_kind}
        for name in ("tool_name", "args", "content"):
            value = getattr(part, name, None)
            if value is not None:
                entry[name] = _plain(value)
        parts.append(entry)
    return {"kind": message.kind, "parts": parts}


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return clean(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    data = getattr(value, "data", None)
    if isinstance(data, bytes):  # a picture: named by what it holds
        made_from = str(getattr(value, "identifier", "") or "")
        sent = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        return {"media_type": str(getattr(value, "media_type", "")), "of": made_from, **sent}
    return clean(str(value))


def digest_of(messages: list[dict[str, Any]], tools: list[str]) -> str:
    """What was asked, in a few characters."""
    compared = [
        {
            "kind": message["kind"],
            "parts": [
                {k: _meant(v) for k, v in part.items() if k != "content" or part.get("tool_name") not in CLOCKED}
                for part in message["parts"]
                if part["kind"] != "thinking"
            ],
        }
        for message in messages
    ]
    return identify("asked", compared, sorted(tools))


def _meant(value: Any) -> Any:
    """A part as it is compared: of a picture, what it was made from."""
    if not isinstance(value, list):
        return value
    return [
        {k: v[k] for k in ("media_type", "of")} if isinstance(v, dict) and {"media_type", "of"} <= v.keys() else v
        for v in value
    ]


def recorded(
    inner: Model,
    endpoint: Endpoint,
    task_id: str,
    *,
    before: Callable[[], None],
    keep: Callable[[Exchange], None],
    picture: dict[str, Any] | None = None,
) -> Model:
    """A model that keeps each exchange; `before` is called ahead of each request and may refuse it by raising.

    `picture` says of what is shown which record it is, where it goes with a request.

    Raises ModelFailed for what the endpoint answers with an error, too late, or not at all.
    """
    from pydantic_ai.messages import ModelMessagesTypeAdapter
    from pydantic_ai.models.wrapper import WrapperModel

    class Recorded(WrapperModel):
        number, seen = 0, 0

        async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> ModelResponse:
            before()
            self.number += 1
            said = [told(m) for m in messages]
            tools = [t.name for t in model_request_parameters.function_tools]
            begun = Exchange(
                task_id,
                self.number,
                endpoint.name,
                digest_of(said, tools),
                said[self.seen :],
                _offered(messages, model_request_parameters) if self.seen == 0 else {},
                picture=picture or {},
            )
            self.seen = len(said)
            try:
                async with asyncio.timeout(endpoint.timeout_seconds * PATIENCE):
                    response = await super().request(messages, model_settings, model_request_parameters)
            except Exception as error:  # a body of the wrong shape comes out as whatever the client stumbled on
                text = endpoint.redact(f"{type(error).__name__}: {error}"[:1000])
                keep(replace(begun, error=text))
                raise ModelFailed(text) from error
            response = _without_key(response, endpoint)
            usage = response.usage
            # an endpoint that counts nothing, or less, is counted all the same
            tokens_in = usage.input_tokens if usage.input_tokens > 0 else _about(said)
            tokens_out = usage.output_tokens if usage.output_tokens > 0 else _about([told(response)])
            answer = ModelMessagesTypeAdapter.dump_python([response], mode="json")[0]
            keep(
                replace(
                    begun,
                    answer=answer,
                    tokens_in=tokens_in,
                    tokens_out=tokens_out,
                    cost_usd=endpoint.cost(tokens_in, tokens_out),
                )
            )
            return response

    return Recorded(inner)


def _without_key(response: ModelResponse, endpoint: Endpoint) -> ModelResponse:
    """An answer in which an endpoint that repeats the key is not heard: the case is handed on, the key is not."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    if len(endpoint.api_key) < KEYS:
        return response
    said = ModelMessagesTypeAdapter.dump_python([response], mode="json")
    clean = _each(said, endpoint.redact)
    return response if clean == said else cast("ModelResponse", ModelMessagesTypeAdapter.validate_python(clean)[0])


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with each of its texts changed."""
    if isinstance(value, dict):
        return {_each(k, change): _each(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [_each(v, change) for v in value]
    return change(value) if isinstance(value, str) else value


def _about(messages: list[dict[str, Any]]) -> int:
    """Tokens of some messages where nobody counted them: four bytes each."""
    return len(canonical(messages)) // 4


def _offered(messages: Any, parameters: Any) -> dict[str, Any]:
    instructions = next((m.instructions for m in reversed(messages) if getattr(m, "instructions", None)), "")
    tools = [
        {"name": t.name, "description": t.description or "", "parameters": t.parameters_json_schema}
        for t in parameters.function_tools
    ]
    return {"instructions": str(instructions or ""), "tools": tools}


def replayed(
    task_id: str, endpoint: Endpoint, find: Callable[[str], Exchange | None], keep: Callable[[Exchange], None]
) -> Model:
    """A model that answers as the exchanges of an earlier run did; opens no connection.

    Raises ModelFailed where the earlier run did, and where something else is asked than was asked then.
    """
    from pydantic_ai.messages import ModelMessagesTypeAdapter
    from pydantic_ai.models.function import FunctionModel

    number = 0

    def answer(messages: Any, info: Any) -> ModelResponse:
        nonlocal number
        number += 1
        said = [told(m) for m in messages]
        digest = digest_of(said, [t.name for t in info.function_tools])
        wanted = Exchange(task_id, number, endpoint.name, digest)
        found = find(wanted.id)
        if found is None or found.digest != digest:
            why = "nothing was asked there" if found is None else "something else was asked"
            raise ModelFailed(f"{LEFT} at {task_id}, exchange {wanted.number}: {why} then")
        keep(found)
        if found.error:
            raise ModelFailed(found.error)
        return cast("ModelResponse", ModelMessagesTypeAdapter.validate_python([found.answer])[0])

    return FunctionModel(answer, model_name=endpoint.model)


def stored(exchange: Exchange) -> bytes:
    """An exchange as it is stored."""
    return canonical(
        {
            "task_id": exchange.task_id,
            "number": exchange.number,
            "endpoint": exchange.endpoint,
            "digest": exchange.digest,
            "offered": exchange.offered,
            "asked": exchange.asked,
            "answer": exchange.answer,
            "error": exchange.error,
            **({"picture": exchange.picture} if exchange.picture else {}),
        }
    )
