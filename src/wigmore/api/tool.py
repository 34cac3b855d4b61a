"""`wigmore tool`: the bytes that a recorded call printed, printed again from the records and the evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.registry import tools
from wigmore.tools.runner import BadArguments, arguments

EXAMINERS = frozenset(("recovery",))  # domains whose tools change the case and are the examiner's to call


def call_tool(
    case: Path, name: str, given: list[str], source: str = "", say: Callable[[str], None] = lambda text: None
) -> tuple[bytes, str]:
    """Output bytes and outcome of a tool; arguments come as `name=value`; raises UseError naming valid ones.

    A read-only tool leaves no trace; one of the examiner's own (password recovery) is recorded in the ledger.
    """
    catalogue = tools()
    if name not in catalogue:
        raise UseError(f"unknown tool {name!r}; one of {', '.join(catalogue)}")
    tool = catalogue[name]
    examiners = tool.domain in EXAMINERS
    if not tool.read_only and not examiners:
        raise UseError(f"{name} changes the case's state: only a run calls it")
    values: dict[str, Any] = {}
    for item in given:
        key, sign, value = item.partition("=")
        if not sign:
            raise UseError(f"arguments are given as name=value, not {item!r}")
        values[key] = value
    with open_case(case, write=examiners) as bench:
        bench.say = say
        known = [s.id for s in bench.case_file.sources]
        if source and source not in known:
            raise UseError(f"unknown source {source!r}; one of {', '.join(known)}")
        try:
            args = arguments(tool, values)
        except BadArguments as error:
            raise UseError(str(error)) from error
        if examiners:
            source = source or (known[0] if len(known) == 1 else "")
            call = bench.runner.call(name, args, source_id=source, agent="examiner", task_id=f"examiner:{name}")
            return bench.outputs.get(call.invocation.output_sha256), call.invocation.status
        output, _ = bench.runner.execute(tool, args, source, "examiner")
        return output.encode(name), output.outcome
