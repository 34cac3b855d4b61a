"""NTFS change journals ($UsnJrnl:$J): records of version 2, one after another.

Source: MS-FSCC 2.3.62.1 (USN_RECORD_V2); records do not cross pages of 4,096 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime

from wigmore.generator.clocks import filetime

OVERWRITE, EXTEND, TRUNCATION, CREATE, DELETE = 0x1, 0x2, 0x4, 0x100, 0x200
OLD_NAME, NEW_NAME, CLOSE = 0x1000, 0x2000, 0x80000000
PAGE, ARCHIVE = 4096, 0x20

Change = tuple[datetime, str, int, int]  # time, name, number of the file's record, reasons


def journal(changes: Iterable[Change], folder: int = 1200, first: int = 0x41000) -> bytes:
    """A journal of these changes in the order given, all in the folder of that record number; `first` is the first number."""
    out = bytearray()
    for at, name, number, reasons in changes:
        encoded = name.encode("utf-16-le")
        size = (60 + len(encoded) + 7) & ~7
        if len(out) % PAGE + size > PAGE:
            out += bytes(PAGE - len(out) % PAGE)
        out += struct.pack(
            "<IHHQQqqIIIIHH",
            size,
            2,
            0,
            number | 1 << 48,
            folder | 1 << 48,
            first + len(out),
            filetime(at),
            reasons,
            0,
            0,
            ARCHIVE,
            len(encoded),
            60,
        )
        out += encoded.ljust(size - 60, b"\0")
    return bytes(out)
