"""File systems through libyal that The Sleuth Kit does not reach: HFS, HFS+, APFS, XFS; with extended attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO

from wigmore.evidence.kit import LibraryStream
from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.evidence.tree import Listed, TreeStore
from wigmore.model import times
from wigmore.model.protocols import Gap, ParseError
from wigmore.model.times import Time

TEXT_SHOWN = 1024
VALUE_READ = 64 * 1024
MODES = {0x4000: "directory", 0x8000: "file", 0xA000: "link", 0x2000: "device", 0x6000: "device"}
RESOURCE = "com.apple.ResourceFork"


class LibraryStore(TreeStore):
    """One file system read by libyal; folders are known by their entry, told apart by identifier."""

    def __init__(
        self,
        source_id: str,
        prefix: str,
        volume: Media,
        handle: Any,
        family: str,
        limits: Limits | None = None,
        start: int = 0,
    ) -> None:
        super().__init__(source_id, prefix, limits)
        self.volume, self.handle, self.kind, self.start = volume, handle, family, start
        self.ignores_case = family in ("HFS", "HFS+")
        self._root: Any = None

    def root(self) -> Any:
        """The root folder's entry."""
        if self._root is None:
            getter = "get_root_directory" if hasattr(self.handle, "get_root_directory") else "get_root_file_entry"
            try:
                self._root = getattr(self.handle, getter)()
            except OSError as error:
                raise ParseError(
                    self.prefix, None, f"{self.kind} root folder cannot be read: {reason_of(error)}"
                ) from error
            if self._root is None:
                raise ParseError(self.prefix, None, f"{self.kind} volume has no root folder")
        return self._root

    def label(self) -> str:
        """The volume's name; empty where there is none."""
        for getter in ("get_name", "get_label"):
            name = _call(self.handle, getter)
            if name:
                return str(name)
        return ""

    def identity(self, node: Any) -> Any:
        """The catalogue number of a folder."""
        return _number(node)

    def listing(self, node: Any, path: str) -> Iterator[Listed | Gap]:
        """The entries of one folder, each followed by its named attributes and forks."""
        try:
            count = node.get_number_of_sub_file_entries()
        except OSError as error:
            yield Gap(f"{path}: folder cannot be listed: {reason_of(error)}")
            return
        for index in range(count):
            try:
                item = node.get_sub_file_entry(index)
                name = item.get_name()
                if name in (".", "..", None):
                    continue
                found = self._entries(item, name, path, index)
            except (OSError, ValueError) as error:
                yield Gap(f"{path}: entry {index} cannot be read: {reason_of(error)}")
                continue
            for entry in found:
                yield entry, item if entry.kind == "directory" else None

    def _entries(self, item: Any, name: str, path: str, place: int) -> list[Entry]:
        text, altered = part(name.encode("utf-8", "surrogatepass"))
        entry_path = f"{path}/{text}" if path else text
        mode = item.get_file_mode() or 0
        kind = MODES.get(mode & 0xF000)
        if kind is None:  # HFS without permissions: folders are known by having entries
            kind = "directory" if _folder_like(item) else "file"
        number = _number(item)
        attributes: dict[str, Any] = {}
        if mode:
            attributes = {
                "mode": f"{mode & 0o7777:04o}",
                "uid": _call(item, "get_owner_identifier"),
                "gid": _call(item, "get_group_identifier"),
            }
        attributes |= {"links": _call(item, "get_number_of_links"), "parent": _call(item, "get_parent_identifier")}
        link_number = _call(item, "get_link_identifier")
        if link_number:
            attributes["link_identifier"] = link_number
        attributes = {key: value for key, value in attributes.items() if value is not None}
        target = _call(item, "get_symbolic_link_target") if kind == "link" else None
        stamps = self._times(item)
        streams: list[Entry] = []
        values: dict[str, str] = {}
        shared: dict[str, Any] = {"inode": str(number), "times": stamps}
        for label, size, index in self._named(item):
            stream_text = part(label.encode("utf-8", "surrogatepass"))[0]
            value = self._value(item, index, size)
            if value is not None:
                values[stream_text] = value
            more: dict[str, Any] = {"stream": stream_text, "extended_attribute": index >= 0}
            if value is not None:
                more["value"] = value
            streams.append(
                Entry(
                    f"{entry_path}:{stream_text}", f"{text}:{stream_text}", "stream", size,
                    attributes=more, ref={"path": entry_path, "place": place, "stream": index}, **shared,
                )
            )  # fmt: skip
        if values:
            attributes["extended_attributes"] = values
        for stream in streams:
            if stream.attributes["stream"] in ("rsrc", RESOURCE):
                attributes["resource_fork_size"] = stream.size
        entry = Entry(
            entry_path, text, kind, (item.get_size() or 0) if kind == "file" else 0, link_target=target,
            path_raw=name.encode("utf-8", "surrogatepass").hex() if altered else None,
            attributes=attributes, ref={"path": entry_path, "place": place}, **shared,
        )  # fmt: skip
        return [entry, *streams]

    def _named(self, item: Any) -> list[tuple[str, int, int]]:
        """(name, bytes, index) of the extended attributes, and the resource fork with index -1."""
        found = []
        for index in range(min(item.get_number_of_extended_attributes(), 4096)):
            attribute = item.get_extended_attribute(index)
            found.append((attribute.get_name() or f"attribute{index}", _size(attribute), index))
        if hasattr(item, "has_resource_fork") and item.has_resource_fork():
            found.append(("rsrc", _size(item.get_resource_fork()), -1))
        return sorted(found)

    def _value(self, item: Any, index: int, size: int) -> str | None:
        """The text of a short extended attribute; hex where it is no text."""
        if index < 0 or not 0 < size <= TEXT_SHOWN:
            return None
        raw = bytes(item.get_extended_attribute(index).read_buffer_at_offset(size, 0))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.hex()
        return text if text.rstrip("\0\n").isprintable() else raw.hex()

    def _times(self, item: Any) -> dict[str, Time]:
        names = {
            "modified": ("get_modification_time_as_integer",),
            "accessed": ("get_access_time_as_integer",),
            "changed": ("get_inode_change_time_as_integer", "get_entry_modification_time_as_integer"),
            "created": ("get_creation_time_as_integer",),
            "added": ("get_added_time_as_integer",),
            "backup": ("get_backup_time_as_integer",),
        }
        found: dict[str, Time] = {}
        for field, getters in names.items():
            for getter in getters:
                value = _call(item, getter)
                if value:
                    time = self._time(value, field)
                    if time is not None:
                        found[field] = time
        return found

    def _time(self, value: int, field: str) -> Time | None:
        if self.kind == "APFS" or self.kind == "XFS":
            return _nanoseconds(value)
        if field == "added":
            return _seconds(value)  # the Finder's field counts from 1970
        if self.kind == "HFS":
            return _local_hfs(value)
        return _hfs(value)

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A stream over the data fork, resource fork or attribute; ParseError where it cannot be reached."""
        item = self._item(entry)
        index = entry.ref.get("stream")
        try:
            if index is None:
                handle = item
            elif index < 0:
                handle = item.get_resource_fork()
            else:
                handle = item.get_extended_attribute(index)
        except OSError as error:
            raise ParseError(entry.path, None, f"content cannot be read: {reason_of(error)}") from error
        return buffered(LibraryStream(entry.path, handle, entry.size))

    def _item(self, entry: Entry) -> Any:
        path, node, folder = entry.ref["path"], self.root(), self.prefix
        names = path[len(self.prefix) + 1 :].split("/") if self.prefix else path.split("/")
        for name in names[:-1]:
            listed = self._folder(node, folder).get(self.key(name))
            if listed is None or listed[1] is None:
                raise ParseError(path, None, "a folder on the way is not there any more")
            folder, node = listed[0].path, listed[1]
        item = node.get_sub_file_entry(entry.ref["place"])
        if part((item.get_name() or "").encode("utf-8", "surrogatepass"))[0] != names[-1]:
            raise ParseError(path, None, "the folder's entries are not in the order in which they were listed")
        return item

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where the content lies in the container's medium: (byte offset, bytes)."""
        try:
            item = self._item(entry)
            found = [item.get_extent(number) for number in range(item.get_number_of_extents())]
        except (OSError, ParseError):
            return []
        return [(self.start + extent[0], extent[1]) for extent in found if not (len(extent) > 2 and extent[2] & 1)]

    def close(self) -> None:
        """Forget the handles."""
        self._folders.clear()
        self._root = None


def open_hfs(source_id: str, prefix: str, volume: Media, family: str, limits: Limits, start: int) -> LibraryStore:
    """An HFS, HFS+ or HFSX volume."""
    import pyfshfs

    return _opened(source_id, prefix, volume, pyfshfs.volume, family, limits, start)


def open_xfs(source_id: str, prefix: str, volume: Media, family: str, limits: Limits, start: int) -> LibraryStore:
    """An XFS volume."""
    import pyfsxfs

    return _opened(source_id, prefix, volume, pyfsxfs.volume, family, limits, start)


def _opened(
    source_id: str, prefix: str, volume: Media, factory: Callable[[], Any], family: str, limits: Limits, start: int
) -> LibraryStore:
    handle = factory()
    try:
        handle.open_file_object(volume)
    except (OSError, MemoryError) as error:
        raise ParseError(prefix, start, f"{family} file system cannot be opened: {reason_of(error)}") from error
    return LibraryStore(source_id, prefix, volume, handle, family, limits, start)


def _number(item: Any) -> int:
    getter = "get_inode_number" if hasattr(item, "get_inode_number") else "get_identifier"
    value: int = getattr(item, getter)()
    return value


def _call(item: Any, getter: str) -> Any:
    """The value of a getter this library version has; None where there is no such field."""
    if not hasattr(item, getter):
        return None
    try:
        return getattr(item, getter)()
    except (OSError, ValueError):
        return None


def _size(item: Any) -> int:
    return int(item.get_size() or 0) if hasattr(item, "get_size") else int(item.size)


def _folder_like(item: Any) -> bool:
    try:
        return bool(item.get_number_of_sub_file_entries())
    except OSError:
        return False


@lru_cache(maxsize=65_536)
def _nanoseconds(value: int) -> Time | None:
    return times.posix(value, unit="ns")


@lru_cache(maxsize=65_536)
def _seconds(value: int) -> Time | None:
    return times.posix(value)


@lru_cache(maxsize=65_536)
def _hfs(value: int) -> Time | None:
    return times.classic(value)


@lru_cache(maxsize=65_536)
def _local_hfs(value: int) -> Time | None:
    time = times.classic(value, source="HFS stores local time")
    if time is None:
        return None
    return {**time, "text": time["text"].rstrip("Z"), "instant": None, "zone": "local-unknown"}
