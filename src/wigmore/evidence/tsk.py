"""File systems through The Sleuth Kit: NTFS, FAT, exFAT, ext2/3/4, ISO 9660, UFS, with deleted entries and streams."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

import pytsk3

from wigmore.evidence.allocation import ExtGroups
from wigmore.evidence.deleted import Deleted
from wigmore.evidence.fat import Slot, Slots
from wigmore.evidence.kit import (
    DATA,
    FAILURES,
    RESIDENT,
    VOLUME_NAME,
    FileStream,
    Image,
    LibraryStream,
    all_holes,
    runs_of,
    shared_posix,
)  # fmt: skip
from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.ntfs import MasterFileTable
from wigmore.evidence.reparse import WOF, read_reparse
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.evidence.tree import Listed, TreeStore
from wigmore.evidence.unallocated import FOLDER, Pieces, mapped
from wigmore.model import times
from wigmore.model.canonical import clean
from wigmore.model.protocols import Gap, ParseError
from wigmore.model.times import Time

UNALLOCATED_NAME = int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC)
UNALLOCATED_META = int(pytsk3.TSK_FS_META_FLAG_UNALLOC)
VIRTUAL, VIRTUAL_FOLDER = int(pytsk3.TSK_FS_META_TYPE_VIRT), int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR)
KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): "file",
    int(pytsk3.TSK_FS_META_TYPE_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_LNK): "link",
    int(pytsk3.TSK_FS_META_TYPE_CHR): "device",
    int(pytsk3.TSK_FS_META_TYPE_BLK): "device",
    VIRTUAL_FOLDER: "directory",
}
NAME_KINDS = {3: "directory", 5: "file", 6: "link", 2: "device", 4: "device"}  # TSK_FS_NAME_TYPE
FAMILIES = {"NTFS": "NTFS", "FAT": "FAT", "exFAT": "exFAT", "ext": "ext", "ISO9660": "ISO9660", "UFS": "UFS"}
TYPES = {
    "NTFS": pytsk3.TSK_FS_TYPE_NTFS,
    "FAT": pytsk3.TSK_FS_TYPE_FAT_DETECT,
    "exFAT": pytsk3.TSK_FS_TYPE_EXFAT,
    "ext": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "ISO9660": pytsk3.TSK_FS_TYPE_ISO9660,
    "UFS": pytsk3.TSK_FS_TYPE_FFS_DETECT,
}
Judge = Callable[[Any, bytes, int, int, str], Iterator[Listed | Gap]]
WITH_MAPS = ("NTFS", "FAT", "exFAT", "ext")  # families whose map of blocks in use is read
BAD_CLUSTERS = 8  # NTFS record whose stream is as long as the volume and holds nothing
LABEL = " (Volume Label Entry)"  # the library adds it to the name


class TskStore(TreeStore):
    """One file system. Folders are known by their inode."""

    def __init__(
        self, source_id: str, prefix: str, volume: Media, family: str, limits: Limits | None = None, start: int = 0,
        free_space: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(source_id, prefix, limits)
        self._lists_free = free_space and family in WITH_MAPS
        self._pieces: Pieces | None = None
        self.volume, self.family, self.start = volume, family, start
        self.kind = FAMILIES[family]
        self.ignores_case = family in ("NTFS", "FAT", "exFAT")
        try:
            self._image = Image(volume)
            self.fs = pytsk3.FS_Info(self._image, type=TYPES[family])
        except FAILURES as error:
            raise ParseError(prefix, start, f"{family} file system cannot be opened: {reason_of(error)}") from error
        if int(self.fs.info.root_inum) >= int(self.fs.info.last_inum):
            # the library would take the root for its folder of orphans and wait for its own lock for ever
            raise ParseError(prefix, start, f"{family} file system has no folders that can be found")
        self.block = int(self.fs.info.block_size)
        self.orphans = int(self.fs.info.last_inum) if family != "ISO9660" else -1
        self._table: MasterFileTable | None = None
        try:
            self._slots = Slots(volume, extended=family == "exFAT") if family in ("FAT", "exFAT") else None
            self._groups = ExtGroups(volume) if family == "ext" else None
            self._gone = Deleted(self.fs, volume, family, self._slots, self._groups)
        except (*FAILURES, struct.error, IndexError) as error:
            raise ParseError(prefix, start, f"{family} metadata cannot be read: {reason_of(error)}") from error
        self._compressed: Any = None

    # -- listing

    def root(self) -> int:
        """The inode of the root folder."""
        return int(self.fs.info.root_inum)

    def label(self) -> str:
        """The volume's name where it is kept in a file of its own (NTFS); else empty."""
        if self.family != "NTFS":
            return ""
        file = self.fs.open_meta(3)
        for attribute in file:
            if int(attribute.info.type) == VOLUME_NAME and int(attribute.info.size):
                raw = bytes(
                    file.read_random(0, min(int(attribute.info.size), 512), VOLUME_NAME, int(attribute.info.id))
                )
                return clean(raw.decode("utf-16-le", "surrogatepass"))
        return ""

    def entries(self) -> Iterator[Entry | Gap]:
        """Live entries, then deleted ones, the last of these without folders of their own, below `$OrphanFiles`; then
        the free space in pieces, below `$Unallocated`.
        """
        gone: list[Entry] = []
        for found in super().entries():
            if self.family == "FAT" and isinstance(found, Entry) and not found.allocated:
                gone.append(found)
            else:
                yield found
        yield from self._gone.unmixed(gone)
        if self._table is not None and self._table.bad:
            numbers = ", ".join(map(str, self._table.bad[:20]))
            yield Gap(f"{self.prefix}: {len(self._table.bad)} damaged records in the master file table: {numbers}")
        if self._lists_free:
            pieces = self.pieces
            if pieces is None:
                yield Gap(f"{self.prefix}: free space is not listed: the volume's map of blocks in use cannot be read")
            else:
                yield from pieces.entries()

    @property
    def pieces(self) -> Pieces | None:
        """The free space in pieces; None where the volume's map cannot be read."""
        if self._pieces is None and self._lists_free and self._gone.allocation is not None:
            space = mapped(self.volume, self._gone.allocation, self.block, int(self.fs.info.block_count), self.limits)
            self._pieces = Pieces(space, self.prefix, self.start, self.limits)
        return self._pieces

    def find(self, path: str) -> Entry | None:
        """The entry at a source-relative path: live, deleted, or a piece of the free space."""
        found = super().find(path)
        inside = path[len(self.prefix) + 1 :] if self.prefix else path
        if found is None and inside.lower().startswith(FOLDER.lower() + "/") and self.pieces is not None:
            return self.pieces.find(path)
        return found

    def listing(self, node: int, path: str) -> Iterator[Listed | Gap]:
        """The entries of one folder, deleted ones among them."""
        live: set[tuple[int, bytes]] = set()
        later: list[tuple[Any, bytes, int]] = []
        names = self._names(node)
        while True:
            try:
                file = next(names, None)
            except FAILURES as error:
                yield Gap(f"{path}: folder cannot be read on: {reason_of(error)}")
                break
            if file is None:
                break
            info = file.info.name
            if info is None or info.name is None:
                continue
            name = bytes(info.name)
            if name in (b".", b".."):
                continue
            number = int(info.meta_addr)
            if int(info.flags) & UNALLOCATED_NAME or node == self.orphans:
                later.append((file, name, number))
                continue
            live.add((number, name))
            if number == self.orphans:
                # not a folder of the volume: its entries are, so it is walked and not listed
                yield from self.listing(number, f"{path}/$OrphanFiles" if path else "$OrphanFiles")
                continue
            yield from self._guarded(self._live, file, name, number, node, path)
        told: set[tuple[int, bytes]] = set()
        for file, name, number in later:
            if (number, name) not in live and (number, name) not in told:
                told.add((number, name))
                yield from self._guarded(self._deleted, file, name, number, node, path)

    def _names(self, node: int) -> Iterator[Any]:
        yield from self.fs.open_dir(inode=node)

    def _guarded(self, judge: Judge, file: Any, name: bytes, number: int, parent: int, path: str) -> list[Listed | Gap]:
        """What `judge` says of one name; a gap where the medium fails under it."""
        try:
            return list(judge(file, name, number, parent, path))
        except FAILURES as error:
            return [Gap(f"{path}/{part(name)[0]}: metadata (inode {number}) cannot be read: {reason_of(error)}")]

    def _live(self, file: Any, name: bytes, number: int, parent: int, path: str) -> Iterator[Listed | Gap]:
        meta = file.info.meta
        if meta is None:
            yield Gap(f"{path}/{part(name)[0]}: its metadata (inode {number}) cannot be read")
            return
        kind_number = int(meta.type)
        if kind_number in (VIRTUAL, VIRTUAL_FOLDER):
            return  # the library's own names for boot sector and tables
        entry = self._entry(file, meta, name, number, parent, path, None, "")
        for one in entry:
            yield one, number if one.kind == "directory" else None

    def _deleted(self, file: Any, name: bytes, number: int, parent: int, path: str) -> Iterator[Listed | Gap]:
        info, meta = file.info.name, file.info.meta
        if meta is None and number:
            try:
                file = self.fs.open_meta(number)
                meta = file.info.meta
            except FAILURES:
                meta = None
        if meta is None or not int(meta.flags) & UNALLOCATED_META or self._other_file(info, meta):
            kind = NAME_KINDS.get(int(info.type), "other")
            caveat = (
                f"only the name is left: inode {number} belongs to another file now"
                if meta is not None and number
                else "only the name is left"
            )
            text, altered = part(name)
            yield Entry(
                f"{path}/{text}", text, kind, 0, str(number) if number else None, False, "none", caveat,
                path_raw=name.hex() if altered else None, attributes={"name_only": True},
            ), None  # fmt: skip
            return
        if parent == self.orphans and self._never_used(number, meta):
            return
        recovery, caveat = self._gone.recovery(file, meta, parent, KINDS.get(int(meta.type)) == "directory")
        for one in self._entry(file, meta, name, number, parent, path, recovery, caveat):
            yield one, number if one.kind == "directory" and recovery not in ("none", "overwritten") else None

    def _other_file(self, info: Any, meta: Any) -> bool:
        """Whether an unallocated NTFS record was used again since this name was written (its sequence moved on)."""
        if self.family != "NTFS" or not int(info.meta_seq or 0):
            return False
        return int(meta.seq) not in (int(info.meta_seq), int(info.meta_seq) + 1)

    def _never_used(self, number: int, meta: Any) -> bool:
        if self.family == "NTFS":
            return not self.table.named(number)
        if self.family == "ext":
            # an inode that was in use once has a mode or a deletion time
            return not int(meta.size) and not int(meta.mode) and not self._gone.deleted_at(number)
        return False

    # -- one entry and its streams

    def _entry(
        self, file: Any, meta: Any, name: bytes, number: int, parent: int, path: str, recovery: str | None, caveat: str
    ) -> list[Entry]:
        text, altered = part(name)
        is_label = self._slots is not None and text.endswith(LABEL)
        if is_label:
            text = text.removesuffix(LABEL).rstrip()
        entry_path = f"{path}/{text}" if path else text
        kind = KINDS.get(int(meta.type), "other")
        attributes: dict[str, Any] = {}
        stamps: dict[str, Time] = {}
        link: str | None = None
        ref: dict[str, Any] = {"meta": number}
        streams: list[tuple[bytes, int, int, bool]] = []
        if self.family == "NTFS":
            stamps = self.table.stamps(number, parent, text)
            flags = self.table.attributes(number)
            attributes = {"sequence": int(meta.seq)}
            if flags:
                attributes["attributes"] = flags
            own, streams = self._streams(file, flags)
            ref |= own
            if "reparse_point" in flags:
                point = read_reparse(file)
                if point is not None:
                    attributes |= point.attributes
                    link = point.target
                    kind = "link" if link is not None else kind
                    if point.tag == WOF:
                        ref["compressed"] = True
            if ref.pop("holes", False):
                kind = "other" if number == 8 else kind
        elif self._slots is not None:
            slot = self._slots.read(number)
            stamps = self._slot_times(slot, meta)
            if slot is not None:
                attributes = {"directory_entry_offset": self.start + slot.offset, "first_cluster": slot.first_cluster}
                if slot.attributes:
                    attributes["attributes"] = slot.attributes
            if is_label:
                kind = "other"
                attributes["volume_label"] = True
            short = file.info.name.shrt_name if file.info.name is not None else None
            if short and part(bytes(short))[0] not in ("", text):
                attributes["short_name"] = part(bytes(short))[0]
        else:
            stamps = self._unix_times(meta)
            attributes = {
                "mode": f"{int(meta.mode) & 0o7777:04o}",
                "uid": int(meta.uid),
                "gid": int(meta.gid),
                "links": int(meta.nlink),
            }
            if meta.link:
                link = part(bytes(meta.link).replace(b"/", b"\0"))[0].replace("\\x00", "/")
            if recovery is not None:
                dropped = self._gone.deleted_at(number)
                if dropped:
                    stamps["deleted_at"] = dropped
        size = int(meta.size) if kind in ("file", "other") else 0
        raw = name.hex() if altered else None
        shared: dict[str, Any] = {
            "inode": str(number),
            "allocated": recovery is None,
            "recovery": recovery,
            "caveat": caveat,
            "path_raw": raw,
        }
        found = [
            Entry(
                entry_path, text, kind, size, link_target=link, attributes=attributes, times=stamps, ref=ref, **shared
            )
        ]
        for stream_name, stream_size, stream_number, holes in streams:
            stream_text = part(stream_name)[0]
            found.append(
                Entry(
                    f"{entry_path}:{stream_text}", f"{text}:{stream_text}",
                    "other" if holes and number == BAD_CLUSTERS else "stream",
                    stream_size, attributes={"stream": stream_text, "sequence": int(meta.seq)}, times=stamps,
                    ref={"meta": number, "id": stream_number, "type": DATA}, **shared,
                )
            )  # fmt: skip
        return found

    @property
    def table(self) -> MasterFileTable:
        """The master file table, read once."""
        if self._table is None:
            file = self.fs.open_meta(0)
            head = self.volume.read_at(0, 512)
            sector, per, raw = int.from_bytes(head[11:13], "little"), head[13], head[64]
            cluster = sector * (per if per <= 0x80 else 1 << (256 - per))
            size = 1 << (256 - raw) if raw >= 0x80 else raw * cluster
            size = size if size in (512, 1024, 2048, 4096) else 1024
            self._table = MasterFileTable(file.read_random, int(file.info.meta.size), size)
        return self._table

    def _streams(self, file: Any, flags: list[str]) -> tuple[dict[str, Any], list[tuple[bytes, int, int, bool]]]:
        own: dict[str, Any] = {}
        found = []
        for attribute in file:
            info = attribute.info
            if int(info.type) != DATA:
                continue
            if info.name:
                holes = int(info.size) > 0 and not int(info.flags) & RESIDENT and all_holes(attribute)
                found.append((bytes(info.name), int(info.size), int(info.id), holes))
            else:
                own = {"id": int(info.id), "type": DATA}
        found.sort()
        if "encrypted" in flags and own:
            own["encrypted"] = True
        return own, found

    def _slot_times(self, slot: Slot | None, meta: Any) -> dict[str, Time]:
        return slot.times if slot is not None else {}

    def _unix_times(self, meta: Any) -> dict[str, Time]:
        if self.family == "ISO9660":
            return _recorded(int(meta.crtime) or int(meta.mtime))
        found = {
            "modified": shared_posix(int(meta.mtime), int(meta.mtime_nano or 0)),
            "accessed": shared_posix(int(meta.atime), int(meta.atime_nano or 0)),
            "changed": shared_posix(int(meta.ctime), int(meta.ctime_nano or 0)),
            "created": shared_posix(int(meta.crtime), int(meta.crtime_nano or 0)),
        }
        return {name: time for name, time in found.items() if time}

    # -- content

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A stream over the content; ParseError where it is lost, encrypted or its metadata cannot be read."""
        if not entry.readable:
            raise ParseError(entry.path, None, f"no content is left: {entry.caveat or entry.recovery}", "damaged")
        if entry.ref.get("encrypted"):
            raise ParseError(
                entry.path, None, "encrypted by the file system (EFS): needs the user's private key", "locked"
            )
        if entry.free_space:
            return self._piece_of(entry).open(entry)
        number = entry.ref["meta"]
        if entry.ref.get("compressed"):
            return self._overlay(entry)
        try:
            file = self.fs.open_meta(number)
        except FAILURES as error:
            raise ParseError(entry.path, None, f"inode {number} cannot be read: {reason_of(error)}") from error
        return buffered(FileStream(entry.path, file, entry.size, entry.ref.get("type"), entry.ref.get("id"), self))

    def _piece_of(self, entry: Entry) -> Pieces:
        if self.pieces is None:
            raise ParseError(entry.path, None, "the volume's map of blocks in use cannot be read")
        return self.pieces

    def _overlay(self, entry: Entry) -> BinaryIO:
        """Content that Windows compressed in an alternate stream (WOF), which the kit does not know."""
        import pyfsntfs

        if self._compressed is None:
            self._compressed = pyfsntfs.volume()
            self._compressed.open_file_object(self.volume)
        try:
            handle = self._compressed.get_file_entry(int(entry.ref["meta"]))
        except FAILURES as error:
            raise ParseError(entry.path, None, f"compressed content cannot be read: {reason_of(error)}") from error
        return buffered(LibraryStream(entry.path, handle, entry.size))

    def extents(self, entry: Entry) -> list[tuple[int, int]]:
        """Where the content lies in the container's medium: (byte offset, bytes); holes are left out."""
        if entry.free_space:
            return self._piece_of(entry).extents(entry)
        try:
            runs = runs_of(self.fs.open_meta(entry.ref["meta"]), entry.ref.get("id"))[0]
        except (*FAILURES, KeyError):
            return []
        return [(self.start + first * self.block, count * self.block) for first, count in runs]

    def close(self) -> None:
        """Forget the handles."""
        self._folders.clear()
        self._compressed = None


def _recorded(value: int) -> dict[str, Time]:
    """The recording time of an ISO 9660 entry: the library turned wall-clock time into POSIX by this machine's zone."""
    if not value:
        return {}
    wall = datetime.fromtimestamp(value)  # naive on purpose: the way back needs the same local zone
    return {"modified": times.local(wall, wall.isoformat(), source="ISO 9660 stores an offset that the library drops")}
