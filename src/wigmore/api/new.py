"""`wigmore new`: a commented case.yaml with its sources recognised."""

from __future__ import annotations

from pathlib import Path

from wigmore.api.cases import UseError, is_case
from wigmore.evidence.recognise import recognise
from wigmore.investigation.case_file import source_id_for

HEAD = """# The case as the examiner states it. Scalars are read as text; `wigmore check` validates this file.
case: {case}
title: {title}
# examiner: {{name: , organisation: }}
# authority: order or consent under which the evidence is examined
# questions:
#   - {{id: Q1, ask: Were files copied to removable media?}}
sources:
"""
TAIL = """# scope: {from: 2026-01-01T00:00:00Z, to: 2026-02-01T00:00:00Z, exclude: ["*/Medical/*"]}
# secrets: {src-phone: {backup_password: env:PHONE_PW}}   # env:NAME or file:PATH, never the secret itself
# rules: [rules/house]       # folders with indicators/*.yaml, hypotheses/*.yaml, semantics.yaml of your own
# local_only: true
# pictures_may_leave: true   # models that are not on this machine may be shown pictures (docs/models.md); default: false
"""


def quoted(text: str) -> str:
    """A YAML scalar that stays text."""
    return "'" + text.replace("'", "''") + "'"


def new_case(folder: Path, evidence: list[Path]) -> Path:
    """Make a case folder; returns the case file. Raises UseError where that cannot be done."""
    if is_case(folder):
        raise UseError(f"{folder} is a case already; `wigmore check {folder}` looks at it")
    if folder.exists() and not folder.is_dir():
        raise UseError(f"{folder} is a file: name a folder for the case")
    for path in evidence:
        if not path.exists():
            raise UseError(f"evidence {path} does not exist")
        if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
            raise UseError(f"the case folder {folder} would lie inside the evidence {path}: choose another place")
    lines = [HEAD.format(case=quoted(folder.name), title=quoted(folder.name))]
    taken: set[str] = set()
    for path in evidence:
        seen = recognise(path)
        name = source_id_for(path, taken)
        taken.add(name)
        lines.append(f"  - id: {name}\n    path: {quoted(str(path.resolve()))}\n    type: {seen.type}\n")
        if seen.platform != "unknown":
            lines.append(f"    platform: {seen.platform}\n")
        lines.append(f"    # {' '.join(seen.reason.split())}\n")
    if not evidence:
        lines.append("  # - {id: src-laptop, path: evidence/laptop.E01, exhibit: AR/1}\n")
    lines.append(TAIL)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "case.yaml"
        file.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise UseError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return file
