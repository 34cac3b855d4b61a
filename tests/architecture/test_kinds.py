"""Each kind once, over the whole registry: what every parser, role, rule and module must keep."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from wigmore.agents.desk import Role
from wigmore.agents.templates import load_templates
from wigmore.graph.semantics import Semantics
from wigmore.investigation.rule_book import rule_folders
from wigmore.model.nouns import EDGE_TYPES
from wigmore.model.overclaims import overclaims
from wigmore.records.rules import OWN_RULES, check_patterns, load_indicators
from wigmore.registry import Parser, Tool, found

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "wigmore"
MODULES = sorted(SOURCE.rglob("*.py"))
PARSERS: dict[str, Parser] = found("parser")
ROLES: dict[str, Role] = found("role")
TOOLS: dict[str, Tool] = found("tool")

# parsers ---------------------------------------------------------------------------------------------------------------


def test_there_are_parsers_tools_and_roles() -> None:
    assert len(PARSERS) > 50 and len(TOOLS) > 20 and len(ROLES) >= 14


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_every_parser_declares_what_it_reads_means_does_not_mean_and_its_references(name: str) -> None:
    parser = PARSERS[name]
    assert len(parser.reads) > 8 and len(parser.means) > 8 and len(parser.does_not_mean) > 8
    assert parser.refs and all(len(ref) > 4 for ref in parser.refs)
    assert parser.artifacts and parser.version >= 1 and 0 < parser.limit_seconds <= 3600
    assert parser.origin.startswith("wigmore.artifacts.") and len(parser.sha256) == 64


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_no_parser_claims_more_than_a_record_can_show(name: str) -> None:
    parser = PARSERS[name]
    assert overclaims(parser.means) == []


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_what_a_record_does_not_mean_is_another_text_than_what_it_means(name: str) -> None:
    assert PARSERS[name].means.strip().casefold() != PARSERS[name].does_not_mean.strip().casefold()


def test_parsers_never_claim_by_a_bare_star() -> None:
    for name, parser in PARSERS.items():
        assert not set(parser.claims.paths) & {"*", "*.*", "**"}, name
        assert not parser.claims(b"\x00\x01 nothing that any parser knows \x02" * 40, "no/such/name.zzz9", 1400), name


# roles -----------------------------------------------------------------------------------------------------------------


def test_the_roles_of_the_specification_are_there() -> None:
    assert {
        "filesystem",
        "registry",
        "communication",
        "network",
        "ios_artifact",
        "android_artifact",
        "media",
        "hypothesis",
        "timeline",
        "report",
        "strategist",
        "eventlog",
        "browser",
        "accounts",
        "malware",
    } <= set(ROLES)
    assert {n for n, r in ROLES.items() if not r.worker} == {"report", "strategist", "answer"}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_every_role_has_a_goal_a_prompt_and_an_offline_rule(name: str) -> None:
    role = ROLES[name]
    assert role.goal and len(role.prompt) > 100 and callable(role.offline) and role.tools
    assert len(role.tools) == len(set(role.tools))


def test_no_alias_stands_for_two_roles() -> None:
    names = [*ROLES, *(a for r in ROLES.values() for a in r.aliases)]
    assert len(names) == len(set(names))


def test_the_strategist_has_no_tool_that_writes_evidence() -> None:
    writing = {
        "add_phenomenon",
        "observe_identity",
        "link_to_entity",
        "add_temporal_edge",
        "add_lead",
        "add_hypothesis",
        "save_report",
        "link_evidence",
        "extract_file",
        "set_active_partition",
    }
    assert not writing & set(ROLES["strategist"].tools)


# rules -----------------------------------------------------------------------------------------------------------------


FOLDERS = rule_folders(None)
RULES = load_indicators(FOLDERS)
TEMPLATES = load_templates(FOLDERS)
SEMANTICS = Semantics.load(FOLDERS)
ARTIFACTS = {a for p in PARSERS.values() for a in p.artifacts} | {
    "file_listing",
    "container",
    "partition",
    "volume",
    "encrypted_volume",
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_names_a_worker_role_and_templates_that_exist(name: str) -> None:
    rule = RULES[name]
    assert rule.role in ROLES and ROLES[rule.role].worker
    assert rule.phase in ("triage", "probe")
    for bearing in rule.bears_on:
        base, _, alternative = bearing.template.partition("/")
        assert base in TEMPLATES, bearing
        assert bearing.edge in EDGE_TYPES
        known = {a.id for a in TEMPLATES[base].alternatives}
        assert not alternative or alternative in known, bearing
        assert not bearing.against or bearing.against in {*known, base}, bearing


def test_every_pattern_of_the_packages_rules_compiles() -> None:
    assert FOLDERS == [OWN_RULES]
    check_patterns(RULES.values())


@pytest.mark.parametrize("name", sorted(RULES))
def test_no_rule_claims_more_than_a_record_can_show(name: str) -> None:
    rule = RULES[name]
    assert overclaims(f"{rule.title}\n{rule.interpretation}") == []
    assert rule.caveat


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_bearing_of_a_rule_has_an_artifact_that_may_carry_it(name: str) -> None:
    rule = RULES[name]
    for bearing in rule.bears_on:
        if bearing.edge in ("weakens", "contradicts"):
            continue
        named = [
            a
            for pattern in rule.artifacts
            for a in (
                [pattern]
                if "*" not in pattern
                else [x for x in ARTIFACTS if re.fullmatch(pattern.replace(".", r"\.").replace("*", ".*"), x)]
                or [pattern.replace("*", "x")]
            )
        ]
        assert any(
            SEMANTICS.cap(bearing.edge, artifact, bearing.proposition).edge_type != "consistent_with"
            for artifact in named
        ), f"{bearing.proposition} is carried by none of {named}: the edge would never count"


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_has_alternatives_and_probes_that_can_run(name: str) -> None:
    template = TEMPLATES[name]
    assert template.alternatives
    assert any(p.disconfirming for p in template.probes) or template.judged_by in ROLES  # which weighs both ways itself
    assert 0 < template.prior < 1 and all(0 < a.prior < 1 for a in template.alternatives)
    known = {a.id for a in template.alternatives}
    assert len({p.id for p in template.probes}) == len(template.probes)
    for probe in template.probes:
        assert probe.role in ROLES and ROLES[probe.role].worker, probe.id
        assert all(rule in RULES for rule in probe.rules), probe.id
        assert not probe.tool or probe.tool in TOOLS, probe.id
        assert not probe.against or probe.against in {*known, name}, probe.id
        assert 0 <= probe.likely <= 1 and probe.cost > 0, probe.id
    assert overclaims(f"{template.title}\n{template.description}") == []


# modules ---------------------------------------------------------------------------------------------------------------


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    n
                    for n in node.body
                    if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
                    and not n.name.startswith("_")
                    and not any(isinstance(d, ast.Name) and d.id == "overload" for d in n.decorator_list)
                )


@pytest.mark.parametrize("file", MODULES, ids=lambda f: f.relative_to(SOURCE).as_posix())
def test_every_module_and_public_name_has_a_docstring(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says nothing"
    assert [f"{n.name} (line {n.lineno})" for n in public(tree) if not ast.get_docstring(n)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"raise NotImplementedError\b",
        r"\b(TODO|FIXME|XXX|HACK)\b",
        r"\bpickle\b|\bmarshal\.loads\b",
        r"shell=True|os\.system\(|\beval\(|(?<![\w.])exec\(",
        r"except Exception:\s*\n\s*pass\b",
        r"except:\s*$",
    ],
)
def test_no_module_holds_what_is_unfinished_or_unsafe(pattern: str) -> None:
    # a base class may say that a method is its subclasses' to give
    allowed = {"evidence/store.py", "evidence/tree.py"} if "NotImplemented" in pattern else set()
    found_in = [
        f"{file.relative_to(SOURCE).as_posix()}:{text[: match.start()].count(chr(10)) + 1}"
        for file in MODULES
        for text in [file.read_text(encoding="utf-8")]
        for match in re.finditer(pattern, text, re.MULTILINE)
        if file.relative_to(SOURCE).as_posix() not in allowed
    ]
    assert found_in == []


ENGINE = [
    f
    for folder in ("model", "records", "graph", "ledger", "investigation", "api", "cli")
    for f in sorted((SOURCE / folder).rglob("*.py"))
]
ENGINE += [
    *sorted((SOURCE / "agents").glob("*.py")),
    SOURCE / "registry.py",
    SOURCE / "tools" / "runner.py",
    SOURCE / "tools" / "context.py",
]
GENERIC = {"file_listing", "container", "partition", "volume", "encrypted_volume", "source"}
KNOWN = {
    "records/answer_scope.py": {"windows.registry"}
}  # ranks raw registry values below what their meaning was read from


@pytest.mark.parametrize("file", ENGINE, ids=lambda f: f.relative_to(SOURCE).as_posix())
def test_the_engine_names_no_extension(file: Path) -> None:
    """Strings of the engine's code (docstrings aside) equal to, or beginning like, the name of a parser, artifact or tool."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documents = {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef)) and n.body and isinstance(n.body[0], ast.Expr)
    }
    known = KNOWN.get(file.relative_to(SOURCE).as_posix(), set())
    names = {n for n in {*PARSERS, *ARTIFACTS} - GENERIC - known if "." in n and not n.startswith("generic.")}
    families = {n.split(".")[0] + "." for n in names}
    texts = [
        (n.lineno, n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in documents
    ]
    named = [
        f"line {line}: {text!r}"
        for line, text in texts
        if text in names
        or (len(text) < 60 and text.split("*")[0] in names)
        or any(text in (f, f + "*") for f in families)
    ]
    assert named == []


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_the_host_of_a_package_registry() -> None:
    hosts = re.compile(
        rb"(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|crates\.io|repo1?\.maven\.org|proxy\.golang\.org|index-url)"
    )
    named = [
        f"{file.relative_to(ROOT)}: {match.group(0).decode()}"
        for file in tracked()
        if file.is_file() and file.stat().st_size < 5_000_000 and file != Path(__file__)
        for match in [hosts.search(file.read_bytes())]
        if match and file.name != "Makefile"
    ]
    assert named == []


def test_no_large_or_private_file_is_tracked() -> None:
    for file in tracked():
        if file.is_file():
            assert file.stat().st_size < 2_000_000, file
            assert file.name not in ("config.yaml", ".env") and file.suffix not in (".sqlite", ".parquet", ".pyc"), file
