"""Encrypted volumes: what their headers tell without a key, and the plain volume where a secret opens it.

BitLocker is read through libbde, LUKS by ourselves (luks.py).
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from typing import Any

from wigmore.evidence import luks
from wigmore.evidence.media import Media, reason_of
from wigmore.model import times
from wigmore.model.protocols import ParseError
from wigmore.model.times import Time

RECOVERY_KEY = re.compile(r"\d{6}(-\d{6}){7}")
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
KEYSLOT_ACTIVE = 0x00AC71F3
MAX_JSON = 4 * 1024 * 1024
Description = tuple[dict[str, Any], dict[str, Time], str]


def describe(volume: Media, kind: str, path: str) -> Description:
    """(fields, times, what is needed to open it) of an encrypted volume's header."""
    if kind == "BitLocker":
        return _bitlocker(volume, path)
    return _luks(volume, path)


def unlock(volume: Media, kind: str, secrets: Sequence[str], path: str) -> tuple[Media, str] | None:
    """The plain volume and the kind of secret that opened it; None where no secret fits. ParseError for damage."""
    return _unlock_bitlocker(volume, secrets, path) if kind == "BitLocker" else _unlock_luks(volume, secrets, path)


def _open_bitlocker(volume: Media, path: str) -> Any:
    import pybde

    handle = pybde.volume()
    try:
        handle.open_file_object(volume)
    except (OSError, MemoryError) as error:
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


def _unlock_bitlocker(volume: Media, secrets: Sequence[str], path: str) -> tuple[Media, str] | None:
    for secret in ("", *secrets):  # the first try opens volumes with a clear key
        handle = _open_bitlocker(volume, path)
        recovery = RECOVERY_KEY.fullmatch(secret.strip()) is not None
        try:
            if recovery:
                handle.set_recovery_password(secret.strip())
            elif secret:
                handle.set_password(secret)
            elif not handle.is_locked():
                return Media(handle.get_size(), "BitLocker", handle, (volume,)), "clear key"
            if handle.unlock() and not handle.is_locked():
                opened = "recovery password" if recovery else "password" if secret else "clear key"
                return Unlocked(handle.get_size(), "BitLocker", handle), opened
        except OSError:
            continue  # libbde raises for a secret that does not fit
    return None


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
                {
                    "slot": name,
                    "kdf": str(slot.get("kdf", {}).get("type", "")),
                    "key_bits": int(slot.get("key_size", 0)) * 8,
                }
                for name, slot in sorted(slots.items())
            ],
            "tokens": sorted(str(token.get("type")) for token in tree.get("tokens", {}).values()),
        }
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ParseError(path, 4096, f"LUKS2 metadata is no valid JSON: {str(error)[:100]}") from error
    return data, {}, "passphrase of a key slot"


def _unlock_luks(volume: Media, secrets: Sequence[str], path: str) -> tuple[Media, str] | None:
    try:
        plain = luks.unlock(volume, secrets, path)
    except ParseError as error:
        raise ParseError(path, error.offset, error.message, error.reason) from error
    return None if plain is None else (plain, "password")
