"""Decoders of compressed streams with bounded output: one interface over zlib, bz2, lzma, zstd and Deflate64."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, cast

from wigmore.model.protocols import ParseError

PIECE = 256 * 1024
MEMORY = 1536 * 1024 * 1024 + 65536  # what a decoder may ask for its dictionary: the largest of 7-Zip's presets


class Decoder(Protocol):
    """What bz2, lzma and zstd decompressors share."""

    @property
    def eof(self) -> bool:
        """Whether the stream's end mark was read."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more input."""

    @property
    def unused_data(self) -> bytes:
        """Input past the end mark."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes of output."""


class Inflater:
    """zlib with the interface of the others. `wbits` as zlib has it: -15 raw, 15 zlib, 31 gzip."""

    def __init__(self, wbits: int = -15) -> None:
        import zlib

        self._object = zlib.decompressobj(wbits)
        self._full = False

    @property
    def eof(self) -> bool:
        """Whether the stream's end mark was read."""
        return self._object.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more input."""
        return not self._full and not self._object.unconsumed_tail and not self._object.eof

    @property
    def unused_data(self) -> bytes:
        """Input past the end mark."""
        return self._object.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes of output."""
        out = self._object.decompress(self._object.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


class Deflate64:
    """Deflate64 through the inflate64 library; its output is bounded by small pieces of input."""

    def __init__(self) -> None:
        self._object = importlib.import_module("inflate64").Inflater()
        self._data = b""

    @property
    def eof(self) -> bool:
        """Whether the stream's end mark was read."""
        return bool(self._object.eof)

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more input."""
        return not self._data

    @property
    def unused_data(self) -> bytes:
        """Input past the end mark; the library does not tell."""
        return b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Output of the next 2 KiB of input: at most some 64 MiB where each code copies 64 KiB."""
        self._data += data
        now, self._data = self._data[:2048], self._data[2048:]
        return bytes(self._object.inflate(now))


def bzip2() -> Decoder:
    """A bzip2 decoder."""
    import bz2

    return bz2.BZ2Decompressor()


def xz() -> Decoder:
    """An xz decoder that asks for at most MEMORY bytes."""
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)


def zstd() -> Decoder:
    """A Zstandard decoder with windows up to 128 MiB (2^27, what the format's own tool allows)."""
    try:
        module = importlib.import_module("compression.zstd")  # Python 3.14
    except ImportError:
        module = importlib.import_module("backports.zstd")
    options = {module.DecompressionParameter.window_log_max: 27}
    return cast(Decoder, module.ZstdDecompressor(options=options))


def zip_lzma(head: bytes) -> Decoder:
    """A decoder of zip method 14: LZMA1 with its properties in front (APPNOTE 5.8.8); ValueError for odd ones."""
    import lzma

    if len(head) < 9 or int.from_bytes(head[2:4], "little") != 5 or head[4] >= 225:
        raise ValueError("LZMA properties are not five bytes")
    rest, lc = divmod(head[4], 9)
    pb, lp = divmod(rest, 5)
    dictionary = int.from_bytes(head[5:9], "little")
    if dictionary > MEMORY or lc + lp > 4:
        raise ValueError("LZMA properties ask for too much")
    chain = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": max(dictionary, 4096)}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)


def raw(stream: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    """The bytes of a stream from `offset`, in pieces; ends early where the stream does."""
    while length > 0:
        stream.seek(offset)
        piece = stream.read(min(PIECE, length))
        if not piece:
            return
        offset += len(piece)
        length -= len(piece)
        yield piece


def decoded(
    pieces: Iterator[bytes],
    make: Callable[[], Decoder],
    path: str,
    several: bool = False,
    magic: tuple[bytes, ...] = (),
) -> Iterator[bytes]:
    """Output of a compressed stream in pieces of at most PIECE bytes (Deflate64: more).

    `several`: streams may follow one another, each beginning with one of `magic`; zero bytes after the last are
    padding, anything else ends the content with ParseError (damaged). A stream without its end raises ParseError
    (truncated) after what could be had.
    """
    errors = _errors()
    decoder = make()
    fed = False
    data = b""
    try:
        while True:
            if decoder.eof:
                data = decoder.unused_data + data
                if not several:
                    return
                data = _follow(data, pieces)
                if not data:
                    return
                if magic and not data.startswith(magic):
                    raise ParseError(path, None, "bytes follow the end of the compressed stream", "damaged")
                decoder = make()
            elif decoder.needs_input and not data:
                data = next(pieces, b"")
                if not data:
                    message = "the compressed stream ends before its end mark" if fed else "no compressed content"
                    raise ParseError(path, None, message, "truncated")
            fed = True
            out = decoder.decompress(data, PIECE)
            data = b""
            if out:
                yield out
    except errors as error:
        raise ParseError(path, None, f"compressed data cannot be decoded: {error}", "damaged") from error
    except MemoryError as error:
        raise ParseError(path, None, "the decoder asks for more memory than it may have", "memory") from error


def _follow(data: bytes, pieces: Iterator[bytes]) -> bytes:
    """The first bytes that are not zero after a stream's end: at least six where there are as many."""
    data = data.lstrip(b"\0")
    while len(data) < 6:
        more = next(pieces, b"")
        if not more:
            break
        data = (data + more).lstrip(b"\0")
    return data


def _errors() -> tuple[type[Exception], ...]:
    import lzma
    import zlib

    found: list[type[Exception]] = [zlib.error, lzma.LZMAError, EOFError, OSError, ValueError]
    for name in ("compression.zstd", "backports.zstd"):
        try:
            found.append(importlib.import_module(name).ZstdError)
        except ImportError:
            continue
    return tuple(found)
