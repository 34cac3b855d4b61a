"""`wigmore check`: validate, recognise, list what would run; reads only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.api.cases import FAILED, UseError, is_case
from wigmore.artifacts.lists.describe import describe
from wigmore.evidence.hashing import hash_source
from wigmore.evidence.recognise import recognise
from wigmore.evidence.source import SourceSpec
from wigmore.investigation.case_file import CaseFile, CaseFileError, read_case, secret
from wigmore.investigation.config import ConfigError, load_config
from wigmore.investigation.lists import case_lists
from wigmore.investigation.reasoning import ready
from wigmore.investigation.rule_book import rule_folders
from wigmore.investigation.workbench import config_of
from wigmore.llm.endpoint import EndpointError
from wigmore.model.protocols import ParseError
from wigmore.records.compiler import RuleError
from wigmore.records.rules import load_indicators
from wigmore.records.sigma import load_sigma
from wigmore.registry import found, parsers


def check(case: Path, *, hashes: bool = True) -> dict[str, Any]:
    """What a run would read: sources with their recognition and hashes, and every problem found; raises UseError."""
    from wigmore.agents.templates import TemplateError, check_references, load_templates

    if not is_case(case):
        raise UseError(f"{case} is no case (no case.yaml in it); `wigmore new {case} EVIDENCE…` makes one")
    problems: list[str] = []
    try:
        file = read_case(case)
        config = load_config(config_of(case))
        folders = rule_folders(file)
        indicators, templates = load_indicators(folders), load_templates(folders)
        check_references(templates, indicators, found("role"))
    except (CaseFileError, ConfigError, RuleError, TemplateError) as error:
        raise UseError(str(error)) from error
    try:
        endpoints = ready(config, local_only=file.local_only)
    except EndpointError as error:
        raise UseError(f"the model cannot be used: {error}", FAILED) from error
    for source_id, names in file.secrets.items():
        for reference in names.values():
            try:
                secret(reference, case)
            except CaseFileError as error:
                problems.append(f"{source_id}: {error}")
    lists = _lists(file, problems)
    for folder in file.sigma:
        if not folder.is_dir():
            problems.append(f"sigma: {folder} is no folder")
        rules, unusable = load_sigma(folder, rule_folders(file))
        lists.append({"kind": "sigma", "name": str(folder), "entries": len(rules)})
        problems += [f"sigma: {one.file}: {one.title}: {one.reason}" for one in unusable[:20]]
    sources = []
    for entry in file.sources:
        row: dict[str, Any] = {"id": entry.id, "path": str(entry.path)}
        if not entry.path.exists():
            row["problem"] = "does not exist"
            problems.append(f"{entry.id}: {entry.path} does not exist")
        else:
            seen = recognise(entry.path)
            row.update(
                type=entry.type or seen.type,
                platform=entry.platform or seen.platform,
                access_mode=seen.access_mode,
                reason=seen.reason,
            )
            if hashes:
                try:
                    row["hashes"] = hash_source(
                        SourceSpec(entry.id, entry.path, "tree" if entry.path.is_dir() else "file")
                    )
                except (ParseError, OSError) as error:
                    row["problem"] = str(error)
                    problems.append(f"{entry.id}: {error}")
            if entry.container_sha256 and row.get("hashes", {}).get("container_sha256") not in (
                None,
                entry.container_sha256,
            ):
                problems.append(f"{entry.id}: container_sha256 differs from the one the case file states")
        sources.append(row)
    if not file.sources:
        problems.append("the case names no sources")
    return {
        "case": file.case,
        "title": file.title,
        "sources": sources,
        "problems": problems,
        "lists": lists,
        "would_run": {
            "parsers": sorted(parsers()),
            "roles": sorted(found("role")),
            "indicators": len(indicators),
            "templates": len(templates),
        },
        "models": [endpoint.name for endpoint in endpoints],
    }


def _lists(file: CaseFile, problems: list[str]) -> list[dict[str, Any]]:
    """The examiner's lists with their hashes and numbers of entries; what cannot be used joins the problems."""
    out = []
    try:
        for listed in case_lists(file):
            read = describe(listed)
            out.append({"kind": listed.kind, "name": listed.name, "sha256": listed.sha256, "entries": read.entries})
            problems += [f"{listed.kind}: {listed.name}: {trouble}" for trouble in read.unusable[:20]]
            if read.refused > 20:
                problems.append(f"{listed.kind}: {listed.name}: {read.refused - 20} more entries cannot be used")
    except CaseFileError as error:
        problems.append(str(error))
    return out
