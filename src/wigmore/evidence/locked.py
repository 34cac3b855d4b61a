"""Encrypted volumes: what their headers tell without a key, and the plain volume where a secret opens it.

BitLocker is read through libbde, LUKS by ourselves (luks.py).
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import methodcaller
from typing import Any

from wigmore.evidence import luks
from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.secret import KEY_FILE, RECOVERY_KEY, hex_keys, key_files, opened, passwords
from wigmore.model import times
from wigmore.model.protocols import ParseError
from wigmore.model.times import Time

BITLOCKER_CIPHERS = {
    0x8000: ("AES-CBC 128-bit with Elephant diffuser", "aes-cbc-elephant"),
    0x8001: ("AES-CBC 256-bit with Elephant diffuser", "aes-cbc-elephant"),
    0x8002: ("AES-CBC 128-bit", "aes-cbc-eboiv"),
    0x8003: ("AES-CBC 256-bit", "aes-cbc-eboiv"),
    0x8004: ("AES-XTS 128-bit", "aes-xts-plain64"),
    0x8005: ("AES-XTS 256-bit", "aes-xts-plain64"),
}
PROTECTORS = {
    0x0000: "clear key", 0x0100: "TPM", 0x0200: "startup key", 0x0500: "TPM and PIN", 0x0800: "recovery password",
    0x2000: "password",
}  # fmt: skip
BITLOCKER_LEAST = 64 * 1024  # bytes: a boot sector and one of three metadata blocks, which take this much
KEYSLOT_ACTIVE = 0x00AC71F3
MAX_JSON = 4 * 1024 * 1024
Description = tuple[dict[str, Any], dict[str, Time], str]


def describe(volume: Media, kind: str, path: str) -> Description:
    """(fields, times, what is needed to open it) of an encrypted volume's header."""
    if kind == "BitLocker":
        return _bitlocker(volume, path)
    return _luks(volume, path)


def unlock(volume: Media, kind: str, secrets: Sequence[str], path: str) -> tuple[Media, dict[str, str]] | None:
    """The plain volume and what its record says of the secret that fitted; None where none does. ParseError for damage."""
    return _unlock_bitlocker(volume, secrets, path) if kind == "BitLocker" else _unlock_luks(volume, secrets, path)


def _open_bitlocker(volume: Media, path: str) -> Any:
    import pybde

    handle = pybde.volume()
    try:
        handle.open_file_object(volume)
    except (OSError, MemoryError) as error:
        if volume.size < BITLOCKER_LEAST:
            message = f"the BitLocker volume is cut off: {volume.size} bytes do not hold its header and metadata"
            raise ParseError(path, None, message, "truncated") from error
        raise ParseError(path, None, f"BitLocker metadata cannot be read: {reason_of(error)}") from error
    return handle


def _bitlocker(volume: Media, path: str) -> Description:
    handle = _open_bitlocker(volume, path)
    method = handle.get_encryption_method()
    name, cipher = BITLOCKER_CIPHERS.get(method, (f"method {method:#06x}", ""))
    protectors = []
    for number in range(min(handle.get_number_of_key_protectors(), 64)):
        protector = handle.get_key_protector(number)
        kind = int(protector.type)
        protectors.append({"identifier": protector.identifier, "type": PROTECTORS.get(kind, f"{kind:#06x}")})
    data = {
        "encryption": "BitLocker", "cipher": cipher or name, "encryption_method": name,
        "volume_guid": handle.get_volume_identifier(), "description": handle.get_description() or "",
        "key_protectors": protectors, "volume_size": volume.size,
    }  # fmt: skip
    created = times.filetime(handle.get_creation_time_as_integer())
    kinds = sorted({protector["type"] for protector in protectors})
    return data, {"created": created} if created else {}, " or ".join(kinds) or "a key protector"


def _unlock_bitlocker(volume: Media, secrets: Sequence[str], path: str) -> tuple[Media, dict[str, str]] | None:
    for secret, attempt in _bitlocker_attempts(secrets):  # the first opens volumes with a clear key
        handle = _open_bitlocker(volume, path)
        try:
            if attempt is None:
                if not handle.is_locked():
                    return Media(handle.get_size(), "BitLocker", handle, (volume,)), opened(None, "clear key")
            else:
                attempt(handle)
            if handle.unlock() and not handle.is_locked():
                fitted = opened(secret or None, "" if secret else "clear key")
                if secret.startswith(KEY_FILE):
                    fitted["unlocked_with"] = "startup key"
                return Unlocked(handle.get_size(), "BitLocker", handle), fitted
        except (OSError, ValueError, MemoryError):
            continue  # libbde raises for a secret that does not fit
    return None


Attempt = Callable[[Any], None]


def _bitlocker_attempts(secrets: Sequence[str]) -> Iterator[tuple[str, Attempt | None]]:
    """(secret, how it is handed to the library): none, recovery and other passwords, startup keys, volume keys."""
    yield "", None
    for secret in passwords(secrets):
        if RECOVERY_KEY.fullmatch(secret.strip()):
            yield secret, methodcaller("set_recovery_password", secret.strip())
        else:
            yield secret, methodcaller("set_password", str(secret))
    for secret, raw in key_files(secrets):
        yield secret, partial(_startup_key, raw)
    for secret, raw in hex_keys(secrets):
        if len(raw) in (16, 32, 64):
            half = len(raw) // 2 if len(raw) > 16 else 16
            yield secret, methodcaller("set_keys", raw[:half], raw[half:])


def _startup_key(raw: bytes, handle: Any) -> None:
    """Hand a startup key (.BEK) to the library, which takes a path: one in memory, never on a disk."""
    descriptor = os.memfd_create("startup-key")
    try:
        os.write(descriptor, raw)
        handle.read_startup_key(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


class Unlocked(Media):
    """A plain volume over an encrypted one, which it does not own."""


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "backslashreplace")


def _luks(volume: Media, path: str) -> Description:
    head = volume.read_at(0, 4096)
    if len(head) < 592:
        raise ParseError(path, len(head), "the LUKS header is cut off", "truncated")
    version = int.from_bytes(head[6:8], "big")
    if version == 2:
        return _luks2(volume, head, path)
    if version != 1:
        raise ParseError(path, 6, f"LUKS version {version} is not known", "unsupported")
    cipher, mode, digest = _text(head[8:40]), _text(head[40:72]), _text(head[72:104])
    payload, key_bytes = struct.unpack_from(">II", head, 104)
    slots = []
    for number in range(8):
        active, rounds, offset, stripes = struct.unpack_from(">II32xII", head, 208 + 48 * number)
        if active == KEYSLOT_ACTIVE:
            slots.append({"slot": number, "iterations": rounds, "offset_sectors": offset, "stripes": stripes})
    data = {
        "encryption": "LUKS1", "cipher": f"{cipher}-{mode}", "hash": digest, "key_bits": key_bytes * 8,
        "uuid": _text(head[168:208]), "payload_offset": payload * 512, "key_slots": slots,
        "iterations": int.from_bytes(head[164:168], "big"), "volume_size": volume.size,
    }  # fmt: skip
    return data, {}, "passphrase of a key slot" if slots else "the volume key: no key slot is in use"


def _derivation(kdf: dict[str, Any]) -> dict[str, Any]:
    """How a key slot of version 2 makes a key of a passphrase: PBKDF2 by iterations, Argon2 by passes and memory."""
    names = {"type": "kdf", "hash": "hash", "iterations": "iterations", "time": "passes", "memory": "memory_kib",
             "cpus": "lanes"}  # fmt: skip
    found = {mine: kdf[theirs] for theirs, mine in names.items() if isinstance(kdf.get(theirs), str | int)}
    return {"kdf": "", **found}


def _luks2(volume: Media, head: bytes, path: str) -> Description:
    size = int.from_bytes(head[8:16], "big")
    data: dict[str, Any] = {
        "encryption": "LUKS2", "uuid": _text(head[168:208]), "label": _text(head[24:72]),
        "sequence": int.from_bytes(head[16:24], "big"), "volume_size": volume.size,
    }  # fmt: skip
    if not 4096 < size <= MAX_JSON:
        raise ParseError(path, 8, f"LUKS2 header size {size} is out of range")
    raw = volume.read_at(4096, size - 4096).split(b"\0")[0]
    try:
        tree = json.loads(raw)
        segments = list(tree.get("segments", {}).values())
        slots = tree.get("keyslots", {})
        data |= {
            "cipher": ", ".join(sorted({str(one.get("encryption", one.get("type"))) for one in segments})),
            "key_slots": [
                {"slot": name, "key_bits": int(slot.get("key_size", 0)) * 8, **_derivation(slot.get("kdf", {}))}
                for name, slot in sorted(slots.items())
            ],
            "tokens": sorted(str(token.get("type")) for token in tree.get("tokens", {}).values()),
        }
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ParseError(path, 4096, f"LUKS2 metadata is no valid JSON: {str(error)[:100]}") from error
    return data, {}, "passphrase of a key slot"


def _unlock_luks(volume: Media, secrets: Sequence[str], path: str) -> tuple[Media, dict[str, str]] | None:
    found = luks.unlock(volume, secrets, path)
    return None if found is None else (found[0], opened(found[1]))
