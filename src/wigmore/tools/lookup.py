"""Records that tools show: which files of a source could hold them, what of those could not be read, and what matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from wigmore.model.canonical import canonical
from wigmore.model.nouns import Coverage
from wigmore.model.times import EPOCH
from wigmore.registry import parsers
from wigmore.tools.context import CAP, ToolContext, ToolOutput

Row = dict[str, Any]
HIVES = "windows.registry.hive"
EVIDENCE = ("file_listing@1", "container@1")  # what the evidence floor says of stores and containers
NAMED = 5  # files that could not be read and are named in a note


@dataclass(frozen=True)
class Kind:
    """Records of one kind: artifacts (globs), and where only some files hold them, their paths or registry hives.

    `paths` are globs over the lower-case path (`*` crosses `/`); `hives` are names as the hive records have them; `homes` are
    globs for the files whose silence counts, where a parser also reads files that never hold such records. `keep` decides
    further about each row.
    """

    artifacts: tuple[str, ...]
    paths: tuple[str, ...] = ()
    hives: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    keep: Callable[[Row], bool] | None = None


class CannotLook(Exception):
    """A call that cannot look; the message says why and what would do."""


def of_parser(coverage: Coverage, globs: Iterable[str]) -> bool:
    """Whether the parser of a coverage row makes records of one of the artifacts."""
    name = coverage.parser.partition("@")[0]
    known = parsers().get(name)
    made = (*(known.artifacts if known else ()), coverage.artifact, name)
    return any(fnmatchcase(artifact, glob) for artifact in made for glob in globs)


def covered(context: ToolContext, kind: Kind) -> list[Coverage]:
    """What extraction did at the files that could hold records of a kind, in order of path and parser."""
    hives = hive_paths(context, kind.hives) if kind.hives else set()
    out = []
    for row in context.coverage():
        if context.source_id and row.source_id != context.source_id:
            continue
        if "@" not in row.parser and row.outcome != "failed":
            continue  # what a catalogue expects is no reading of a file
        if not of_parser(row, kind.artifacts) or (kind.artifacts == ("*",) and row.parser in EVIDENCE):
            continue
        if not all(any(fnmatchcase(row.path.lower(), g) for g in globs) for globs in (kind.paths, kind.homes) if globs):
            continue
        if kind.hives and (row.source_id, row.path) not in hives and not _unread_hive(row, kind.hives):
            continue
        out.append(row)
    return sorted(out, key=lambda c: (c.source_id, c.path, c.inode or "", c.parser))


def hive_paths(context: ToolContext, names: Sequence[str]) -> set[tuple[str, str]]:
    """Source and path of the registry hives of these kinds."""
    relation = context.store.relation([HIVES], context.source_id or None)
    found = context.store.query(
        f"SELECT DISTINCT source_id, path FROM {relation} WHERE json_extract_string(data, '$.hive') IN (SELECT unnest(?))",
        [list(names)],
    )
    return {(r["source_id"], r["path"]) for r in found}


def _unread_hive(row: Coverage, names: Sequence[str]) -> bool:
    """Whether a hive that could not be read is one of these, by the name of its file."""
    stem = PurePosixPath(row.path.lower()).name.removesuffix(".dat").removesuffix(".hve")
    return row.outcome == "failed" and stem.upper() in names


def unread(rows: Iterable[Coverage]) -> list[Coverage]:
    """Those of coverage rows that failed, were never run, or are incomplete."""
    return [r for r in rows if r.outcome in ("failed", "not_run") or not r.complete]


def caution(rows: Sequence[Coverage]) -> str:
    """What of the files could not be read, for a note; nothing where all was."""
    bad = unread(rows)
    if not bad:
        return ""
    named = "; ".join(f"{r.path}: {r.reason or r.reason_code or r.outcome}" for r in bad[:NAMED])
    more = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return f"{len(bad)} of {len(rows)} files could not be read or not in full: {named}{more}"


def joined(*notes: str) -> str:
    """Notes as one text, empty ones left out."""
    return ". ".join(n for n in notes if n)


def texts(value: Any) -> Iterator[str]:
    """The leaves of a record's data as text."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(reversed(item.values()))
        elif isinstance(item, list):
            todo.extend(reversed(item))
        elif item is not None:
            yield item if isinstance(item, str) else canonical(item).decode()


def holds(text: str) -> Callable[[Row], bool] | None:
    """A test whether a value of a record's data contains the text (no case); None for an empty text."""
    wanted = text.lower()
    return (lambda row: any(wanted in leaf.lower() for leaf in texts(row.get("data")))) if wanted else None


def all_of(*tests: Callable[[Row], bool] | None) -> Callable[[Row], bool] | None:
    """A test that all the given tests hold; None where there is none."""
    given = [t for t in tests if t is not None]
    return (lambda row: all(t(row) for t in given)) if given else None


def likely(text: str) -> tuple[str, list[Any]]:
    """SQL that no record containing the text in a value fails: a first sieve before `holds`."""
    # stored JSON is ASCII: other letters stand escaped there, in either case
    runs = re.findall(r"[\x20-\x7e]+", text)
    longest = max(runs, key=len, default="")
    if not longest:
        return "", []
    return "contains(lower(data), ?)", [canonical(longest).decode()[1:-1].lower()]


def period(after: str, before: str) -> tuple[str, list[Any]]:
    """SQL for the time that dates a record: `after` inclusive, `before` exclusive; CannotLook for what is no time."""
    where, parameters = [], []
    for name, bound, sign in (("after", after, ">="), ("before", before, "<")):
        if bound:
            where.append(f"instant {sign} ?")
            parameters.append(instant(name, bound))
    return " AND ".join(where), parameters


def instant(name: str, text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time, UTC unless it has an offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise CannotLook(f"{name} is no ISO 8601 time such as 2024-05-31T12:00:00Z: {text!r}") from error
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    since = time - EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def rows_of(
    context: ToolContext,
    kind: Kind,
    where: str = "",
    parameters: Sequence[Any] = (),
    keep: Callable[[Row], bool] | None = None,
) -> Iterator[Row]:
    """The records of a kind as citable rows, in canonical order."""
    conditions, given = [where] if where else [], list(parameters)
    if kind.paths:
        conditions.append("(" + " OR ".join("regexp_matches(lower(path), ?)" for _ in kind.paths) + ")")
        given += [_re2(glob) for glob in kind.paths]
    if kind.hives:
        conditions.append("path IN (SELECT unnest(?))")
        given.append(sorted({path for _, path in hive_paths(context, kind.hives)}))
    test = all_of(kind.keep, keep)
    for row in context.records(kind.artifacts, " AND ".join(conditions), given, None):
        if test is None or test(row):
            yield row


def _re2(glob: str) -> str:
    return "^" + "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob) + "$"


def answer(
    context: ToolContext,
    kinds: Sequence[Kind],
    what: str,
    *,
    where: str = "",
    parameters: Sequence[Any] = (),
    keep: Callable[[Row], bool] | None = None,
    text: str = "",
    limit: int = CAP,
    note: str = "",
) -> ToolOutput:
    """The records of some kinds that match, with an outcome that says what their absence means.

    Nothing to look at is `not_applicable`, nothing readable `failed`, nothing that matches `empty`; files that could not be
    read in full are named in the note.
    """
    sieve, sieved = likely(text)
    condition = " AND ".join(c for c in (where, sieve) if c)
    test = all_of(keep, holds(text))
    rows = chain.from_iterable(rows_of(context, k, condition, [*parameters, *sieved], test) for k in kinds)
    out = ToolOutput.of(rows, cap=max(1, min(limit, CAP)))
    files = [c for k in kinds for c in covered(context, k)]
    files = list({(c.source_id, c.path, c.inode, c.parser): c for c in files}.values())
    if out.rows:
        return ToolOutput(out.outcome, out.rows, joined(note, caution(files)), out.more)
    if not files:
        return ToolOutput.not_applicable(f"this source has no {what}: extraction met no file of the kind")
    if all(c.outcome in ("failed", "not_run") for c in files):
        return ToolOutput.failed(f"no {what} could be read: {caution(files)}")
    narrowed = " that match" if test is not None or where else ""
    return ToolOutput("empty", (), joined(f"looked for {what} in {_named(files)}; none{narrowed}", caution(files)))


def _named(files: Sequence[Coverage]) -> str:
    paths = sorted({c.path for c in files})
    more = f" and {len(paths) - NAMED} more files" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more
