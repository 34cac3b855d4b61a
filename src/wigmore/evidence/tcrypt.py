"""TrueCrypt and VeraCrypt volumes: headers without a mark, told only by a password that opens them.

A header is 512 bytes: 64 of salt, then 448 encrypted under a key made from the password (and key files, and VeraCrypt's
PIM) by PBKDF2. There is one at the start, one at 65,536 for a hidden volume, backups at the end. Every hash that this
machine's libraries have, and every cipher, is tried. Sources: VeraCrypt documentation, "Encryption Scheme", "Volume Format
Specification", "PIM"; TrueCrypt User's Guide 7.1a, the chapters of the same names; IEEE 1619 (XTS).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wigmore.evidence.media import Media
from wigmore.evidence.secret import key_files, opened, passwords

UNIT = 512
HEADER = 512
SALT = 64
HIDDEN = 65536  # bytes to the hidden volume's header
LEAST = 4 * 1024  # a bare header with some sectors; real volumes have 256 KiB and more
SLOW_MOST = 12  # passwords that VeraCrypt's slow derivations are tried for at one volume
POOL = 64  # bytes that key files are mixed into; 128 for long passwords (VeraCrypt)
LONG_POOL = 128
MOST_PASSWORD = 128
MOST_KEY_FILE = 1024 * 1024  # bytes of a key file that count
# digest, iterations of TrueCrypt (None: it had not that hash), of VeraCrypt, of VeraCrypt by PIM (base, per unit)
HASHES: tuple[tuple[str, str, int | None, int, tuple[int, int]], ...] = (
    ("sha512", "SHA-512", 1_000, 500_000, (15_000, 1_000)),
    ("ripemd160", "RIPEMD-160", 2_000, 655_331, (15_000, 1_000)),
    ("sha256", "SHA-256", None, 500_000, (15_000, 1_000)),
    ("blake2s", "BLAKE2s-256", None, 500_000, (15_000, 1_000)),
    ("whirlpool", "Whirlpool", 1_000, 500_000, (15_000, 1_000)),
    ("streebog512", "Streebog", None, 500_000, (15_000, 1_000)),
)
CIPHERS = ("aes", "camellia")  # of each 32 bytes of key and 32 of tweak
NOT_TRIED = "Serpent, Twofish and Kuznyechik, alone or in cascades, are not tried"
LOOKS = "no header is recognised and the first sector looks random: an encrypted container without a header, or wiped"
MISSHAPEN = (
    f"named like a TrueCrypt or VeraCrypt volume, but not of whole sectors, {LEAST} bytes at least, that look random: "
    "cut off, wiped or something else"
)
NEEDS = "a password or key file, if it is a TrueCrypt or VeraCrypt volume"
SHAPE = {
    "encryption": "none recognisable", "looks_like": "a headerless encrypted container (TrueCrypt, VeraCrypt) or random bytes",
    "needs": NEEDS,
}  # fmt: skip
NAMES = (
    ".tc",
    ".hc",
    ".tcv",
    ".vc",
    ".truecrypt",
    ".veracrypt",
)  # where a volume is looked for in any file of whole sectors
Decrypt = Callable[[int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """A header that a secret opened."""

    program: str
    secret: str
    pim: int | None
    hash: str
    iterations: int
    cipher: str
    version: int
    hidden: bool
    backup: bool
    offset: int
    size: int
    keys: bytes
    key_files: int

    def describe(self) -> dict[str, Any]:
        """What a record says of it, without key and secret."""
        version = "tc" if self.program == "TrueCrypt" else "vc"
        data: dict[str, Any] = {
            "encryption": self.program, "cipher": f"{self.cipher}-xts-plain64", "hash": self.hash,
            "iterations": self.iterations, "kdf": "PBKDF2", "header_version": self.version,
            "suite": f"{version}_{self.version}-{self.hash}-xts-{self.cipher}", "hidden_volume": self.hidden,
            "key_bits": len(self.keys) * 8, **opened(self.secret), "payload_offset": self.offset, "payload_size": self.size,
        }  # fmt: skip
        if self.pim is not None:
            data["pim"] = self.pim
        if self.backup:
            data["backup_header"] = True
        if self.key_files:
            data["key_files"] = self.key_files
        return data


def digests() -> list[str]:
    """The hashes of HASHES that can be had here."""
    return [code for code, *_ in HASHES if code in hashlib.algorithms_available]


def untried() -> list[str]:
    """The hashes that volumes may be made with and that cannot be had here."""
    return [name for code, name, *_ in HASHES if code not in hashlib.algorithms_available]


def tried(secrets: Sequence[str]) -> str:
    """What was tried in vain, for a message."""
    count = len(candidates(secrets))
    if not count:
        return ""
    missing = ", ".join(untried())
    slow = f", VeraCrypt's for the first {SLOW_MOST} only" if count > SLOW_MOST else ""
    without = f" and the hashes {missing}" if missing else ""
    return f"; {count} given secrets do not open it{slow} ({NOT_TRIED}{without})"


def headerless(head: bytes, size: int, path: str) -> bool:
    """Whether a file of no known type is taken for such a volume: by its name, or by whole sectors of even bytes."""
    if not likely(head, size):
        return False
    named = path.lower().endswith(NAMES)
    return named or (size >= 256 * 1024 and len(head) >= 16384 and even(head[:65536]))


def likely(head: bytes, size: int) -> bool:
    """Whether a file may be such a volume: whole sectors, and a first sector as even as ciphertext."""
    return size >= LEAST and size % UNIT == 0 and even(head[:HEADER])


def even(sample: bytes) -> bool:
    """Whether bytes are spread over the 256 values as those of ciphertext are; text, code and tables are far off."""
    if len(sample) < HEADER:
        return False
    expected = len(sample) / 256
    spread = sum((sample.count(value) - expected) ** 2 for value in range(256)) / expected
    # chi-squared with 255 degrees of freedom, five and a half standard deviations
    return 130 < spread < 380 and len(set(sample)) > 190


def mixed(password: bytes, files: Sequence[bytes]) -> bytes:
    """The password with key files mixed in ("Keyfiles" in either program's documentation); as it is without any."""
    if not files:
        return password
    width = LONG_POOL if len(password) > POOL else POOL
    pool = bytearray(width)
    for content in files:
        crc, at = 0xFFFFFFFF, 0
        table = _crc_table()
        for byte in content[:MOST_KEY_FILE]:
            crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
            for shift in (24, 16, 8, 0):
                pool[at] = (pool[at] + (crc >> shift & 0xFF)) & 0xFF
                at = (at + 1) % width
    padded = password.ljust(width, b"\0")
    return bytes((one + other) & 0xFF for one, other in zip(padded, pool, strict=False))


def _crc_table() -> tuple[int, ...]:
    from wigmore.evidence.archive_crypt import CRC

    return CRC


def candidates(secrets: Sequence[str]) -> list[tuple[str, bytes, int, int | None]]:
    """(secret, password bytes, number of key files, PIM): each password alone, with all key files, the files alone.

    A password may carry its PIM as `password#pim=485`; the text itself is tried as a password too.
    """
    files = [raw for _, raw in key_files(secrets)]
    found: list[tuple[str, bytes, int, int | None]] = []
    for secret in passwords(secrets):
        text, mark, pim = secret.rpartition("#pim=")
        forms: list[tuple[str, int | None]] = [(str(secret), None)]
        if mark and pim.isdigit() and 0 < int(pim) <= 2_147_468:
            forms.insert(0, (text, int(pim)))
        for form, number in forms:
            raw = form.encode("utf-8", "surrogatepass")
            if len(raw) <= MOST_PASSWORD:
                found.append((secret, raw, 0, number))
                if files:
                    found.append((secret, mixed(raw, files), len(files), number))
    for secret, raw in key_files(secrets):
        found.append((secret, mixed(b"", [raw]), 1, None))
    return found


def unlock(volume: Media, secrets: Sequence[str]) -> list[tuple[Media, Found]]:
    """The plain volumes that secrets open, the outer one before a hidden one, with their headers; empty where none fits."""
    found = sorted(headers(volume, secrets), key=lambda header: header.hidden)
    return [(PlainVolume(volume, header), header) for header in found]


def headers(volume: Media, secrets: Sequence[str]) -> Iterator[Found]:
    """The headers that secrets open, one of each volume: quick derivations of all places, the slow ones if none fits."""
    places = [(0, False, False), (HIDDEN, True, False)]
    if volume.size >= 4 * HIDDEN:
        places += [(volume.size - 2 * HIDDEN, False, True), (volume.size - HIDDEN, True, True)]
    if not candidates(secrets):
        return
    raw = []
    for at, hidden, backup in places:
        with suppress(OSError):  # a part that is missing holds no header to try
            content = volume.read_at(at, HEADER)
            if len(content) == HEADER:
                raw.append((content, hidden, backup))
    opened_already: set[bool] = set()
    for slow in (False, True):
        if opened_already:
            return
        for candidate in candidates(secrets)[: SLOW_MOST if slow else None]:
            for content, hidden, backup in raw:
                if hidden in opened_already or (slow and backup):
                    continue  # a backup is worth a try only where it costs nothing
                found = _try(content, candidate, slow, volume, hidden, backup)
                if found is not None:
                    opened_already.add(hidden)
                    yield found
                    break  # a password opens one of the two


def _try(
    content: bytes, candidate: tuple[str, bytes, int, int | None], slow: bool, volume: Media, hidden: bool, backup: bool
) -> Found | None:
    """One header under one password: each hash, each cipher."""
    secret, password, files, pim = candidate
    for code in digests():
        for iterations in _iterations(code, slow, pim):
            key = derive(code, password, content[:SALT], iterations, 64)
            for cipher in CIPHERS:
                plain = _open(content, key, cipher)
                if plain is not None:
                    return _found(plain, volume, secret, pim, code, iterations, cipher, hidden, backup, files)
    return None


def _iterations(code: str, slow: bool, pim: int | None) -> list[int]:
    _, _, classic, usual, (base, step) = next(row for row in HASHES if row[0] == code)
    if not slow:
        return [classic] if classic else []
    if pim is not None:
        return [base + step * pim]
    return [usual]


def derive(code: str, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
    """The header key."""
    return hashlib.pbkdf2_hmac(code, password, salt, iterations, length)


def _open(content: bytes, key: bytes, cipher: str) -> bytes | None:
    """The 448 bytes of a header in the clear, None where they are none (mark, then two checksums)."""
    plain = decryptor(cipher, key)(0, content[SALT:])
    if plain[:4] not in (b"TRUE", b"VERA"):
        return None
    if zlib.crc32(plain[192:448]) != int.from_bytes(plain[8:12], "big"):
        return None
    if int.from_bytes(plain[4:6], "big") >= 4 and zlib.crc32(plain[:188]) != int.from_bytes(plain[188:192], "big"):
        return None
    return plain


def _found(
    plain: bytes, volume: Media, secret: str, pim: int | None, code: str, iterations: int, cipher: str, hidden: bool,
    backup: bool, files: int,
) -> Found:  # fmt: skip
    version = int.from_bytes(plain[4:6], "big")
    hidden_size, size, start, length = struct.unpack_from(">QQQQ", plain, 28)
    if version < 4:  # before TrueCrypt 6 the offsets were fixed and not written
        start = UNIT if not hidden else max(0, volume.size - UNIT - hidden_size)
        length = max(0, volume.size - UNIT) if not hidden else hidden_size
    start = min(start, volume.size)
    length = min(length or size, volume.size - start)
    program = "TrueCrypt" if plain[:4] == b"TRUE" else "VeraCrypt"
    return Found(
        program, secret, pim, code, iterations, cipher, version, hidden, backup, start, length, plain[192:256], files
    )  # fmt: skip


def decryptor(cipher: str, key: bytes) -> Decrypt:
    """A function (number of the 512-byte unit, ciphertext) → plaintext, XTS under 32 bytes of key and 32 of tweak."""
    if cipher == "aes":
        import pycaes

        decrypt = pycaes.crypt_modes.DECRYPT
        context = pycaes.tweaked_context()
        context.set_keys(decrypt, key[:32], key[32:64])
        return lambda unit, data: bytes(pycaes.crypt_xts(context, decrypt, struct.pack("<Q8x", unit), data))
    return _camellia(key)


def _camellia(key: bytes) -> Decrypt:
    """XTS over Camellia in single blocks, since no library here has the two together."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    single = ECB()  # noqa: S305  # single blocks: XTS is made of them
    content, tweak = Cipher(Camellia(key[:32]), single), Cipher(Camellia(key[32:64]), single)

    def plain(unit: int, data: bytes) -> bytes:
        start = tweak.encryptor().update(struct.pack("<Q8x", unit))
        mask = b"".join(_tweaks(start, len(data) // 16))
        length = len(mask)
        middle = content.decryptor().update(_xor(data[:length], mask))
        return _xor(middle, mask)

    return plain


def _tweaks(start: bytes, count: int) -> Iterator[bytes]:
    """The tweaks of a unit's blocks: each the one before times alpha in GF(2^128)."""
    value = int.from_bytes(start, "little")
    for _ in range(count):
        yield value.to_bytes(16, "little")
        value <<= 1
        if value >> 128:
            value = (value & ((1 << 128) - 1)) ^ 0x87


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


class PlainVolume(Media):
    """The decrypted content of a volume."""

    def __init__(self, volume: Media, found: Found) -> None:
        super().__init__(found.size // UNIT * UNIT, found.program)
        self._volume, self._start = volume, found.offset
        self._decrypt = decryptor(found.cipher, found.keys)
        # units count from the start of the file, header included; before version 4 from the start of the data
        self._first = found.offset // UNIT

    def _read(self, offset: int, length: int) -> bytes:
        first = offset // UNIT
        count = -(-(offset + length) // UNIT) - first
        raw = self._volume.read_at(self._start + first * UNIT, count * UNIT)
        pieces = [
            self._decrypt(self._first + first + index, raw[index * UNIT : (index + 1) * UNIT])
            for index in range(len(raw) // UNIT)
        ]
        return b"".join(pieces)[offset - first * UNIT :][:length]
