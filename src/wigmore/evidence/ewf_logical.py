"""EnCase logical evidence files (L01): single files with their folders, in the sections of an E01.

Format: Expert Witness Compression Format (libewf documentation), section ltree: a table in UTF-16, categories `rec` and
`entry`; of each entry the number of entries in it, then its values by the names of the category's head (n name, p
folder, ls size, be place of the content, cr ac wr mo dl times, ha sha stored hashes), as libewf reads them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, place
from wigmore.evidence.ewf import MAX_SECTIONS, SECTION, Acquisition, read_sections
from wigmore.evidence.ewf_media import EwfMedia
from wigmore.evidence.images import segments
from wigmore.evidence.media import Window, reason_of
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

TREE_HEAD = struct.Struct("<16sQI20x")  # MD5 of what follows, its size, checksum
LARGEST_TREE = 512 * 1024 * 1024
DEEPEST = 512
TIMES = {"cr": "created", "ac": "accessed", "wr": "modified", "mo": "changed", "dl": "deleted", "aq": "acquired"}
SHOWN = {"ha": "stored_md5", "sha": "stored_sha1", "id": "identifier", "opr": "flags", "snh": "short_name",
    "lo": "logical_offset", "po": "physical_offset", "src": "source", "sub": "subject"}  # fmt: skip


class LogicalStore(ArchiveStore):
    """The files of one logical evidence file, over all its segments."""

    format = "EnCase logical evidence (L01)"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits) -> None:
        super().__init__(file, prefix, limits)
        files = segments(file, "L01")
        streams = [self.own(one.open()) for one in files]
        about = Acquisition()
        for stream in streams:
            stream.seek(0)
            read_sections(stream, about)
        tree = next((found for stream in streams if (found := self._tree(stream)) is not None), None)
        if tree is None:
            missing = about.problem or "the last segment is missing"
            raise ParseError(file.path, None, f"no list of files (section ltree) is here: {missing}", "truncated")
        if not about.finished:
            self.gaps.append(Gap(about.problem or "the last segment is missing", None, "truncated"))
        self._lines = tree.replace("\r", "").split("\n")
        try:
            self.media = EwfMedia(streams)
        except OSError as error:
            raise ParseError(file.path, None, f"its content cannot be opened: {reason_of(error)}") from error
        total = self._category("rec").get("tb", "")
        stated = int(total) if total.isdigit() and len(total) < 20 else 0
        if stated > self.media.size:  # the volume section of such files need not count their sectors
            self.media.size = min(stated, self.media.chunks * self.media.chunk_size)
        self.describe(
            **about.fields,
            segments=[one.path.rpartition("/")[2] for one in files],
            total_bytes=stated or None,
            encrypted=False,
        )

    def _tree(self, stream: BinaryIO) -> str | None:
        """The text of the section ltree in one segment; what its hash says of it becomes a gap."""
        at, end = 13, stream.seek(0, 2)
        for _ in range(MAX_SECTIONS):
            stream.seek(min(at, end))
            raw = stream.read(SECTION.size)
            if len(raw) < SECTION.size:
                return None
            name, following, size, _ = SECTION.unpack(raw)
            if name.rstrip(b"\0") == b"ltree":
                digest, length, _ = TREE_HEAD.unpack(stream.read(TREE_HEAD.size).ljust(TREE_HEAD.size, b"\0"))
                if length > min(LARGEST_TREE, max(0, size - SECTION.size)):
                    length = min(LARGEST_TREE, max(0, size - SECTION.size - TREE_HEAD.size))
                body = stream.read(length)
                if hashlib.md5(body, usedforsecurity=False).digest() != digest:
                    self.gaps.append(Gap("the list of files is not what its stored hash says", at, "damaged"))
                return body.decode("utf-16-le", "replace").lstrip("\ufeff").rstrip("\0")
            if following <= at:
                return None
            at = following
        return None

    def _category(self, name: str) -> dict[str, str]:
        """The values of a category that has one row."""
        if name not in self._lines:
            return {}
        at = self._lines.index(name)
        rows = [line.split("\t") for line in self._lines[at + 1 : at + 3]]
        return dict(zip(*rows, strict=False)) if len(rows) == 2 else {}

    def entries(self) -> Iterator[Entry | Gap]:
        """Every folder and file, folders before their content."""
        path = self.archive.path
        if "entry" not in self._lines:
            yield Gap(f"{path}: the list of files has no entries", None, "damaged")
            return
        at = self._lines.index("entry") + 2
        names = self._lines[at].split("\t") if at < len(self._lines) else []
        waiting: list[tuple[int, str]] = [(1, "")]  # entries still to come at each level, and the folder they lie in
        at, count = at + 1, 0
        while waiting:
            left, folder = waiting.pop()
            if not left:
                continue
            waiting.append((left - 1, folder))
            if at + 1 >= len(self._lines) or not self._lines[at].strip():
                yield Gap(f"{path}: the list of files ends early, after {count} entries", None, "truncated")
                return
            inside = self._lines[at].split("\t")[-1].strip()
            values = dict(zip(names, self._lines[at + 1].split("\t"), strict=False))
            at, count = at + 2, count + 1
            if not inside.isdigit() or len(inside) > 9 or count > self.limits.max_members or len(waiting) > DEEPEST:
                yield Gap(f"{path}: the list of files cannot be followed after {count} entries", None, "damaged")
                return
            name = part(values.get("n", "").encode("utf-8", "surrogatepass"))[0]
            relative = f"{folder}/{name}" if folder and name else folder or name
            if name:
                yield self._entry(relative, values, int(inside), count)
            if int(inside):
                waiting.append((int(inside), relative))

    def _entry(self, relative: str, values: dict[str, str], inside: int, number: int) -> Entry:
        where = place(relative.encode("utf-8", "surrogatepass"), self.limits)
        attributes: dict[str, Any] = {**where.attributes()}
        attributes |= {label: values[name] for name, label in SHOWN.items() if values.get(name, "").strip("0")}
        folder = inside > 0 or values.get("p") == "1"
        size, ref = 0, {}
        content = values.get("be", "").split(" ")
        if not folder and len(content) == 3:
            try:
                ref = {"offset": int(content[1], 16), "length": int(content[2], 16)}
            except ValueError:
                attributes["complete"] = False
            size = self.declared(ref.get("length", 0), attributes)
        logical = values.get("ls", "")
        if logical.isdigit() and len(logical) < 20 and int(logical) != size and not folder:
            attributes["logical_size"] = int(logical)
            attributes["complete"] = False
        stamps: dict[str, Time] = {}
        for name, label in TIMES.items():
            text = values.get(name, "")
            time = times.posix(int(text)) if text.isdigit() and len(text) < 12 else None
            if time:
                stamps[label] = time
        return Entry(
            self.join(where.path), where.name, "directory" if folder else "file", size, str(number),
            path_raw=where.raw, attributes=attributes, times=stamps, ref=ref,
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A window on the content; a damaged chunk raises OSError when it is read."""
        self.refuse(entry)
        if "offset" not in entry.ref:
            if entry.attributes.get("complete") is False:
                raise ParseError(
                    entry.path, None, "its content is not in the logical evidence file", "not_in_acquisition"
                )
            return buffered(Window(self.media, 0, 0))
        if entry.ref["offset"] + entry.ref["length"] > self.media.size:
            raise ParseError(entry.path, entry.ref["offset"], "its content lies outside the evidence file", "truncated")
        return buffered(Window(self.media, entry.ref["offset"], entry.ref["length"]))

    def close(self) -> None:
        """Give the segments back."""
        self.media.close()
        super().close()
