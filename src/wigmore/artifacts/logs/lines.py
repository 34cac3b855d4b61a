"""Lines of text files with their byte places: UTF-8, UTF-16 with or without a mark, and Latin-1 where UTF-8 fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile

CHUNK = 256 * 1024
LONGEST = 1024 * 1024  # bytes of one line; longer ones come in pieces of the same number
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
CONTROL = bytes(sorted(set(range(32)) - {8, 9, 10, 12, 13, 27, 29}))  # 29: auditd parts its enriched fields with it


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end: number (from 1), byte offset and length, text, and the codec if it was a fallback."""

    number: int
    offset: int
    length: int
    text: str
    fallback: str = ""


def encoding_of(head: bytes) -> tuple[str, int] | None:
    """Codec and length of the byte-order mark; None where the bytes are no text.

    Control characters up to one in 200 are borne: servers log what clients send.
    """
    for mark, codec in MARKS:
        if head.startswith(mark):
            return codec, len(mark)
    if not head:
        return None
    half = len(head) // 2
    if half and b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > 0.7 * half and even < 0.05 * half:
            return "utf-16-le", 0
        if even > 0.7 * half and odd < 0.05 * half:
            return "utf-16-be", 0
    controls = len(head) - len(head.translate(None, CONTROL))
    return ("utf-8", 0) if controls <= len(head) // 200 else None


def decoded(raw: bytes) -> tuple[str, str]:
    """Text of bytes said to be UTF-8, and `latin-1` where they were not and that was assumed instead."""
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


@lru_cache(maxsize=4)
def sample(head: bytes) -> tuple[str, ...]:
    """The first whole lines of a file (at most 60), empty where it is no text; the last one may be cut."""
    found = encoding_of(head)
    if found is None:
        return ()
    codec, mark = found
    body = head[mark:]
    if codec == "utf-8":
        cut = body[: len(body) - _torn(body)]
        text, _ = decoded(cut)
    else:
        text = body[: len(body) // 2 * 2].decode(codec, "replace")
    listed = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(listed) > 1 and len(head) >= 4096:
        listed.pop()  # cut by the end of the sample
    return tuple(listed[:60])


def _torn(body: bytes) -> int:
    """Bytes of a UTF-8 sequence that the end of a sample tore."""
    for back in range(1, min(4, len(body) + 1)):
        byte = body[-back]
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < need else 0
        if byte < 0x80:
            return 0
    return 0


def lines(file: EvidenceFile, start: int = 0) -> Iterator[Line]:
    """Every line of a text file in order; decodes per line and declares the fallback. Bytes that are no text yield
    none.
    """
    with file.open() as stream:
        head = stream.read(8192)
        found = encoding_of(head)
        if found is None:
            return
        codec, mark = found
        stream.seek(max(start, mark))
        if codec == "utf-8":
            separator = b"\r" if b"\n" not in head and b"\r" in head else b"\n"
            yield from _bytes_lines(stream, separator, max(start, mark))
        else:
            yield from _wide_lines(stream, codec, max(start, mark))


def _bytes_lines(stream: BinaryIO, separator: bytes, offset: int) -> Iterator[Line]:
    number, rest = 1, b""
    while True:
        chunk = stream.read(CHUNK)
        parts = (rest + chunk).split(separator)
        rest = parts.pop() if chunk else b""
        for part in parts:
            if chunk or part:
                text, fallback = decoded(part.removesuffix(b"\r"))
                yield Line(number, offset, len(part), text, fallback)
            offset += len(part) + 1
            number += 1
        if not chunk:
            return
        if len(rest) > LONGEST:
            text, fallback = decoded(rest)
            yield Line(number, offset, len(rest), text, fallback)
            offset += len(rest)
            rest = b""


def _wide_lines(stream: BinaryIO, codec: str, offset: int) -> Iterator[Line]:
    number, rest = 1, b""
    newline = "\n".encode(codec)
    while True:
        chunk = stream.read(CHUNK)
        data = rest + chunk
        start = 0
        while True:
            end = data.find(newline, start)
            while end != -1 and (end - start) % 2:
                end = data.find(newline, end + 1)
            if end == -1:
                break
            yield Line(number, offset, end - start, _wide(data[start:end], codec))
            number += 1
            offset += end - start + 2
            start = end + 2
        rest = data[start:]
        if not chunk or len(rest) > LONGEST:
            whole = rest[: len(rest) // 2 * 2]
            if whole:
                yield Line(number, offset, len(whole), _wide(whole, codec))
            offset += len(whole)
            rest = rest[len(whole) :]
        if not chunk:
            return


def _wide(raw: bytes, codec: str) -> str:
    return clean(raw.decode(codec, "surrogatepass")).removesuffix("\r")
