"""What holds for every tool there is, whoever wrote it."""

from __future__ import annotations

import json
import re
import shlex
import typing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wigmore.api.cases import UseError
from wigmore.api.tool import call_tool
from wigmore.cli.main import app
from wigmore.investigation.workbench import Workbench
from wigmore.registry import Tool, found, tools
from wigmore.tools.runner import BadArguments, arguments, schema

SOURCES = (
    "src-laptop",
    "src-stick",
    "src-iphone",
    "src-android",
    "src-photographs",
    "src-server",
    "src-archive",
    "src-disc",
)
CHANGES_BY_ITSELF = {"budget_status"}  # a view of the clock: recorded, never cached, never cited
EXAMPLES: dict[str, dict[str, Any]] = {
    "match_indicator": {"rule": "registry.last_shutdown"},
    "scan_indicators": {"role": "registry"},
    "source_coverage": {"source_id": "src-laptop"},
    "parse_registry_key": {"key": "HKLM\\SYSTEM\\CurrentControlSet\\Control"},
    "search_strings": {"pattern": "KESTREL"},
    "list_directory": {"recursive": True},
    "sqlite_query": {"path": "private/var/mobile/Library/SMS/sms.db", "table": "message"},
    "parse_plist": {"path": "System/Library/CoreServices/SystemVersion.plist"},
    "read_text_file": {"path": "etc/passwd"},
    "read_binary_preview": {"path": "usb_stick.img"},
    "unzip_archive": {"path": "handover_private.zip"},
    "extract_file": {"path": "etc/passwd"},
    "set_active_partition": {"path": "usb_stick.img/p1"},
    "ocr_image": {"path": "IMG_0409.jpg"},
    "search_graph": {"text": "anydesk"},
}
PLAIN = (str, int, float, bool)


def example(tool: Tool) -> dict[str, Any]:
    """Arguments a tool can be called with: those of EXAMPLES, else a word or a number for what is required."""
    if tool.name in EXAMPLES:
        return EXAMPLES[tool.name]
    return {name: "x" if entry["type"] is str else 1 for name, entry in schema(tool).items() if entry["required"]}


def outputs(bench: Workbench, source: str) -> dict[str, bytes]:
    """The bytes of every read-only tool on a source."""
    out = {}
    for name, tool in tools().items():
        if tool.read_only:
            output, error = bench.runner.execute(tool, arguments(tool, example(tool)), source, "examiner")
            assert not error, f"{name} on {source} raised {error}"
            out[name] = output.encode(name)
    return out


@pytest.fixture(scope="module")
def printed(bench: Workbench) -> dict[str, dict[str, bytes]]:
    """What every tool prints on every source."""
    return {source: outputs(bench, source) for source in ("", *SOURCES)}


@pytest.mark.parametrize("tool", tools().values(), ids=lambda t: t.name)
def test_every_tool_has_a_schema_and_says_what_it_does(tool: Tool) -> None:
    text = tool.function.__doc__ or ""
    first = " ".join(text.strip().split("\n\n")[0].split())
    assert first.endswith((".", ":")) or ". " in first, f"{tool.name}: its description does not begin with a sentence"
    assert re.match(r"[A-Z][a-z]+ ", first), f"{tool.name}: its description begins with no verb"
    for name, entry in schema(tool).items():
        kinds = typing.get_args(entry["type"]) or (entry["type"],)
        assert all(k in (*PLAIN, type(None), typing.Any) or typing.get_origin(k) in (list, dict) for k in kinds), name
    if not tool.read_only:
        assert not tool.cached


def test_every_tool_is_deterministic_and_keeps_clocks_and_places_out(
    printed: dict[str, dict[str, bytes]], investigated: Path
) -> None:
    place = str(investigated).encode()
    with Workbench(investigated / "case", write=False) as second:
        for source in SOURCES:
            again = outputs(second, source)
            for name, data in printed[source].items():
                if name not in CHANGES_BY_ITSELF:
                    assert data == again[name], f"{name} on {source} printed other bytes"
                assert place not in data, f"{name} on {source} names a place of this machine"
                header = json.loads(data.split(b"\n")[0])
                assert header["outcome"] in ("found", "empty", "failed", "not_applicable")
                assert (header["outcome"] == "found") == bool(header["rows"]), name
                if header["outcome"] in ("failed", "not_applicable"):
                    assert header["note"], f"{name} on {source} does not say why it could not look"


def test_rows_that_show_a_record_can_be_cited(bench: Workbench, printed: dict[str, dict[str, bytes]]) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for source in SOURCES:
        for name, data in printed[source].items():
            for row in (json.loads(line) for line in data.splitlines()[1:]):
                if "record_id" in row:
                    assert {"path", "artifact", "locator", "state", "data"} <= set(row), name
                    seen[row["record_id"]] = row
    stored = bench.store.by_id(seen)
    assert set(stored) == set(seen)
    assert all(stored[i]["path"] == row["path"] and stored[i]["artifact"] == row["artifact"] for i, row in seen.items())


@pytest.mark.parametrize("tool", tools().values(), ids=lambda t: t.name)
def test_wrong_arguments_are_refused_with_the_valid_ones_named(tool: Tool) -> None:
    with pytest.raises(BadArguments) as refused:
        arguments(tool, {**example(tool), "no_such_argument": 1})
    assert "no_such_argument" in str(refused.value)
    assert all(name in str(refused.value) for name in schema(tool))
    required = [n for n, e in schema(tool).items() if e["required"]]
    if required:
        with pytest.raises(BadArguments, match=required[0]):
            arguments(tool, {})


def test_a_call_without_a_source_looks_at_all_or_says_that_it_needs_one(printed: dict[str, dict[str, bytes]]) -> None:
    for name, data in printed[""].items():
        header = json.loads(data.split(b"\n")[0])
        assert header["outcome"] != "failed" or header["note"], name


RERUN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "src-laptop",
        "search_strings",
        {"pattern": "any ?desk", "regex": True, "encodings": ["utf-8", "utf-16-le"], "limit": 7},
    ),
    (
        "src-iphone",
        "sqlite_query",
        {
            "path": "private/var/mobile/Library/SMS/sms.db",
            "table": "message",
            "columns": ["ROWID", "text"],
            "where": {"ROWID": {"op": "<", "value": 5}},
        },
    ),
    ("src-stick", "list_directory", {"path": "usb_stick.img/p1", "recursive": False}),
)


def test_the_rerun_command_of_a_recorded_call_prints_its_bytes(case: Path) -> None:
    recorded = []
    with Workbench(case) as bench:
        for source, name, args in RERUN:
            called = bench.runner.call(name, args, source_id=source, agent="examiner", task_id="t")
            assert called.invocation.status == "found", name
            recorded.append((called.invocation.rerun, bench.outputs.get(called.invocation.output_sha256)))
    for command, output in recorded:
        words = shlex.split(command)
        assert words[:3] == ["wigmore", "tool", str(case)]
        if words[3] == "list_directory":  # the whole way once: opening a case takes its time
            shown = CliRunner().invoke(app, words[1:])
            assert (shown.exit_code, shown.stdout_bytes) == (0, output)
        else:
            assert call_tool(case, words[3], words[6:], words[5])[0] == output


def test_a_tool_that_changes_the_case_is_not_run_from_the_command_line(case: Path) -> None:
    with pytest.raises(UseError, match="extract_file"):
        call_tool(case, "extract_file", ["path=etc/passwd"], "src-server")


@pytest.mark.parametrize("role", found("role").values(), ids=lambda r: r.name)
def test_a_role_names_only_tools_that_exist(role: Any) -> None:
    assert set(role.tools) <= set(tools()), sorted(set(role.tools) - set(tools()))
    assert len(set(role.tools)) == len(role.tools)
