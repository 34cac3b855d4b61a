"""LUKS volumes opened with a passphrase: key slots with PBKDF2, AES in CBC (plain, plain64, ESSIV) and XTS.

Formats: LUKS1 On-Disk Format 1.2.3, LUKS2 On-Disk Format 1.1 (cryptsetup). Key slots with Argon2 are told, not opened.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wigmore.evidence.media import Media
from wigmore.model.protocols import ParseError

SECTOR = 512
ACTIVE = 0x00AC71F3
MAX_ITERATIONS = 50_000_000  # more is a header made to keep the reader busy
MAX_MATERIAL = 4 * 1024 * 1024
MAX_METADATA = 4 * 1024 * 1024
MAX_SLOTS = 32
Decrypt = Callable[[int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Slot:
    """One key slot: how its passphrase becomes a key, and where the split volume key lies."""

    hash: str
    iterations: int
    salt: bytes
    offset: int
    stripes: int
    key_bytes: int
    split_hash: str
    cipher: str
    area_key_bytes: int


@dataclass(frozen=True, slots=True)
class Digest:
    """The check value of a volume key."""

    hash: str
    iterations: int
    salt: bytes
    value: bytes

    def fits(self, key: bytes) -> bool:
        """Whether a volume key is the right one."""
        found = hashlib.pbkdf2_hmac(self.hash, key, self.salt, self.iterations, len(self.value))
        return hmac.compare_digest(found, self.value)


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed to open a volume; `unread` names key slots that cannot be tried."""

    slots: tuple[Slot, ...]
    digest: Digest
    cipher: str
    payload: int
    sector: int
    first_number: int
    unread: tuple[str, ...] = ()


class PlainVolume(Media):
    """The decrypted payload of a volume."""

    def __init__(self, volume: Media, header: Header, key: bytes) -> None:
        super().__init__(max(0, volume.size - header.payload) // header.sector * header.sector, "LUKS")
        self._volume, self._header = volume, header
        self._decrypt = sectors(header.cipher, key, header.sector)

    def _read(self, offset: int, length: int) -> bytes:
        size = self._header.sector
        first = offset // size
        count = -(-(offset + length) // size) - first
        raw = self._volume.read_at(self._header.payload + first * size, count * size)
        # numbers in the initial vector count in 512-byte sectors whatever the size of a unit is
        step = size // SECTOR
        pieces = [
            self._decrypt(self._header.first_number + (first + index) * step, raw[index * size : (index + 1) * size])
            for index in range(len(raw) // size)
        ]
        return b"".join(pieces)[offset - first * size :][:length]


def sectors(cipher: str, key: bytes, size: int) -> Decrypt:
    """A function (sector number, ciphertext) → plaintext; ParseError for ciphers that are not read."""
    import pycaes

    name, _, rest = cipher.partition("-")
    mode, _, vector = rest.partition("-")
    decrypt = pycaes.crypt_modes.DECRYPT
    if name != "aes" or mode not in ("cbc", "xts") or len(key) not in (16, 24, 32, 64):
        raise ParseError("", None, f"cipher {cipher} with {len(key) * 8} bits is not read", "unsupported")
    number = _vector(vector, key, cipher)
    if mode == "xts":
        half = len(key) // 2
        tweaked = pycaes.tweaked_context()
        tweaked.set_keys(decrypt, key[:half], key[half:])
        return lambda sector, data: bytes(pycaes.crypt_xts(tweaked, decrypt, number(sector), data))
    context = pycaes.context()
    context.set_key(decrypt, key)
    return lambda sector, data: bytes(pycaes.crypt_cbc(context, decrypt, number(sector), data))


def _vector(vector: str, key: bytes, cipher: str) -> Callable[[int], bytes]:
    import pycaes

    if vector == "plain":
        return lambda sector: struct.pack("<I12x", sector & 0xFFFFFFFF)
    if vector == "plain64":
        return lambda sector: struct.pack("<Q8x", sector)
    if vector.startswith("essiv:"):
        encrypt = pycaes.crypt_modes.ENCRYPT
        salted = pycaes.context()
        try:
            salted.set_key(encrypt, hashlib.new(vector[6:], key).digest())
        except ValueError as error:
            raise ParseError("", None, f"cipher {cipher} is not read", "unsupported") from error
        return lambda sector: bytes(pycaes.crypt_ecb(salted, encrypt, struct.pack("<Q8x", sector)))
    raise ParseError("", None, f"cipher {cipher} is not read", "unsupported")


def read_header(volume: Media, path: str) -> Header:
    """The header of version 1 or 2; ParseError where it is damaged or of another version."""
    head = volume.read_at(0, 4096)
    version = int.from_bytes(head[6:8], "big")
    try:
        if version == 1:
            return _first(head)
        if version == 2:
            return _second(volume, head)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise ParseError(path, 0, f"the LUKS header is damaged: {str(error)[:100]}") from error
    raise ParseError(path, 6, f"LUKS version {version} is not known", "unsupported")


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("ascii")


def _first(head: bytes) -> Header:
    cipher = f"{_text(head[8:40])}-{_text(head[40:72])}"
    name = _text(head[72:104])
    payload, key_bytes = struct.unpack_from(">II", head, 104)
    value, salt, rounds = struct.unpack_from(">20s32sI", head, 112)
    slots = []
    for number in range(8):
        active, iterations, slot_salt, offset, stripes = struct.unpack_from(">II32sII", head, 208 + 48 * number)
        if active == ACTIVE:
            slots.append(
                Slot(name, iterations, slot_salt, offset * SECTOR, stripes, key_bytes, name, cipher, key_bytes)
            )
    return Header(tuple(slots), Digest(name, rounds, salt, value), cipher, payload * SECTOR, SECTOR, 0)


def _second(volume: Media, head: bytes) -> Header:
    size = int.from_bytes(head[8:16], "big")
    if not 4096 < size <= MAX_METADATA:
        raise ValueError(f"header size {size}")
    tree: dict[str, Any] = json.loads(volume.read_at(4096, size - 4096).split(b"\0")[0])
    segment = next(one for _, one in sorted(tree["segments"].items()) if one["type"] == "crypt")
    digest = next(one for _, one in sorted(tree["digests"].items()) if one["type"] == "pbkdf2")
    slots, unread = [], []
    for name, slot in sorted(tree["keyslots"].items())[:MAX_SLOTS]:
        kdf, area = slot["kdf"], slot["area"]
        if kdf["type"] != "pbkdf2":
            unread.append(f"key slot {name} uses {kdf['type']}")
            continue
        slots.append(
            Slot(
                kdf["hash"], int(kdf["iterations"]), base64.b64decode(kdf["salt"]), int(area["offset"]),
                int(slot["af"]["stripes"]), int(slot["key_size"]), slot["af"]["hash"], area["encryption"],
                int(area["key_size"]),
            )
        )  # fmt: skip
    check = Digest(
        digest["hash"], int(digest["iterations"]), base64.b64decode(digest["salt"]), base64.b64decode(digest["digest"])
    )
    unit = int(segment["sector_size"])
    if unit not in (512, 1024, 2048, 4096):
        raise ValueError(f"sector size {unit}")
    return Header(
        tuple(slots),
        check,
        segment["encryption"],
        int(segment["offset"]),
        unit,
        int(segment["iv_tweak"]),
        tuple(unread),
    )


def unlock(volume: Media, secrets: Sequence[str], path: str) -> PlainVolume | None:
    """The plain volume where a passphrase fits; None where none does; ParseError where none can be tried."""
    if not secrets:
        return None
    header = read_header(volume, path)
    if not header.slots and header.unread:
        raise ParseError(path, None, f"{'; '.join(header.unread)}: only PBKDF2 can be tried", "unsupported")
    for key in _keys(volume, header, secrets, path):
        if header.digest.fits(key):
            return PlainVolume(volume, header, key)
    return None


def _keys(volume: Media, header: Header, secrets: Sequence[str], path: str) -> Iterator[bytes]:
    """The volume keys that the passphrases would give, right or wrong."""
    for slot in header.slots:
        size = slot.key_bytes * slot.stripes
        if not (
            0 < size <= MAX_MATERIAL
            and 0 < slot.iterations <= MAX_ITERATIONS
            and header.digest.iterations <= MAX_ITERATIONS
        ):
            raise ParseError(path, None, "a key slot's sizes are out of range")
        material = volume.read_at(slot.offset, -(-size // SECTOR) * SECTOR)
        if len(material) < size:
            raise ParseError(path, slot.offset, "a key slot is cut off", "truncated")
        for secret in secrets:
            key = hashlib.pbkdf2_hmac(
                slot.hash, secret.encode("utf-8"), slot.salt, slot.iterations, slot.area_key_bytes
            )
            decrypt = sectors(slot.cipher, key, SECTOR)
            plain = b"".join(
                decrypt(number, material[number * SECTOR : (number + 1) * SECTOR])
                for number in range(len(material) // SECTOR)
            )
            yield merge(plain[:size], slot.key_bytes, slot.stripes, slot.split_hash)


def merge(material: bytes, key_bytes: int, stripes: int, name: str) -> bytes:
    """Join an anti-forensic split key (LUKS1 specification, 2.4)."""
    width = hashlib.new(name).digest_size
    joined = 0
    for number in range(stripes):
        joined ^= int.from_bytes(material[number * key_bytes : (number + 1) * key_bytes], "big")
        if number < stripes - 1:
            block = joined.to_bytes(key_bytes, "big")
            spread = b"".join(
                hashlib.new(name, struct.pack(">I", at // width) + block[at : at + width]).digest()[
                    : min(width, key_bytes - at)
                ]
                for at in range(0, key_bytes, width)
            )
            joined = int.from_bytes(spread, "big")
    return joined.to_bytes(key_bytes, "big")
