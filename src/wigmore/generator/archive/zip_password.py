"""Password-protected ZIP archives: traditional PKWARE encryption and WinZip AES-256, with repeatable salts.

Sources: PKWARE APPNOTE.TXT 6.3.10 (6.1 traditional encryption); WinZip "AES Encryption Information: AE-1 and AE-2".
"""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from wigmore.generator.clocks import fat
from wigmore.generator.draws import draws

ENCRYPTED, UTF8 = 0x01, 0x800
STORED, DEFLATED, AES = 0, 8, 99


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive with its local time."""

    name: str
    content: bytes
    modified_local: datetime


def _deflate(content: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(content) + machine.flush()


def _crc_step(value: int, byte: int) -> int:
    # zlib.crc32 complements before and after; undo both to feed one byte
    return zlib.crc32(bytes([byte]), value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _traditional(content: bytes, password: bytes, check: int, draw: random.Random) -> bytes:
    first, second, third = 0x12345678, 0x23456789, 0x34567890

    def feed(byte: int) -> None:
        nonlocal first, second, third
        first = _crc_step(first, byte)
        second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        third = _crc_step(third, second >> 24)

    for byte in password:
        feed(byte)
    out = bytearray()
    for byte in bytes(draw.randrange(256) for _ in range(11)) + bytes([check]) + content:
        word = (third | 2) & 0xFFFF
        out.append(byte ^ (word * (word ^ 1) >> 8 & 0xFF))
        feed(byte)
    return bytes(out)


def _aes(content: bytes, password: bytes, draw: random.Random) -> bytes:
    from Cryptodome.Cipher import AES as Cipher  # comes with pyzipper
    from Cryptodome.Util import Counter

    salt = bytes(draw.randrange(256) for _ in range(16))
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 66)
    counter = Counter.new(128, initial_value=1, little_endian=True)
    body = Cipher.new(keys[:32], Cipher.MODE_CTR, counter=counter).encrypt(content)
    return salt + keys[64:] + bytes(body) + hmac.new(keys[32:64], body, "sha1").digest()[:10]


def zip_archive(
    members: Iterable[Member], password: str = "", strong: bool = False, seed: int = 1, comment: str = ""
) -> bytes:
    """A ZIP; with a password its members are encrypted (`strong`: AES-256 AE-2), their names stay readable."""
    draw = draws(f"zip-{seed}")
    out, directory, count = bytearray(), bytearray(), 0
    for member in members:
        count += 1
        date, clock, _ = fat(member.modified_local)
        crc, body, method, extra = zlib.crc32(member.content), _deflate(member.content), DEFLATED, b""
        flags = UTF8 if not member.name.isascii() else 0
        if password:
            flags |= ENCRYPTED
            if strong:
                body = _aes(body, password.encode(), draw)
                extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, method)
                method, crc = AES, 0  # AE-2 keeps no checksum of the plain text
            else:
                body = _traditional(body, password.encode(), crc >> 24, draw)
        name, offset = member.name.encode(), len(out)
        common = struct.pack(
            "<HHHHHIIIHH",
            51 if method == AES else 20,
            flags,
            method,
            clock,
            date,
            crc,
            len(body),
            len(member.content),
            len(name),
            len(extra),
        )
        out += b"PK\3\4" + common + name + extra + body
        directory += (
            b"PK\1\2" + struct.pack("<H", 0x031E) + common + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, offset)
        )
        directory += name + extra
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(out), len(comment))
    return bytes(out + directory + end) + comment.encode()
