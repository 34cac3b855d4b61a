"""The encryption of Android backups (`adb backup`): a master key under a password, AES-256 in CBC.

Source: AOSP, com.android.server.backup.utils.PasswordUtils and com.android.server.backup.restore (header lines, key blob).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wigmore.evidence.secret import passwords
from wigmore.model.protocols import ParseError

MOST_ROUNDS = 10_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """The five lines that follow `AES-256`."""

    version: int
    user_salt: bytes
    check_salt: bytes
    rounds: int
    user_iv: bytes
    blob: bytes


def header(lines: Sequence[bytes], version: int, path: str) -> Header:
    """The header of an encrypted backup; ParseError where it is damaged."""
    try:
        user_salt, check_salt, rounds, user_iv, blob = lines[:5]
        found = Header(version, _hex(user_salt), _hex(check_salt), int(rounds), _hex(user_iv), _hex(blob))
    except ValueError as error:
        raise ParseError(path, None, "the backup's encryption header is damaged") from error
    if not 0 < found.rounds <= MOST_ROUNDS or len(found.user_iv) != 16 or not found.blob or len(found.blob) % 16:
        raise ParseError(path, None, "the backup's encryption header is damaged")
    return found


def _hex(line: bytes) -> bytes:
    return bytes.fromhex(line.decode("ascii"))


def _as_characters(key: bytes) -> bytes:
    """Key bytes as Java makes characters of them (with their sign), in UTF-8: what the check value is made over."""
    return "".join(chr(0xFF00 | byte if byte & 0x80 else byte) for byte in key).encode("utf-8")


def master_key(found: Header, secrets: Sequence[str]) -> tuple[str, bytes, bytes] | None:
    """(secret, key, initial vector) of the first password that fits; None where none does."""
    for secret in passwords(secrets):
        for coded in dict.fromkeys((secret.encode("utf-8", "surrogatepass"), secret.encode("latin-1", "replace"))):
            key = hashlib.pbkdf2_hmac("sha1", coded, found.user_salt, found.rounds, 32)
            plain = _unpadded(cbc(key, found.user_iv, found.blob))
            parts = _parts(plain)
            if parts is None:
                continue
            vector, master, check = parts
            for form in (_as_characters(master), master):
                made = hashlib.pbkdf2_hmac("sha1", form, found.check_salt, found.rounds, 32)
                if hmac.compare_digest(made, check):
                    return secret, master, vector
    return None


def _parts(plain: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Initial vector, key and check value, each behind one byte of length."""
    out, at = [], 0
    for wanted in (16, 32, 32):
        if plain[at : at + 1] != bytes([wanted]):
            return None
        out.append(plain[at + 1 : at + 1 + wanted])
        at += 1 + wanted
    return (out[0], out[1], out[2]) if len(out[2]) == 32 else None


def cbc(key: bytes, vector: bytes, data: bytes) -> bytes:
    """AES in CBC, decrypted; `data` in whole blocks."""
    from Cryptodome.Cipher import AES

    return AES.new(key, AES.MODE_CBC, vector).decrypt(data)


def _unpadded(plain: bytes) -> bytes:
    count = plain[-1] if plain else 0
    return plain[:-count] if 1 <= count <= 16 and plain.endswith(bytes([count]) * count) else plain


def decrypted(pieces: Iterator[bytes], key: bytes, vector: bytes, path: str) -> Iterator[bytes]:
    """The plain bytes without their padding; ParseError (truncated) where the last block is not whole."""
    from Cryptodome.Cipher import AES

    cipher = AES.new(key, AES.MODE_CBC, vector)
    waiting = b""
    for piece in pieces:
        waiting += piece
        whole = (len(waiting) - 1) // 16 * 16  # the last block waits: it may be padding
        if whole > 0:
            yield cipher.decrypt(waiting[:whole])
            waiting = waiting[whole:]
    if len(waiting) % 16:
        raise ParseError(path, None, "the backup ends inside a block", "truncated")
    if waiting:
        yield _unpadded(cipher.decrypt(waiting))
