"""Recovered passwords, sealed in the case folder: a file each that only its owner reads, named by its own hash.

A nonce stands beside the password, so that the file's hash, which the ledger keeps, tells nothing of it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wigmore.model.canonical import canonical, sha256

FOLDER = "secrets"
PRIVATE = 0o600


def seal(case: Path, source_id: str, path: str, value: str) -> dict[str, Any]:
    """Write the sealed file; its place in the case folder and its SHA-256."""
    content = canonical({"nonce": secrets.token_hex(32), "path": path, "secret": value, "source_id": source_id})
    digest = sha256(content)
    folder = case / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{digest}.json"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), PRIVATE)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(out.fileno(), PRIVATE)  # whatever the umask left
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    return {"file": f"{FOLDER}/{digest}.json", "sha256": digest}


def sealed_secrets(case: Path, events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Name → password of the sealed files that the ledger names; files that are gone or altered are left out."""
    found: dict[str, str] = {}
    for body in events:
        digest = str(body["sha256"])
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = (case / FOLDER / f"{digest}.json").read_bytes()
            if sha256(content) == digest:
                found[f"recovered-{digest[:8]}"] = str(json.loads(content)["secret"])
    return found
