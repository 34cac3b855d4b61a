"""Types are told by bytes, quickly, and names that contradict them are seen."""

from __future__ import annotations

import random
import struct
import time

import pytest

from wigmore.evidence.filetype import SIGNATURES, extension_mismatch, file_type


def pe(characteristics: int) -> bytes:
    head = bytearray(512)
    head[:2], head[60:64] = b"MZ", struct.pack("<I", 128)
    head[128:132] = b"PE\0\0"
    head[150:152] = struct.pack("<H", characteristics)
    return bytes(head)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (pe(0x0102), "PE executable"),
        (pe(0x2102), "PE library"),
        (b"SQLite format 3\0" + bytes(84), "SQLite 3"),
        (b"ElfFile\0" + bytes(100), "Windows event log"),
        (b"regf" + bytes(100), "registry hive"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x7fELF\2\1\1", "ELF"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "Java class"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "Mach-O"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF picture"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0", "QuickTime movie"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"\x11\0\0\0SCCA" + bytes(80), "prefetch"),
        (b"\0\0\0\0\xef\xcd\xab\x89" + bytes(80), "ESE database"),
        (b"bplist00" + bytes(30), "binary property list"),
        (b"\xeb\x52\x90NTFS    " + bytes(499) + b"\x55\xaa", "NTFS volume"),
        (b"hello\nworld\n", "text"),
        (b"\xff\xfeh\0i\0\r\0\n\0", "text (UTF-16)"),
        ("<?xml version='1.0' encoding='utf-16'?><Task/>".encode("utf-16"), "XML"),
        (b'{"a": [1, 2]}', "JSON"),
        (b"<?xml version='1.0'?>\n<plist version='1.0'><dict/></plist>", "XML property list"),
        (b"#!/bin/sh\necho\n", "script"),
        (b"From me@example.org Mon Jan  5 10:00:00 2015\nSubject: x\n", "mailbox (mbox)"),
        (b"From here on it is just prose, said the author.\nNo mail.\n", "text"),
        (b"Received: from a by b\r\n\tfor c\r\nSubject: x\r\nFrom: y\r\n\r\nbody", "e-mail"),
        (b"BM or not, this is a text", "text"),
        (b"", None),
        (bytes(4096), None),
    ],
)  # fmt: skip
def test_types_are_told_by_content(head: bytes, expected: str | None) -> None:
    assert file_type(head, "no-name", len(head)) == expected


def test_a_recycle_bin_entry_is_told_by_fields_that_fit() -> None:
    name = "C:\\x.txt\0".encode("utf-16-le")
    entry = struct.pack("<QQQI", 2, 5, 133_000_000_000_000_000, len(name) // 2) + name
    assert file_type(entry, "$I123456.txt", len(entry)) == "recycle bin entry"
    assert file_type(entry, "$I123456.txt", len(entry) + 1) != "recycle bin entry"


def test_the_table_is_broad_and_fast() -> None:
    assert SIGNATURES > 150
    randomly = random.Random(1)
    heads = (
        [randomly.randbytes(8192) for _ in range(100)] + [b"regf" + bytes(4092)] * 100 + [b"some text\n" * 400] * 100
    )
    started = time.perf_counter()
    for head in heads:
        file_type(head, "x", 8192)
    assert (time.perf_counter() - started) / len(heads) < 200e-6  # about 6 µs in fact; slack for a busy machine


def test_random_bytes_are_rarely_named() -> None:
    randomly = random.Random(2)
    named = [kind for kind in (file_type(randomly.randbytes(4096), "x", 4096) for _ in range(2000)) if kind]
    assert len(named) <= 3


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("zip", "a/photo.jpg", True),
        ("PE executable", "report.txt", True),
        ("PE executable", "a.exe", False),
        ("Word document", "a.docx", False),
        ("OLE compound file", "a.docx", False),  # an encrypted one
        ("JPEG", "a.JPG", False),
        ("JPEG", "cache_0001", False),
        ("JPEG", "a.png", True),
        ("text", "a.log", False),
        ("text", "a.pdf", True),
        ("SQLite 3", "a.jpg", True),
        ("SQLite 3", "a.db", False),
        (None, "a.jpg", False),
        ("registry hive", "NTUSER.DAT", False),
        ("registry hive", "NTUSER.DAT.LOG1", False),
    ],
)
def test_names_that_contradict_content_are_seen(kind: str | None, path: str, expected: bool) -> None:
    assert extension_mismatch(kind, path) is expected
