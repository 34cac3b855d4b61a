"""Folders and single files of the examiner's disk as stores: links are noted, never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from wigmore.evidence.local import open_untouched
from wigmore.evidence.store import Entry, Limits, Store, part
from wigmore.evidence.tree import Listed, TreeStore
from wigmore.model import times
from wigmore.model.protocols import Gap, ParseError

OTHERS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device"}


def host_entry(path: str, name: bytes, status: os.stat_result, ref: str, link: bytes | None, raw: str | None) -> Entry:
    """The entry of a file of this machine; of its times only the modification time says anything of the evidence."""
    mode = stat.S_IFMT(status.st_mode)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    kind = kinds.get(mode, "device" if mode in (stat.S_IFCHR, stat.S_IFBLK) else "other")
    attributes: dict[str, Any] = {"special": OTHERS[mode]} if mode in OTHERS else {}
    modified = times.posix(status.st_mtime_ns, owner="collector", unit="ns")
    return Entry(
        path=path,
        name=part(name)[0],
        kind=kind,
        size=status.st_size if kind == "file" else 0,
        link_target=None if link is None else part(link.replace(b"/", b"\0"))[0].replace("\\x00", "/"),
        path_raw=raw,
        attributes=attributes,
        times={"modified": modified} if modified else {},
        ref={"host": ref},
    )


class FolderStore(TreeStore):
    """A folder of this machine. Order is that of the names' bytes."""

    kind = "folder"

    def __init__(self, source_id: str, prefix: str, on_host: Path, limits: Limits | None = None) -> None:
        super().__init__(source_id, prefix, limits)
        self.on_host = os.fsencode(on_host)

    def root(self) -> bytes:
        """The path below the folder, in bytes."""
        return b""

    def listing(self, node: bytes, path: str) -> Iterator[Listed | Gap]:
        """The folder's entries in order of their bytes."""
        try:
            with os.scandir(os.path.join(self.on_host, node)) as found:
                names = sorted(item.name for item in found)
        except OSError as error:
            yield Gap(f"{path}: folder cannot be listed: {error.strerror}")
            return
        for name in names:
            below = node + b"/" + name if node else name
            shown_name, altered = part(name)
            entry_path = f"{path}/{shown_name}" if path else shown_name
            try:
                status = os.lstat(os.path.join(self.on_host, below))
                link = os.readlink(os.path.join(self.on_host, below)) if stat.S_ISLNK(status.st_mode) else None
            except OSError as error:
                yield Gap(f"{entry_path}: entry cannot be read: {error.strerror}")
                continue
            raw = below.hex() if altered or part(node.replace(b"/", b""))[1] else None
            entry = host_entry(entry_path, name, status, below.hex(), link, raw)
            yield entry, below if entry.kind == "directory" else None

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The file itself, opened read-only; ParseError where a link stands in the way or the system refuses."""
        return open_below(self.on_host, bytes.fromhex(entry.ref["host"]), entry.path)


def open_below(folder: bytes, relative: bytes, shown: str) -> BinaryIO:
    """Open a file below a folder, refusing links on the way; ParseError with the reason."""
    place = folder
    for name in relative.split(b"/"):
        if name in (b"", b".", b".."):
            raise ParseError(shown, None, "the path leads out of the source", "excluded")
        place = os.path.join(place, name)
        if os.path.islink(place):
            raise ParseError(shown, None, "a link stands on the way; links are not followed", "excluded")
    try:
        if not stat.S_ISREG(os.lstat(place).st_mode):
            raise ParseError(shown, None, "not a regular file", "unsupported")
        return open_untouched(Path(os.fsdecode(place)))
    except OSError as error:
        raise ParseError(shown, None, f"cannot be opened: {error.strerror}", "damaged") from error


class SingleFileStore(Store):
    """A folder that holds just the one file given as source; its neighbours are found by name (segments, journals)."""

    kind = "folder"

    def __init__(self, source_id: str, on_host: Path, limits: Limits | None = None) -> None:
        super().__init__(source_id, "", limits)
        self.on_host = on_host

    def entries(self) -> Iterator[Entry | Gap]:
        """The one file."""
        entry = self.find(part(os.fsencode(self.on_host.name))[0])
        yield entry or Gap(f"{self.on_host.name}: the file cannot be read")

    def find(self, path: str) -> Entry | None:
        """The file, or a regular file beside it."""
        if "/" in path:
            return None
        own = os.fsencode(self.on_host.name)
        name = own if path == part(own)[0] else os.fsencode(path)
        try:
            # the examiner may name a link as source: that one is followed, neighbours are not
            place = os.path.join(os.fsencode(self.on_host.parent), name)
            status = os.stat(place) if name == own else os.lstat(place)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return host_entry(path, name, status, name.hex(), None, name.hex() if part(name)[1] else None)

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The file itself, opened read-only."""
        name = bytes.fromhex(entry.ref["host"])
        place = (
            self.on_host.resolve()
            if name == os.fsencode(self.on_host.name)
            else self.on_host.with_name(os.fsdecode(name))
        )
        try:
            return open_untouched(place)
        except OSError as error:
            raise ParseError(entry.path, None, f"cannot be opened: {error.strerror}", "damaged") from error
