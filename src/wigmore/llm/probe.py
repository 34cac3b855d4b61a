"""Whether an endpoint answers: one small request with the key and the model configured, before anything relies on it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from wigmore.llm.endpoint import Endpoint, EndpointError, client, close

if TYPE_CHECKING:
    from pydantic_ai.models import Model

SECONDS = 60.0  # a local server may have to load its model first
NAMED = 12  # models that a message names


def probe(endpoint: Endpoint, *, local_only: bool) -> None:
    """Raises EndpointError with the remedy where the endpoint cannot be used as it is configured."""
    asyncio.run(_probe(replace(endpoint, timeout_seconds=min(SECONDS, endpoint.timeout_seconds)), local_only))


async def _probe(endpoint: Endpoint, local_only: bool) -> None:
    model = client(endpoint, local_only=local_only)
    try:
        await _ask(endpoint, model)
    finally:
        await close(model)


async def _ask(endpoint: Endpoint, model: Model) -> None:
    from pydantic_ai.exceptions import (
        AgentRunError,
        ModelAuthenticationError,
        ModelConnectionError,
        ModelHTTPError,
        ModelNotFoundError,
    )
    from pydantic_ai.messages import ModelRequest
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

    asked = ModelSettings(max_tokens=min(endpoint.max_tokens, 64))
    try:
        async with asyncio.timeout(2 * SECONDS):
            await model.request(
                [ModelRequest.user_text_prompt("Answer with the word ready.")], asked, ModelRequestParameters()
            )
    except ModelAuthenticationError as error:
        raise EndpointError(
            f"{endpoint.base_url} refuses the key (HTTP {error.status_code}): set the environment variable that "
            "agent.api_key_env names (WIGMORE_MODEL_API_KEY unless set otherwise)"
            if isinstance(error, ModelHTTPError)
            else f"{endpoint.base_url} refuses the key"
        ) from error
    except (ModelNotFoundError, ModelHTTPError) as error:
        status = getattr(error, "status_code", "")
        known = await _names(endpoint, model)
        listed = f"; it has: {', '.join(known)}" if known else ""
        if isinstance(error, ModelNotFoundError) or status in (400, 404):
            raise EndpointError(
                f"{endpoint.base_url} does not serve the model {endpoint.model!r} (HTTP {status}){listed}. "
                f"It said: {_said(endpoint, error)}"
            ) from error
        raise EndpointError(f"{endpoint.base_url} answers with HTTP {status}: {_said(endpoint, error)}") from error
    except (ModelConnectionError, TimeoutError, OSError) as error:
        raise EndpointError(
            f"nothing usable answers at {endpoint.base_url} ({_said(endpoint, error)}): start the model server, or correct "
            "agent.base_url"
        ) from error
    except (AgentRunError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EndpointError(
            f"{endpoint.base_url} does not speak OpenAI's chat completions ({_said(endpoint, error)}): does base_url end in "
            "the API's own path, as /v1?"
        ) from error


def _said(endpoint: Endpoint, error: Exception) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    return endpoint.redact(str(message or error or type(error).__name__))[:300]


async def _names(endpoint: Endpoint, model: object) -> list[str]:
    """The models that an endpoint says it has; none where it does not say."""
    inner = getattr(model, "client", None)
    if inner is None:
        return []
    try:
        async with asyncio.timeout(SECONDS):
            listed = await inner.models.list()
        return sorted(str(m.id) for m in listed.data)[:NAMED]
    except Exception:  # noqa: BLE001  # the list is a help in a message, no part of the judgement
        return []
