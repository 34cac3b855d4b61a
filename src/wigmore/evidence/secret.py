"""What opens containers: passwords, recovery keys, key files and hexadecimal keys, with the name the case file gave them.

A secret is text: as it stands for passwords and recovery keys, `keyfile:` and hex for the bytes of a key file, `hex:` and
hex for a key. It never goes into a record: what a container says of the secret that opened it is its name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

KEY_FILE = "keyfile:"
HEX_KEY = "hex:"
RECOVERY_KEY = re.compile(r"\d{6}(-\d{6}){7}")
MAX_KEY_FILE = 8 * 1024 * 1024  # cryptsetup's own limit


class Secret(str):
    """A secret with its name; equal to its text."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, value: str, name: str = "") -> Secret:
        """The text under a name."""
        made = super().__new__(cls, value)
        made.name = name
        return made

    def __repr__(self) -> str:
        """The name only: a secret must not reach a message or a log."""
        return f"Secret({self.name!r})"


def named(secrets: Mapping[str, str]) -> tuple[Secret, ...]:
    """The secrets of a mapping name → text, in its order."""
    return tuple(Secret(value, name) for name, value in secrets.items())


def name_of(secret: str) -> str | None:
    """The name of a secret, None where it has none."""
    return getattr(secret, "name", "") or None


def fingerprint(secrets: Mapping[str, str]) -> str:
    """Two bytes that change with the secrets: enough to see that there are others, too little to find one by."""
    joined = "\0".join(f"{name}\1{value}" for name, value in sorted(secrets.items()))
    return hashlib.pbkdf2_hmac("sha256", joined.encode("utf-8", "surrogatepass"), b"wigmore", 100_000, 2).hex()


def passwords(secrets: Iterable[str]) -> list[str]:
    """The secrets that are text to be typed in, once each."""
    return list({secret: secret for secret in secrets if not secret.startswith((KEY_FILE, HEX_KEY))}.values())


def key_files(secrets: Iterable[str]) -> list[tuple[str, bytes]]:
    """(secret, bytes) of the key files among the secrets."""
    return [(secret, _unhex(secret[len(KEY_FILE) :])) for secret in secrets if secret.startswith(KEY_FILE)]


def hex_keys(secrets: Iterable[str]) -> list[tuple[str, bytes]]:
    """(secret, bytes) of the keys given in hex, with or without their mark."""
    found = []
    for secret in secrets:
        text = secret.removeprefix(HEX_KEY).strip()
        if (secret.startswith(HEX_KEY) or len(text) >= 32) and (raw := _unhex(text)):
            found.append((secret, raw))
    return found


def phrases(secrets: Iterable[str]) -> list[tuple[str, bytes]]:
    """(secret, bytes) of everything that may be a passphrase: passwords as UTF-8 and key files as they are."""
    wanted = list(secrets)
    return [(text, text.encode("utf-8", "surrogatepass")) for text in passwords(wanted)] + key_files(wanted)


def kind_of(secret: str) -> str:
    """What sort of secret it is, for a record."""
    if secret.startswith(KEY_FILE):
        return "key file"
    if secret.startswith(HEX_KEY):
        return "key"
    return "recovery password" if RECOVERY_KEY.fullmatch(secret.strip()) else "password"


def opened(secret: str | None, how: str = "") -> dict[str, str]:
    """What a record says of the secret that fitted: its kind and its name in the case file."""
    if secret is None:
        return {"unlocked_with": how} if how else {}
    found = {"unlocked_with": how or kind_of(secret)}
    name = name_of(secret)
    return found | ({"secret_name": name} if name else {})


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
