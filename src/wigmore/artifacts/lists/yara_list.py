"""YARA rules of a folder: each file compiled by itself first, so that one with errors is named and the others are used.

Includes are refused (a rule file must not read the examiner's disk); a rule whose fault is its own does not take the rest of
its file with it. The variables that scanners commonly define (`filename`, `filepath`, `extension`) are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wigmore.artifacts.lists.entries import Reading
from wigmore.model.lists import ListFile

VARIABLES = ("filename", "filepath", "extension", "filetype", "owner")  # as in common public rule sets
LARGEST_FILE = 32 * 1024 * 1024


@dataclass
class RuleSet:
    """Compiled rules, the file behind each namespace, and what could not be compiled."""

    rules: Any | None
    files: dict[str, ListFile] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)


def _compiler() -> Any:
    import yara_x

    compiler: Any = yara_x.Compiler()
    compiler.enable_includes(False)
    compiler.ignore_invalid_rules(True)
    for name in VARIABLES:
        compiler.define_global(name, "")
    return compiler


def _add(compiler: Any, namespace: str, source: str) -> str:
    """Add the source of one file; what went wrong where all of it is refused."""
    import yara_x

    compiler.new_namespace(namespace)
    try:
        compiler.add_source(source, origin=namespace)
    except yara_x.CompileError as error:
        return " ".join(str(error).split())[:300]
    return ""


def read_yara(files: tuple[ListFile, ...]) -> RuleSet:
    """Read and compile rule files; raises ListError where one cannot be read."""
    whole = _compiler()
    out = RuleSet(None)
    for file in files:
        reading = Reading(file)
        out.readings.append(reading)
        content = file.read()
        if len(content) > LARGEST_FILE:
            reading.refuse("the file", f"more than {LARGEST_FILE} bytes")
            continue
        try:
            source = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            source = content.decode("latin-1")  # comments in an older code page; patterns are ASCII
        alone = _compiler()
        if trouble := _add(alone, file.name, source):
            reading.refuse("the file", trouble)
            continue
        named = {}
        for rule in alone.ignored_rules():
            named[rule.name] = " ".join(str(rule.message).split())[:300]
        for error in alone.errors():
            where = f"line {error.get('line')}" if error.get("line") else "the file"
            said = f"{error.get('code', '')} {error.get('title', '')}".strip()
            reading.refuse(where, said[:300])
        for name, why in sorted(named.items()):
            if not any(error.get("title", "") in why for error in alone.errors()):
                reading.refuse(f"rule {name}", why)
        reading.entries = sum(1 for _ in alone.build())
        if not reading.entries:
            if not reading.unusable:
                reading.refuse("the file", "there is no rule in it")
            continue
        out.files[file.name] = file
        _add(whole, file.name, source)
    if out.files:
        out.rules = whole.build()
    return out
