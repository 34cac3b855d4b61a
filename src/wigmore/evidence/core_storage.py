"""FileVault 2 on CoreStorage (OS X 10.7 to macOS 10.12) through libfvde: logical volumes, in the clear under a secret.

The password alone does not open one: its keys stand in EncryptedRoot.plist.wipekey on the Recovery HD partition, which is
given as a key file (`keyfile:PATH`); the volume master key (`hex:`) needs no such file. Source: libfvde, "FileVault Drive
Encryption (FVDE)" (Metz, Choudary, Grobert).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from operator import methodcaller
from typing import Any

from wigmore.evidence.media import Media, reason_of
from wigmore.evidence.secret import hex_keys, key_files, opened, passwords
from wigmore.model.protocols import ParseError

MOST_VOLUMES = 16
NEEDS = "the volume's password or recovery key with EncryptedRoot.plist.wipekey as a key file, or the volume master key"
METHODS = {0: "none", 2: "aes-xts-plain64"}
Attempt = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Logical:
    """A logical volume: what is true of it, and its bytes where a secret opened it (or none was needed)."""

    data: dict[str, Any]
    plain: Media | None


class LogicalMedia(Media):
    """The plain bytes of a logical volume; keeps the handles it stands on."""

    def __init__(self, logical: Any, keeper: tuple[Any, ...]) -> None:
        super().__init__(logical.get_size(), "CoreStorage", logical)
        self._keeper = keeper


def logical_volumes(medium: Media, secrets: Sequence[str], path: str) -> Iterator[Logical]:
    """The logical volumes of a group that lies on this one physical volume; ParseError where it cannot be read."""
    first, group = _open(medium, None, path)
    try:
        count = min(group.get_number_of_logical_volumes(), MOST_VOLUMES)
    except (OSError, MemoryError) as error:
        raise ParseError(path, None, f"CoreStorage metadata cannot be read: {reason_of(error)}") from error
    for number in range(count):
        yield _logical(medium, number, (first, group), secrets, path)


def _open(medium: Media, plist: bytes | None, path: str) -> tuple[Any, Any]:
    pyfvde: Any = import_module("pyfvde")
    volume = pyfvde.volume()
    try:
        if plist is not None:
            descriptor = os.memfd_create("encrypted-root")  # the library takes a path: one in memory, never on a disk
            try:
                os.write(descriptor, plist)
                volume.read_encrypted_root_plist(f"/proc/self/fd/{descriptor}")
            finally:
                os.close(descriptor)
        volume.open_file_object(medium)
        volume.open_physical_volume_files_as_file_objects([medium])
        return volume, volume.get_volume_group()
    except (OSError, MemoryError, ValueError) as error:
        raise ParseError(path, None, f"CoreStorage metadata cannot be read: {reason_of(error)}") from error


def _logical(medium: Media, number: int, base: tuple[Any, Any], secrets: Sequence[str], path: str) -> Logical:
    volume, group = base
    try:
        logical = group.get_logical_volume(number)
        method = group.get_physical_volume(0).get_encryption_method()
        data: dict[str, Any] = {
            "encryption": "FileVault 2 (CoreStorage)", "name": logical.get_name() or "", "uuid": logical.get_identifier(),
            "group": group.get_name() or "", "group_uuid": group.get_identifier(),
            "cipher": METHODS.get(method, f"method {method}"), "size": logical.get_size(),
        }  # fmt: skip
        if not logical.is_locked():
            return Logical({**data, "locked": False}, LogicalMedia(logical, (volume, group)))
    except (OSError, MemoryError) as error:
        raise ParseError(path, None, f"logical volume {number + 1} cannot be read: {reason_of(error)}") from error
    for secret, plist, attempt in _attempts(secrets):
        try:
            volume, group = _open(medium, plist, path)
            logical = group.get_logical_volume(number)
            attempt(logical)
            if logical.unlock() and not logical.is_locked():
                return Logical({**data, "locked": False, **opened(secret)}, LogicalMedia(logical, (volume, group)))
        except (OSError, MemoryError, ValueError, ParseError):
            continue  # libfvde raises for a secret that does not fit
    return Logical({**data, "locked": True, "needs": NEEDS}, None)


def _attempts(secrets: Sequence[str]) -> Iterator[tuple[str, bytes | None, Attempt]]:
    """(secret, key file that goes with it, how it is handed to the library)."""
    for secret, raw in hex_keys(secrets):
        if len(raw) in (16, 32):
            yield secret, None, partial(_set_key, raw)
    plists = [raw for _, raw in key_files(secrets)]
    for secret in passwords(secrets):
        for plist in plists:
            yield secret, plist, methodcaller("set_password", str(secret))
            yield secret, plist, methodcaller("set_recovery_password", str(secret))


def _set_key(raw: bytes, logical: Any) -> None:
    logical.set_key(raw)
