"""The command line as scripts rely on it: exit codes, refusals in one line, JSON lines with the fields of INTERFACE.md."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wigmore.api.cases import open_case
from wigmore.api.show import VIEWS
from wigmore.cli import main as module
from wigmore.cli.show import COLUMNS, safe
from wigmore.registry import tools
from wigmore.tools.runner import arguments

COMMANDS = (
    "demo",
    "new",
    "check",
    "run",
    "ask",
    "show",
    "review",
    "export",
    "audit",
    "diff",
    "tool",
    "list",
    "explain",
)
TIME = {"text", "instant", "zone", "raw", "owner", "precision", "zone_source"}
FIELDS: dict[str, set[str]] = {
    "records": {
        "source_id",
        "artifact",
        "parser",
        "path",
        "locator",
        "time",
        "time_field",
        "data",
        "times",
        "state",
        "host_id",
        "origin",
        "record_id",
    },
    "facts": {
        "fact_id",
        "phenomenon_id",
        "source_id",
        "artifact",
        "path",
        "locator",
        "name",
        "value",
        "invocation_id",
        "output_sha256",
        "rerun",
    },
    "coverage": {
        "source_id",
        "path",
        "artifact",
        "parser",
        "outcome",
        "records",
        "reason",
        "seconds",
        "complete",
        "covers_from",
        "covers_to",
        "recorder",
        "needs",
    },
    "invocations": {
        "id",
        "tool",
        "args",
        "source_id",
        "agent",
        "task_id",
        "started",
        "finished",
        "status",
        "output_sha256",
        "rerun",
        "lead_id",
    },
    "phenomena": {
        "id",
        "source_id",
        "agent",
        "category",
        "title",
        "verified_facts",
        "interpretation",
        "created_at",
        "occurred_at",
    },
    "readings": {
        "source_id",
        "path",
        "rank",
        "rule",
        "attack",
        "category",
        "title",
        "significance",
        "records",
        "phenomena",
    },
    "hypotheses": {"id", "title", "description", "prior_prob", "log_odds", "confidence", "status", "confidence_log"},
    "edges": {"id", "phenomenon_id", "hypothesis_id", "edge_type"},
    "entities": {"id", "type", "name", "source_id", "identifiers", "cluster", "cluster_name", "cluster_size"},
    "links": {"id", "first", "second", "relation", "hypothesis_id", "phenomenon_id", "first_name", "second_name"},
    "contacts": {"first", "second", "first_name", "second_name", "count", "first_at", "last_at"},
    "leads": {
        "id",
        "target_agent",
        "description",
        "priority",
        "context",
        "status",
        "hypothesis_id",
        "proposed_by",
        "motivating_hypothesis",
        "expected_evidence_type",
        "round_number",
    },
    "rounds": {
        "id",
        "round_number",
        "started_at",
        "completed_at",
        "strategist_action",
        "leads_proposed",
        "leads_executed",
        "hypothesis_status_snapshot_before",
        "hypothesis_status_snapshot_after",
        "phenomena_count_before",
        "phenomena_count_after",
        "edges_count_before",
        "edges_count_after",
        "decision_rationale",
        "new_phenomena_count",
        "new_edges_count",
        "status_flips",
    },
    "rejections": {"id", "agent", "source_id", "what", "reason", "proposal"},
    "models": {"id", "task_id", "role", "tried", "stands", "why", "agreement"},
    "exchanges": {"id", "task_id", "number", "role", "endpoint", "digest", "output_sha256", "tokens_in", "tokens_out"},
    "timeline": {"time", "source_id", "phenomenon_id", "title"},
    "questions": {"id", "ask", "status"},
    "findings": {"hypothesis_id", "title", "verdict", "reasons", "status", "review", "review_by", "review_at"},
    "obligations": {"kind", "id", "state", "title", "reason", "needs", "coverage", "invocations", "phenomena", "count"},
    "reviews": {"item", "kind", "review", "by", "at", "reason", "text", "not_grounded", "disagreements", "history"},
    "custody": {"id", "path", "hashes"},
    "matrix": {"phenomenon_id", "title", "source_id", "edges"},
    "graph-hash": {"graph_hash"},
}

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """Run the program in this process: exit code, standard output, standard error."""

    def call(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wigmore", *map(str, args)])
        capsysbinary.readouterr()
        try:
            module.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        out, error = capsysbinary.readouterr()
        return code, out.decode(), error.decode()

    return call


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def one_line(error: str) -> bool:
    return error.startswith("wigmore: ") and len(error.strip().splitlines()) == 1 and "Traceback" not in error


def test_help_lists_the_commands_and_the_exit_codes(cli: Cli) -> None:
    code, out, _ = cli("--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)
    flat = " ".join(out.split())
    assert all(
        word in flat
        for word in ("0 done", "1 failed", "2 usage", "3 done with gaps", "4 integrity failure", "5 budget spent")
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli: Cli, command: str) -> None:
    code, out, _ = cli(command, "--help")
    assert code == 0 and "Usage:" in out


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = "import sys, wigmore.cli.main; print([m for m in ('duckdb', 'pytsk3', 'dfvfs', 'PIL', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_mistyped_command_names_the_near_one(cli: Cli) -> None:
    code, _, error = cli("rnu")
    assert code == 2 and "'rnu'" in error and "'run'" in error


@pytest.mark.parametrize(
    "args",
    [(), ("show",), ("show", "x"), ("run",), ("audit", "x", "--nonsense"), ("show", "x", "records", "-t", "xml")],
)
def test_wrong_usage_ends_with_2(cli: Cli, args: tuple[str, ...]) -> None:
    code, _, error = cli(*args)
    assert code == 2 and "Traceback" not in error


@pytest.mark.parametrize(
    "args",
    [
        ("show", "{}", "records"),
        ("check", "{}"),
        ("audit", "{}"),
        ("ask", "{}", "why?"),
        ("tool", "{}", "query_records"),
        ("export", "{}", "-t", "csv", "-o", "{}/out"),
        ("diff", "{}", "{}"),
        ("review", "{}", "x", "--accept", "--reason", "r", "--by", "b"),
    ],
)
def test_a_folder_that_is_no_case_is_refused_in_one_line_that_says_what_to_do(
    cli: Cli, tmp_path: Path, args: tuple[str, ...]
) -> None:
    code, out, error = cli(*(a.format(tmp_path) for a in args))
    assert code == 2 and out == ""
    assert one_line(error) and "case.yaml" in error


def test_a_format_that_this_machine_cannot_write_loses_no_other(
    cli: Cli, investigated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    code, out, error = cli("export", investigated / "case", "-t", "pdf,csv,stix", "-o", tmp_path)
    assert code == 1 and one_line(error) and "pip install 'wigmore[pdf]'" in error
    assert out.split() == [str(tmp_path / "facts.csv"), str(tmp_path / "stix.json")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["facts.csv", "stix.json"]


@pytest.mark.parametrize("asked", [("-t", "csv", "-t", "stix"), ("-t", "csv, stix"), ("-t", "csv,csv", "-t", "stix")])
def test_formats_are_named_with_commas_or_one_option_each(
    cli: Cli, investigated: Path, tmp_path: Path, asked: tuple[str, ...]
) -> None:
    code, out, _ = cli("export", investigated / "case", *asked, "-o", tmp_path)
    assert code == 0 and out.split() == [str(tmp_path / "facts.csv"), str(tmp_path / "stix.json")]


def test_an_export_of_nothing_is_refused(cli: Cli, investigated: Path, tmp_path: Path) -> None:
    code, _, error = cli("export", investigated / "case", "-t", ",", "-o", tmp_path)
    assert code == 2 and one_line(error) and "stix" in error


def test_a_case_that_was_never_run_names_the_command_that_runs_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    assert cli("new", tmp_path / "case", tmp_path / "e.txt")[0] == 0
    code, _, error = cli("show", tmp_path / "case", "records")
    assert code == 2 and one_line(error) and "wigmore run" in error


def test_evidence_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    code, _, error = cli("run", tmp_path / "nothing.E01", "-o", tmp_path / "case")
    assert code == 2 and one_line(error) and "nothing.E01" in error
    assert not (tmp_path / "case").exists()


def test_evidence_without_a_folder_for_the_case_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    code, _, error = cli("run", tmp_path / "e.txt")
    assert code == 2 and "-o CASE" in error


def test_a_case_inside_its_evidence_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    code, _, error = cli("run", tmp_path, "-o", tmp_path / "case")
    assert code == 2 and one_line(error) and "inside" in error


@pytest.mark.parametrize(
    ("config", "named"),
    [("colour: red\n", "colour"), ("strategist: {max_rounds: ten}\n", "max_rounds"), ("[", "config.yaml")],
)
def test_a_faulty_configuration_stops_the_run_with_2(cli: Cli, tmp_path: Path, config: str, named: str) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    cli("new", tmp_path / "case", tmp_path / "e.txt")
    (tmp_path / "case" / "config.yaml").write_text(config, encoding="utf-8")
    code, _, error = cli("run", tmp_path / "case", "-q")
    assert code == 2 and named in error and "Traceback" not in error


def test_garbage_is_examined_without_a_traceback(cli: Cli, tmp_path: Path) -> None:
    import random

    garbage = tmp_path / "garbage"
    garbage.mkdir()
    chance = random.Random(5)
    for number, head in enumerate(
        [
            b"",
            b"regf",
            b"MZ",
            b"PK\x03\x04",
            b"SQLite format 3\x00",
            b"EVF\x09\x0d\x0a\xff\x00",
            b"ElfFile\x00",
            b"\x1f\x8b",
            b"%PDF-1.4",
            b"bplist00",
            b"\xff\xd8\xff\xe1",
            b"L\x00\x00\x00\x01\x14\x02\x00",
        ]
    ):
        (garbage / f"f{number}").write_bytes(head + chance.randbytes(3000))
    code, out, error = cli("run", garbage, "-o", tmp_path / "case", "--progress", "none", "--jobs", "1")
    assert code in (0, 3), error
    assert "Traceback" not in error and "findings:" in out
    assert out.strip().splitlines()[-1].startswith("next: wigmore ")


def test_one_damaged_source_is_a_gap_and_not_the_end(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    cli("new", tmp_path / "case", tmp_path / "e.txt")
    file = tmp_path / "case" / "case.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("sources:\n", "sources:\n  - {id: src-gone, path: gone.E01}\n", 1), encoding="utf-8")
    code, out, _ = cli("run", tmp_path / "case", "--progress", "none", "--jobs", "1")
    assert code == 3 and "src-gone" in out


def test_a_stated_hash_that_differs_stops_the_run_with_4(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("x", encoding="utf-8")
    cli("new", tmp_path / "case", tmp_path / "e.txt")
    file = tmp_path / "case" / "case.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("    path:", f"    container_sha256: {'0' * 64}\n    path:", 1),
        encoding="utf-8",
    )
    code, _, error = cli("run", tmp_path / "case", "--progress", "none", "--jobs", "1")
    assert code == 4 and one_line(error) and "container_sha256" in error


def test_a_spent_budget_ends_with_5(cli: Cli, case: Path) -> None:
    (case / "config.yaml").write_text("budgets: {tool_calls_total: 1}\n", encoding="utf-8")
    code, out, _ = cli("run", case, "--progress", "none", "--no-audit", "--jobs", "1")
    assert code == 5 and "budget spent: tool_calls" in out


def test_a_zone_changes_tables_only_and_an_unknown_one_is_refused(cli: Cli, investigated: Path) -> None:
    asked = ("show", investigated / "case", "records", "--artifact", "web.access", "-t")
    code, out, error = cli(*asked, "csv", "--zone", "Asia/Tokyo")
    assert code == 0 and "+09:00" in out and "Asia/Tokyo" in error
    assert cli(*asked, "jsonl", "--zone", "Asia/Tokyo")[1] == cli(*asked, "jsonl")[1]
    code, _, error = cli(*asked, "csv", "--zone", "Nowhere/Land")
    assert code == 2 and one_line(error) and "Nowhere/Land" in error


def test_words_are_searched_and_a_file_is_extracted_once(cli: Cli, case: Path, tmp_path: Path) -> None:
    code, out, error = cli("search", case, "auth.log sshd", "-t", "jsonl", "--limit", "3")
    found = rows(out)
    assert code == 0 and 0 < len(found) <= 3 and "records that hold all words" in error
    target = tmp_path / "auth.log"
    code, out, _ = cli("extract", case, found[0]["record_id"], "-o", target)
    (said,) = rows(out)
    assert code == 0 and hashlib.sha256(target.read_bytes()).hexdigest() == said["sha256"] and said["as_listed"]
    code, _, error = cli("extract", case, found[0]["record_id"], "-o", target)
    assert code == 2 and "exists" in error
    code, _, error = cli("extract", case, found[0]["record_id"], "-o", case / "inside")
    assert code == 2 and "inside the case" in error
    code, _, error = cli("extract", case, "no/such/file", "-o", tmp_path / "x")
    assert code == 1 and one_line(error) and not (tmp_path / "x").exists()
    code, _, error = cli("search", case, "...")
    assert code == 2 and one_line(error)


def test_a_file_that_changed_since_it_was_listed_is_not_extracted(cli: Cli, case: Path, tmp_path: Path) -> None:
    found = rows(cli("search", case, "auth.log sshd", "-t", "jsonl", "--limit", "1")[1])[0]
    file = next(p for p in (case.parent / "sample").rglob("auth.log"))
    file.write_bytes(file.read_bytes() + b"more\n")
    code, _, error = cli("extract", case, found["record_id"], "-o", tmp_path / "x")
    assert code == 4 and "not what was listed" in error and not (tmp_path / "x").exists()


# show ------------------------------------------------------------------------------------------------------------------


def test_every_view_is_listed_and_checked_here() -> None:
    assert set(FIELDS) == set(VIEWS)
    assert set(COLUMNS) - {"kinds"} <= set(VIEWS)  # kinds: the table of `bench cases`


@pytest.mark.parametrize("view", [v for v in FIELDS if v != "graph-hash"])
def test_a_view_prints_json_lines_with_its_fields_and_the_case_in_the_same_order(
    cli: Cli, investigated: Path, view: str
) -> None:
    code, out, error = cli("show", investigated / "case", view, "-t", "jsonl")
    assert (code, error) == (0, "")
    found = rows(out)
    assert found or view in ("rejections", "reviews", "models", "exchanges")  # the case was investigated by rules alone
    for row in found:
        assert FIELDS[view] | {"case"} <= set(row)
        assert row["case"] == "wigmore-demo"
    assert cli("show", investigated / "case", view, "-t", "jsonl")[1] == out


def test_times_have_the_parts_of_the_interface_and_only_utc_ends_in_z(cli: Cli, investigated: Path) -> None:
    dated = [
        t
        for r in rows(cli("show", investigated / "case", "records", "-t", "jsonl")[1])
        for t in [r["time"], *r["times"].values()]
        if t
    ]
    assert dated
    for time in dated:
        assert set(time) == TIME
        assert time["text"].endswith("Z") == (time["zone"] == "Z")
        assert (time["instant"] is None) == (time["zone"] == "local-unknown")


def test_locators_say_their_kind_and_paths_are_relative(cli: Cli, investigated: Path) -> None:
    for row in rows(cli("show", investigated / "case", "records", "-t", "jsonl")[1]):
        assert row["locator"]["kind"]
        assert not row["path"].startswith("/") and str(investigated) not in row["path"]


def test_records_can_be_limited_to_artifact_and_source(cli: Cli, investigated: Path) -> None:
    chosen = rows(
        cli(
            "show",
            investigated / "case",
            "records",
            "--artifact",
            "file_listing",
            "--source",
            "src-server",
            "-t",
            "jsonl",
        )[1]
    )
    assert chosen and {(r["artifact"], r["source_id"]) for r in chosen} == {("file_listing", "src-server")}
    for wrong in (("--artifact", "no.such"), ("--source", "src-none")):
        code, out, error = cli("show", investigated / "case", "records", *wrong, "-t", "jsonl")
        assert (code, out) == (2, "") and one_line(error)


def test_coverage_outcomes_are_the_five_and_a_failure_has_a_reason(cli: Cli, investigated: Path) -> None:
    found = rows(cli("show", investigated / "case", "coverage", "-t", "jsonl")[1])
    assert {r["outcome"] for r in found} <= {"found", "empty", "failed", "not_applicable", "not_run"}
    assert all(r["reason"] for r in found if r["outcome"] in ("failed", "not_run"))


def test_the_graph_hash_is_one_line(cli: Cli, investigated: Path) -> None:
    code, out, _ = cli("show", investigated / "case", "graph-hash")
    assert code == 0 and len(out.strip()) == 64 and out.count("\n") == 1


@pytest.mark.parametrize(
    "view", ["findings", "records", "facts", "coverage", "leads", "rounds", "invocations", "hypotheses", "timeline"]
)
def test_tables_and_csv_are_printed_of_every_kind(cli: Cli, investigated: Path, view: str) -> None:
    code, table, error = cli("show", investigated / "case", view)
    assert (code, error) == (0, "") and table.strip()
    code, text, _ = cli("show", investigated / "case", view, "-t", "csv")
    read = list(csv.reader(io.StringIO(text)))
    assert code == 0 and len({len(r) for r in read}) == 1 and len(read) > 1


def test_an_unknown_view_names_the_known_ones(cli: Cli, investigated: Path) -> None:
    code, _, error = cli("show", investigated / "case", "nonsense")
    assert code == 2 and one_line(error) and all(view in error for view in VIEWS)


# tool ------------------------------------------------------------------------------------------------------------------


def test_every_recorded_call_can_be_run_again_by_its_command_and_prints_its_bytes(investigated: Path) -> None:
    seen: set[str] = set()
    with open_case(investigated / "case") as bench:
        for invocation in bench.runner.known.values():
            if not tools()[invocation.tool].cached or invocation.rerun in seen:
                continue  # views show the graph as it stood, which has grown since
            seen.add(invocation.rerun)
            program, command, case, name, *rest = shlex.split(invocation.rerun)
            assert (program, command, case, name) == ("wigmore", "tool", str(investigated / "case"), invocation.tool)
            source = rest[1] if rest[:1] == ["--source"] else ""
            given = dict(item.split("=", 1) for item in (rest[2:] if source else rest))
            args = arguments(tools()[name], given)
            assert args == invocation.args
            output, _ = bench.runner.execute(tools()[name], args, source, "examiner")
            assert output.encode(name) == bench.outputs.get(invocation.output_sha256), invocation.rerun
    assert len(seen) > 50


def test_the_command_prints_the_recorded_bytes(cli: Cli, investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        chosen = {i.tool: i for i in bench.runner.known.values() if tools()[i.tool].cached and i.status == "found"}
        wanted = {i.rerun: bench.outputs.get(i.output_sha256).decode() for i in list(chosen.values())[:3]}
    for command, output in wanted.items():
        assert cli(*shlex.split(command)[1:])[:2] == (0, output)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("nonsense",), "query_records"),
        (("query_records", "colour=red"), "artifact"),
        (("query_records", "artifact"), "name=value"),
        (("query_records", "limit=many"), "limit"),
        (("query_records", "--source", "src-none"), "src-server"),
        (("match_indicator",), "rule"),
    ],
)
def test_a_wrong_call_names_what_is_valid(cli: Cli, investigated: Path, args: tuple[str, ...], named: str) -> None:
    code, out, error = cli("tool", investigated / "case", *args)
    assert (code, out) == (2, "") and one_line(error) and named in error


# ask, list, explain, diff, review, check -------------------------------------------------------------------------------


def test_an_answer_has_the_fields_of_the_interface(cli: Cli, investigated: Path) -> None:
    code, out, error = cli("ask", investigated / "case", "Which remote-access program was used?", "-t", "jsonl")
    assert (code, error) == (0, "")
    (answer,) = rows(out)
    assert {"case", "id", "question", "status", "answer", "answers", "citations", "looked_at", "model"} <= set(answer)
    assert answer["status"] in ("answered", "unanswered", "refused")
    for item in answer["answers"]:
        assert {"value", "record_id", "path"} <= set(item)
    for item in answer["citations"]:
        assert {"record_id", "path", "locator"} <= set(item)
    assert answer["answers"] or answer["looked_at"]


def test_a_sheet_of_questions_is_answered_in_its_order(cli: Cli, investigated: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "q.csv"
    sheet.write_text(
        "id,question,path\nB,Which browser was used?,\nA,Which user logged in?,var/log\n", encoding="utf-8"
    )
    code, out, _ = cli("ask", investigated / "case", "-f", sheet, "-t", "jsonl")
    assert code == 0 and [a["id"] for a in rows(out)] == ["B", "A"]
    code, _, error = cli("ask", investigated / "case", "-f", tmp_path / "none.csv")
    assert code == 2 and one_line(error)


@pytest.mark.parametrize("kind", ["parsers", "tools", "roles", "rules", "templates", "formats"])
def test_what_there_is_is_listed_and_explained(cli: Cli, kind: str) -> None:
    code, out, _ = cli("list", kind, "-t", "jsonl")
    found = rows(out)
    assert code == 0 and found and all(r["name"] for r in found)
    code, out, _ = cli("explain", found[0]["name"])
    assert code == 0 and found[0]["name"] in out


def test_a_mistyped_parser_is_refused_with_a_near_one_and_nothing_is_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "a.txt").write_text("text", encoding="utf-8")
    code, _, error = cli("run", tmp_path / "evidence", "-o", tmp_path / "case", "--parsers", "windows.evenlog")
    assert code == 2 and one_line(error) and "windows.evenlog" in error and "windows.eventlog?" in error
    assert not list((tmp_path / "case" / "records").glob("**/*.parquet"))


def test_an_unknown_name_is_refused_with_near_ones(cli: Cli) -> None:
    code, _, error = cli("explain", "windows.prefetc")
    assert code == 2 and one_line(error) and "windows.prefetch" in error
    assert cli("list", "nonsense")[0] == 2


def test_a_case_does_not_differ_from_itself(cli: Cli, investigated: Path) -> None:
    code, out, error = cli("diff", investigated / "case", investigated / "case", "-t", "jsonl")
    assert (code, out) == (0, "") and error.rstrip().endswith("no difference")


def test_a_moment_of_a_case_differs_from_its_end_and_the_difference_is_counted(cli: Cli, investigated: Path) -> None:
    code, out, error = cli("diff", f"{investigated / 'case'}@100", investigated / "case", "-t", "jsonl")
    found = rows(out)
    assert code == 0 and {"kind", "id", "change", "what", "first", "second"} <= set(found[0])
    assert f"{len(found)} differences" in error and "at event 100 and" in error


def test_a_review_is_a_persons_act_with_name_and_reason(cli: Cli, case: Path) -> None:
    item = rows(cli("show", case, "hypotheses", "-t", "jsonl")[1])[0]["id"]
    for missing in (
        [],
        ["--accept"],
        ["--accept", "--reason", "r"],
        ["--accept", "--reject", "--reason", "r", "--by", "b"],
        ["--amend", "--reason", "r", "--by", "b"],
    ):
        assert cli("review", case, item, *missing)[0] == 2
    before = cli("show", case, "graph-hash")[1]
    code, out, _ = cli("review", case, item, "--accept", "--reason", "seen it", "--by", "A. Rao")
    (made,) = rows(out)
    assert code == 0 and (made["decision"], made["by"], made["reason"], made["item"]) == (
        "accept",
        "A. Rao",
        "seen it",
        item,
    )
    assert cli("show", case, "graph-hash")[1] == before
    assert made["machine"]["kind"] == "hypothesis" and made["graph_hash"] == before.strip()
    (shown,) = rows(cli("show", case, "reviews", "-t", "jsonl")[1])
    assert FIELDS["reviews"] <= set(shown)
    assert (shown["item"], shown["review"], shown["disagreements"]) == (item, "accepted", [])
    states = {r["hypothesis_id"]: r["review"] for r in rows(cli("show", case, "findings", "-t", "jsonl")[1])}
    assert {name for name, state in states.items() if state != "not_examined"} == {item} & set(states)
    assert cli("review", case, "hyp-none", "--accept", "--reason", "r", "--by", "b")[0] == 2


def test_a_check_says_what_a_run_would_do_and_writes_nothing(cli: Cli, case: Path) -> None:
    before = sorted(p for p in case.rglob("*"))
    code, out, _ = cli("check", case, "-t", "json")
    assert code == 0
    found = json.loads(out)
    assert found["problems"] == [] and len(found["sources"]) >= 5 and found["would_run"]["parsers"]
    assert sorted(p for p in case.rglob("*")) == before


# terminals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J",
        "a\rb",
        "a\nb",
        "\x07",
        "\x9b31m",
        "\u202etxt.exe",
        "\u2066x\u2069",
        "\x00",
        "\x7f",
        "\u200f",
        "\ud800",
    ],
)
def test_control_and_direction_characters_are_written_out(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable() and shown != text and "\\" in shown
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)


def test_harmless_text_stays_as_it_is() -> None:
    for text in ("C:\\Users\\Zoë\\файл.docx", "写真.jpg", "a b", "=1+1", ""):
        assert safe(text) == text


def test_a_hostile_name_of_evidence_reaches_no_terminal(cli: Cli, tmp_path: Path) -> None:
    hostile = tmp_path / "evidence"
    hostile.mkdir()
    (hostile / "\x1b]0;owned\x07\u202egpj.exe\n.txt").write_text("content", encoding="utf-8")
    code, out, error = cli("run", hostile, "-o", tmp_path / "case", "--progress", "lines", "--jobs", "1")
    assert code in (0, 3)
    for view in ("records", "coverage"):
        out += cli("show", tmp_path / "case", view)[1]
    assert not set(out + error) & {"\x1b", "\x07", "\u202e"}
    names = [
        r["data"]["name"]
        for r in rows(cli("show", tmp_path / "case", "records", "--artifact", "file_listing", "-t", "jsonl")[1])
    ]
    assert "\x1b]0;owned\x07\u202egpj.exe\n.txt" in names  # as data it is whole


@pytest.mark.parametrize("value", ["=cmd()", "+1", "-1", "@x"])
def test_a_value_never_starts_a_formula_in_csv(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    from wigmore.cli.show import print_rows

    print_rows([{"name": value}], "csv", "x")
    assert capsys.readouterr().out.splitlines()[1].strip('"') == "'" + value


def test_csv_hides_nothing_from_a_terminal_and_keeps_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    from wigmore.cli.show import print_rows

    print_rows([{"name": "\x1b[2Jgone\u202etxt.exe", "late": -120.5, "no": None}], "csv", "x")
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out
    assert next(iter(csv.DictReader(io.StringIO(out))))["late"] == "-120.5"


def test_an_alternative_that_was_not_tested_is_named_once_for_all_findings(capsys: pytest.CaptureFixture[str]) -> None:
    from wigmore.api.run import Result
    from wigmore.cli.show import print_result

    standing = [
        {"title": "Another user", "tested": False, "why": "no \x1b[2Jsession"},
        {"title": "Automation", "tested": True, "why": ""},
    ]
    findings = [
        {"verdict": "concluded", "title": f"Act {n}", "reasons": ["1 of 2 alternatives"], "standing": standing}
        for n in range(3)
    ]
    print_result(Result(Path("case"), 0, [*findings, {**findings[0], "verdict": "open", "title": "Act 9"}]))
    out = capsys.readouterr().out
    assert out.count("Another user") == 1 and "Automation" not in out and "\x1b" not in out
    assert out.count("1 of 2 alternatives") == 3 and "Act 9" not in out
