"""Binary and XML property lists, and the object graphs NSKeyedArchiver writes into them, within fixed bounds.

Formats: CFBinaryPList.c of Apple's CoreFoundation (bplist00), plist(5) and the PropertyList-1.0 DTD (XML); the keyed
archive is described in Apple's "Archives and Serializations Programming Guide" and by the classes' `encodeWithCoder:`
keys as they stand in archives.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from plistlib import UID
from typing import Any

from wigmore.model.canonical import clean, shown
from wigmore.model.times import COCOA_EPOCH, COCOA_OFFSET, Time, cocoa, posix

DEPTH = 64  # nesting of containers that is followed
NODES = 200_000  # values taken out of one property list
HEX_BYTES = 1024  # bytes of a BLOB that are shown
INFLATED = 4 * 1024 * 1024  # bytes a compressed value may grow to
DECODED = 1024 * 1024  # bytes of a value that decoding is tried on


class PlistError(Exception):
    """A property list that cannot be read: offset and what was wrong."""

    def __init__(self, offset: int | None, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


@dataclass(frozen=True, slots=True)
class PlistDate:
    """A date as stored: seconds since 2001-01-01 UTC, a float in binary lists, whole seconds in XML ones."""

    seconds: float | int

    def time(self) -> Time | None:
        """The time, or None outside years 1 to 9999."""
        if isinstance(self.seconds, int):
            return posix(self.seconds + COCOA_OFFSET, source="property list dates are UTC")
        if not math.isfinite(self.seconds) or abs(self.seconds) > 1e12:
            return None
        return cocoa(self.seconds)

    def text(self) -> str:
        """The time's text, or the raw number where it is outside the calendar."""
        time = self.time()
        return str(time["text"]) if time else f"{self.seconds} s since 2001-01-01"


class _Binary:
    """One bplist00: objects are read on demand, each use of a shared object counts against the bound."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 40:
            raise PlistError(len(data), "shorter than a header and trailer")
        self.data = data
        self.left = NODES
        offset_size, self.reference_size, count, self.top, table = struct.unpack(">6xBBQQQ", data[-32:])
        if not (1 <= offset_size <= 8 and 1 <= self.reference_size <= 8):
            raise PlistError(len(data) - 32, f"offsets of {offset_size} and references of {self.reference_size} bytes")
        if count > len(data) or table + count * offset_size > len(data) - 32 or self.top >= count:
            raise PlistError(len(data) - 32, f"{count} objects with a table at {table} do not fit the file")
        self.offsets = [
            int.from_bytes(data[i : i + offset_size], "big")
            for i in range(table, table + count * offset_size, offset_size)
        ]

    def value(self, number: int, depth: int = 0) -> Any:
        """The object of that number; containers are followed to DEPTH."""
        self.left -= 1
        if self.left < 0:
            raise PlistError(None, f"more than {NODES} values")
        if depth > DEPTH:
            raise PlistError(None, f"containers nested deeper than {DEPTH}")
        if number >= len(self.offsets):
            raise PlistError(None, f"reference to object {number} of {len(self.offsets)}")
        at = self.offsets[number]
        if at >= len(self.data):
            raise PlistError(at, f"object {number} starts behind the end of the file")
        marker = self.data[at]
        kind, low = marker >> 4, marker & 15
        at += 1
        if kind == 0:
            return {8: False, 9: True}.get(low)
        if kind == 1:
            if low > 4:
                raise PlistError(at, f"an integer of {1 << low} bytes")
            raw = self.take(at, 1 << low)
            return int.from_bytes(raw, "big", signed=low >= 3)
        if kind in (2, 3):
            raw = self.take(at, 1 << low)
            if len(raw) not in (4, 8):
                raise PlistError(at, f"a real of {len(raw)} bytes")
            number_read = struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0]
            return PlistDate(number_read) if kind == 3 else number_read
        if kind == 8:
            return UID(int.from_bytes(self.take(at, min(low + 1, 8)), "big"))
        at, length = self.length(at, low)
        if kind == 4:
            return self.take(at, length)
        if kind == 5:
            return shown(self.take(at, length))
        if kind == 6:
            return clean(self.take(at, length * 2).decode("utf-16-be", "surrogatepass"))
        if kind == 7:
            return shown(self.take(at, length))
        if kind in (10, 11, 12):
            return [self.value(r, depth + 1) for r in self.references(at, length)]
        if kind == 13:
            keys = self.references(at, length)
            values = self.references(at + length * self.reference_size, length)
            return {
                key if isinstance(key, str) else str(simple(key)): self.value(v, depth + 1)
                for key, v in ((self.value(k, depth + 1), v) for k, v in zip(keys, values, strict=True))
            }
        raise PlistError(at - 1, f"unknown object marker {marker:#04x}")

    def take(self, at: int, length: int) -> bytes:
        if length > len(self.data) or at + length > len(self.data):
            raise PlistError(at, f"an object of {length} bytes passes the end of the file")
        return self.data[at : at + length]

    def length(self, at: int, low: int) -> tuple[int, int]:
        if low != 15:
            return at, low
        marker = self.take(at, 1)[0]
        if marker >> 4 != 1 or marker & 15 > 3:
            raise PlistError(at, f"a length marked {marker:#04x}")
        size = 1 << (marker & 15)
        return at + 1 + size, int.from_bytes(self.take(at + 1, size), "big")

    def references(self, at: int, count: int) -> list[int]:
        raw = self.take(at, count * self.reference_size)
        size = self.reference_size
        return [int.from_bytes(raw[i : i + size], "big") for i in range(0, len(raw), size)]


def is_plist(head: bytes) -> bool:
    """Whether bytes begin like a binary or XML property list."""
    if head.startswith(b"bplist0"):
        return True
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<plist", b"<!DOCTYPE plist")):
        return True
    return start.startswith(b"<?xml") and b"<plist" in head[:1024]


def read_plist(data: bytes) -> Any:
    """The content of a property list: dict, list, str, int, float, bool, bytes, PlistDate, UID, None.

    Raises PlistError for what cannot be read.
    """
    if data.startswith(b"bplist0"):
        binary = _Binary(data)
        return binary.value(binary.top)
    return _read_xml(data)


def _read_xml(data: bytes) -> Any:
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        return _dated(plistlib.loads(data, fmt=plistlib.FMT_XML), 0)
    except ExpatError as error:
        raise PlistError(None, f"not well-formed XML: {error}") from error
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, LookupError) as error:
        # plistlib lets the errors of its converters through: bad base64, integers, dates, misplaced elements
        raise PlistError(None, f"not a property list: {error or type(error).__name__}") from error


def _dated(value: Any, depth: int) -> Any:
    if depth > DEPTH:
        raise PlistError(None, f"containers nested deeper than {DEPTH}")
    if isinstance(value, dict):
        return {clean(str(key)): _dated(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_dated(item, depth + 1) for item in value]
    if isinstance(value, int) and value.bit_length() > 128:  # Core Foundation writes 16 bytes at most
        raise PlistError(None, f"an integer of {value.bit_length()} bits")
    if isinstance(value, datetime):
        return PlistDate(int((value - COCOA_EPOCH).total_seconds()))  # plist dates are UTC
    return clean(value) if isinstance(value, str) else value


# --- keyed archives -------------------------------------------------------------------------------------------------


def is_archive(value: Any) -> bool:
    """Whether a property list is an NSKeyedArchiver archive."""
    return isinstance(value, dict) and isinstance(value.get("$objects"), list) and "$top" in value


class _Archive:
    def __init__(self, objects: list[Any]) -> None:
        self.objects = objects
        self.left = NODES
        self.open: set[int] = set()

    def resolve(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0:
            raise PlistError(None, f"an archive of more than {NODES} values")
        if depth > DEPTH:
            return "(nested deeper than is followed)"
        if isinstance(value, UID):
            number = value.data
            if number >= len(self.objects):
                return f"(missing object {number})"
            target = self.objects[number]
            if target == "$null" and number == 0:
                return None
            if number in self.open:
                return f"(object {number} again)"
            self.open.add(number)
            try:
                return self.resolve(target, depth + 1)
            finally:
                self.open.discard(number)
        if isinstance(value, list):
            return [self.resolve(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self.instance(value, depth)
        return value

    def instance(self, value: dict[str, Any], depth: int) -> Any:
        name = self.class_name(value.get("$class"))
        if "NS.keys" in value and "NS.objects" in value:
            keys, items = value["NS.keys"], value["NS.objects"]
            if isinstance(keys, list) and isinstance(items, list):
                found: dict[str, Any] = {}
                for key, item in zip(keys, items, strict=False):
                    shown_key = self.resolve(key, depth + 1)
                    found[shown_key if isinstance(shown_key, str) else str(simple(shown_key))] = self.resolve(
                        item, depth + 1
                    )
                return found
        if isinstance(value.get("NS.objects"), list):
            return [self.resolve(item, depth + 1) for item in value["NS.objects"]]
        for key in ("NS.string", "NS.data", "NS.bytes"):
            if key in value:
                return self.resolve(value[key], depth + 1)
        if "NS.time" in value and isinstance(value["NS.time"], (int, float)):
            return PlistDate(float(value["NS.time"]))
        if isinstance(value.get("NS.uuidbytes"), bytes) and len(value["NS.uuidbytes"]) == 16:
            raw = value["NS.uuidbytes"].hex().upper()
            return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
        if "NS.relative" in value:
            base = self.resolve(value.get("NS.base"), depth + 1)
            relative = self.resolve(value["NS.relative"], depth + 1)
            return f"{base}{relative}" if isinstance(base, str) else relative
        if name in ("NSAttributedString", "NSMutableAttributedString") and "NSString" in value:
            return self.resolve(value["NSString"], depth + 1)
        if name == "NSNull":
            return None
        fields = {key: self.resolve(item, depth + 1) for key, item in value.items() if key != "$class"}
        return {"$class": name, **fields} if name else fields

    def class_name(self, reference: Any) -> str:
        if isinstance(reference, UID) and reference.data < len(self.objects):
            described = self.objects[reference.data]
            if isinstance(described, dict):
                return str(described.get("$classname", ""))
        return ""


def unarchive(value: dict[str, Any]) -> Any:
    """The object graph of a keyed archive as plain values; a single root stands alone.

    Cycles and dangling references are named in place. Raises PlistError past the bounds.
    """
    archive = _Archive(value["$objects"])
    top = value["$top"]
    if isinstance(top, dict):
        found = {key: archive.resolve(item) for key, item in top.items() if key != "$class"}
        return found["root"] if set(found) == {"root"} else found
    return archive.resolve(top)


# --- values for records ---------------------------------------------------------------------------------------------


def _text_of_typed_stream(data: bytes) -> str | None:
    """The string of an archived NSAttributedString in the older `streamtyped` form: class name, type `+`, length."""
    at = data.find(b"NSString")
    if at < 0:
        return None
    at = data.find(b"+", at, at + 32)
    if at < 0 or at + 2 > len(data):
        return None
    at += 1
    length, size = data[at], 1
    if length in (0x81, 0x82):  # a 16- or 32-bit little-endian length follows
        size = 3 if length == 0x81 else 5
        length = int.from_bytes(data[at + 1 : at + size], "little")
    raw = data[at + size : at + size + length]
    return shown(raw) if len(raw) == length else None


def decode_blob(data: bytes, depth: int = 0) -> Any:
    """What a small BLOB holds, where its own bytes say so, as JSON values; None where they do not.

    Understood: property lists and keyed archives, typed streams (their text), gzip and zlib content, JSON, UTF-8 text.
    """
    if not data or len(data) > DECODED or depth > 3:
        return None
    if is_plist(data[:1024]):
        try:
            value = read_plist(data)
            return simple(unarchive(value) if is_archive(value) else value, depth)
        except PlistError:
            return None  # the bytes themselves are in the record; the row is not lost
    if data.startswith(b"\x04\x0bstreamtyped"):
        return _text_of_typed_stream(data)
    if data[:2] == b"\x1f\x8b" or (data[0] == 0x78 and len(data) > 8 and (data[0] * 256 + data[1]) % 31 == 0):
        inflater = zlib.decompressobj(47)
        try:
            plain = inflater.decompress(data, INFLATED)
        except zlib.error:
            return None
        return decode_blob(plain[:DECODED], depth + 1) if plain else None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if text.rstrip("\0") and all(c.isprintable() or c in "\r\n\t" for c in text.rstrip("\0")):
        return decode_json(text.rstrip("\0")) or text.rstrip("\0")
    return None


def decode_json(text: str) -> Any:
    """A JSON object or array written in a text, or None; numbers JSON does not know become text."""
    start = text.lstrip()[:1]
    if start not in ("{", "[") or len(text) > DECODED:
        return None
    try:
        value = json.loads(text, parse_constant=str)
        return simple(value)
    except (ValueError, RecursionError):
        return None


def simple(value: Any, depth: int = 0, level: int = 0) -> Any:
    """Any value of this module as JSON: dates as text, bytes decoded or as hex, NaN and infinities as text."""
    if level > DEPTH:
        return "(nested deeper than is followed)"
    if isinstance(value, dict):
        return {
            clean(key) if isinstance(key, str) else str(key): simple(v, depth, level + 1) for key, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [simple(item, depth, level + 1) for item in value]
    if isinstance(value, bytes):
        decoded = decode_blob(value, depth + 1)
        return shortened(value) if decoded is None else decoded
    if isinstance(value, PlistDate):
        return value.text()
    if isinstance(value, UID):
        return f"(object {value.data})"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return clean(value) if isinstance(value, str) else value


def shortened(data: bytes) -> str:
    """Hex of the first KiB; what was left off is said."""
    rest = f"… ({len(data)} bytes)" if len(data) > HEX_BYTES else ""
    return data[:HEX_BYTES].hex() + rest


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path (`a.b[0].c`), in stored order; bytes that hold a property list are opened."""
    stack: list[tuple[str, Any, int]] = [(path, value, 0)]
    opened = 0
    while stack:
        here, item, level = stack.pop()
        if (
            isinstance(item, bytes)
            and level < DEPTH
            and opened < 1000
            and len(item) <= DECODED
            and is_plist(item[:1024])
        ):
            opened += 1
            try:
                inner = read_plist(item)
                item = unarchive(inner) if is_archive(inner) else inner
            except PlistError:
                yield here, shortened(item)
                continue
        if isinstance(item, dict) and item and level < DEPTH:
            stack.extend(
                (f"{here}.{key}" if here else str(key), child, level + 1) for key, child in reversed(item.items())
            )
        elif isinstance(item, list) and item and level < DEPTH:
            stack.extend((f"{here}[{i}]", child, level + 1) for i, child in reversed(list(enumerate(item))))
        elif isinstance(item, PlistDate):
            yield here, item
        else:
            yield here, simple(item)
