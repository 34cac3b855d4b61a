"""What a source is that the examiner names: its type and platform, by content and layout, with the markers seen."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from wigmore.evidence import aff4
from wigmore.evidence.archives import NOT_READ, archive_kind, open_archive
from wigmore.evidence.filetype import file_type
from wigmore.evidence.local import LocalFile, open_untouched
from wigmore.evidence.recognise_markers import CAPTURES, CONTENT, EXTENSIONS, IMAGES, LOGS, MAIL, PICTURES, PLACES
from wigmore.evidence.signatures import has_table, volume_kind
from wigmore.evidence.store import Entry, Limits, part
from wigmore.formats.mail_kinds import KINDS as MAIL_KINDS
from wigmore.model.protocols import EvidenceFile, ParseError

TYPES = (
    "disk_image", "mobile_extraction", "media_collection", "archive", "log_collection", "network_capture", "mailbox",
    "file_collection",
)  # fmt: skip
LIMIT = 20_000  # entries looked at
HEADS = 2_000  # of these, files whose first bytes are read
HEAD = 8192
CERTAIN = 3  # weight of markers from which a platform is named
PEEK = Limits(max_member_bytes=64 * 1024 * 1024, max_members=LIMIT)  # what an archive may cost here
CUT = PEEK.max_member_bytes - 1024 * 1024  # a stream that gives more than this was most likely cut
LOG_LINE = re.compile(
    rb"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
    rb"|\d{4}/\d\d/\d\d \d\d:\d\d|type=[A-Z_]+ msg=audit\(|#(?:Software|Version|Fields): "
    rb"|\S{1,100} \S{1,100} \S{1,100} \[\d\d/[A-Z][a-z]{2}/\d{4}:)"
)
AUDIT = re.compile(rb"type=[A-Z_]+ msg=audit\(")
VENDOR_REPORT = b"http://pa.cellebrite.com/report/"
_ONE = re.compile("|".join(f"(?P<m{number}>{row[3]})" for number, row in enumerate(PLACES)))
_EACH = tuple(re.compile(row[3]) for row in PLACES)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a source is: `type` one of TYPES, `platform` windows, linux, macos, ios, android or unknown.

    `access_mode` is image, tree or file; `reason` names the markers seen; `notes` say what else matters (encryption,
    further platforms, what was not looked at).
    """

    type: str
    platform: str
    access_mode: str
    reason: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Signs:
    """What a listing showed: markers by platform, categories of files, bytes of disk images and of all."""

    markers: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    categories: Counter[str] = field(default_factory=Counter)
    files: int = 0
    entries: int = 0
    image_bytes: int = 0
    bytes: int = 0
    cut: bool = False

    def mark(self, platform: str, marker: str, weight: int, example: str) -> None:
        """Note a marker once, with the first path that shows it."""
        self.markers.setdefault(platform, {}).setdefault(marker, (weight, example))

    def path(self, path: str) -> None:
        """Look at a path."""
        self.entries += 1
        low = "/" + path.lower()
        found = _ONE.search(low)
        if found is None:
            return
        for row, pattern in zip(PLACES, _EACH, strict=True):  # few paths come this far
            if pattern.search(low):
                self.mark(row[0], row[2], row[1], path)

    def content(self, kind: str | None, path: str, size: int = 0) -> None:
        """Count a file by the type of its content (None: not known) or, where that was not read, by its extension."""
        self.files += 1
        self.bytes += size
        if kind in CONTENT:
            platform, weight = CONTENT[kind]
            self.mark(platform, kind, weight, path)
        if kind in IMAGES:
            self.categories["image"] += 1
            self.image_bytes += size
        for category, kinds in (("media", PICTURES), ("capture", CAPTURES), ("mail", MAIL), ("log", LOGS)):
            if kind in kinds:
                self.categories[category] += 1

    def named(self, path: str, size: int = 0) -> None:
        """Count a file by its extension alone."""
        self.files += 1
        self.bytes += size
        category = EXTENSIONS.get(path.rpartition(".")[2].lower())
        if category:
            self.categories[category] += 1
            self.image_bytes += size if category == "image" else 0

    def ranking(self) -> list[tuple[int, str, list[str]]]:
        """Platforms by the weight of their markers: (weight, platform, markers), the heaviest first."""
        rows = [
            (sum(weight for weight, _ in found.values()), platform, list(found))
            for platform, found in self.markers.items()
        ]
        return sorted(rows, key=lambda row: (-row[0], row[1]))


def recognise_listing(paths: Iterable[str], limit: int = LIMIT) -> Recognition:
    """What a listing's paths show, of at most `limit` of them; directories may be among them."""
    signs = Signs()
    iterator = iter(paths)
    for path in islice(iterator, limit):
        signs.path(path)
        if not path.endswith("/"):
            signs.named(path)
    signs.cut = next(iterator, None) is not None
    return conclude(signs, "tree")


def recognise(path: Path) -> Recognition:
    """What the file or folder at `path` is. OSError where it cannot be read at all."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return conclude(_folder(path), "tree")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is neither a file nor a folder")
    return _file(path, status.st_size)


def conclude(signs: Signs, access_mode: str) -> Recognition:
    """Type and platform from the signs of a listing."""
    ranking = signs.ranking()
    platform = "unknown"
    markers: list[str] = []
    notes: list[str] = []
    if ranking and ranking[0][0] >= CERTAIN:
        _, platform, markers = ranking[0]
        notes += [
            f"also {other} markers: {', '.join(found[:4])}" for weight, other, found in ranking[1:] if weight >= CERTAIN
        ]
    elif ranking:
        notes.append(f"weak {ranking[0][1]} markers: {', '.join(ranking[0][2][:4])}")
    if signs.cut:
        notes.append(f"looked at the first {signs.entries} entries only")
    kind, why = _kind(signs, platform, ranking[0][0] if ranking else 0)
    if markers:
        shown = ", ".join(markers[:6]) + (f" and {len(markers) - 6} more" if len(markers) > 6 else "")
        why = f"{platform} by {shown}" + (f"; {why}" if why else "")
    if signs.categories["mail"] and kind != "mailbox":
        notes.append(f"holds {signs.categories['mail']} mail stores or messages")
    if signs.categories["capture"] and kind != "network_capture":
        notes.append(f"holds {signs.categories['capture']} network captures")
    if signs.categories["image"] and kind != "disk_image":
        notes.append(f"holds {signs.categories['image']} disk images")
    return Recognition(kind, platform, access_mode, why, tuple(notes))


def _kind(signs: Signs, platform: str, weight: int) -> tuple[str, str]:
    """The type, and what besides the platform's markers speaks for it."""
    count, files = signs.categories, max(1, signs.files)
    if platform in ("ios", "android"):
        return "mobile_extraction", ""
    if count["image"] and (signs.image_bytes * 10 >= signs.bytes * 8 if signs.bytes else count["image"] * 2 >= files):
        return "disk_image", f"{count['image']} of {files} files are disk images"
    if count["capture"] * 2 >= files and count["capture"]:
        return "network_capture", f"{count['capture']} of {files} files are network captures"
    if count["mail"] * 2 >= files and count["mail"]:
        return "mailbox", f"{count['mail']} of {files} files are mail"
    if count["media"] * 10 >= files * 6 and (platform == "unknown" or weight < 2 * CERTAIN):
        return "media_collection", f"{count['media']} of {files} files are pictures, sound or film"
    if platform != "unknown":
        return "log_collection", "a tree of its files"
    if count["log"] * 2 >= files and count["log"]:
        return "log_collection", f"{count['log']} of {files} files are logs"
    if not signs.files:
        return "file_collection", "no files"
    return (
        "file_collection",
        f"nothing known in the layout or content of {signs.files} files; taken as a collection of files",
    )


# folders


def _walk(root: Path) -> Iterator[tuple[str, str, os.DirEntry[str]]]:
    """Entries breadth first, the layout before the bulk: (relative path, kind, entry); links are not followed."""
    waiting = deque([(os.fspath(root), "")])
    while waiting:
        folder, relative = waiting.popleft()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda item: item.name)
        except OSError:
            continue  # what cannot be listed is told by the listing itself, not by the recognition
        for item in entries:
            name = part(os.fsencode(item.name))[0]
            path = f"{relative}/{name}" if relative else name
            if item.is_symlink():
                continue
            if item.is_dir(follow_symlinks=False):
                waiting.append((item.path, path))
                yield path + "/", "directory", item
            elif item.is_file(follow_symlinks=False):
                yield path, "file", item


def _folder(root: Path) -> Signs:
    signs = Signs()
    heads = 0
    walk = _walk(root)
    for path, kind, item in islice(walk, LIMIT):
        signs.path(path)
        if kind == "directory":
            continue
        try:
            size = item.stat(follow_symlinks=False).st_size
            if heads >= HEADS:
                signs.named(path, size)
                continue
            with open_untouched(Path(item.path)) as stream:
                head = stream.read(HEAD)
        except OSError:
            signs.named(path)
            continue
        heads += 1
        _head(signs, head, path, size)
    signs.cut = next(walk, None) is not None
    return signs


def _head(signs: Signs, head: bytes, path: str, size: int) -> None:
    """Count a file by its first bytes; text that is a log counts as one."""
    kind = file_type(head, path, size)
    if kind == "text" and LOG_LINE.match(head.lstrip(b"\xef\xbb\xbf\r\n")):
        kind = "log"
        if AUDIT.match(head):
            signs.mark("linux", "audit log", 2, path)
    if kind == "SQLite 3" and b"android_metadata" in head:  # a table that Android's own helper makes in each database
        signs.mark("android", "SQLite databases made by Android", 3, path)
    if kind == "OLE compound file" and b"_\0_\0s\0u\0b\0s\0t\0g\0" in head:
        kind = "e-mail"
    signs.content(kind, path, size)


# single files


def _file(path: Path, size: int) -> Recognition:
    with open_untouched(path) as stream:
        head = stream.read(128 * 1024)
        stream.seek(max(0, size - 512))
        tail = stream.read(512)
    if not head:
        return Recognition("file_collection", "unknown", "file", "an empty file")
    kind = file_type(head[:HEAD], path.name, size)
    image = _image(head, tail, kind, size)
    if image is not None:
        return image
    packed = archive_kind(head, path.name)
    if packed == "zip" and aff4.is_image(head, LocalFile.at(path), thorough=True):
        return Recognition("disk_image", "unknown", "image", "AFF4 image")
    if packed in MAIL_KINDS:
        return Recognition("mailbox", "unknown", "file", f"content is {kind or packed}")
    if packed is not None and kind not in ("Word document", "Excel workbook", "PowerPoint presentation", "EPUB book"):
        return _archive(path, packed)
    signs = Signs()
    _head(signs, head[:HEAD] if kind != "OLE compound file" else head, "", size)
    found = conclude(signs, "file")
    if kind in CAPTURES:
        return Recognition("network_capture", "unknown", "file", f"a {kind} file")
    if signs.categories["mail"]:
        return Recognition("mailbox", "unknown", "file", f"content is {kind}")
    if kind is None:
        return _nameless(head, size)
    notes = ("memory is not read",) if kind in ("memory image (LiME)", "crash dump", "hibernation file") else ()
    shown = "a log by its first line" if signs.categories["log"] and kind == "text" else f"content is {kind}"
    return Recognition(found.type, found.platform, "file", shown, notes)


def _image(head: bytes, tail: bytes, kind: str | None, size: int) -> Recognition | None:
    """A disk image: by container, by partition table, by file system, by trailer; None if it is none."""
    volume = volume_kind(head)
    notes = (f"{volume} encryption: needs its password or key",) if volume in ("LUKS", "BitLocker") else ()
    containers = IMAGES - {"boot sector", "disk (MBR)"}
    if tail[:4] == b"koly":
        return Recognition("disk_image", "unknown", "image", "Apple disk image (trailer)")
    if volume is not None:
        return Recognition("disk_image", "unknown", "image", f"{volume} volume without a container", notes)
    if kind in containers and not head.startswith((b"LVF", b"ADSEG")):  # those are archives of files
        sure = ("unread by this version",) if kind in ("AFF image", "EnCase logical image") else notes
        return Recognition("disk_image", "unknown", "image", f"content is {kind}", sure)
    if tail[:8] == b"conectix" and size > 512:
        return Recognition("disk_image", "unknown", "image", "VHD footer")
    if has_table(head):
        return Recognition("disk_image", "unknown", "image", "a partition table", notes)
    return None


def _nameless(head: bytes, size: int) -> Recognition:
    """Bytes without any known mark: evenly spread ones may be an encrypted container."""
    sample = head[: 64 * 1024]
    expected = len(sample) / 256
    spread = (
        sum((count - expected) ** 2 / expected for count in Counter(sample).values()) if len(sample) >= 4096 else 0.0
    )
    even = len(sample) >= 16384 and len(set(sample)) == 256 and spread < 400  # χ², 255 degrees: random stays below 340
    notes: tuple[str, ...] = ()
    if even and size % 512 == 0:
        notes = ("evenly spread bytes in whole sectors: perhaps an encrypted container without a header",)
    return Recognition("file_collection", "unknown", "file", "no known type of content", notes)


def _archive(path: Path, packed: str) -> Recognition:
    """An archive by what it lists; a stream by what it holds, where that is an archive."""
    if packed in NOT_READ:
        return Recognition(
            "archive", "unknown", "file", f"a {packed} archive", (f"not read; needs {NOT_READ[packed]}",)
        )
    signs = Signs()
    notes: list[str] = []
    names = [packed]
    try:
        _members(LocalFile.at(path), signs, notes, names)
    except ParseError as error:
        notes.append(f"{error.reason}: {error.message}")
    found = conclude(signs, "file")
    what = "a " + " of a ".join(names) + " archive"
    if packed == "ab":
        return Recognition("mobile_extraction", "android", "file", "Android backup", tuple(notes))
    kind = found.type if found.type in ("mobile_extraction", "disk_image") else "archive"
    reason = f"{what}; {found.reason}" if signs.files else what
    if packed == "zip" and _vendor_report(LocalFile.at(path)):
        kind, reason = "mobile_extraction", f"a Cellebrite report with its files (UFDR); {reason}"
    return Recognition(kind, found.platform, "file", reason, (*found.notes, *dict.fromkeys(notes)))


def _vendor_report(file: EvidenceFile) -> bool:
    """Whether a zip holds the report of Cellebrite's programs beside the files that it names."""
    store = open_archive(file, "", PEEK)
    try:
        entry = store.find("report.xml")
        if entry is None or not entry.readable:
            return False
        with store.file(entry).open() as stream:
            return VENDOR_REPORT in stream.read(4096)
    except ParseError:
        return False
    finally:
        store.close()


def _members(file: EvidenceFile, signs: Signs, notes: list[str], names: list[str]) -> None:
    """Look at an archive's members; the one of a compressed stream is opened in turn if it is an archive."""
    store = open_archive(file, "", PEEK)
    single = names[0] in ("gz", "bz2", "xz", "zst", "ab") and len(names) == 1
    try:
        entries = store.entries()
        for entry in islice(entries, LIMIT):
            if not isinstance(entry, Entry):
                if single and entry.reason == "too_large":
                    notes.append(f"looked at the first {PEEK.max_member_bytes} bytes only")
                elif not any(note.startswith("looked at") for note in notes):
                    notes.append(f"{entry.reason}: {entry.message.partition(': ')[2] or entry.message}")
                continue
            signs.path(entry.path + ("/" if entry.kind == "directory" else ""))
            if single and entry.readable:
                # a cut stream is told before its member's own end would be
                notes += [f"looked at the first {PEEK.max_member_bytes} bytes only"] * (entry.size > CUT)
                _single(store.file(entry), signs, notes, names)
            elif entry.kind == "file":
                signs.named(entry.path, entry.size)
        signs.cut = next(entries, None) is not None
    finally:
        store.close()


def _single(file: EvidenceFile, signs: Signs, notes: list[str], names: list[str]) -> None:
    with file.open() as stream:
        head = stream.read(128 * 1024)
    inner = archive_kind(head, file.path)
    if inner is not None and inner not in NOT_READ and inner not in MAIL_KINDS:
        names.insert(0, inner)
        _members(file, signs, notes, names)
        return
    kind = file_type(head[:HEAD], file.path, file.size)
    image = _image(head, b"", kind, file.size)
    if image is not None:
        signs.content("disk (MBR)", file.path, file.size)
        notes.append(f"holds a disk image: {image.reason}")
    else:
        _head(signs, head[:HEAD], file.path, file.size)
