"""`wigmore export`: a case in other formats, one file each."""

from __future__ import annotations

from pathlib import Path

from wigmore.api.cases import UseError, open_case
from wigmore.api.run import latest_report
from wigmore.registry import found


def export(case: Path, kinds: list[str], folder: Path) -> list[Path]:
    """Write the named formats into a folder; returns the files; raises UseError for unknown formats."""
    formats = found("format")
    if unknown := [k for k in kinds if k not in formats]:
        raise UseError(f"unknown format {', '.join(unknown)}; one of {', '.join(formats)}")
    with open_case(case) as bench:
        data = latest_report(bench)
        folder.mkdir(parents=True, exist_ok=True)
        return [formats[k].function(data, folder) for k in kinds]
