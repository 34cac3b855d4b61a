"""Windows Recycle Bin: $I records version 2 with their $R contents.

Source: libyal dtformats "Windows Recycle.Bin file formats".
"""

from __future__ import annotations

import random
import string
import struct
from datetime import datetime

from wigmore.generator.clocks import filetime


def index_file(original_path: str, size: int, deleted_at: datetime) -> bytes:
    """A $I file of Windows 10 and later: where the item lay, its size in bytes, when it was put into the bin."""
    name = original_path.encode("utf-16-le") + b"\0\0"
    return struct.pack("<QQQI", 2, size, filetime(deleted_at), len(name) // 2) + name


def pair(original_path: str, draw: random.Random) -> tuple[str, str]:
    """Names of the $I and $R files of an item: six random characters and the item's extension."""
    tail = "".join(draw.choice(string.ascii_uppercase + string.digits) for _ in range(6))
    name = original_path.rpartition("\\")[2]
    extension = f".{name.rpartition('.')[2]}" if "." in name else ""
    return f"$I{tail}{extension}", f"$R{tail}{extension}"
