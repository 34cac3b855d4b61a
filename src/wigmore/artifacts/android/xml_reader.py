"""Android's XML files, as text and in the binary form (ABX) of version 12 and later, as plain elements.

ABX: `com.android.modules.utils.BinaryXmlSerializer` of the Android Open Source Project: magic `ABX\\0`, then tokens of
one byte (low half: event, high half: type), big-endian numbers, strings behind a 16-bit length, interned where the
number 0xFFFF stands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, ParseError

MAGIC = b"ABX\0"
SIZE = 64 * 1024 * 1024
DEPTH = 200
ELEMENTS = 1_000_000


@dataclass(slots=True)
class Element:
    """One element: name, attributes, text, children, and its number in order of appearance."""

    name: str
    attributes: dict[str, str]
    number: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Every element of that name below this one, in order."""
        stack = list(reversed(self.children))
        while stack:
            element = stack.pop()
            if element.name == name:
                yield element
            stack.extend(reversed(element.children))


class _Builder:
    def __init__(self, path: str) -> None:
        self.path, self.count = path, 0
        self.root = Element("", {}, 0)
        self.open = [self.root]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > ELEMENTS:
            raise ParseError(self.path, None, f"more than {ELEMENTS} elements", "too_large")
        if len(self.open) > DEPTH:
            raise ParseError(self.path, None, f"elements nested deeper than {DEPTH}", "depth")
        element = Element(name, attributes, self.count)
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, name: str = "") -> None:
        if len(self.open) > 1:
            self.open.pop()

    def characters(self, text: str) -> None:
        self.open[-1].text += text


def is_xml(head: bytes, root: bytes) -> bool:
    """Whether bytes begin as text XML with that root element near the start, or as ABX that names it."""
    if head.startswith(MAGIC):
        return root in head[:256]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and b"<" + root in head[:1024]


def read_xml(file: EvidenceFile) -> Element:
    """The document's outermost element (of an empty name, holding the root); raises ParseError."""
    data = file.read(SIZE)
    builder = _Builder(file.path)
    if data.startswith(MAGIC):
        _read_abx(data, builder)
        return builder.root
    reader = expat.ParserCreate()
    reader.StartElementHandler = builder.start
    reader.EndElementHandler = builder.end
    reader.CharacterDataHandler = builder.characters
    reader.EntityDeclHandler = lambda *_: _refuse(file.path)
    try:
        reader.Parse(data, True)
    except expat.ExpatError as error:
        raise ParseError(file.path, reader.ErrorByteIndex, f"not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:  # of the encoding that the declaration names
        raise ParseError(file.path, 0, f"XML: {error}", "unsupported") from error
    return builder.root


def _refuse(path: str) -> None:
    raise ParseError(path, None, "declares entities", "unsupported")


class _Abx:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, len(MAGIC)
        self.interned: list[str] = []

    def take(self, size: int) -> bytes:
        raw = self.data[self.at : self.at + size]
        if len(raw) < size:
            raise EOFError
        self.at += size
        return raw

    def string(self) -> str:
        return shown(self.take(int.from_bytes(self.take(2), "big")))

    def known(self) -> str:
        number = struct.unpack(">H", self.take(2))[0]
        if number == 0xFFFF:
            text = self.string()
            self.interned.append(text)
            return text
        return str(self.interned[number])

    def value(self, kind: int) -> str:
        if kind in (1, 12, 13):
            return {1: "", 12: "true", 13: "false"}[kind]
        if kind == 2:
            return self.string()
        if kind == 3:
            return self.known()
        if kind in (4, 5):
            raw = self.take(struct.unpack(">H", self.take(2))[0])
            return raw.hex()
        if kind in (6, 7):
            return str(struct.unpack(">i", self.take(4))[0]) if kind == 6 else self.take(4).hex()
        if kind in (8, 9):
            return str(struct.unpack(">q", self.take(8))[0]) if kind == 8 else self.take(8).hex()
        if kind == 10:
            return str(struct.unpack(">f", self.take(4))[0])
        if kind == 11:
            return str(struct.unpack(">d", self.take(8))[0])
        raise ValueError(f"unknown value type {kind}")


def _read_abx(data: bytes, builder: _Builder) -> None:
    reader = _Abx(data)
    pending: tuple[str, dict[str, str]] | None = None
    try:
        while reader.at < len(data):
            token = reader.take(1)[0]
            event, kind = token & 15, token >> 4
            if event == 15:  # attribute
                name = reader.known()
                if pending is not None:
                    pending[1][name] = reader.value(kind)
                continue
            if pending is not None:
                builder.start(*pending)
                pending = None
            if event == 0:
                continue
            if event == 1:  # end of document
                return
            if event == 2:
                pending = (reader.known(), {})
            elif event == 3:
                reader.known()
                builder.end()
            else:
                text = reader.value(kind)
                if event in (4, 5):
                    builder.characters(text)
    except EOFError as error:
        raise ParseError(builder.path, reader.at, "ends inside a token", "truncated") from error
    except (ValueError, IndexError) as error:
        raise ParseError(builder.path, reader.at, f"damaged token: {error}") from error
