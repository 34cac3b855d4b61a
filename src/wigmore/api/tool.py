"""`wigmore tool`: the bytes that a recorded call printed, printed again from the records and the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.api.cases import UseError, open_case
from wigmore.registry import tools
from wigmore.tools.runner import BadArguments, arguments


def call_tool(case: Path, name: str, given: list[str], source: str = "") -> tuple[bytes, str]:
    """Output bytes and outcome of a read-only tool; arguments come as `name=value`; raises UseError naming valid ones."""
    catalogue = tools()
    if name not in catalogue:
        raise UseError(f"unknown tool {name!r}; one of {', '.join(catalogue)}")
    tool = catalogue[name]
    if not tool.read_only:
        raise UseError(f"{name} changes the case's state: only a run calls it")
    values: dict[str, Any] = {}
    for item in given:
        key, sign, value = item.partition("=")
        if not sign:
            raise UseError(f"arguments are given as name=value, not {item!r}")
        values[key] = value
    with open_case(case) as bench:
        known = [s.id for s in bench.case_file.sources]
        if source and source not in known:
            raise UseError(f"unknown source {source!r}; one of {', '.join(known)}")
        try:
            args = arguments(tool, values)
        except BadArguments as error:
            raise UseError(str(error)) from error
        output, _ = bench.runner.execute(tool, args, source, "examiner")
        return output.encode(name), output.outcome
