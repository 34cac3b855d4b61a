"""LUKS volumes opened with a passphrase, a key file or the volume key: AES in CBC (plain, plain64, ESSIV) and XTS.

Key slots with PBKDF2, Argon2i and Argon2id are tried. Formats: LUKS1 On-Disk Format 1.2.3, LUKS2 On-Disk Format 1.1
(cryptsetup), RFC 9106 (Argon2).
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
from wigmore.evidence.secret import hex_keys, phrases
from wigmore.model.protocols import ParseError

SECTOR = 512
ACTIVE = 0x00AC71F3
MAX_ITERATIONS = 50_000_000  # more is a header made to keep the reader busy
MAX_MATERIAL = 4 * 1024 * 1024
MAX_METADATA = 4 * 1024 * 1024
MAX_SLOTS = 32
MAX_ARGON_MEMORY = 4 * 1024 * 1024  # KiB, the most that cryptsetup writes
MAX_ARGON_TIME = 1_000
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
    kdf: str = "pbkdf2"
    memory: int = 0  # KiB, Argon2 only
    lanes: int = 0

    def key(self, passphrase: bytes) -> bytes:
        """The key of the slot's area; MemoryError where Argon2's memory is not to be had."""
        if self.kdf == "pbkdf2":
            return hashlib.pbkdf2_hmac(self.hash, passphrase, self.salt, self.iterations, self.area_key_bytes)
        from cryptography.hazmat.primitives.kdf import argon2

        make = argon2.Argon2id if self.kdf == "argon2id" else argon2.Argon2i
        return make(
            salt=self.salt, length=self.area_key_bytes, iterations=self.iterations, lanes=self.lanes,
            memory_cost=self.memory,
        ).derive(passphrase)  # fmt: skip


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
    key_bytes: int
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
    return Header(tuple(slots), Digest(name, rounds, salt, value), cipher, payload * SECTOR, SECTOR, 0, key_bytes)


def _second(volume: Media, head: bytes) -> Header:
    size = int.from_bytes(head[8:16], "big")
    if not 4096 < size <= MAX_METADATA:
        raise ValueError(f"header size {size}")
    tree: dict[str, Any] = json.loads(volume.read_at(4096, size - 4096).split(b"\0")[0])
    segment = next(one for _, one in sorted(tree["segments"].items()) if one["type"] == "crypt")
    digest = next(one for _, one in sorted(tree["digests"].items()) if one["type"] == "pbkdf2")
    slots: list[Slot] = []
    unread: list[str] = []
    for name, slot in sorted(tree["keyslots"].items())[:MAX_SLOTS]:
        if slot.get("type", "luks2") != "luks2":
            unread.append(f"key slot {name} is of type {slot['type']}")
            continue
        kdf, area = slot["kdf"], slot["area"]
        area_fields = (
            int(area["offset"]), int(slot["af"]["stripes"]), int(slot["key_size"]), slot["af"]["hash"],
            area["encryption"], int(area["key_size"]),
        )  # fmt: skip
        salt = base64.b64decode(kdf["salt"])
        if kdf["type"] == "pbkdf2":
            slots.append(Slot(kdf["hash"], int(kdf["iterations"]), salt, *area_fields))
        elif kdf["type"] in ("argon2id", "argon2i"):
            turns, memory, lanes = int(kdf["time"]), int(kdf["memory"]), int(kdf["cpus"])
            if not (0 < turns <= MAX_ARGON_TIME and 8 * lanes <= memory <= MAX_ARGON_MEMORY and 0 < lanes <= 64):
                unread.append(f"key slot {name} asks for {memory} KiB, {turns} passes, {lanes} lanes of {kdf['type']}")
                continue
            slots.append(Slot("", turns, salt, *area_fields, kdf["type"], memory, lanes))
        else:
            unread.append(f"key slot {name} uses {kdf['type']}")
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
        slots[0].key_bytes
        if slots
        else max((int(one.get("key_size", 0)) for one in tree["keyslots"].values()), default=0),
        tuple(unread),
    )


def unlock(volume: Media, secrets: Sequence[str], path: str) -> tuple[PlainVolume, str] | None:
    """The plain volume and the secret that fitted; None where none does; ParseError where none can be tried."""
    if not secrets:
        return None
    header = read_header(volume, path)
    sectors(
        header.cipher, bytes(range(min(header.key_bytes, 250))), header.sector
    )  # ciphers that are not read are told at once
    for secret, raw in hex_keys(secrets):
        if len(raw) == header.key_bytes and header.digest.fits(raw):
            return PlainVolume(volume, header, raw), secret
    if not header.slots and header.unread:
        raise ParseError(path, None, f"{'; '.join(header.unread)}: not tried", "unsupported")
    for secret, key in _keys(volume, header, secrets, path):
        if header.digest.fits(key):
            return PlainVolume(volume, header, key), secret
    return None


def _keys(volume: Media, header: Header, secrets: Sequence[str], path: str) -> Iterator[tuple[str, bytes]]:
    """The volume keys that the passphrases would give, right or wrong."""
    for slot in header.slots:
        size = slot.key_bytes * slot.stripes
        if not (
            0 < size <= MAX_MATERIAL
            and 0 < slot.key_bytes <= 512
            and 0 < slot.area_key_bytes <= 512
            and 0 < slot.iterations <= MAX_ITERATIONS
            and header.digest.iterations <= MAX_ITERATIONS
        ):
            raise ParseError(path, None, "a key slot's sizes are out of range")
        material = volume.read_at(slot.offset, -(-size // SECTOR) * SECTOR)
        if len(material) < size:
            raise ParseError(path, slot.offset, "a key slot is cut off", "truncated")
        for secret, passphrase in phrases(secrets):
            try:
                key = slot.key(passphrase)
            except MemoryError as error:
                message = f"Argon2 needs {slot.memory} KiB of memory, more than there is"
                raise ParseError(path, None, message, "memory") from error
            except (ValueError, TypeError) as error:
                raise ParseError(path, None, f"a key slot cannot be tried: {str(error)[:100]}") from error
            decrypt = sectors(slot.cipher, key, SECTOR)
            plain = b"".join(
                decrypt(number, material[number * SECTOR : (number + 1) * SECTOR])
                for number in range(len(material) // SECTOR)
            )
            yield secret, merge(plain[:size], slot.key_bytes, slot.stripes, slot.split_hash)


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
