"""Decryption of zip members: the traditional cipher and WinZip's AES, under passwords the examiner gave.

Sources: APPNOTE.TXT 6.1 (traditional PKWARE encryption), winzip.com "AES Encryption Information" (AE-1, AE-2).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from wigmore.model.protocols import ParseError


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0xEDB88320 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


CRC = _crc_table()


class Traditional:
    """The three keys of the traditional cipher."""

    def __init__(self, password: bytes) -> None:
        self.keys = (0x12345678, 0x23456789, 0x34567890)
        for byte in password:
            self._update(byte)

    def _update(self, byte: int) -> None:
        first, second, third = self.keys
        first = (first >> 8) ^ CRC[(first ^ byte) & 0xFF]
        second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        third = (third >> 8) ^ CRC[(third ^ (second >> 24)) & 0xFF]
        self.keys = (first, second, third)

    def decrypt(self, data: bytes) -> bytes:
        """The plain bytes; the keys move on."""
        first, second, third = self.keys
        out = bytearray(data)
        crc = CRC
        for at, byte in enumerate(data):
            mixed = (third | 2) & 0xFFFF
            byte ^= ((mixed * (mixed ^ 1)) >> 8) & 0xFF
            out[at] = byte
            first = (first >> 8) ^ crc[(first ^ byte) & 0xFF]
            second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
            third = (third >> 8) ^ crc[(third ^ (second >> 24)) & 0xFF]
        self.keys = (first, second, third)
        return bytes(out)


def traditional_fits(header: bytes, check: int, password: bytes) -> bool:
    """Whether the last of 12 header bytes deciphers to `check`: a wrong password fits once in 256."""
    return len(header) == 12 and Traditional(password).decrypt(header)[11] == check


def traditional(pieces: Iterator[bytes], header: bytes, password: bytes) -> Iterator[bytes]:
    """The plain bytes after the 12 header bytes."""
    cipher = Traditional(password)
    cipher.decrypt(header)
    for piece in pieces:
        yield cipher.decrypt(piece)


def aes_keys(salt: bytes, strength: int, password: bytes) -> tuple[bytes, bytes, bytes]:
    """Encryption key, authentication key, two bytes to check a password (strength 1 to 3: 128, 192, 256 bit)."""
    length = (16, 24, 32)[strength - 1]
    derived = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * length + 2)
    return derived[:length], derived[length : 2 * length], derived[2 * length :]


def aes(pieces: Iterator[bytes], keys: tuple[bytes, bytes, bytes], mac: bytes, path: str) -> Iterator[bytes]:
    """The plain bytes; ParseError (damaged) at the end where the authentication code differs."""
    from Cryptodome.Cipher import AES
    from Cryptodome.Util import Counter

    cipher = AES.new(keys[0], AES.MODE_CTR, counter=Counter.new(128, initial_value=1, little_endian=True))
    digest = hmac.new(keys[1], digestmod="sha1")
    for piece in pieces:
        digest.update(piece)
        yield cipher.decrypt(piece)
    if not hmac.compare_digest(digest.digest()[:10], mac):
        raise ParseError(path, None, "the member's authentication code does not fit its content", "damaged")
