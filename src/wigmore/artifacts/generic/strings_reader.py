"""Finding text in bytes, and showing text and hex of a place: pure functions over a seekable stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1024 * 1024
LONGEST_MATCH = 4096  # bytes a pattern's match may span across two chunks
ENCODINGS = ("utf-8", "utf-16-le")


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a text was found: byte offset and length, the encoding it was found in, the text and its
    surroundings.
    """

    offset: int
    length: int
    encoding: str
    text: str
    context: str


def find_strings(
    stream: BinaryIO,
    pattern: bytes | str | re.Pattern[bytes] | re.Pattern[str],
    encodings: tuple[str, ...] = ENCODINGS,
    *,
    ignore_case: bool = True,
    start: int = 0,
    stop: int | None = None,
    context: int = 40,
    limit: int = 10_000,
) -> Iterator[Hit]:
    """Every hit of a literal text (str, bytes) or compiled pattern from `start` to `stop`, by offset in each chunk.

    A literal is searched in each encoding (`ascii`, `utf-8`, `latin-1`, `utf-16-le`, `utf-16-be`); a compiled text
    pattern likewise (two-byte encodings at even and odd offsets); a compiled bytes pattern on the bytes themselves.
    Hits across chunk borders are found up to 4,096 bytes long. Stops after `limit` hits. Two encodings that agree on a
    place give one hit.
    """
    searches = _searches(pattern, encodings, ignore_case)
    free_from = dict.fromkeys(range(len(searches)), start)  # a search goes on behind its last hit
    base, carried, given = start, b"", 0
    stream.seek(start)
    while True:
        room = CHUNK if stop is None else max(0, min(CHUNK, stop - base - len(carried)))
        fresh = stream.read(room) if room else b""
        window = carried + fresh
        last = not fresh
        border = len(window) if last else max(0, len(window) - LONGEST_MATCH)
        found: dict[tuple[int, int], Hit] = {}
        for number, search in enumerate(searches):
            for at, length, text in search.hits(window, max(0, free_from[number] - base)):
                if at >= border:
                    break
                free_from[number] = base + at + max(length, 1)
                hit = Hit(
                    base + at, length, search.encoding, text, _context(window, at, length, search.encoding, context)
                )
                found.setdefault((hit.offset, hit.length), hit)
        for place in sorted(found):
            yield found[place]
            given += 1
            if given >= limit:
                return
        if last:
            return
        carried = window[border:]
        base += border


@dataclass(frozen=True)
class _Search:
    encoding: str
    raw: re.Pattern[bytes] | None
    text: re.Pattern[str] | None
    odd: bool = False
    literal: str | None = None  # casefolded: byte patterns fold the high bytes of UTF-16 too

    def hits(self, window: bytes, begin: int) -> Iterator[tuple[int, int, str]]:
        if self.raw is not None:
            for match in self.raw.finditer(window, begin):
                shown = match[0].decode(self.encoding, "backslashreplace")
                if match.end() > match.start() and (self.literal is None or shown.casefold() == self.literal):
                    yield match.start(), match.end() - match.start(), shown
        elif self.text is not None:
            begin += (begin & 1) != self.odd
            body = window[begin : begin + (len(window) - begin) // 2 * 2]
            wide = body.decode(self.encoding, "replace")
            counted, at = 0, begin
            for found in self.text.finditer(wide):
                at += _wide_length(wide[counted : found.start()])
                counted = found.start()
                if found.end() > found.start():
                    yield at, _wide_length(found[0]), found[0]


def _wide_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass"))


def _searches(
    pattern: bytes | str | re.Pattern[bytes] | re.Pattern[str], encodings: tuple[str, ...], ignore_case: bool
) -> list[_Search]:
    flags = re.IGNORECASE if ignore_case else 0
    if isinstance(pattern, bytes):
        return [_Search("latin-1", re.compile(re.escape(pattern), flags), None)]
    searches: list[_Search] = []
    if isinstance(pattern, str):
        for encoding in encodings:
            forms = sorted({pattern, *((pattern.lower(), pattern.upper()) if ignore_case else ())})
            try:
                encoded = b"|".join(re.escape(form.encode(encoding)) for form in forms)
            except UnicodeEncodeError:
                continue
            searches.append(_Search(encoding, re.compile(encoded, flags), None, literal=pattern.casefold()))
        return searches
    if isinstance(pattern.pattern, bytes):
        return [_Search("latin-1", re.compile(pattern.pattern, pattern.flags), None)]
    for encoding in encodings:
        if encoding.startswith("utf-16"):
            wide = re.compile(pattern.pattern, pattern.flags)
            searches += [_Search(encoding, None, wide, odd=False), _Search(encoding, None, wide, odd=True)]
        else:
            narrow = re.compile(pattern.pattern.encode(encoding), pattern.flags & ~re.UNICODE)
            searches.append(_Search(encoding, narrow, None))
    return searches


def _context(window: bytes, at: int, length: int, encoding: str, around: int) -> str:
    width = 2 if encoding.startswith("utf-16") else 1
    begin = max(at % width, at - around * width)
    text = window[begin : at + length + around * width].decode(encoding, "replace")
    return "".join(letter if letter.isprintable() else "." for letter in text)


def preview_text(stream: BinaryIO, offset: int, length: int, encoding: str | None = None) -> str:
    r"""Text of a place, decoded as `encoding` or by its look (UTF-16 where every second byte is zero, else UTF-8).

    Bytes that do not decode are shown as `\xNN`; control characters other than tab and line ends as `\xNN` too.
    """
    stream.seek(max(offset, 0))
    raw = stream.read(max(length, 0))
    if encoding is None:
        half = max(len(raw) // 2, 1)
        odd, even = raw[1::2].count(0), raw[0::2].count(0)
        encoding = "utf-16-le" if odd > half * 0.6 > even else "utf-16-be" if even > half * 0.6 > odd else "utf-8"
    text = raw.decode(encoding, "backslashreplace")
    return "".join(letter if letter.isprintable() or letter in "\t\r\n" else f"\\x{ord(letter):02x}" for letter in text)


def preview_hex(stream: BinaryIO, offset: int, length: int) -> list[str]:
    """Lines of sixteen bytes: offset, hex, and printable ASCII, as hex editors show them."""
    offset = max(offset, 0)
    stream.seek(offset)
    raw = stream.read(max(length, 0))
    listed = []
    for at in range(0, len(raw), 16):
        row = raw[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        listed.append(f"{offset + at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{letters}|")
    return listed
