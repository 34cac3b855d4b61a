"""`wigmore export`: a case in other formats, one file each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wigmore.api.cases import UseError, open_case
from wigmore.api.run import latest_report
from wigmore.registry import found
from wigmore.reports.data import FormatError


@dataclass
class Exported:
    """The files written, and for each format that this machine cannot write what it lacks."""

    files: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def export(case: Path, kinds: list[str], folder: Path) -> Exported:
    """Write the named formats into a folder, all that can be written; raises UseError for none or unknown ones."""
    formats = found("format")
    if not kinds:
        raise UseError(f"name at least one format: {', '.join(formats)}")
    if unknown := [k for k in kinds if k not in formats]:
        raise UseError(f"unknown format {', '.join(unknown)}; one of {', '.join(formats)}")
    out = Exported()
    with open_case(case) as bench:
        data = latest_report(bench)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            try:
                out.files.append(formats[kind].function(data, folder))
            except FormatError as error:
                out.missing.append(str(error))
    return out
