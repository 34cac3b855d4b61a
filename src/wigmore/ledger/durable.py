"""Files that are whole or absent: written beside their place, fsynced, renamed, and the folder fsynced."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = ".part"  # ends every temporary name; such a file is never read


def temporary_beside(target: Path) -> Path:
    """A fresh hidden name in the target's folder, so that the rename stays within one file system."""
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}{MARK}")


def sync(path: Path) -> None:
    """Wait until the file's content, or the folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make the folder and its parents, each entry on the disk before this returns."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


@contextmanager
def durable_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; it takes the target's place for good, or is removed on an error."""
    make_folder(target.parent)
    temporary = temporary_beside(target)
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(target.parent)


def sweep(folder: Path) -> int:
    """Remove (and count) the temporary files of killed processes below the folder; call it under the writer's lock."""
    removed = 0
    for temporary in folder.rglob(f".*{MARK}"):
        if temporary.is_file() and not temporary.is_symlink():
            temporary.unlink(missing_ok=True)
            removed += 1
    return removed
