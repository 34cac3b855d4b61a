"""One file through hashing, recognition and every parser that claims it: rows, coverage, containers met inside."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from wigmore.evidence import filetype
from wigmore.evidence.entropy import entropy
from wigmore.evidence.filetype import file_type
from wigmore.evidence.hashing import hash_stream
from wigmore.evidence.listing import FREE_SPACE, entry_record
from wigmore.evidence.source import Source
from wigmore.evidence.store import Entry, Store
from wigmore.evidence.unallocated import only_zeros
from wigmore.model.nouns import Coverage
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder
from wigmore.records.rows import RowMaker, RowsHash, record_id
from wigmore.registry import HEAD, Parser

LARGEST_READ = 512 * 1024 * 1024  # as EvidenceFile.read
HELD = 8 * 1024 * 1024  # files up to this size are read once and kept while their parsers run

Emit = Callable[[str, bytes], None]  # artifact, canonical row with line end


@dataclass(frozen=True)
class ReadFile:
    """A file that was read through: parsers are given its hashes and need not read it again for them."""

    under: EvidenceFile
    hashes: dict[str, Any]
    opened: bool = False

    @property
    def source_id(self) -> str:
        """As the file below."""
        return self.under.source_id

    @property
    def path(self) -> str:
        """As the file below."""
        return self.under.path

    @property
    def inode(self) -> str | None:
        """As the file below."""
        return self.under.inode

    @property
    def size(self) -> int:
        """As the file below."""
        return self.under.size

    @property
    def state(self) -> str:
        """As the file below."""
        return self.under.state

    def open(self) -> BinaryIO:
        """As the file below."""
        return self.under.open()

    def read(self, limit: int = LARGEST_READ) -> bytes:
        """As the file below."""
        return self.under.read(limit)

    def sibling(self, name: str) -> EvidenceFile | None:
        """As the file below."""
        return self.under.sibling(name)

    @contextmanager
    def on_disk(self, *siblings: str) -> Iterator[Path]:
        """As the file below."""
        with self.under.on_disk(*siblings) as path:
            yield path


@dataclass(frozen=True)
class HeldFile(ReadFile):
    """A file whose content is at hand, so that hashing, recognition and parsers read the evidence once."""

    content: bytes = b""

    @property
    def size(self) -> int:
        """As read."""
        return len(self.content)

    def open(self) -> BinaryIO:
        """A stream over the content at hand."""
        return io.BytesIO(self.content)

    def read(self, limit: int = HELD) -> bytes:
        """The content at hand; raises ParseError past `limit`."""
        if len(self.content) > limit:
            raise ParseError(self.path, None, f"{self.size} bytes are more than the limit of {limit}", "too_large")
        return self.content


@dataclass
class Examined:
    """What became of one entry."""

    coverage: list[Coverage] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    rows: int = 0


LARGEST_ROW = 8 * 1024 * 1024  # bytes of one canonical row; DuckDB reads objects to 16 MiB
SIGN = 2048  # items after which a parser counts as alive
SLOWEST = 50_000  # bytes a second that a parser reads at least
CONTAINER_HEAD = 65536  # bytes that recognising a container may need


def _held(file: EvidenceFile) -> tuple[ReadFile, bytes]:
    """The file with its hashes (its content held where small enough), and its first bytes."""
    if file.size <= HELD:
        content = file.read(HELD)
        return HeldFile(file, dict(hash_stream(io.BytesIO(content))), content=content), content[:CONTAINER_HEAD]
    with file.open() as stream:
        head = stream.read(CONTAINER_HEAD)
        stream.seek(0)
        return ReadFile(file, dict(hash_stream(stream))), head


def choose(parsers: dict[str, Parser], head: bytes, path: str, size: int, free_space: bool = False) -> list[Parser]:
    """The parsers that claim a file, in order of name: those of the lowest tier, and those that run beside any.

    A piece of free space is no file whose beginning or name would tell of it: those that ask for such pieces.
    """
    if free_space:
        asking = [p for _, p in sorted(parsers.items()) if p.claims.free_space]
        return [p for p in asking if not p.lists or p.claims(head, path, size)]
    claimed = [p for _, p in sorted(parsers.items()) if p.claims(head, path, size)]
    lowest = min((p.tier for p in claimed if not p.beside), default=0)
    return [p for p in claimed if p.beside or p.tier == lowest]


def run_parser(
    parser: Parser,
    file: EvidenceFile,
    sha256: str,
    emit: Emit,
    clock: Callable[[], float],
    only: Collection[str] | None = None,
    alive: Callable[[], None] = lambda: None,
) -> Coverage:
    """Run one parser over one file and say what became of it; the one boundary where errors become coverage rows.

    With `only`, the rows of these record ids alone are emitted and counted. `alive` is called while the parser yields, for as
    long as a file of this size may take at `SLOWEST`: the parser's limit begins anew with each such sign.
    """
    started = clock()
    count, digest = 0, RowsHash()
    maker = RowMaker(file.source_id, file.path, file.inode, parser.name, only)
    gaps: list[Gap] = []
    recorder = Recorder()
    outcome, reason, code = "empty", "", ""
    earliest: int | None = None
    latest: int | None = None
    first_text = last_text = None
    try:
        for number, item in enumerate(parser.function(file), 1):
            if number % SIGN == 0 and clock() - started < file.size / SLOWEST:
                alive()
            if isinstance(item, Gap):
                if len(gaps) < 1000:
                    gaps.append(item)
                continue
            if isinstance(item, Recorder):
                recorder = item
                continue
            locator, record = item
            if file.state in ("unallocated", "carved") and record.state == "live":
                record = Record(
                    record.data,
                    record.times,
                    record.time_field,
                    file.state,
                    record.host_id,
                    record.origin,
                    record.artifact,
                )
            artifact, time, line = maker.line(count, locator, record)
            if not line:
                continue
            if len(line) > LARGEST_ROW:
                gaps.append(Gap(f"a record of {len(line)} bytes is more than a row may hold", None, "too_large"))
                continue
            digest.add(line)
            emit(artifact, line)
            count += 1
            if time is not None and (instant := time["instant"]) is not None:
                if earliest is None or instant < earliest:
                    earliest, first_text = instant, time["text"]
                if latest is None or instant > latest:
                    latest, last_text = instant, time["text"]
    except ParseError as error:
        outcome, reason, code = "failed", str(error), error.reason
    except MemoryError:
        outcome, reason, code = "failed", "the parser needed more memory than it is allowed", "memory"
    except Exception as error:  # noqa: BLE001  # the boundary: whatever a parser of hostile bytes raises is recorded
        outcome, reason, code = "failed", f"{type(error).__name__}: {error}"[:500], "crashed"
    if outcome != "failed":
        outcome = "found" if count else "empty"
    reason = reason or ("" if gaps else recorder.note)
    if gaps and not reason:
        more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
        where = "" if gaps[0].offset is None else f" at offset {gaps[0].offset}"
        reason, code = f"{gaps[0].message}{where}{more}", gaps[0].reason
        if outcome == "empty" and any(g.reason != "excluded" for g in gaps):
            outcome = "failed"  # nothing was read, and not for want of content
    return Coverage(
        source_id=file.source_id,
        path=file.path,
        artifact=parser.artifacts[0],
        parser=f"{parser.name}@{parser.version}",
        outcome=outcome,
        records=count,
        reason=reason,
        reason_code=code,
        seconds=round(clock() - started, 3),
        complete=outcome != "failed" and not gaps,
        covers_from=recorder.covers_from or first_text,
        covers_to=recorder.covers_to or last_text,
        recorder=recorder.recorder,
        needs=recorder.needs,
        inode=file.inode,
        file_sha256=sha256,
        rows_sha256=digest.hexdigest(),
    )


def emit_direct(
    source_id: str,
    path: str,
    inode: str | None,
    parser: str,
    locator: dict[str, Any],
    record: Record,
    ordinal: int,
    emit: Emit,
    digest: RowsHash | None = None,
) -> None:
    """Store a record that the evidence floor made itself (file listing, container, partition)."""
    artifact, _, line = RowMaker(source_id, path, inode, parser).line(ordinal, locator, record)
    if digest is not None:
        digest.add(line)
    emit(artifact, line)


def examine(
    source: Source,
    store: Store,
    entry: Entry,
    parsers: dict[str, Parser],
    listing: bool,
    descend: bool,
    emit: Emit,
    begin: Callable[[str], None],
    clock: Callable[[], float] = time.perf_counter,
    skip: Collection[str] = (),
    only: Collection[str] | None = None,
    known: Collection[str] = (),
    unread: bool = False,
    bare: bool = False,
) -> Examined:
    """List, hash and parse one entry of a store; `begin` is told the parser about to run, for its time limit.

    Parsers in `skip` looked at the entry in an earlier run: they still decide who else does, but do not run again.
    With `only`, parsers emit the rows of these record ids alone. `known` are records of an entry that was locked before:
    what the container says of itself is not told twice; `unread` says that its content could not be had then, `bare`
    that it is to be listed as it was then.
    """
    out = Examined()
    source_id = source.spec.source_id
    if entry.free_space and not (listing or descend or choose(parsers, b"", entry.path, entry.size, True)):
        return out  # reading it would serve nobody
    hashes: dict[str, Any] | None = None
    kind: str | None = None
    file: ReadFile | None = None
    head = b""
    if entry.readable:
        begin("content")
        try:
            stored = store.file(entry)
            if entry.free_space and _nothing_in(stored):
                out.coverage.append(_zeros(source_id, entry))
                return out
            file, head = _held(stored)
            hashes = file.hashes
            kind = None if entry.free_space else file_type(head[:HEAD], entry.path, file.size)
            if unread:
                message = "the content could be read in a later run, under a secret given since"
                out.coverage.append(replace(_unread(source_id, entry, message, ""), outcome="found", complete=True))
        except ParseError as error:
            out.coverage.append(_unread(source_id, entry, str(error), error.reason))
        except MemoryError:
            out.coverage.append(_unread(source_id, entry, "reading needed more memory than is allowed", "memory"))
        except Exception as error:  # noqa: BLE001  # a damaged store may raise anything; the entry stays listed
            out.coverage.append(_unread(source_id, entry, f"{type(error).__name__}: {error}"[:500], "damaged"))
    if listing:
        bits = entropy(file.content) if isinstance(file, HeldFile) and file.content and not bare else None
        locator, record = entry_record(
            entry, None if bare else hashes, None if bare else kind, bits, carved=store.carved
        )
        emit_direct(source_id, entry.path, entry.inode, "file_listing", locator, record, 0, emit)
        out.rows += 1
    if file is None:
        return out
    sha256 = str((hashes or {}).get("sha256", ""))
    chosen = choose(parsers, head[:HEAD], entry.path, file.size, entry.free_space) if file.size else []
    chosen = [parser for parser in chosen if parser.name not in skip]

    def run(parser: Parser, file: ReadFile) -> None:
        begin(parser.name)
        row_of = run_parser(parser, file, sha256, emit, clock, only, partial(begin, parser.name))
        out.rows += row_of.records
        out.coverage.append(row_of)

    for parser in chosen:
        if not parser.lists:
            run(parser, file)
    applying = [parser for parser in chosen if parser.lists]
    if entry.free_space:
        for parser in applying:
            run(parser, file)
        if descend:
            out.inside.append(entry.path)  # listing it looks for files by signature
        return out
    opened = False
    if file.size and (descend or applying):
        begin("container")
        packed = file if isinstance(file, HeldFile) else file.under
        opened = _descend(source, packed, head, out, emit, known) if descend else _opens(source, packed, head)
        if descend and only is not None:
            _as_before(source, packed, head, emit, only)
    read_by_none = not out.coverage  # lists are applied to any file: that is no reading of its format
    for parser in applying:
        run(parser, replace(file, opened=opened))
    said = filetype.unread(kind, entry.path, file.size)
    if read_by_none and listing and entry.kind == "file" and said:
        outcome, reason, code = said
        out.coverage.append(
            Coverage(
                source_id,
                entry.path,
                "file_listing",
                "file_listing@1",
                outcome,
                0,
                reason,
                code,
                complete=outcome == "empty",
                inode=entry.inode,
                file_sha256=sha256,
            )
        )
    return out


def _as_before(source: Source, file: EvidenceFile, head: bytes, emit: Emit, only: Collection[str]) -> None:
    """Give the cited records of a container that was locked when they were made, as it was then."""
    if not source.secrets:
        return
    try:
        found = source.expand_locked(file, head)
    except Exception:  # noqa: BLE001  # the boundary, as in _descend; a record that is not given is told by the audit
        return
    for ordinal, (locator, record) in enumerate(found.records if found is not None else ()):
        artifact = record.artifact or "container"
        if record.data.get("locked") and record_id(file.source_id, file.path, file.inode, artifact, locator) in only:
            emit_direct(file.source_id, file.path, file.inode, "container", locator, record, ordinal, emit)


def _nothing_in(file: EvidenceFile) -> bool:
    with file.open() as stream:
        return only_zeros(stream)


def _zeros(source_id: str, entry: Entry) -> Coverage:
    reason = f"{entry.size} bytes of free space, all of them zero: not listed"
    return Coverage(source_id, entry.path, FREE_SPACE, f"{FREE_SPACE}@1", "empty", 0, reason, complete=True)


def _unread(source_id: str, entry: Entry, reason: str, code: str) -> Coverage:
    return Coverage(
        source_id,
        entry.path,
        "file_listing",
        "file_listing@1",
        "failed",
        0,
        reason,
        code,
        complete=False,
        inode=entry.inode,
    )


def _opens(source: Source, file: EvidenceFile, head: bytes) -> bool:
    """Whether a file's entries were examined when it was first met; what is wrong with it was said then."""
    try:
        found = source.expand(file, head)
    except Exception:  # noqa: BLE001  # hostile containers may raise anything; they have their coverage row
        return False
    return found is not None and bool(found.prefixes)


def _descend(
    source: Source, file: EvidenceFile, head: bytes, out: Examined, emit: Emit, known: Collection[str]
) -> bool:
    """Note the stores inside a container and what is wrong with it; whether there are any."""
    source_id, path, inode = file.source_id, file.path, file.inode
    try:
        found = source.expand(file, head)
    except ParseError as error:
        out.coverage.append(
            Coverage(
                source_id,
                path,
                "container",
                "container@1",
                "failed",
                0,
                str(error),
                error.reason,
                complete=False,
                inode=inode,
            )
        )
        return False
    except Exception as error:  # noqa: BLE001  # hostile containers may raise anything; that is a coverage row
        out.coverage.append(
            Coverage(
                source_id,
                path,
                "container",
                "container@1",
                "failed",
                0,
                f"{type(error).__name__}: {error}"[:500],
                "damaged",
                complete=False,
                inode=inode,
            )
        )
        return False
    if found is None:
        return False
    for ordinal, (locator, record) in enumerate(found.records):
        if known and record_id(source_id, path, inode, record.artifact or "container", locator) in known:
            continue
        if file.state == "carved":
            record = replace(record, state="carved")
        emit_direct(source_id, path, inode, "container", locator, record, ordinal, emit)
        out.rows += 1
    gaps = list(found.gaps)
    reasons = "; ".join(g.message for g in gaps[:5])
    outcome = "found" if found.prefixes or (found.records and not gaps) else "failed" if gaps else "empty"
    out.coverage.append(
        Coverage(
            source_id,
            path,
            "container",
            "container@1",
            outcome,
            len(found.records),
            reasons,
            gaps[0].reason if gaps else "",
            complete=not gaps,
            needs=found.needs,
            inode=inode,
        )
    )
    out.inside.extend(found.prefixes)
    return bool(found.prefixes)
