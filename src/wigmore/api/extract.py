"""`wigmore extract`: the content of a file of the evidence, or of the file that a record was read from, with its hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from wigmore.api.cases import FAILED, INTEGRITY, UseError, open_case
from wigmore.evidence.hashing import ALGORITHMS
from wigmore.evidence.store import PIECE
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import durable_file
from wigmore.model.protocols import ParseError
from wigmore.tools.lookup import CannotLook
from wigmore.tools.places import LISTED, about, find


def extract(case: Path, what: str, output: Path, *, source: str = "") -> dict[str, Any]:
    """Write a file's content to `output`; its place, size and MD5, SHA-1, SHA-256, and whether the listing has the same.

    `what` is a record id, or a path in the source (`source` where the case has several). Raises UseError where there is no
    such file, its content is lost, `output` exists, or the content is not what the listing hashed (nothing is written then).
    """
    if output.exists():
        raise UseError(f"{output} exists: name a new file")
    with open_case(case) as bench:
        if output.resolve().is_relative_to(case.resolve()):
            raise UseError(f"{output} lies inside the case: what a case holds is its own")
        for spec in bench.case_file.sources:
            if output.resolve().is_relative_to(spec.path.resolve()):
                raise UseError(f"{output} lies inside the source {spec.id}: evidence is never written")
        source_id, path, inode = _place(bench, what, source)
        try:
            place = find(bench.context(source_id, "examiner"), path, inode or "")
        except CannotLook as error:
            raise UseError(str(error), FAILED) from error
        digests = [hashlib.new(name) for name in ALGORITHMS]
        try:
            with durable_file(output) as temporary, temporary.open("wb") as target:
                with place.file.open() as stream:
                    while piece := stream.read(PIECE):
                        target.write(piece)
                        for digest in digests:
                            digest.update(piece)
                found = {name: digest.hexdigest() for name, digest in zip(ALGORITHMS, digests, strict=True)}
                listed = _listed(bench, source_id, place.entry.path, place.entry.inode)
                if listed and listed != found["sha256"]:
                    message = f"{path} is not what was listed: SHA-256 {found['sha256']}, the listing has {listed}"
                    raise UseError(f"{message}. `wigmore audit {case}` says more", INTEGRITY)
        except (ParseError, OSError) as error:
            raise UseError(f"{path} cannot be extracted: {error}", FAILED) from error
        row = {"case": bench.case_file.case, "source_id": source_id, **about(place), **found, "output": str(output)}
        return {**row, "as_listed": bool(listed)}


def _place(bench: Workbench, what: str, source: str) -> tuple[str, str, str | None]:
    """Source, path and inode of what is asked for."""
    if what.startswith("rec-"):
        row = bench.store.by_id([what]).get(what)
        if row is None:
            raise UseError(f"no record {what} in this case")
        return row["source_id"], row["path"], row["inode"]
    known = [s.id for s in bench.case_file.sources]
    if source and source not in known:
        raise UseError(f"unknown source {source!r}; one of {', '.join(known)}")
    holding = [
        r["source_id"]
        for r in bench.store.query(
            f"SELECT DISTINCT source_id FROM {bench.store.relation(LISTED)} WHERE lower(path) = lower(?) ORDER BY 1",
            [what.strip("/")],
        )
    ]
    if not source and len(holding) > 1:
        raise UseError(f"{what} is in several sources: name one with --source: {', '.join(holding)}")
    return source or (holding or known)[0], what.strip("/"), None


def _listed(bench: Workbench, source_id: str, path: str, inode: str | None) -> str:
    """The SHA-256 that the listing has of a file; empty where it has none."""
    rows = bench.store.query(
        f"SELECT json_extract_string(data, '$.sha256') AS sha256 FROM {bench.store.relation(LISTED, source_id)} "
        "WHERE path = ? AND inode IS NOT DISTINCT FROM ?",
        [path, inode],
    )
    return str(rows[0]["sha256"] or "") if rows else ""
