"""Opens a source read-only: folder or single file, and the images and archives met inside, one in another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from wigmore.evidence import aff4
from wigmore.evidence.ewf import Acquisition, read_sections
from wigmore.evidence.filetype import file_type
from wigmore.evidence.folder import FolderStore, SingleFileStore
from wigmore.evidence.images import image_kind, logical_kind, open_media, segments
from wigmore.evidence.listing import entry_record
from wigmore.evidence.media import Media, View
from wigmore.evidence.signatures import HEAD, declared_size, has_table, volume_kind
from wigmore.evidence.store import Entry, Expansion, Limits, Store, StoreFile, buffered
from wigmore.evidence.tcrypt import headerless
from wigmore.evidence.volume_stores import add_roots, open_place
from wigmore.evidence.volumes import Layout, lay_out
from wigmore.model.canonical import sha256
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record

STORES_KEPT = 16
LAYOUTS_KEPT = 4
RAW_LEAST = 64 * 1024  # smaller files are no raw images inside a store: boot sectors, $Boot
RAW_NAMES = (".dd", ".raw", ".img", ".iso", ".bin", ".001", ".000", ".dmg", ".aa", ".image", ".vol")
ACCESS_MODES = frozenset(("image", "tree", "file"))


@dataclass(frozen=True)
class SourceSpec:
    """A source as the examiner named it: its id, its path on this machine, and how it is opened.

    `access_mode` image: the file is an image even where nothing in it is recognised; file: it may be any file;
    tree: a folder. A folder is opened as one whatever the mode says.
    """

    source_id: str
    path: Path
    access_mode: str = "file"
    type: str = ""
    platform: str = ""

    def __post_init__(self) -> None:
        if self.access_mode not in ACCESS_MODES:
            raise ValueError(f"unknown access mode {self.access_mode!r}; one of {sorted(ACCESS_MODES)}")


class Source:
    """An opened source. Handles belong to one process and one thread: open it again elsewhere, that is cheap."""

    def __init__(self, spec: SourceSpec, limits: Limits | None = None, secrets: Sequence[str] = ()) -> None:
        self.spec = spec
        self.limits = limits or Limits()
        self.secrets = tuple(secrets)
        self.is_folder = spec.path.is_dir()
        if not spec.path.exists():
            raise ParseError(spec.source_id, None, "the path of the source does not exist", "not_in_acquisition")
        top: Store
        if self.is_folder:
            top = FolderStore(spec.source_id, "", spec.path, self.limits)
        else:
            top = SingleFileStore(spec.source_id, spec.path, self.limits)
        self._top: Store = top
        self._stores: OrderedDict[str, Store] = OrderedDict()
        self._layouts: OrderedDict[str, Layout] = OrderedDict()
        self._depths: dict[str, int] = {"": 0}
        self._marks: dict[str, tuple[int, str]] = {}  # size and hash of the first bytes, by container
        self._expanded = 0

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all handles back."""
        for store in reversed(self._stores.values()):
            store.close()
        for layout in reversed(self._layouts.values()):
            layout.media.close()
        self._stores.clear()
        self._layouts.clear()

    def __del__(self) -> None:
        if hasattr(self, "_layouts"):
            self.close()

    def stores(self) -> list[str]:
        """The prefixes to begin with: the source itself."""
        return [""]

    # -- stores inside stores

    def open_store(self, prefix: str) -> Store:
        """The store with that prefix, opening containers on the way; ParseError tells where the way ends."""
        store, reached = self._top, ""
        for known in self._ancestors(prefix):
            if known in self._stores:
                self._stores.move_to_end(known)
                store, reached = self._stores[known], known
                break
        while reached != prefix:
            store, reached = self._step(store, reached, prefix)
            self._stores[reached] = store
            if len(self._stores) > STORES_KEPT:
                self._stores.popitem(last=False)
        return store

    @staticmethod
    def _ancestors(prefix: str) -> list[str]:
        parts = prefix.split("/") if prefix else []
        return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]

    def _step(self, store: Store, reached: str, prefix: str) -> tuple[Store, str]:
        """Open the next container towards `prefix`."""
        depth = self._depths.get(reached, 0) + 1
        if depth > self.limits.max_depth:
            raise ParseError(reached, None, f"containers are nested deeper than {self.limits.max_depth}", "depth")
        file = self._container_towards(store, reached, prefix)
        if file.entry.free_space:
            from wigmore.evidence.carving import CarvedStore

            self._depths[file.path] = depth
            return CarvedStore(file, file.path, self.limits), file.path
        layout = self._layouts.get(file.path)
        if layout is None:
            kind = self._archive(file, prefix)
            if kind is not None:
                from wigmore.evidence.archives import open_archive

                self._depths[file.path] = depth
                with file.open() as stream:
                    self._marks[file.path] = (file.size, sha256(stream.read(4096)))
                archive = open_archive(file, file.path, self.limits, self.secrets)
                archive.carved = store.carved
                return archive, file.path
            layout = self._layout(file)
        rest = prefix[len(file.path) + 1 :]
        names = [name for name in layout.places if rest == name or rest.startswith(name + "/")]
        if not names:
            known = ", ".join(layout.places) or "none"
            reasons = "; ".join(gap.message for gap in layout.gaps)
            raise ParseError(
                file.path,
                None,
                f"no volume {rest.split('/')[0]!r} to open; there are: {known}. {reasons}".strip(),
                "unsupported",
            )
        name = max(names, key=len)
        opened = open_place(layout, layout.places[name], self.spec.source_id, self.limits)
        opened.carved = store.carved
        reached = f"{file.path}/{name}"
        self._depths[reached] = depth
        return opened, reached

    def _container_towards(self, store: Store, reached: str, prefix: str) -> StoreFile:
        parts = prefix.split("/")
        for count in range(reached.count("/") + 2 if reached else 1, len(parts) + 1):
            entry = store.find("/".join(parts[:count]))
            # archives need not list the folders on the way
            if entry is not None and entry.kind in ("file", "stream"):
                return store.file(entry)
        raise ParseError(prefix, None, "no container is found on this path", "not_in_acquisition")

    def _archive(self, file: EvidenceFile, prefix: str) -> str | None:
        from wigmore.evidence.archives import container_kind

        with file.open() as stream:
            head = stream.read(HEAD)
        if image_kind(head, file, thorough=self._is_top(file)) is not None:
            return None
        if volume_kind(head) is not None and prefix != file.path:
            return None
        return container_kind(head, file)

    def _layout(self, file: EvidenceFile) -> Layout:
        layout = self._layouts.get(file.path)
        if layout is None:
            media = self._open_media(file)
            layout = lay_out(media, file.path, self.secrets)
            self._layouts[file.path] = layout
            if len(self._layouts) > LAYOUTS_KEPT:
                self._layouts.popitem(last=False)
        return layout

    def _open_media(self, file: EvidenceFile) -> Media:
        with file.open() as stream:
            head = stream.read(HEAD)
        return open_media(file, image_kind(head, file, thorough=self._is_top(file)))

    # -- containers

    def _is_top(self, file: EvidenceFile) -> bool:
        return not self.is_folder and "/" not in file.path

    def expand(self, file: EvidenceFile, head: bytes) -> Expansion | None:
        """Look whether a file is a container by its first bytes (4 KiB at least, 64 KiB better); None where it is none.

        Never raises for what is in the file: what cannot be opened is a gap with its reason.
        """
        top = self._is_top(file)
        kind: str | None
        if self._expanded >= self.limits.max_containers:
            kind = image_kind(head, file) or self._archive_kind(head, file)
            full = Gap(
                f"more than {self.limits.max_containers} containers in the source: not opened", None, "too_large"
            )
            return Expansion(kind, gaps=(full,)) if kind else None
        if self._depth_of(file.path) >= self.limits.max_depth:
            kind = image_kind(head, file) or self._archive_kind(head, file)
            gap = Gap(f"containers are nested deeper than {self.limits.max_depth}: not opened", None, "depth")
            return Expansion(kind, gaps=(gap,)) if kind else None
        try:
            kind = image_kind(head, file, thorough=top)
            if kind is None:
                archive = self._archive_kind(head, file)
                if archive is not None:
                    kind = archive
                    opened = self._expand_archive(file, archive, head)
                    self._expanded += opened is not None
                    return opened
                if not self._raw_image(file, head, top) and not self._headerless(file, head):
                    return None
            self._expanded += 1
            return self._expand_image(file, kind or "raw", kind is None and not top)
        except ParseError as error:
            return Expansion(kind or "raw", gaps=(Gap(error.message, error.offset, error.reason),))

    def expand_locked(self, file: EvidenceFile, head: bytes) -> Expansion | None:
        """What `expand` says of a container where no secret is given: what an earlier run recorded of it."""
        held, self.secrets = self.secrets, ()
        self._layouts.pop(file.path, None)
        try:
            return self.expand(file, head)
        finally:
            self.secrets = held
            self._layouts.pop(file.path, None)
            self._stores.pop(file.path, None)

    def _depth_of(self, path: str) -> int:
        """How deep the store lies that lists the file; a container that was opened before is no deeper for it."""
        return next((self._depths[one] for one in self._ancestors(path)[1:] if one in self._depths), 0)

    def _archive_kind(self, head: bytes, file: EvidenceFile) -> str | None:
        from wigmore.evidence.archives import container_kind

        return container_kind(head, file)

    def _raw_image(self, file: EvidenceFile, head: bytes, top: bool) -> bool:
        likely = file.path.lower().endswith(RAW_NAMES)
        if not top and file.size < RAW_LEAST:
            return False
        if (top or likely) and len(head) < HEAD and file.size > len(head):
            with file.open() as stream:
                head = stream.read(HEAD)
        kind = volume_kind(head)
        if kind is not None:
            declared = declared_size(head, kind)
            return top or likely or declared is None or declared <= file.size * 4
        if has_table(head):
            return True
        return top and self.spec.access_mode == "image"

    @staticmethod
    def _headerless(file: EvidenceFile, head: bytes) -> bool:
        """Whether the file may be a volume of TrueCrypt or VeraCrypt, which no mark tells."""
        return file_type(head[:8192], file.path, file.size) is None and headerless(head, file.size, file.path)

    def _expand_archive(self, file: EvidenceFile, kind: str, head: bytes) -> Expansion | None:
        from wigmore.evidence.archives import open_archive

        mark = (file.size, sha256(head[:4096]))
        if any(self._marks.get(above) == mark for above in self._ancestors(file.path)[1:]):
            return Expansion(kind, gaps=(Gap("the archive contains itself: not opened again", None, "depth"),))
        self._marks[file.path] = mark
        store = open_archive(file, file.path, self.limits, self.secrets)
        if store.hollow():
            store.close()
            return None
        store.carved = file.state == "carved"
        self._stores[file.path] = store
        self._depths[file.path] = self._depth_of(file.path) + 1
        records: tuple[tuple[Locator, Record], ...] = tuple(store.records)
        prefixes = () if store.shut else (file.path,)
        return Expansion(kind, records, prefixes, gaps=tuple(store.gaps), needs=store.needs)

    def _expand_image(self, file: EvidenceFile, kind: str, doubtful: bool) -> Expansion | None:
        stored = Acquisition()
        if kind in ("E01", "AFF4"):
            stored = self.acquisition(file, self.segment_paths(file))
            if (
                kind == "E01"
                and stored.segment > 1
                and file.path == self.segment_paths(file)[0]
                and not self._first(file)
            ):
                return Expansion("E01 segment")
        try:
            layout = self._layout(file)
        except ParseError as error:
            message = f"{stored.problem}; {error.message}" if stored.problem else error.message
            reason = "truncated" if stored.cut else error.reason
            data = self._container(file, kind, None, stored)
            record = ({"kind": "offset", "offset": 0}, Record(data, stored.times, artifact="container"))
            return Expansion(kind, (record,), gaps=(Gap(message, error.offset, reason),))
        if doubtful and not layout.kinds:
            return None  # a boot sector or table without any volume: no image
        add_roots(layout, self.spec.source_id, self.limits)
        data = self._container(file, kind, layout, stored)
        gaps = [*layout.media.problems, *layout.gaps]
        if kind == "E01" and not stored.finished:
            broken = bool(stored.problem) and not stored.cut
            gaps.insert(
                0, Gap(stored.problem or "the last segment is missing", None, "damaged" if broken else "truncated")
            )
        reach = getattr(layout.media, "known", layout.media.size)
        if reach < layout.media.size:
            gaps.append(
                Gap(f"the medium is missing from offset {reach} on, of {layout.media.size} bytes", reach, "truncated")
            )
        if stored.errors:
            bad = ", ".join(f"{first}+{count}" for first, count in stored.errors[:20])
            gaps.append(Gap(f"unreadable when acquired, sectors (first+count): {bad}"))
        record = ({"kind": "offset", "offset": 0}, Record(data, stored.times, artifact="container"))
        prefixes = [f"{file.path}/{name}" for name, place in layout.places.items() if not place.snapshot]
        snapshots = [f"{file.path}/{name}" for name, place in layout.places.items() if place.snapshot]
        return Expansion(
            kind, (record, *layout.records), tuple(prefixes), tuple(snapshots), tuple(gaps), "; ".join(layout.needs)
        )

    def _first(self, file: EvidenceFile) -> bool:
        with file.open() as stream:
            head = stream.read(13)
        return int.from_bytes(head[9:11], "little") == 1

    def _container(self, file: EvidenceFile, kind: str, layout: Layout | None, stored: Acquisition) -> dict[str, Any]:
        data: dict[str, Any] = {"container": kind, "container_size": file.size, **stored.fields}
        if stored.md5:
            data["stored_md5"] = stored.md5
        if stored.sha1:
            data["stored_sha1"] = stored.sha1
        if stored.errors:
            data["acquisition_errors"] = [{"sector": first, "count": count} for first, count in stored.errors[:1000]]
        if layout is None:
            return data
        data |= {
            "container": layout.media.kind,
            "media_size": layout.media.size,
            "sector_size": layout.media.sector_size,
            **layout.media.about,
        }
        data["segments"] = [path.rpartition("/")[2] for path in layout.media.segments]
        if layout.table is not None:
            data |= {"partition_table": layout.table.scheme, "partition_count": len(layout.table.volumes())}
            if layout.table.identifier:
                data["disk_identifier"] = layout.table.identifier
        counts: dict[str, int] = {}
        for found in layout.kinds.values():
            counts[found] = counts.get(found, 0) + 1
        data["file_systems"] = dict(sorted(counts.items()))
        return data

    def segment_paths(self, file: EvidenceFile) -> tuple[str, ...]:
        """The paths of all files that an image stands on, the given one first."""
        with file.open() as stream:
            head = stream.read(4096)
        kind = image_kind(head, file) or logical_kind(head)
        return tuple(one.path for one in segments(file, kind or "raw"))

    def acquisition(self, file: EvidenceFile, paths: Sequence[str]) -> Acquisition:
        """What an E01 image says of itself, over all its segments, or an AFF4 image; empty for other containers."""
        found = Acquisition()
        with file.open() as stream:
            head = stream.read(4096)
        if image_kind(head, file, thorough=self._is_top(file)) == "AFF4":
            with aff4.Aff4Media(file) as media:
                return media.stored()
        for path in paths:
            one = file if path == file.path else file.sibling(path.rpartition("/")[2])
            if one is None:
                continue
            with one.open() as stream:
                if stream.read(3) != b"EVF":
                    return found
                stream.seek(0)
                read_sections(stream, found)
        return found

    def medium_of(self, file: EvidenceFile) -> tuple[str | None, Media | None, str]:
        """(kind of container or None, its medium or None, why there is none) of a file."""
        with file.open() as stream:
            head = stream.read(HEAD)
        kind = image_kind(head, file, thorough=self._is_top(file))
        if kind is None and not self._raw_image(file, head, self._is_top(file)):
            return None, None, ""
        try:
            media = open_media(file, kind)
        except ParseError as error:
            return kind or "raw", None, error.message
        return kind or media.kind, media, ""

    def media(self, prefix: str) -> BinaryIO:
        """The bytes of the medium of a container, or of one of its volumes (`…/p1`), as a seekable stream."""
        entry = self._container_entry(prefix)
        if entry is not None:
            return buffered(View(self._layout(entry).media))
        for container in self._ancestors(prefix)[1:]:
            file = self._container_entry(container)
            if file is not None:
                name = prefix[len(container) + 1 :]
                window = self._layout(file).windows.get(name)
                if window is not None:
                    return buffered(View(window))
                break
        raise ParseError(prefix, None, "no container or volume is found on this path", "not_in_acquisition")

    def _container_entry(self, path: str) -> StoreFile | None:
        """The file at a source-relative path that lies in whatever store holds it."""
        for above in [*self._ancestors(path)[1:], ""]:
            if above in self._stores or above == "":
                store = self.open_store(above)
                entry = store.find(path)
                return store.file(entry) if isinstance(entry, Entry) and entry.kind in ("file", "stream") else None
        return None

    def file_at(self, path: str) -> StoreFile:
        """The file at a source-relative path, in whatever store holds it; ParseError where there is none."""
        found = self._container_entry(path)
        if found is not None:
            return found
        store, reached = self._top, ""
        while True:
            entry = store.find(path)
            if entry is not None:
                return store.file(entry)
            store, reached = self._step(store, reached, path)
            self._stores[reached] = store


def open_source(spec: SourceSpec, limits: Limits | None = None, secrets: Sequence[str] = ()) -> Source:
    """Open a source read-only; ParseError where the path does not exist."""
    return Source(spec, limits, secrets)


__all__ = ["Expansion", "Limits", "Source", "SourceSpec", "entry_record", "open_source"]
