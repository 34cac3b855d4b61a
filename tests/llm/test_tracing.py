"""Spans of what models are asked: sent where the configuration says, with names and numbers, without any text."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from wigmore.llm.endpoint import EndpointError
from wigmore.llm.tracing import Tracing


def test_spans_follow_the_genai_conventions_and_hold_no_text() -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from pydantic_ai import Agent
    from pydantic_ai.models.test import TestModel

    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        tracing = Tracing(f"http://localhost:{server.server_address[1]}/v1/traces", local_only=True)
        agent = Agent(
            TestModel(custom_output_text="the secret answer"), name="network", capabilities=[tracing.capability]
        )
        asyncio.run(agent.run("the secret question"))
        tracing.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    spans = []
    for body in bodies:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            spans += [s for scope in part.scope_spans for s in scope.spans]
    names = {s.name for s in spans}
    keys = {a.key for s in spans for a in s.attributes}
    assert any("network" in name for name in names)
    assert {"gen_ai.operation.name", "gen_ai.request.model", "gen_ai.usage.input_tokens"} <= keys
    assert all(b"secret" not in body for body in bodies)


@pytest.mark.parametrize(
    ("url", "said"),
    [("collector:4318", "is no http or https address"), ("http://10.0.0.9:4318/v1/traces", "local_only")],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, said: str) -> None:
    with pytest.raises(EndpointError, match=said):
        Tracing(url, local_only=True)
