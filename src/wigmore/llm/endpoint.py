"""Model endpoints that speak OpenAI's chat completions: how one is reached, and what of a case never leaves the machine.

A case that is `local_only` reaches loopback alone: the host of an address is a loopback address written out (a name would be
resolved elsewhere), no proxy of the environment is asked, no redirect is followed, and the other end of the connection is
looked at. Protocol: https://developers.openai.com/api/reference/resources/chat/subresources/completions
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

LARGEST_ANSWER = 4 << 20  # bytes of a body; what is longer is no answer
CONNECT_SECONDS = 10.0
RETRIES = 2  # of a request that met a busy or silent endpoint
INSTALL = "a model needs the libraries of the extra `models`: pip install 'wigmore[models]'"


class EndpointError(ValueError):
    """An endpoint that cannot be used; the message names what is wrong and the remedy."""


@dataclass(frozen=True)
class Endpoint:
    """One model at one address. `usd`: price of a million tokens in and out, None where nobody stated it."""

    base_url: str
    model: str
    api_key: str = ""
    max_tokens: int = 4096
    reasoning_effort: str = ""
    thinking_enabled: bool = False
    timeout_seconds: float = 300.0
    usd: tuple[float, float] | None = None
    vision: bool = False
    retries: int = RETRIES

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(f"base_url {self.base_url!r} is no http or https address, as http://127.0.0.1:11434/v1")
        if parts.username or parts.password or parts.query:
            raise EndpointError(
                "base_url carries a secret: put the key into the environment and name it in api_key_env"
            )
        if not self.model:
            raise EndpointError("`model` is not set: name the model that the endpoint is to use")

    @property
    def local(self) -> bool:
        """Whether the address itself says that it stays on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def address(self) -> str:
        """The address with `localhost` written as a number, so that nobody resolves it."""
        return numbered(self.base_url)

    @property
    def name(self) -> str:
        """How reports name it: model and host."""
        return f"{self.model} at {urlsplit(self.base_url).netloc}"

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """What an exchange costs in USD; nothing where no price is stated."""
        return 0.0 if self.usd is None else (tokens_in * self.usd[0] + tokens_out * self.usd[1]) / 1_000_000

    def redact(self, text: str) -> str:
        """A text without the key."""
        return text.replace(self.api_key, "(key)") if self.api_key else text


def is_loopback(host: str) -> bool:
    """Whether a host is a loopback address written out, or `localhost`, which is never resolved but taken as one."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def numbered(url: str) -> str:
    """An address whose `localhost` is written as a number."""
    parts = urlsplit(url)
    if (parts.hostname or "").rstrip(".").lower() != "localhost":
        return url
    return urlunsplit(parts._replace(netloc=f"127.0.0.1:{parts.port}" if parts.port else "127.0.0.1"))


def refuse_remote(endpoint: Endpoint, local_only: bool) -> None:
    """Raises EndpointError where a case stays on this machine and an endpoint does not."""
    if local_only and not endpoint.local:
        raise EndpointError(
            f"the case is local_only, and {endpoint.base_url} is not a loopback address: use a model on this machine "
            "(http://127.0.0.1:PORT/v1), or take local_only out of the case file"
        )


def _guard(local_only: bool) -> httpx2.AsyncBaseTransport:
    """The way out: refuses other hosts than loopback where the case stays here, and bodies that are no answer."""
    import httpx2

    class Guard(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if local_only and not is_loopback(request.url.host):
                raise httpx2.ConnectError(f"the case is local_only: {request.url.host} is not this machine")
            response = await super().handle_async_request(request)
            stream = response.extensions.get("network_stream")
            peer = stream.get_extra_info("server_addr") if stream is not None else None
            if local_only and not (peer and is_loopback(str(peer[0]))):
                await response.aclose()
                raise httpx2.ConnectError(f"the case is local_only: the connection led to {peer}")
            response.stream = _Capped(response.stream)
            return response

    class _Capped(httpx2.AsyncByteStream):
        def __init__(self, inner: Any) -> None:
            self.inner, self.seen = inner, 0

        async def __aiter__(self) -> Any:
            async for piece in self.inner:
                self.seen += len(piece)
                if self.seen > LARGEST_ANSWER:
                    raise httpx2.ReadError(f"the answer is longer than {LARGEST_ANSWER} bytes")
                yield piece

        async def aclose(self) -> None:
            await self.inner.aclose()

    return Guard(trust_env=False)


def client(endpoint: Endpoint, *, local_only: bool) -> Model:
    """The model behind an endpoint, for one event loop; raises EndpointError."""
    refuse_remote(endpoint, local_only)
    try:
        import httpx2
        from openai import AsyncOpenAI
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
    except ImportError as error:
        raise EndpointError(f"{INSTALL} ({error})") from error

    class Spoken(OpenAIChatModel):
        """An empty text where the protocol allows none beside calls: some local servers take no null."""

        async def _map_messages(self, *given: Any, **named: Any) -> Any:
            out = await super()._map_messages(*given, **named)
            for message in out:
                if message["role"] == "assistant" and message.get("content") is None:
                    message["content"] = ""
            return out

    seconds = httpx2.Timeout(endpoint.timeout_seconds, connect=min(CONNECT_SECONDS, endpoint.timeout_seconds))
    inner = AsyncOpenAI(
        base_url=endpoint.address,
        api_key=endpoint.api_key or "none",
        max_retries=endpoint.retries,
        timeout=seconds,
        http_client=httpx2.AsyncClient(
            transport=_guard(local_only), trust_env=False, follow_redirects=False, timeout=seconds
        ),
    )
    newer = (urlsplit(endpoint.base_url).hostname or "").endswith("openai.com")  # others know `max_tokens` alone
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=newer)
    provider = OpenAICompatibleProvider("wigmore", openai_client=inner)
    known = Spoken(endpoint.model, provider=provider, profile=profile).profile
    return Spoken(endpoint.model, provider=provider, profile=profile, settings=_settings(endpoint, known))


async def close(model: Model) -> None:
    """Close the connections of a model, in the event loop that made them."""
    inner = getattr(getattr(model, "wrapped", model), "client", None)
    if inner is not None:
        await inner.close()


def _settings(endpoint: Endpoint, profile: Any) -> ModelSettings:
    """What each request of an endpoint carries; temperature 0 where the model takes one."""
    from pydantic_ai.models.openai import OpenAIChatModelSettings

    made = OpenAIChatModelSettings(max_tokens=endpoint.max_tokens)
    if endpoint.reasoning_effort:
        made["openai_reasoning_effort"] = endpoint.reasoning_effort  # type: ignore[typeddict-item]  # the endpoint judges it
    elif not profile.get("openai_supports_reasoning"):
        made["temperature"] = 0.0
    if endpoint.thinking_enabled:
        made["extra_body"] = {"chat_template_kwargs": {"enable_thinking": True}}
    return made
