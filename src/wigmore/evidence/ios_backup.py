"""iOS backups (iTunes, Finder): their files under `domain/path` as on the device, encrypted backups under their password.

A backup keeps each file under a hash; `Manifest.db` says which file that was. In an encrypted one Manifest.db itself and
every file have keys wrapped by class keys, and those by a key from the password (the key bag in `Manifest.plist`). The
store hangs below Manifest.db. Sources: Apple Platform Security, "Keybags for Data Protection"; RFC 3394; the layout as
described in the documentation of libimobiledevice and of MVT (backup domains, Manifest.db, MBFile).
"""

from __future__ import annotations

import hashlib
import io
import plistlib
import shutil
import sqlite3
import struct
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from wigmore.evidence.archive_member import ArchiveStore, place
from wigmore.evidence.local import copy_out
from wigmore.evidence.secret import opened, passwords
from wigmore.evidence.store import Entry, Limits, Stream, buffered
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

SQLITE = b"SQLite format 3\0"
MOST_PLIST = 64 * 1024 * 1024
MOST_ITERATIONS = 50_000_000
MOST_CLASSES = 64
PIECE = 1024 * 1024
BY_PASSWORD = 2  # bit of WRAP: the class key is wrapped by the key from the password
FLAGS = {1: "file", 2: "directory", 4: "link"}
CLASSES = {
    1: "complete", 2: "complete unless open", 3: "until first unlock", 4: "none", 5: "recovery", 6: "keychain, unlocked",
    7: "keychain, after first unlock", 8: "keychain, always", 9: "keychain, unlocked, this device",
    10: "keychain, after first unlock, this device", 11: "keychain, always, this device",
}  # fmt: skip
# what damaged property lists make plistlib raise
PLIST_ERRORS = (
    plistlib.InvalidFileException, ExpatError, ValueError, TypeError, LookupError, AttributeError, OverflowError,
    struct.error, RecursionError, EOFError,
)  # fmt: skip


def backup_kind(head: bytes, file: EvidenceFile) -> str | None:
    """`ios` for a Manifest.db that lists a backup's files, in the clear or encrypted beside its Manifest.plist."""
    if file.path.rpartition("/")[2].lower() != "manifest.db" or file.size < 512:
        return None
    if head.startswith(SQLITE):
        return "ios" if b"relativePath" in head or file.sibling("Manifest.plist") is not None else None
    beside = file.sibling("Manifest.plist")
    return "ios" if beside is not None and file.size % 16 == 0 else None


@dataclass
class KeyBag:
    """A backup's key bag: how the password becomes a key, and the class keys that it wraps."""

    salt: bytes = b""
    iterations: int = 0
    second_salt: bytes = b""
    second_iterations: int = 0
    version: int = 0
    kind: int = 0
    wrapped: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: bytes) -> KeyBag:
        """The key bag of its tagged values (tag, length, value, big-endian); ValueError where it is damaged."""
        bag, at, current, wrap = cls(), 0, 0, 0
        while at + 8 <= len(raw):
            tag, length = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "big")
            value = raw[at + 8 : at + 8 + length]
            if len(value) < length:
                raise ValueError("the key bag is cut off")
            at += 8 + length
            number = int.from_bytes(value, "big") if length <= 8 else 0
            if tag == b"SALT":
                bag.salt = value
            elif tag == b"ITER":
                bag.iterations = number
            elif tag == b"DPSL":
                bag.second_salt = value
            elif tag == b"DPIC":
                bag.second_iterations = number
            elif tag == b"VERS":
                bag.version = number
            elif tag == b"TYPE":
                bag.kind = number
            elif tag == b"CLAS":
                current = number
            elif tag == b"WRAP":
                wrap = number
            elif tag == b"WPKY" and len(bag.wrapped) < MOST_CLASSES:
                bag.wrapped[current] = (wrap, value)
        if not bag.salt or not bag.wrapped:
            raise ValueError("the key bag has no salt or no class keys")
        if not 0 < bag.iterations <= MOST_ITERATIONS or bag.second_iterations > MOST_ITERATIONS:
            raise ValueError(f"the key bag asks for {bag.iterations} and {bag.second_iterations} iterations")
        return bag

    def unlock(self, password: str) -> dict[int, bytes] | None:
        """The class keys by number; None where the password does not unwrap them."""
        from cryptography.hazmat.primitives import keywrap

        key = password.encode("utf-8", "surrogatepass")
        if self.second_iterations and self.second_salt:  # since iOS 10.2
            key = hashlib.pbkdf2_hmac("sha256", key, self.second_salt, self.second_iterations, 32)
        key = hashlib.pbkdf2_hmac("sha1", key, self.salt, self.iterations, 32)
        keys: dict[int, bytes] = {}
        for number, (wrap, raw) in sorted(self.wrapped.items()):
            if not wrap & BY_PASSWORD or len(raw) < 24 or len(raw) % 8:
                continue
            try:
                keys[number] = keywrap.aes_key_unwrap(key, raw)
            except keywrap.InvalidUnwrap:
                return None
        return keys or None


def unwrap(keys: dict[int, bytes], raw: bytes) -> bytes:
    """A file's key out of its wrapped form: class (4 bytes, little-endian), then the wrapped key; ValueError if not."""
    from cryptography.hazmat.primitives import keywrap

    number = int.from_bytes(raw[:4], "little")
    if number not in keys:
        raise ValueError(f"wrapped by class {number}, whose key the password does not give")
    try:
        return keywrap.aes_key_unwrap(keys[number], raw[4:44])
    except keywrap.InvalidUnwrap as error:
        raise ValueError("its key does not unwrap") from error


class Plain(Stream):
    """AES-256 in CBC with a zero vector, in the clear, at any offset."""

    def __init__(self, path: str, handle: BinaryIO, size: int, key: bytes, keeper: object) -> None:
        super().__init__(size)
        self._path, self._handle, self._key, self._keeper = path, handle, key, keeper

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`."""
        from wigmore.evidence.android_backup import cbc

        length = min(max(length, 1), PIECE)
        first = offset // 16 * 16
        self._handle.seek(max(0, first - 16))
        raw = self._handle.read(offset + length - first + 31 + (16 if first else 0))
        vector, raw = (raw[:16], raw[16:]) if first else (bytes(16), raw)
        raw = raw[: len(raw) // 16 * 16]
        if not raw:
            raise ParseError(self._path, offset, "the stored file ends before the size in the list", "truncated")
        return cbc(self._key, vector, raw)[offset - first :][:length]

    def close(self) -> None:
        """Give the handle back."""
        self._handle.close()
        super().close()


def _neighbour(file: EvidenceFile, relative: str) -> EvidenceFile | None:
    """The file below the folder that `file` lies in."""
    held = getattr(file, "under", file)
    store = getattr(held, "store", None)
    if store is None:
        return None
    folder = file.path.rpartition("/")[0]
    entry = store.find(f"{folder}/{relative}" if folder else relative)
    return store.file(entry) if isinstance(entry, Entry) and entry.kind == "file" else None


class BackupStore(ArchiveStore):
    """The files of a backup, in order of domain and path."""

    kind = "backup"
    format = "iOS backup"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._keys: dict[int, bytes] = {}
        folder = Path(tempfile.mkdtemp(prefix="wigmore-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)  # it goes with the store
        self._list = folder / "Manifest.db"
        with file.open() as stream:
            clear = stream.read(16) == SQLITE
        plist = self._manifest()
        facts: dict[str, Any] = {"backup_version": plist.get("Version"), "encrypted": bool(plist.get("IsEncrypted"))}
        lockdown = plist.get("Lockdown")
        if isinstance(lockdown, dict):
            shown = {"device_name": "DeviceName", "product_version": "ProductVersion", "product_type": "ProductType"}
            facts |= {mine: lockdown[key] for mine, key in shown.items() if isinstance(lockdown.get(key), str)}
        if facts["encrypted"] or not clear:
            facts |= self._unlock(plist)
        if self.shut:
            self.describe(description=self.format, **facts)
            return
        if clear:
            copy_out(file, self._list)
            journal = file.sibling(file.path.rpartition("/")[2] + "-wal")
            if journal is not None:
                copy_out(journal, folder / "Manifest.db-wal")
        else:
            self._decrypt_list(plist)
        facts["files"] = self._count()
        self.describe(description=self.format, **facts)

    def _manifest(self) -> dict[str, Any]:
        beside = self.archive.sibling("Manifest.plist")
        if beside is None:
            return {}
        try:
            found = plistlib.loads(beside.read(MOST_PLIST))
        except PLIST_ERRORS as error:
            self.gaps.append(Gap(f"Manifest.plist is damaged: {str(error)[:200]}"))
            return {}
        return found if isinstance(found, dict) else {}

    def _unlock(self, plist: dict[str, Any]) -> dict[str, Any]:
        """Open the key bag with the secrets; what a record says of it."""
        try:
            bag = KeyBag.read(bytes(plist["BackupKeyBag"]))
        except (KeyError, TypeError, ValueError) as error:
            message = f"the key bag of the encrypted backup cannot be read: {error}"
            raise ParseError(self.archive.path, None, message, "damaged") from error
        facts: dict[str, Any] = {
            "encryption": "iOS backup key bag", "cipher": "AES-256-CBC, keys wrapped by RFC 3394", "encrypted": True,
            "kdf": "PBKDF2-SHA256, then PBKDF2-SHA1" if bag.second_iterations else "PBKDF2-SHA1",
            "iterations": bag.iterations, "class_keys": len(bag.wrapped),
        }  # fmt: skip
        if bag.second_iterations:
            facts["first_iterations"] = bag.second_iterations
        for secret in passwords(self.secrets):
            keys = bag.unlock(secret)
            if keys is not None:
                self._keys = keys
                return facts | opened(secret)
        self.needs, self.shut = "the backup's password", True
        tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
        self.gaps.append(Gap(f"encrypted iOS backup: needs its password{tried}", None, "locked"))
        return facts

    def _decrypt_list(self, plist: dict[str, Any]) -> None:
        try:
            key = unwrap(self._keys, bytes(plist["ManifestKey"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ParseError(self.archive.path, None, f"the file list cannot be opened: {error}") from error
        with self.archive.open() as stream, self._list.open("wb") as out:
            plain = Plain(self.archive.path, stream, self.archive.size, key, self)
            at = 0
            while at < self.archive.size:
                piece = plain.read_at(at, PIECE)
                if at == 0 and not piece.startswith(SQLITE):
                    raise ParseError(self.archive.path, 0, "the decrypted file list is no database")
                out.write(piece)
                at += len(piece)

    def _connect(self) -> sqlite3.Connection:
        found = sqlite3.connect(self._list)
        found.execute("PRAGMA query_only=1")
        found.execute("PRAGMA trusted_schema=0")
        found.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return found

    def _count(self) -> int:
        try:
            with closing(self._connect()) as database:
                return int(database.execute("SELECT count(*) FROM Files").fetchone()[0])
        except sqlite3.Error as error:
            raise ParseError(self.archive.path, None, f"the file list cannot be read: {error}") from error

    # entries

    def entries(self) -> Iterator[Entry | Gap]:
        """Every file, folder and link of the list; a Gap where the list is damaged or files are not there."""
        if self.shut:
            yield from self.gaps
            return
        missing = 0
        try:
            with closing(self._connect()) as database:
                rows = database.execute(
                    "SELECT rowid, fileID, domain, relativePath, flags, file FROM Files ORDER BY domain, relativePath, fileID"
                )
                for number, row in enumerate(rows):
                    if number >= self.limits.max_members:
                        yield Gap(f"{self.archive.path}: more than {number} files", None, "too_large")
                        return
                    entry = self._entry(*row)
                    missing += bool(entry.attributes.get("missing"))
                    yield entry
        except sqlite3.Error as error:
            yield Gap(f"{self.archive.path}: the file list is damaged: {error}")
        if missing:
            yield Gap(f"{self.archive.path}: {missing} listed files are not in the backup", None, "not_in_acquisition")

    def _entry(self, rowid: int, identifier: Any, domain: Any, relative: Any, flags: Any, blob: Any) -> Entry:
        name = "/".join(str(one) for one in (domain, relative) if one not in (None, ""))
        where = place(name.encode("utf-8", "surrogateescape"), self.limits)
        values = describe(blob)
        kind = FLAGS.get(flags if isinstance(flags, int) else 1, "other")
        attributes: dict[str, Any] = {**where.attributes(), "backup_file": str(identifier), "domain": str(domain)}
        stored = self._stored(str(identifier)) if kind == "file" else None
        size = values.get("Size")
        if not isinstance(size, int) or not 0 <= size < 1 << 62:
            size = stored.size if stored is not None else 0
        mode = values.get("Mode")
        if isinstance(mode, int):
            attributes["mode"] = f"{mode & 0o7777:04o}"
        for key, mine in (("UserID", "uid"), ("GroupID", "gid"), ("InodeNumber", "device_inode")):
            if isinstance(values.get(key), int):
                attributes[mine] = values[key]
        protection = values.get("ProtectionClass")
        if isinstance(protection, int) and protection:
            attributes["protection_class"] = CLASSES.get(protection, str(protection))
        ref: dict[str, Any] = {"file": str(identifier)}
        wrapped = values.get("EncryptionKey")
        if isinstance(wrapped, bytes):
            attributes["encrypted"] = True
            ref["key"] = wrapped.hex()
        if kind == "file" and stored is None:
            if size:
                attributes["missing"] = True
            else:
                ref["empty"] = True
        link = values.get("Target") if kind == "link" else None
        return Entry(
            self.join(where.path), where.name, kind, size if kind == "file" else 0, str(rowid), path_raw=where.raw,
            link_target=str(link)[:4096] if link else None, attributes=attributes, times=_times(values), ref=ref,
        )  # fmt: skip

    def _stored(self, identifier: str) -> EvidenceFile | None:
        """The file that holds the content: in a folder of two letters, in older backups beside the list."""
        if not identifier.isalnum() or len(identifier) > 64:
            return None
        return _neighbour(self.archive, f"{identifier[:2]}/{identifier}") or _neighbour(self.archive, identifier)

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The file's content; in an encrypted backup under its own key."""
        if self.shut:
            raise ParseError(entry.path, None, f"encrypted; needs {self.needs}", "locked")
        self.refuse(entry)
        if entry.ref.get("empty"):
            return io.BytesIO()
        stored = self._stored(str(entry.ref.get("file", "")))
        if stored is None:
            raise ParseError(entry.path, None, "listed, but its content is not in the backup", "not_in_acquisition")
        wrapped = entry.ref.get("key")
        if not wrapped:
            return stored.open()
        try:
            key = unwrap(self._keys, bytes.fromhex(wrapped))
        except ValueError as error:
            raise ParseError(entry.path, None, f"the file cannot be decrypted: {error}", "locked") from error
        return buffered(Plain(entry.path, stored.open(), entry.size, key, self))

    def close(self) -> None:
        """Give the handle back; the copied list goes with the store."""
        super().close()


def describe(blob: Any) -> dict[str, Any]:
    """The fields of an archived MBFile, references to plain values resolved; empty where it cannot be read."""
    if not isinstance(blob, bytes):
        return {}
    try:
        tree = plistlib.loads(blob)
        objects: Sequence[Any] = tree["$objects"]
        root = objects[tree["$top"]["root"].data]
        found: dict[str, Any] = {}
        for key, value in root.items():
            if isinstance(value, plistlib.UID):
                value = objects[value.data]
                if isinstance(value, dict) and isinstance(value.get("NS.data"), bytes):
                    value = value["NS.data"]
            if isinstance(value, int | str | bytes):
                found[str(key)] = value
        return found
    except PLIST_ERRORS:
        return {}


def _times(values: dict[str, Any]) -> dict[str, Time]:
    found: dict[str, Time] = {}
    for mine, key in (("modified", "LastModified"), ("created", "Birth"), ("changed", "LastStatusChange")):
        value = values.get(key)
        time = times.posix(value) if isinstance(value, int) and 0 < value < 1 << 40 else None
        if time:
            found[mine] = time
    return found
