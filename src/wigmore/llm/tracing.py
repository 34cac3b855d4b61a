"""Spans of what models are asked, sent where the configuration says: a projection, the ledger is the truth.

They follow OpenTelemetry's conventions for generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/), as the agent
library writes them: runs of roles, requests, tool calls, tokens. No text of prompts, answers or evidence is in them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wigmore.llm.endpoint import EndpointError, is_loopback, numbered

INSTALL = "tracing needs the libraries of the extra `tracing`: pip install 'wigmore[tracing]'"
SECONDS = 5.0  # that an export, and the last one at the end, may take


class Tracing:
    """Where spans go; `capability` is what an agent is given, `close` sends what is left."""

    def __init__(self, url: str, *, local_only: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(
                f"tracing_endpoint {url!r} is no http or https address, as http://127.0.0.1:4318/v1/traces"
            )
        if local_only and not is_loopback(parts.hostname):
            raise EndpointError(f"the case is local_only, and tracing_endpoint {url} is not a loopback address")
        try:
            import requests
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise EndpointError(f"{INSTALL} ({error})") from error
        session = requests.Session()
        session.trust_env = False  # no proxy of the environment
        session.max_redirects = 0
        self.provider = TracerProvider(resource=Resource({"service.name": "wigmore"}))
        exporter = OTLPSpanExporter(endpoint=numbered(url), timeout=SECONDS, session=session)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))

    @property
    def capability(self) -> Any:
        """The capability of pydantic-ai that writes the spans of one agent."""
        from pydantic_ai.capabilities import Instrumentation
        from pydantic_ai.models.instrumented import InstrumentationSettings

        return Instrumentation(
            InstrumentationSettings(
                tracer_provider=self.provider,
                include_content=False,
                include_binary_content=False,
                include_model_request_parameters=False,
            )
        )

    def close(self) -> None:
        """Send what is left."""
        self.provider.force_flush(int(SECONDS * 1000))
        self.provider.shutdown()
