"""The examiner's lists of a case: their files with hashes, and what of each can be used."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wigmore.artifacts.lists.describe import describe
from wigmore.investigation.case_file import CaseFile, CaseFileError
from wigmore.model.lists import ListError, ListFile
from wigmore.model.nouns import Coverage
from wigmore.records.sigma import Unusable

ENDINGS = {"yara": (".yar", ".yara", ".rule", ".rules"), "iocs": (".csv", ".tsv", ".txt", ".json", ".stix", ".ioc")}
MOST_FILES = 20_000


def case_lists(case_file: CaseFile) -> tuple[ListFile, ...]:
    """The files of a case's lists, folders taken apart; raises CaseFileError where one is not there or cannot be read."""
    found: dict[tuple[str, str], ListFile] = {}
    for kind, written in case_file.lists:
        path = Path(os.path.expanduser(written))
        path = path if path.is_absolute() else case_file.folder / path
        where = f"{case_file.folder / 'case.yaml'}: {kind}: {written}"
        if path.is_dir():
            files = [p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix.lower() in ENDINGS.get(kind, ())]
            if not files:
                raise CaseFileError(
                    f"{where} is a folder without files of the kind ({', '.join(ENDINGS.get(kind, ()))})"
                )
            if len(files) > MOST_FILES:
                raise CaseFileError(f"{where} holds more than {MOST_FILES} files")
            named = [(f"{written.rstrip('/')}/{p.relative_to(path).as_posix()}", p) for p in files]
        elif path.exists():
            named = [(written, path)]
        else:
            raise CaseFileError(f"{where} does not exist")
        try:
            for name, file in named:
                listed = ListFile.of(kind, name, file.resolve())
                found.setdefault((kind, listed.sha256), listed)  # the same list twice says nothing more
        except ListError as error:
            raise CaseFileError(f"{case_file.folder / 'case.yaml'}: {error}") from error
    return tuple(sorted(found.values()))


def sigma_coverage(unusable: Iterable[Unusable], rules: int, sources: Iterable[str]) -> list[Coverage]:
    """A coverage row for each Sigma rule that could not be used, and one for those that are."""
    rows = []
    for source_id in sources:
        if rules:
            rows.append(
                Coverage(source_id, "", "lists.sigma", "lists.sigma", "found", rules, f"{rules} Sigma rules run")
            )
        for one in unusable:
            reason = f"Sigma rule {one.title!r} of {one.file} is not run: {one.reason}"
            rows.append(
                Coverage(
                    source_id,
                    one.file,
                    "lists.sigma",
                    "lists.sigma",
                    "failed",
                    0,
                    reason,
                    "unsupported",
                    complete=False,
                )
            )
    return rows


def list_coverage(
    files: Iterable[ListFile], parsers: dict[str, tuple[str, ...]], sources: Iterable[str]
) -> list[Coverage]:
    """A coverage row for each list and source: hash, entries, and which entries cannot be used and why.

    `parsers` maps the parsers to the kinds of lists that they apply.
    """
    rows = []
    for file in files:
        read = describe(file)
        refused = "; ".join(read.unusable[:20]) + (f"; and {read.refused - 20} more" if read.refused > 20 else "")
        said = f"list {file.name}, SHA-256 {file.sha256}: {read.entries} entries"
        name = next((name for name, kinds in sorted(parsers.items()) if file.kind in kinds), file.kind)
        for source_id in sources:
            rows.append(
                Coverage(
                    source_id,
                    file.name,
                    name,
                    name,  # no version: this row speaks of a list, not of a file of the source
                    "found" if read.entries else "failed",
                    read.entries,
                    said + (f"; {read.refused} could not be used: {refused}" if read.refused else ""),
                    "unsupported" if read.refused else "",
                    complete=not read.refused,
                    file_sha256=file.sha256,
                )
            )
    return rows
