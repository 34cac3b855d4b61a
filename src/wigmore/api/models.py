"""The models of a case as the use cases need them: each asked once whether it answers, before anything relies on it."""

from __future__ import annotations

from collections.abc import Callable

from wigmore.api.cases import FAILED, UseError
from wigmore.investigation.reasoning import Reasoning, ready
from wigmore.investigation.workbench import Workbench
from wigmore.llm.endpoint import EndpointError
from wigmore.llm.tracing import Tracing


def probed(bench: Workbench, say: Callable[[str], None]) -> Reasoning:
    """The models that a case's configuration names; UseError (exit 1) for one that cannot be used."""
    try:
        endpoints = ready(bench.config, local_only=bench.local_only, say=say)
        url = bench.config.tracing_endpoint
        tracing = Tracing(url, local_only=bench.local_only) if url and endpoints else None
        return Reasoning(bench, endpoints, say=say, tracing=tracing)
    except EndpointError as error:
        raise UseError(f"the model cannot be used: {error}", FAILED) from error
