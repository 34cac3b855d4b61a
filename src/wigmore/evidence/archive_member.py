"""What all archives share: member names made harmless, member content decoded lazily under limits."""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, TypeVar

from wigmore.evidence.store import Entry, Limits, Store, Stream, buffered, part
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record

PIECE = 256 * 1024
IN_MEMORY = 8 * 1024 * 1024  # decoded content beyond this goes to a private, nameless temporary file
RATIO_FREE = 64 * 1024 * 1024  # bytes that any member may unpack to before the ratio is looked at
ABSURD = 1 << 62  # no store and no column holds more
Closes = TypeVar("Closes", bound=IO[bytes])
DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Place:
    """A member's name as a path below the archive; `oddities` says what would have led elsewhere."""

    path: str
    raw: str | None
    oddities: tuple[str, ...]
    written: str | None  # the name as the archive has it, where the path differs

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.rpartition("/")[2]

    def attributes(self) -> dict[str, Any]:
        """What goes into the entry's attributes."""
        found: dict[str, Any] = {}
        if self.written is not None:
            found["name_in_archive"] = self.written
        if self.oddities:
            found["name_oddities"] = list(self.oddities)
        return found


def place(raw: bytes, limits: Limits, backslash: bool = False, text: str | None = None) -> Place:
    r"""A member's name as a path that stays below the archive.

    A part `..` is written `\x2e\x2e`, the colon of a drive letter `\x3a`; leading slashes, `.` and empty parts are left
    out. `backslash` takes `\` as separator (archives of Windows programs). `text` is the name where the archive's own
    encoding is not UTF-8. What was changed is kept in `written`, undecodable bytes in hex.
    """
    odd: list[str] = []
    altered = False
    original = raw.decode("utf-8", "surrogateescape") if text is None else text
    if backslash and "\\" in original:
        original = original.replace("\\", "/")
        odd.append("backslashes")
    if original.startswith("/"):
        odd.append("absolute")
    parts: list[str] = []
    for number, piece in enumerate(original.split("/")):
        if piece in ("", "."):
            continue
        if piece == "..":
            odd.append("parent folder")
            piece = "\\x2e\\x2e"
        elif not parts and number == 0 and DRIVE.match(piece):
            odd.append("drive letter")
            piece = piece.replace(":", "\\x3a", 1)
        shown_part, changed = part(piece.encode("utf-8", "surrogateescape" if text is None else "surrogatepass"))
        altered |= changed
        parts.append(shown_part)
    if len(parts) > limits.max_folders_deep:
        odd.append("too many folders")
        keep = limits.max_folders_deep - 1
        parts = [*parts[:keep], "\\x2f".join(parts[keep:])]
    path = "/".join(parts)
    if len(path) > limits.max_path:
        odd.append("too long")
        altered = True
        path = path[: limits.max_path].rstrip("/")
    if not path:
        odd.append("empty")
        path = "\\x20"
    written = part(raw.replace(b"/", b"\0"))[0].replace("\\x00", "/") if text is None else part(_bytes(text))[0]
    written = written.replace("\\x2f", "/")
    plain = written.removeprefix("./").rstrip("/") == path
    return Place(path, raw.hex() if altered else None, tuple(dict.fromkeys(odd)), None if plain else written[:4096])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def target(raw: bytes) -> str:
    """A link's target as text; never followed."""
    return shown(raw[:4096])


class Spool(Stream):
    """Content that a decoder gives from front to back, kept as it comes, so that it can be read anywhere.

    `chunks` decodes anew; `allow(produced)` raises ParseError when a limit is passed.
    """

    def __init__(
        self, path: str, size: int, chunks: Callable[[], Iterator[bytes]], allow: Callable[[int], None]
    ) -> None:
        super().__init__(size)
        self.path = path
        self._chunks, self._allow = chunks, allow
        self._source: Iterator[bytes] | None = None
        self._kept: IO[bytes] | None = None
        self._produced = 0
        self._error: ParseError | None = None

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`, decoding as far as that; ParseError where nothing can be had there."""
        self._pump(offset + length)
        if self._error is not None and offset >= self._produced:
            raise self._error
        if self._kept is None or offset >= self._produced:
            return b""
        self._kept.seek(offset)
        return self._kept.read(min(length, self._produced - offset))

    def _pump(self, upto: int) -> None:
        if self._error is not None or self._produced >= min(upto, self.size):
            return
        try:
            if self._kept is None:
                self._kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by close()
                self._source = self._chunks()
            assert self._source is not None
            while self._produced < min(upto, self.size):
                chunk = next(self._source, None)
                if chunk is None:
                    message = f"content ends after {self._produced} of {self.size} bytes"
                    raise ParseError(self.path, None, message, "truncated")
                self._keep(chunk)
            if self._produced >= self.size:  # let the decoder compare its checksum before the last bytes are given
                for chunk in self._source:
                    if chunk:
                        raise ParseError(self.path, None, f"holds more than the declared {self.size} bytes", "damaged")
        except ParseError as error:
            self._error = error
            if self._produced >= self.size:
                self._produced = max(0, self.size - 1)  # a wrong checksum: never the whole content without an error
        except OSError as error:
            self._error = ParseError(self.path, None, f"no room for unpacked content: {error.strerror}", "too_large")

    def _keep(self, chunk: bytes) -> None:
        room = self.size - self._produced
        self._allow(self._produced + len(chunk))
        assert self._kept is not None
        self._kept.seek(self._produced)
        self._kept.write(chunk[:room])
        self._produced += min(len(chunk), room)
        if len(chunk) > room:
            raise ParseError(self.path, None, f"holds more than the declared {self.size} bytes", "damaged")

    def close(self) -> None:
        """Drop what was kept."""
        if self._kept is not None:
            self._kept.close()
        self._source = None
        super().close()


class Window(Stream):
    """Parts of an archive's own bytes as one stream: (offset in the archive or None for a hole, bytes) in order.

    `keeper` is the store that owns the handle, and would close it when dropped.
    """

    def __init__(self, path: str, base: IO[bytes], segments: list[tuple[int | None, int]], keeper: object) -> None:
        super().__init__(sum(length for _, length in segments))
        self.path, self._base, self._segments, self._keeper = path, base, segments, keeper

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`, from one segment; ParseError where the archive ends before."""
        at = 0
        for start, size in self._segments:
            if offset < at + size:
                inside = offset - at
                wanted = min(length, size - inside)
                if start is None:
                    return bytes(min(wanted, PIECE))
                self._base.seek(start + inside)
                found = self._base.read(wanted)
                if not found:
                    raise ParseError(self.path, start + inside, "the archive ends inside this member", "truncated")
                return found
            at += size
        return b""


def _without(fields: dict[str, Any]) -> str:
    """What of an encrypted archive can be read without its password."""
    if fields.get("unlocked_with") in ("no password", "built-in password"):
        return "yes: it is encrypted under a password that every reader has"
    if fields.get("names_encrypted"):
        return "no: it is encrypted, including the file names in its header"
    some = fields.get("encrypted_members")
    if some and fields.get("members") and some < fields["members"]:
        return f"in part: {some} of {fields['members']} members are encrypted"
    return "no: it is encrypted; what stands in its header can be read"


class ArchiveStore(Store):
    """The members of one archive file. `records` and `gaps` tell of the archive itself, `needs` what would open it."""

    kind = "archive"
    format = "archive"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file.source_id, prefix, limits)
        self.archive = file
        self.secrets = secrets
        self.records: list[tuple[Locator, Record]] = []
        self.gaps: list[Gap] = []
        self.needs = ""
        self.shut = False  # locked as a whole: nothing to list
        self._handle: BinaryIO | None = None
        self._peaks: dict[str, int] = {}
        self._total = 0
        self._folders: set[str] | None = None

    @property
    def handle(self) -> BinaryIO:
        """The archive's own bytes, opened once."""
        if self._handle is None:
            self._handle = self.own(self.archive.open())
        return self._handle

    def own(self, handle: Closes) -> Closes:
        """Have a handle closed when the store is dropped without `close`."""
        weakref.finalize(self, handle.close)
        return handle

    def bytes_at(self, at: int, length: int) -> bytes:
        """The archive's bytes at an offset; fewer or none where it does not reach as far."""
        if not 0 <= at < self.archive.size or length <= 0:
            return b""
        self.handle.seek(at)
        return self.handle.read(min(length, self.archive.size - at))

    @staticmethod
    def declared(size: int, attributes: dict[str, Any]) -> int:
        """A size as an entry can carry it: an absurd one is noted in `attributes` and becomes 0."""
        if 0 <= size < ABSURD:
            return size
        attributes["declared_size"] = str(size)
        return 0

    def refuse(self, entry: Entry) -> None:
        """Raise ParseError (too_large) for an entry whose declared size is past the limits."""
        size = entry.attributes.get("declared_size", entry.size)
        if entry.size > self.limits.max_member_bytes or "declared_size" in entry.attributes:
            message = f"declares {size} bytes, more than the limit of {self.limits.max_member_bytes}"
            raise ParseError(entry.path, None, message, "too_large")

    def find(self, path: str) -> Entry | None:
        """The entry at a source-relative path; a folder that members lie in need not be a member itself."""
        entry = super().find(path)
        if entry is not None:
            return entry
        if self._folders is None:
            self._folders = set()
            for known in self._index or ():
                folder = known.rpartition("/")[0]
                while folder and folder not in self._folders:
                    self._folders.add(folder)
                    folder = folder.rpartition("/")[0]
        return Entry(path, path.rpartition("/")[2], "directory") if path in self._folders else None

    def close(self) -> None:
        """Give the handle back."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def hollow(self) -> bool:
        """Whether this turns out to be no container at all: nothing is inside, and nothing is to be said."""
        return False

    def describe(self, **data: Any) -> None:
        """Note a record about the archive itself (artifact `container`)."""
        fields = {"container": self.format, "description": f"{self.format} archive", **data}
        if self.needs:
            fields.update(locked=True, needs=self.needs)
        if fields.get("encrypted"):
            fields.setdefault("locked", False)
            fields["readable_without_password"] = _without(fields)
        shape = {name: value for name, value in fields.items() if value is not None and value != ""}
        locator: Locator = {"kind": "offset", "offset": 0, "length": self.archive.size}
        if fields.get("unlocked_with"):
            locator["of"] = "opened"  # what was locked in one run and is open in the next are two records
        self.records.append((locator, Record(shape, artifact="container")))

    def allowance(self, entry: Entry, packed: int) -> Callable[[int], None]:
        """A check for `Spool`: raises ParseError (too_large) past the limits of member, ratio and archive."""
        limits, key = self.limits, entry.inode or entry.path

        def check(produced: int) -> None:
            if produced > limits.max_member_bytes:
                raise ParseError(entry.path, None, f"unpacks to more than {limits.max_member_bytes} bytes", "too_large")
            if produced > RATIO_FREE and produced > limits.max_ratio * max(packed, 1):
                message = f"{packed} packed bytes unpack to more than {limits.max_ratio} times as many"
                raise ParseError(entry.path, None, message, "too_large")
            known = self._peaks.get(key, 0)
            if produced > known:
                self._peaks[key] = produced
                self._total += produced - known
                if self._total > limits.max_total_bytes:
                    message = f"the archive unpacks to more than {limits.max_total_bytes} bytes"
                    raise ParseError(entry.path, None, message, "too_large")

        return check

    def spooled(self, entry: Entry, packed: int, chunks: Callable[[], Iterator[bytes]]) -> BinaryIO:
        """The entry's content through a decoder; refused at once where its declared size is past the limits."""
        self.refuse(entry)
        return buffered(Spool(entry.path, entry.size, chunks, self.allowance(entry, packed)))
