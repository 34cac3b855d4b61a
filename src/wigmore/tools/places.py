"""Paths of a source as tools take them: the store that holds a path, its entry there, and what the listing says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wigmore.evidence.source import Source
from wigmore.evidence.store import Entry, Store, StoreFile
from wigmore.model.protocols import ParseError
from wigmore.model.scope import excluding
from wigmore.tools.context import ToolContext
from wigmore.tools.lookup import CannotLook, Row

LISTING = "file_listing"
LISTED = (LISTING, "unallocated_space", "carved_file")  # also what no directory names
LONGEST = 256 * 1024 * 1024  # bytes of a file that a tool takes whole


@dataclass(frozen=True)
class Place:
    """A file of the source, opened through the store that holds it."""

    source: Source
    store: Store
    entry: Entry

    @property
    def file(self) -> StoreFile:
        """The entry as an evidence file."""
        return self.store.file(self.entry)


def source_of(context: ToolContext) -> Source:
    """The active source, opened; CannotLook where the call names none or it cannot be opened."""
    if not context.source_id:
        known = ", ".join(sorted(context.state.sources)) or "none"
        raise CannotLook(f"this call needs a source; known: {known}")
    try:
        return context.open_source(context.source_id)
    except (ParseError, OSError) as error:
        raise CannotLook(f"the source cannot be opened: {error}") from error


def prefixes(context: ToolContext) -> list[str]:
    """The paths of the stores of the source (itself, volumes, archives) that extraction listed, longest first."""
    found = {""} | {
        c.path
        for c in context.coverage()
        if c.source_id == context.source_id
        and c.parser == "file_listing@1"
        and c.outcome in ("found", "empty")
        and not c.file_sha256  # rows with one are about a file that no parser reads
    }
    return sorted(found, key=lambda p: (-len(p), p))


def tidy(path: str) -> str:
    """A path as the records have it: no slash at either end."""
    return path.strip().strip("/")


def above(context: ToolContext, path: str) -> str:
    """The longest store prefix that a path lies strictly below (case aside where nothing matches exactly)."""
    known = [p for p in prefixes(context) if p and path[len(p) : len(p) + 1] == "/"]
    exact = next((p for p in known if path.startswith(p)), None)
    if exact is None:
        exact = next((p for p in known if path[: len(p)].casefold() == p.casefold()), "")
    return exact


def open_at(context: ToolContext, path: str) -> tuple[Source, Store, str]:
    """The source, the store that holds a path, and the path with its container spelled as the store has it."""
    source = source_of(context)
    prefix = above(context, path)
    try:
        store = source.open_store(prefix)
    except (ParseError, OSError) as error:
        raise CannotLook(f"{prefix or 'the source'} cannot be opened: {error}") from error
    return source, store, (prefix + path[len(prefix) :])


def find(context: ToolContext, path: str, inode: str = "") -> Place:
    """A file of the source by path, and by inode where several entries share the path; CannotLook where there is none."""
    path = tidy(path)
    if not path:
        raise CannotLook("name the path of a file; list_directory shows them")
    source, store, spelled = open_at(context, path)
    try:
        entry = _with_inode(store, spelled, inode) if inode else store.find(spelled)
        if entry is None and not inode and "\\" in spelled:
            entry = store.find(spelled.replace("\\", "/"))
    except (ParseError, OSError) as error:
        raise CannotLook(f"{path} cannot be looked up: {error}") from error
    if entry is None:
        raise CannotLook(missing(context, spelled, inode))
    if glob := excluding(entry.path, context.exclude):
        raise CannotLook(f"{entry.path} is excluded by the case's scope ({glob})")
    if entry.kind not in ("file", "stream"):
        raise CannotLook(f"{entry.path} is a {entry.kind}, no file; list_directory shows what it holds")
    if not entry.readable:
        raise CannotLook(f"the content of {entry.path} is lost (recovery: {entry.recovery})")
    return Place(source, store, entry)


def _with_inode(store: Store, path: str, inode: str) -> Entry | None:
    wanted = store.key(path)
    for entry in store.entries():
        if isinstance(entry, Entry) and store.key(entry.path) == wanted and str(entry.inode) == inode:
            return entry
    return None


def missing(context: ToolContext, path: str, inode: str = "") -> str:
    """What is wrong with a path that leads nowhere, with the nearest folder that exists and names in it like the one asked."""
    if inode:
        known = ", ".join(sorted({str(r.get("inode")) for r in listed(context, path) if r.get("inode")}))
        return f"no entry {path} with inode {inode}; inodes of that path: {known or 'none'}"
    folded = ignores_case(context, path)
    folder, _, name = path.rpartition("/")
    while folder and folder not in prefixes(context):
        own = next(listed(context, folder, folded), None)
        deeper = next(below(context, folder, folded), None)
        if own or deeper:
            folder = str(own["path"]) if own else str((deeper or {})["path"])[: len(folder)]
            break
        folder, _, name = folder.rpartition("/")
    start = len(folder) + 2 if folder else 1
    inside = [n for n, _ in folders_below(context, folder, folded, "length(path) >= ?", start)]
    alike = [n for n in inside if name.casefold() in n.casefold()] or inside
    return f"no {path}: {folder or 'the source'} holds no {name!r}" + (f"; it holds {_some(alike)}" if alike else "")


def _some(names: list[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def child_of(folder: str, path: str) -> str:
    """The name directly below a folder on the way to a path."""
    return path[len(folder) + 1 if folder else 0 :].partition("/")[0]


def has_listing(context: ToolContext) -> bool:
    """Whether extraction listed the source's files."""
    return any(
        p.artifact == LISTING and (not context.source_id or p.source_id == context.source_id)
        for p in context.store.parts
    )


def listed(context: ToolContext, path: str, ignores_case: bool = False) -> Iterator[Row]:
    """The listing records of a path: one, or several where deleted twins share it."""
    where = "lower(path) = lower(?)" if ignores_case else "path = ?"
    return iter(context.records(LISTED, where, [path], None))


def below(
    context: ToolContext, folder: str, ignores_case: bool = False, where: str = "", parameters: Sequence[Any] = ()
) -> Iterator[Row]:
    """The listing records of everything below a folder, at any depth, in canonical order; `where` narrows them."""
    inside, given = _inside(folder, ignores_case)
    conditions = " AND ".join(c for c in (inside, where) if c)
    return iter(context.records(LISTED, conditions, [*given, *parameters], None))


def folders_below(
    context: ToolContext, folder: str, ignores_case: bool, where: str, start: int
) -> list[tuple[str, int]]:
    """Names directly below a folder and how many listed paths match below each, `start` being where the names begin."""
    inside, given = _inside(folder, ignores_case)
    relation = context.store.relation(LISTED, context.source_id or None)
    conditions = " AND ".join(c for c in (inside, where) if c)
    found = context.store.query(
        f"SELECT split_part(substr(path, ?), '/', 1) AS name, count(*) AS entries FROM {relation} WHERE {conditions} "
        "GROUP BY name ORDER BY name",
        [start, *given, start],
    )
    return [(r["name"], r["entries"]) for r in found]


def _inside(folder: str, ignores_case: bool) -> tuple[str, list[Any]]:
    if not folder:
        return "", []
    return "starts_with(lower(path), lower(?))" if ignores_case else "starts_with(path, ?)", [folder + "/"]


def ignores_case(context: ToolContext, path: str) -> bool:
    """Whether the store that holds a path compares names without case; False where it cannot be opened."""
    try:
        return open_at(context, path)[1].ignores_case
    except CannotLook:
        return False


def about(place: Place) -> dict[str, Any]:
    """What every row about a file's bytes says: path, inode, size, and state where it is not live."""
    entry = place.entry
    out: dict[str, Any] = {"path": entry.path, "size": entry.size}
    if entry.inode is not None:
        out["inode"] = entry.inode
    if not entry.allocated:
        out |= {"state": "unallocated", "recovery": entry.recovery or "", "caveat": entry.caveat}
    return out
