"""The README's commands with a model, tried at the shapes of their addresses; and what a wrong one says."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wigmore.cli.main import main
from wigmore.llm.scripted import Asked, Reply, Scripted

README = Path(__file__).resolve().parent.parent.parent / "README.md"


Wigmore = Callable[..., tuple[int, str]]


@pytest.fixture
def wigmore(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wigmore:
    """The command line, in this process: exit code, and what it printed."""

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["wigmore", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return call


def commands() -> list[str]:
    """The commands of the section "With a model", each on its own line."""
    section = README.read_text(encoding="utf-8").partition("## With a model")[2].partition("\n## ")[0]
    return [line.partition("  # ")[0].strip() for line in section.splitlines() if "wigmore run " in line]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "note.txt").write_text("nothing much", encoding="utf-8")
    return folder


def test_the_readme_has_a_command_for_each_kind_of_endpoint() -> None:
    assert [c.partition("--endpoint ")[2].split()[0] for c in commands()] == [
        "http://127.0.0.1:11434/v1",
        "http://127.0.0.1:8000/v1",
        "https://api.openai.com/v1",
    ]


@pytest.mark.parametrize("line", commands(), ids=["Ollama", "vLLM", "hosted"])
def test_a_command_of_the_readme_runs_against_a_server_of_that_shape(
    line: str, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wigmore: Wigmore
) -> None:
    words = shlex.split(line)
    key = ""
    if "=" in words[0]:
        name, _, _ = words.pop(0).partition("=")
        key = "sk-of-the-test"
        monkeypatch.setenv(name, key)
    model = words[words.index("--model") + 1]
    with Scripted(lambda _: Reply("Nothing to add."), key=key, models=(model,)) as server:
        there = re.sub(r"https?://[^/]+", server.base_url.removesuffix("/v1"), words[words.index("--endpoint") + 1])
        words[words.index("--endpoint") + 1] = there
        words[words.index("laptop.E01")], words[words.index("CASE")] = str(evidence), str(tmp_path / "case")
        code, printed = wigmore(*words[1:], "--progress", "none")
        assert code in (0, 3), printed
        assert {a.path for a in server.asked} == {"/v1/chat/completions"}
        assert len(server.asked) > 5
    report = next((tmp_path / "case" / "runs").glob("*/report.html")).read_text(encoding="utf-8")
    assert model in report
    everything = b"".join(f.read_bytes() for f in (tmp_path / "case").rglob("*") if f.is_file())
    assert not key or key.encode() not in everything


@pytest.mark.parametrize(
    ("key", "models", "said"), [("other", ("m",), "refuses the key"), ("", ("n",), "does not serve the model 'm'")]
)
def test_a_wrong_key_or_model_ends_run_and_check_with_exit_1(
    evidence: Path, tmp_path: Path, wigmore: Wigmore, key: str, models: tuple[str, ...], said: str
) -> None:
    case = tmp_path / "case"
    assert wigmore("new", str(case), str(evidence))[0] == 0
    with Scripted(lambda _: Reply("ready"), key=key, models=models) as server:
        (case / "config.yaml").write_text(
            f"agent: {{base_url: {server.base_url}, model: m, api_key: k}}", encoding="utf-8"
        )
        for command in ("check", "run"):
            code, printed = wigmore(command, str(case))
            assert (code, said in printed) == (1, True), printed
    assert not (case / "runs").exists() or not list((case / "runs").iterdir())


def test_a_local_only_case_and_a_model_elsewhere_do_not_go_together(
    evidence: Path, tmp_path: Path, wigmore: Wigmore
) -> None:
    words = ["run", str(evidence), "-o", str(tmp_path / "case"), "--local-only"]
    code, printed = wigmore(*words, "--endpoint", "https://models.example.org/v1", "--model", "m")
    assert (code, "local_only" in printed) == (1, True), printed


def test_a_model_without_an_address_is_a_mistake_that_is_named(
    evidence: Path, tmp_path: Path, wigmore: Wigmore
) -> None:
    code, printed = wigmore("run", str(evidence), "-o", str(tmp_path / "case"), "--model", "m")
    assert (code, "--endpoint" in printed) == (2, True), printed


@pytest.mark.parametrize("vision", ["true", "false"])
def test_a_run_is_replayed_by_the_command_without_its_endpoint(
    evidence: Path, tmp_path: Path, wigmore: Wigmore, vision: str
) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for case in (first, again):
        assert wigmore("new", str(case), str(evidence))[0] == 0

    def looks(asked: Asked) -> Reply:  # so that every role has its turn
        reads = "list_phenomena" in asked.tools and not asked.tool_results
        return Reply(calls=(("list_phenomena", {}),)) if reads else Reply("Nothing to add.")

    with Scripted(looks, models=("m",)) as server:
        config = f"agent: {{base_url: {server.base_url}, model: m, vision: {vision}}}"
        for case in (first, again):
            (case / "config.yaml").write_text(config, encoding="utf-8")
        assert wigmore("run", str(first), "-q")[0] in (0, 3)
        asked = len(server.asked)
        code, printed = wigmore("run", str(again), "-q", "--replay", str(first))
        assert len(server.asked) == asked > 1
    assert (code in (0, 3), "left the recorded run" in printed) == (True, False), printed
    assert wigmore("show", str(first), "graph-hash") == wigmore("show", str(again), "graph-hash")
