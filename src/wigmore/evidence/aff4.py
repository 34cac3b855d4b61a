"""The medium inside an AFF4 image: a zip with a description, chunks gathered in bevies, and a map over them.

Format: AFF4 Standard 1.0a (github.com/aff4/Standard): image stream, map, symbolic streams, naming, hashes. Images that
are striped over several volumes are read as far as this volume goes. Hashes of blocks are not verified; the stored
hash of the whole stream is compared like that of any image.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from wigmore.evidence.archive_zip import ZipStore
from wigmore.evidence.ewf import Acquisition
from wigmore.evidence.media import Media
from wigmore.evidence.store import Limits
from wigmore.evidence.turtle import TYPE, Broken, Subject, read
from wigmore.formats import lz4, snappy
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

SCHEMA = "http://aff4.org/Schema#"
FIRST_NAMES = (b"container.description", b"version.txt", b"aff4%3A%2F%2F", b"information.turtle")
IMAGES = ("DiskImage", "VolumeImage", "ContiguousImage", "DiscontiguousImage", "MemoryImage", "Image")
LARGEST_DESCRIPTION = 16 * 1024 * 1024
LARGEST_CHUNK = 64 * 1024 * 1024
MOST_PER_BEVY = 4_000_000
MOST_PIECES = 8_000_000
INDEX = struct.Struct("<QI")
PIECE = struct.Struct("<QQQI")
KEPT_BYTES = 32 * 1024 * 1024
INDEXES_KEPT = 64
DEEPEST = 4  # maps over maps
SYMBOLIC = {"Zero": b"\0", "UnknownData": b"UNKNOWN", "UnreadableData": b"UNREADABLEDATA"}
PERIOD = 1 << 20  # repeated texts begin anew every MiB

Reader = Callable[[int, int], bytes]


class Volume:
    """One AFF4 volume: its members by their names, and what its description says."""

    def __init__(self, file: EvidenceFile) -> None:
        self.path = file.path
        self.zip = ZipStore(file, "", Limits())
        raw = self.member("information.turtle", LARGEST_DESCRIPTION)
        try:
            self.subjects: dict[str, Subject] = {} if raw is None else read(raw.decode("utf-8", "replace"))
        except Broken as error:
            raise ParseError(file.path, None, f"AFF4: its description cannot be read: {error}") from error
        name = self.member("container.description", 4096)
        self.name = (name or self.zip.comment).decode("utf-8", "replace").strip("\0 \r\n")

    def member(self, name: str, limit: int) -> bytes | None:
        """A member of the zip, None where there is none; ParseError past `limit` bytes."""
        entry = self.zip.find(name)
        if entry is None or entry.kind != "file":
            return None
        return self.zip.file(entry).read(limit)

    def place(self, resource: str, rest: str) -> str:
        """The name of the member in which a part of a resource is stored."""
        if self.name and resource.startswith(self.name + "/"):
            return f"{resource[len(self.name) + 1 :]}/{rest}"
        return f"{quote(resource, safe='')}/{rest}"

    def images(self) -> list[Subject]:
        """The images that have a stream of data: disks before volumes, memory and others."""
        ranked = []
        for subject in self.subjects.values():
            kinds = [name.removeprefix(SCHEMA) for name in subject.all(TYPE)]
            rank = min((IMAGES.index(kind) for kind in kinds if kind in IMAGES), default=None)
            if rank is not None and subject.one(SCHEMA + "dataStream"):
                ranked.append((rank, subject.name, subject))
        return [subject for _, _, subject in sorted(ranked, key=lambda row: row[:2])]


def is_image(head: bytes, file: EvidenceFile, *, thorough: bool = False) -> bool:
    """Whether a file is an AFF4 volume that describes an image of a medium; a logical one is a zip of files.

    The comment at the end is read only where the beginning or the name speaks for AFF4, or `thorough`.
    """
    if head[:4] != b"PK\3\4":
        return False
    if not head[30:60].startswith(FIRST_NAMES):
        if not (thorough or file.path.lower().endswith(".aff4")):
            return False
        with file.open() as stream:
            stream.seek(max(0, file.size - 1024))
            if b"aff4://" not in stream.read(1024):
                return False
    try:
        volume = Volume(file)
    except ParseError:
        return False
    try:
        return bool(volume.images())
    finally:
        volume.zip.close()


class Aff4Media(Media):
    """The medium of the first image of a volume; what cannot be had raises OSError, whoever asks for it."""

    def __init__(self, file: EvidenceFile) -> None:
        self.volume = volume = Volume(file)
        self._indexes: OrderedDict[tuple[str, int], tuple[list[tuple[int, int]], Any]] = OrderedDict()
        self._chunks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._held_bytes = 0
        images = volume.images()
        if not images:
            raise ParseError(file.path, None, "AFF4: no image with a stream of data is described", "unsupported")
        self.image = images[0]
        self.stream = self.image.one(SCHEMA + "dataStream")
        self._gaps: list[Gap] = []
        self.unreadable: list[tuple[int, int]] = []
        described = volume.subjects.get(self.stream)
        size = described.number(SCHEMA + "size") if described else None
        size = self.image.number(SCHEMA + "size") if size is None else size
        if described is None or size is None:
            raise ParseError(file.path, None, f"AFF4: the stream {self.stream} or its size is not described")
        super().__init__(size, "AFF4", None, (volume.zip,))
        self.sector_size = self.image.number(SCHEMA + "blockSize") or 512
        self._reader = self._open(self.stream, 0)
        if len(images) > 1:
            others = ", ".join(one.name for one in images[1:6])
            self._gaps.append(
                Gap(
                    f"{len(images)} images in the container, only the first is read; others: {others}",
                    None,
                    "unsupported",
                )
            )
        self.problems = tuple(self._gaps)
        self.about = {"image": self.image.name, "acquisition": self._acquisition()}

    def stored(self) -> Acquisition:
        """The hashes that the container states of the medium, and what could not be read when it was acquired."""
        found = Acquisition(finished=True)
        for name in (self.image.name, self.stream):
            subject = self.volume.subjects.get(name)
            for value, kind in subject.said.get(SCHEMA + "hash", ()) if subject else ():
                if kind == SCHEMA + "MD5":
                    found.md5 = found.md5 or value.lower()
                elif kind == SCHEMA + "SHA1":
                    found.sha1 = found.sha1 or value.lower()
        found.errors = [(at // self.sector_size, -(-length // self.sector_size)) for at, length in self.unreadable]
        return found

    def _acquisition(self) -> dict[str, str]:
        """What is said of the image and the case, in words: maker and serial, examiner, times, hashes."""
        found: dict[str, str] = {}
        for subject in self.volume.subjects.values():
            kinds = [name.removeprefix(SCHEMA) for name in subject.all(TYPE)]
            if subject is not self.image and not any(
                k.startswith(("Case", "Acquisition", "ImageSource")) for k in kinds
            ):
                continue
            for name, values in sorted(subject.said.items()):
                for value, kind in values:
                    if kind != "iri" and len(found) < 200:
                        short = name.rpartition("#")[2].rpartition("/")[2]
                        label = f"{short} ({kind.rpartition('#')[2]})" if short == "hash" else short
                        found.setdefault(label, value[:1000])
        return found

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = self._reader(offset, length)
        except ParseError as error:
            raise OSError(error.message) from error
        if len(data) != length:
            raise OSError(f"the image ends early at offset {offset + len(data)}")
        return data

    # streams

    def _open(self, resource: str, depth: int) -> Reader:
        if (symbol := _symbolic(resource)) is not None:
            return symbol
        subject = self.volume.subjects.get(resource)
        kinds = subject.all(TYPE) if subject else []
        if subject is not None and SCHEMA + "Map" in kinds and depth < DEEPEST:
            return self._map(subject, depth)
        if subject is not None and SCHEMA + "ImageStream" in kinds:
            return self._image_stream(subject)
        raise ParseError(
            self.volume.path, None, f"AFF4: the stream {resource} is not in this volume", "not_in_acquisition"
        )

    def _map(self, subject: Subject, depth: int) -> Reader:
        raw = self.volume.member(self.volume.place(subject.name, "map"), PIECE.size * MOST_PIECES)
        names = self.volume.member(self.volume.place(subject.name, "idx"), LARGEST_DESCRIPTION)
        if raw is None or names is None:
            raise ParseError(
                self.volume.path, None, f"AFF4: the map of {subject.name} is not in this volume", "not_in_acquisition"
            )
        targets = names.decode("utf-8", "replace").split("\n")
        pieces = sorted(PIECE.iter_unpack(raw[: len(raw) // PIECE.size * PIECE.size]))
        readers: dict[int, Reader] = {}
        for number in sorted({piece[3] for piece in pieces}):
            name = targets[number].strip() if number < len(targets) else ""
            mine = [piece for piece in pieces if piece[3] == number]
            if name.rpartition("#")[2].rpartition(":")[2] == "UnreadableData":
                self.unreadable += [(piece[0], piece[1]) for piece in mine]
            elif name.rpartition("#")[2].rpartition(":")[2] == "UnknownData":
                count = sum(piece[1] for piece in mine)
                self._gaps.append(
                    Gap(f"{count} bytes of the medium were not acquired", mine[0][0], "not_in_acquisition")
                )
            try:
                readers[number] = self._open(name, depth + 1)
            except ParseError as error:
                self._gaps.append(
                    Gap(f"{error.message}: needs the other volumes of the image", mine[0][0], error.reason)
                )
        default = subject.one(SCHEMA + "mapGapDefaultStream")
        between = self._open(default, depth + 1) if default else _repeated(b"\0")
        starts = [piece[0] for piece in pieces]

        def reader(offset: int, length: int) -> bytes:
            found = []
            while length > 0:
                place = bisect_right(starts, offset) - 1
                start, size, target, number = pieces[place] if place >= 0 else (0, 0, 0, 0)
                inside = offset - start
                if inside < size:
                    count = min(length, size - inside)
                    if number not in readers:
                        raise OSError(f"offset {offset} lies in a stream that is not in this volume")
                    found.append(readers[number](target + inside, count))
                else:
                    ahead = starts[place + 1] - offset if place + 1 < len(starts) else length
                    count = min(length, ahead)
                    found.append(between(offset, count))
                offset, length = offset + count, length - count
            return b"".join(found)

        return reader

    def _image_stream(self, subject: Subject) -> Reader:
        chunk = subject.number(SCHEMA + "chunkSize") or 0
        per_bevy = subject.number(SCHEMA + "chunksInSegment") or 0
        size = subject.number(SCHEMA + "size") or 0
        method = subject.one(SCHEMA + "compressionMethod")
        if not 512 <= chunk <= LARGEST_CHUNK or not 0 < per_bevy <= MOST_PER_BEVY:
            raise ParseError(self.volume.path, None, f"AFF4: chunks of {chunk} bytes, {per_bevy} a bevy, cannot be")

        def reader(offset: int, length: int) -> bytes:
            found = []
            while length > 0 and offset < size:
                number, inside = divmod(offset, chunk)
                data = self._chunk(subject.name, number, per_bevy, chunk, min(chunk, size - number * chunk), method)
                piece = data[inside : inside + min(length, size - offset)]
                if not piece:
                    raise OSError(f"chunk {number} of {subject.name} is too short")
                found.append(piece)
                offset, length = offset + len(piece), length - len(piece)
            return b"".join(found)

        return reader

    def _chunk(self, name: str, number: int, per_bevy: int, chunk: int, needed: int, method: str) -> bytes:
        known = self._chunks.get((name, number))
        if known is not None:
            self._chunks.move_to_end((name, number))
            return known
        bevy, place = divmod(number, per_bevy)
        index, stream = self._bevy(name, bevy, per_bevy)
        if place >= len(index):
            raise OSError(f"chunk {number} of {name} is not in its bevy")
        offset, length = index[place]
        if length > chunk:
            raise OSError(f"chunk {number} of {name} states {length} bytes, more than a chunk has")
        stream.seek(offset)
        raw = stream.read(length)
        if len(raw) < length:
            raise OSError(f"chunk {number} of {name} lies outside its bevy")
        data = (
            raw
            if length == chunk or not method or method.endswith("NullCompressor")
            else _plain(raw, chunk, needed, method)
        )
        if len(data) < needed:
            raise OSError(f"chunk {number} of {name} gives {len(data)} bytes of {needed}")
        self._chunks[name, number] = data
        self._held_bytes += len(data)
        while self._held_bytes > KEPT_BYTES and len(self._chunks) > 1:
            self._held_bytes -= len(self._chunks.popitem(last=False)[1])
        return data

    def _bevy(self, name: str, number: int, per_bevy: int) -> tuple[list[tuple[int, int]], Any]:
        known = self._indexes.get((name, number))
        if known is None:
            place = self.volume.place(name, f"{number:08d}")
            raw = self.volume.member(place + ".index", INDEX.size * per_bevy)
            entry = self.volume.zip.find(place)
            if raw is None or entry is None:
                raise OSError(f"bevy {number} of {name} is not in this volume")
            rows = [
                (offset, length) for offset, length in INDEX.iter_unpack(raw[: len(raw) // INDEX.size * INDEX.size])
            ]
            known = self._indexes[name, number] = rows, self.volume.zip.file(entry).open()
            if len(self._indexes) > INDEXES_KEPT:
                self._indexes.popitem(last=False)[1][1].close()
        else:
            self._indexes.move_to_end((name, number))
        return known

    def close(self) -> None:
        """Close the bevies and the container."""
        for _, stream in self._indexes.values():
            stream.close()
        self._indexes.clear()
        super().close()


def _repeated(pattern: bytes) -> Reader:
    """A stream that repeats a text, beginning anew every MiB."""

    def reader(offset: int, length: int) -> bytes:
        if len(pattern) == 1:
            return pattern * length
        whole = (pattern * (PERIOD // len(pattern) + 1))[:PERIOD]
        start = offset % PERIOD
        return (whole * ((start + length) // PERIOD + 1))[start : start + length]

    return reader


def _symbolic(resource: str) -> Reader | None:
    """The stream that a name of the standard stands for, None for any other name."""
    name = resource.removeprefix(SCHEMA).removeprefix("aff4:")
    if name in SYMBOLIC:
        return _repeated(SYMBOLIC[name])
    digits = name.removeprefix("SymbolicStream")
    if digits != name and len(digits) == 2 and not digits.strip("0123456789abcdefABCDEF"):
        return _repeated(bytes.fromhex(digits))
    return None


def _plain(raw: bytes, chunk: int, needed: int, method: str) -> bytes:
    """A chunk decompressed; OSError where it does not decompress or the method is not known."""
    try:
        if "snappy" in method:
            return snappy.decompress(raw, chunk)
        if "rfc1950" in method or "rfc1951" in method:
            for bits in (-15, 15) if "rfc1951" in method else (15, -15):  # writers differ in whether a header stands
                unpacker = zlib.decompressobj(bits)
                try:
                    data = unpacker.decompress(raw, chunk)
                except zlib.error:
                    continue
                if len(data) >= needed:
                    return data
            raise OSError("a chunk does not decompress")
        if "lz4" in method:
            stated = int.from_bytes(raw[:4], "little")
            for body, size in ((raw, chunk), (raw[4:], stated), (raw, needed)):  # some writers put the size in front
                if size <= chunk:
                    try:
                        return lz4.decompress(body, size)
                    except lz4.Broken:
                        continue
            raise OSError("a chunk does not decompress")
    except snappy.Broken as error:
        raise OSError(f"a chunk does not decompress: {error}") from error
    raise OSError(f"chunks are compressed by {method}, which is not read")
