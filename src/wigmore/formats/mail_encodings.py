"""Transfer encodings of mail as streams: base64, quoted-printable, uuencode.

Sources: RFC 2045 6.7 and 6.8, POSIX uuencode. Decoders are lenient as mail programs are; what is missing is an error at the end.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import BinaryIO

from wigmore.formats.mail import CHUNK
from wigmore.model.protocols import ParseError

LINE = 64 * 1024
BASE64_NOISE = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


def window(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes between two offsets."""
    at = start
    while at < end:
        stream.seek(at)
        piece = stream.read(min(CHUNK, end - at))
        if not piece:
            return
        at += len(piece)
        yield piece


def base64_chunks(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Content out of base64; letters outside the alphabet are passed over; ParseError where the end is missing."""
    rest = b""
    for piece in pieces:
        rest += piece.translate(None, BASE64_NOISE)
        if b"=" in rest:  # padding inside: text that was put together from several encodings
            while (at := rest.find(b"=")) >= 0:
                head, tail = rest[:at], rest[at:].lstrip(b"=")
                if not tail:
                    break
                yield _quads(head)
                rest = tail
            continue
        keep = len(rest) & ~3
        if keep:
            yield binascii.a2b_base64(rest[:keep])
            rest = rest[keep:]
    rest = rest.rstrip(b"=")
    if len(rest) % 4 == 1:
        yield _quads(rest[:-1])
        raise ParseError(path, None, "base64 ends inside a group", "truncated")
    if rest:
        yield _quads(rest)


def _quads(text: bytes) -> bytes:
    text = text[:-1] if len(text) % 4 == 1 else text
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def quoted_chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Content out of quoted-printable."""
    rest = b""
    for piece in pieces:
        rest += piece
        at = rest.rfind(b"\n") + 1
        if not at and len(rest) > 4 * LINE:
            at = len(rest) - 3
            at -= 2 if b"=" in rest[at - 2 : at] else 0  # never inside `=XX`
        if at:
            yield binascii.a2b_qp(rest[:at])
            rest = rest[at:]
    if rest:
        yield binascii.a2b_qp(rest)


def uu_chunks(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Content out of uuencoded lines, from `begin` (if it is there) to `end`."""
    started = False
    for line in _lines(pieces):
        text = line.rstrip(b"\r\n")
        if not started and (text.startswith(b"begin ") or not text):
            started = bool(text)
            continue
        started = True
        if text == b"end":
            return
        if not text:
            continue
        try:
            yield binascii.a2b_uu(text)
        except binascii.Error:
            count = ((text[0] - 32) & 63) * 4 // 3 + 1  # encoders that pad a line with what is not zero
            try:
                yield binascii.a2b_uu(text[: count + 1])
            except binascii.Error as error:
                raise ParseError(path, None, f"a line is no uuencoded one: {error}", "damaged") from error
    if started:
        raise ParseError(path, None, "uuencoded content without its end", "truncated")


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        *whole, rest = rest.split(b"\n")
        yield from whole
        if len(rest) > LINE:
            yield rest
            rest = b""
    if rest:
        yield rest
