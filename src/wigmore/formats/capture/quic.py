"""QUIC Initial packets: their keys follow from the connection number, so the client hello inside can be read.

Sources: RFC 9000 (packets and frames), 9001 section 5 (keys), 9369 (version 2).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from wigmore.formats.capture.tls import Reader, client_hello

SALTS = {
    1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    0x6B3343CF: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
}
SALT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")  # drafts 29 to 32
NAMES = {1: "QUIC v1", 0x6B3343CF: "QUIC v2"}


def _expand(secret: bytes, label: str, length: int) -> bytes:
    full = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


def _varied(reader: Reader) -> int:
    first = reader.number(1)
    width = 1 << (first >> 6)
    return (first & 0x3F) << 8 * (width - 1) | int.from_bytes(reader.take(width - 1), "big")


class Hello:
    """The client hello of a connection, put together from the CRYPTO frames of its Initial packets."""

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self.version = 0
        self.connection = b""

    def take(self, raw: bytes) -> None:
        """Add one datagram of the client; IndexError or ValueError where it is no readable Initial packet."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        reader = Reader(raw)
        first = reader.number(1)
        version = reader.number(4)
        target = reader.counted(1)
        reader.counted(1)
        salt = SALTS.get(version) or (SALT_29 if 0xFF00001D <= version <= 0xFF000020 else None)
        if salt is None or not first & 0x80 or (first >> 4 & 3) != (1 if version == 0x6B3343CF else 0):
            self.version = self.version or version
            return
        reader.take(_varied(reader))
        length = _varied(reader)
        place = reader.at
        self.version = version
        self.connection = self.connection or target
        label = "quicv2 " if version == 0x6B3343CF else "quic "
        initial = hmac.new(salt, self.connection, hashlib.sha256).digest()
        secret = _expand(initial, "client in", 32)
        key, vector, mask_key = (_expand(secret, label + n, w) for n, w in (("key", 16), ("iv", 12), ("hp", 16)))
        sample = raw[place + 4 : place + 20]
        if len(sample) < 16:
            raise IndexError("past the end")
        encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()  # noqa: S305  # header protection, RFC 9001 5.4.3
        mask = encryptor.update(sample)
        header = bytearray(raw[:place])
        header[0] ^= mask[0] & 0x0F
        width = (header[0] & 3) + 1
        number = bytes(a ^ b for a, b in zip(raw[place : place + width], mask[1:], strict=False))
        nonce = (int.from_bytes(vector, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
        sealed = raw[place + width : place + length]
        try:
            plain = AESGCM(key).decrypt(nonce, sealed, bytes(header) + number)
        except InvalidTag as error:
            raise ValueError("the packet does not authenticate") from error
        self._frames(Reader(plain))

    def _frames(self, reader: Reader) -> None:
        while reader.left():
            kind = _varied(reader)
            if kind in (0, 1):
                continue
            if kind in (2, 3):
                for _ in range(2):
                    _varied(reader)
                ranges = _varied(reader)
                for _ in range(min(ranges, 1000) * 2 + 1 + (3 if kind == 3 else 0)):
                    _varied(reader)
            elif kind == 6:
                offset = _varied(reader)
                self.pieces[offset] = reader.take(_varied(reader))
            else:
                return

    def fields(self) -> dict[str, Any]:
        """What the hello says, as far as it is whole."""
        out: dict[str, Any] = {"version_quic": NAMES.get(self.version, f"{self.version:#010x}")}
        data = b""
        for offset in sorted(self.pieces):
            if offset > len(data):
                break
            data = data[:offset] + self.pieces[offset]
        if data[:1] == b"\1" and len(data) > 4:
            try:
                out |= client_hello(data[4 : 4 + int.from_bytes(data[1:4], "big")])
            except IndexError:
                out["incomplete"] = True
        return out
