"""Databases that applications keep encrypted: Signal, WeChat, Threema and others by name, where the pages are ciphertext.

SQLCipher (https://www.zetetic.net/sqlcipher/design/) encrypts whole pages; on iOS the first 32 bytes may stay plain so that
the system sees a database.
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import MAGIC
from wigmore.model.protocols import EvidenceFile, ParseError, Yield
from wigmore.registry import Claim, parser

NAMES = (
    "signal.db", "signal.sqlite", "enmicromsg.db", "threema4.db", "threemadata.sqlite", "*.db.crypt12", "*.db.crypt14",
    "*.db.crypt15", "grdb/*.sqlite", "wickr_db", "snapchat.encdb", "db_sqlite", "message_*.sqlite", "mm.sqlite",
)  # fmt: skip


def _is_locked(head: bytes, path: str, size: int) -> bool:
    if size < 512 or len(head) < 512:
        return False
    crypt = path.lower().rsplit(".", 1)[-1].startswith("crypt")
    if head.startswith(MAGIC) and not (head[100] not in (2, 5, 10, 13) and head[100:108].strip(b"\0")):
        return False
    body = head[256:]
    return crypt or len(set(body)) >= min(200, len(body) // 4)


@parser(
    "generic.locked_database",
    claims=Claim(paths=NAMES, look=_is_locked),
    reads="databases of messengers by name, where their pages are ciphertext",
    means="an encrypted database of this name is there",
    does_not_mean="what it holds; nothing of it can be read without the key",
    refs=("https://www.zetetic.net/sqlcipher/design/",),
)
def locked(file: EvidenceFile) -> Iterator[Yield]:
    """No record: says that the file is locked and what it would need."""
    raise ParseError(
        file.path, None, "encrypted (SQLCipher or the application's own cipher): the key from the device's keystore is needed",
        "locked",
    )  # fmt: skip
    yield  # a generator, as every parser is
