"""Image containers, told apart and opened: raw and split raw, E01, VMDK, VHD, VHDX, VDI, QCOW2, AFF4, Apple disk images."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, BinaryIO

from wigmore.evidence import aff4
from wigmore.evidence.ewf_media import EwfMedia
from wigmore.evidence.media import Media, RawMedia, reason_of
from wigmore.evidence.vdi import VdiMedia
from wigmore.model.protocols import EvidenceFile, ParseError

MAX_SEGMENTS = 14_971  # .E01 to .ZZZ, the most that EWF can name
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"EVF\x09\x0d\x0a\xff\x00", "E01"),
    (0, b"EVF2\r\n\x81\x00", "Ex01"),
    (0, b"LEF2\r\n\x81\x00", "Lx01"),
    (0, b"KDMV", "VMDK"),
    (0, b"COWD", "VMDK"),
    (0, b"# Disk DescriptorFile", "VMDK"),
    (0, b"vhdxfile", "VHDX"),
    (0, b"conectix", "VHD"),
    (0, b"QFI\xfb", "QCOW2"),
    (0x40, b"\x7f\x10\xda\xbe", "VDI"),
    (0, b"AFF10\r\n\x00", "AFF"),
    (0, b"ADCRYPT", "AD1 (encrypted)"),
    (0, b"sprs", "DMG"),
    (0, b"\x3a\xff\x26\xed", "Android sparse image"),
)
UNREAD = {  # what they are, and what would be needed to read them
    "Lx01": "EnCase logical evidence (Lx01): needs EnCase or FTK Imager to export its files",
    "AFF": "AFF version 1 to 3 image: needs afflib's affconvert or affuse to make a raw image",
    "AD1 (encrypted)": "FTK image under AD encryption: needs its password or certificate, and FTK Imager to decrypt it",
    "Android sparse image": "Android sparse image: needs simg2img to make a raw image",
}
TRAILED = (".dmg", ".cdr", ".smi", ".vhd", ".img", ".iso")  # names under which a trailer is worth a read


def image_kind(head: bytes, file: EvidenceFile, *, thorough: bool = False) -> str | None:
    """Which image container the file is, by content; None for none (it may still be a raw image).

    Trailers (VHD, Apple disk images) are read only where the name makes one likely, or `thorough`.
    """
    for offset, mark, kind in SIGNATURES:
        if head[offset : offset + len(mark)] == mark:
            return kind
    if aff4.is_image(head, file, thorough=thorough):
        return "AFF4"
    if file.size > 1024 and (thorough or file.path.lower().endswith(TRAILED)):
        with file.open() as stream:
            stream.seek(-512, 2)
            tail = stream.read(512)
        if tail.startswith(b"koly"):
            return "DMG"
        if tail.startswith(b"conectix"):
            return "VHD"
    return None


LOGICAL = ((b"LVF\x09", "L01"), (b"ADSEGMENTED", "AD1"))  # opened as archives of files, split as images are


def logical_kind(head: bytes) -> str | None:
    """Which kind of logical evidence a file is, by its first bytes; None for none."""
    return next((kind for mark, kind in LOGICAL if head.startswith(mark)), None)


def segments(file: EvidenceFile, kind: str) -> list[EvidenceFile]:
    """All files of a split image, this one first, as they stand beside it."""
    found = [file]
    name = file.path.rpartition("/")[2]
    first = r"(0*[01]|aa+)" if kind == "raw" else r"(?i:ad)1" if kind == "AD1" else r"(?i:e|ex|s|l)01"
    following = _next_name(name, kind) if re.fullmatch(rf".+\.{first}", name) else None
    while following is not None and len(found) < MAX_SEGMENTS:
        other = file.sibling(following)
        if other is None:
            break
        found.append(other)
        following = _next_name(following, kind)
    return found


def _next_name(name: str, kind: str) -> str | None:
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        return None
    if kind in ("E01", "Ex01", "L01"):
        return _next_ewf(stem, suffix)
    if kind == "AD1":
        return f"{stem}.{suffix[:2]}{int(suffix[2:]) + 1}"
    if suffix.isdigit():
        return f"{stem}.{int(suffix) + 1:0{len(suffix)}d}"
    return f"{stem}.{_next_letters(suffix)}" if set(suffix) != {"z"} else None


def _next_letters(letters: str) -> str:
    digits, carry = list(letters), True
    for place in range(len(digits) - 1, -1, -1):
        if carry:
            carry = digits[place] == "z"
            digits[place] = "a" if carry else chr(ord(digits[place]) + 1)
    return "".join(digits)


def _next_ewf(stem: str, suffix: str) -> str | None:
    # .E01 … .E99, .EAA … .EZZ, .FAA …; Ex01 likewise with two letters in front
    front = suffix[:-2]
    counter = suffix[-2:]
    if counter.isdigit() and int(counter) < 99:
        return f"{stem}.{front}{int(counter) + 1:02d}"
    if counter.isdigit():
        return f"{stem}.{front}" + ("aa" if front[-1:].islower() else "AA")
    if not counter.isalpha():
        return None
    if counter.lower() == "zz":
        return f"{stem}.{front[:-1]}{chr(ord(front[-1]) + 1)}" + ("aa" if front[-1].islower() else "AA")
    low = _next_letters(counter.lower())
    return f"{stem}.{front}{low if counter.islower() else low.upper()}"


def open_media(file: EvidenceFile, kind: str | None) -> Media:
    """The medium inside a container (`kind` from `image_kind`; None: raw). ParseError says why it cannot be had."""
    if kind in UNREAD:
        raise ParseError(file.path, None, f"this container is not read: {UNREAD[kind]}", "unsupported")
    opener = _OPENERS.get(kind or "", _raw)
    held: list[BinaryIO] = []
    try:
        media = opener(file, held)
    except (OSError, MemoryError, ValueError, ParseError) as error:
        for stream in held:
            stream.close()
        if isinstance(error, ParseError):
            raise
        raise ParseError(file.path, None, f"{kind or 'raw'} image cannot be opened: {reason_of(error)}") from error
    if not media.segments:
        media.segments = (file.path,)
    return media


def _streams(files: list[EvidenceFile], held: list[BinaryIO]) -> list[BinaryIO]:
    for one in files:
        held.append(one.open())
    return held


def _raw(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    files = segments(file, "raw")
    media = RawMedia(
        "raw" if len(files) == 1 else "split raw",
        list(zip(_streams(files, held), [f.size for f in files], strict=True)),
    )
    media.segments = tuple(one.path for one in files)
    return media


def _ewf(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    files = segments(file, "E01")
    media = EwfMedia(_streams(files, held))
    media.segments = tuple(one.path for one in files)
    return media


def _ewf_second(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    """EWF version 2 (Ex01), through libewf."""
    import pyewf

    files = segments(file, "Ex01")
    handle = pyewf.handle()
    handle.open_file_objects(_streams(files, held))
    media = Media(handle.get_media_size(), "Ex01", handle, tuple(held))
    media.sector_size = handle.get_bytes_per_sector() or 512
    media.segments = tuple(one.path for one in files)
    return media


def _simple(module: str, factory: str, kind: str) -> Callable[[EvidenceFile, list[BinaryIO]], Media]:
    def opened(file: EvidenceFile, held: list[BinaryIO]) -> Media:
        handle = getattr(__import__(module), factory)()
        handle.open_file_object(_streams([file], held)[0])
        _attach_parent(file, handle, kind, held)
        return Media(handle.get_media_size(), kind, handle, tuple(held))

    return opened


def _attach_parent(file: EvidenceFile, handle: Any, kind: str, held: list[BinaryIO]) -> None:
    """Differencing disks need the disk they differ from: it must stand beside them."""
    getter = "get_backing_filename" if kind == "QCOW2" else "get_parent_filename"
    name = getattr(handle, getter)() if hasattr(handle, getter) else None
    if not name:
        return
    parent = file.sibling(re.split(r"[\\/]", name)[-1])
    if parent is None:
        raise ParseError(file.path, None, f"differs from a parent disk that is not here: {name}", "not_in_acquisition")
    if parent.path == file.path:
        raise ParseError(file.path, None, "names itself as its parent disk")
    other = type(handle)()
    other.open_file_object(parent.open())
    if getattr(other, getter)():
        raise ParseError(file.path, None, "a chain of more than two differencing disks", "unsupported")
    handle.set_parent(other)


def _vmdk(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    import pyvmdk

    handle = pyvmdk.handle()
    handle.open_file_object(_streams([file], held)[0])
    if handle.get_parent_filename():
        raise ParseError(file.path, None, f"differs from a parent disk: {handle.get_parent_filename()}", "unsupported")
    extents, files = [], [file]
    for number in range(min(handle.get_number_of_extents(), MAX_SEGMENTS)):
        name = handle.get_extent_descriptor(number).get_filename()
        part = file if not name or name == file.path.rpartition("/")[2] else file.sibling(re.split(r"[\\/]", name)[-1])
        if part is None:
            # a monolithic disk that was renamed names its old self
            if handle.get_number_of_extents() > 1 or file.size < 4096:
                raise ParseError(file.path, None, f"the extent {name} is not here", "not_in_acquisition")
            part = file
        if part is not file:
            files.append(part)
        held.append(part.open())
        extents.append(held[-1])
    handle.open_extent_data_files_as_file_objects(extents)
    media = Media(handle.get_media_size(), "VMDK", handle, tuple(held))
    media.segments = tuple(one.path for one in files)
    return media


def _vdi(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    return VdiMedia(_streams([file], held)[0], file.size, file.path)


def _aff4(file: EvidenceFile, held: list[BinaryIO]) -> Media:
    return aff4.Aff4Media(file)


_OPENERS: dict[str, Callable[[EvidenceFile, list[BinaryIO]], Media]] = {
    "E01": _ewf,
    "Ex01": _ewf_second,
    "VMDK": _vmdk,
    "VDI": _vdi,
    "AFF4": _aff4,
    "VHD": _simple("pyvhdi", "file", "VHD"),
    "VHDX": _simple("pyvhdi", "file", "VHDX"),
    "QCOW2": _simple("pyqcow", "file", "QCOW2"),
    "DMG": _simple("pymodi", "handle", "DMG"),
}
