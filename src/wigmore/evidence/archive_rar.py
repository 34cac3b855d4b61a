"""RAR archives through rarfile: members listed; stored ones are read, compressed ones need the unrar program.

Source: RARLAB technote (RAR 5.0 archive format); rarfile's documentation.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, Window, place
from wigmore.evidence.secret import opened, passwords
from wigmore.evidence.store import Entry, Limits, buffered, part
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

HOSTS = {0: "MS-DOS", 1: "OS/2", 2: "Windows", 3: "Unix", 4: "Macintosh", 5: "BeOS"}
LINKS = {1: "symbolic", 2: "symbolic (Windows)", 3: "junction", 4: "hard", 5: "copy"}
PIECE = 256 * 1024
MOST_KDF = 24  # the logarithm of the iterations; RAR itself refuses more
# what hostile headers make the library raise, measured over damaged copies
ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError, OSError, struct.error,
    OverflowError, NotImplementedError,
)  # fmt: skip


def rar5_fits(password: str, count: int, salt: bytes, check: bytes) -> bool:
    """Whether a password is the one whose check value (8 bytes, then 4 of their hash) the archive holds."""
    if not 0 < count <= MOST_KDF or len(check) < 8:
        return False
    raw = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt, (1 << count) + 32, 32)
    folded = bytes(raw[at] ^ raw[at + 8] ^ raw[at + 16] ^ raw[at + 24] for at in range(8))
    return hmac.compare_digest(folded, check[:8])


class RarStore(ArchiveStore):
    """The members of a RAR archive (versions 3 and 5), in the order of their headers."""

    format = "rar"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(file, prefix, limits, secrets)
        import rarfile

        self._library = rarfile
        self._archive: Any = None
        self._members: list[Any] = []  # as headers are read: what stands before damage is kept
        self._password: str | None = None
        self._problem = ""
        self._locked = False
        try:
            self._open()
        except rarfile.NeedFirstVolume as error:
            raise ParseError(file.path, None, f"a later part of a split archive: {error}", "unsupported") from error
        except (rarfile.Error, *ERRORS) as error:
            self._problem = f"the RAR headers are damaged: {type(error).__name__}: {error}"[:300]
            if not self._members:
                raise ParseError(file.path, None, self._problem, "damaged") from error
        except MemoryError as error:
            raise ParseError(file.path, None, "the headers ask for more memory than they may", "memory") from error
        self._record()

    def _open(self) -> None:
        self.handle.seek(0)
        head = self.handle.read(8)
        self.format = "rar5" if head[6:7] == b"\1" else "rar"
        self.handle.seek(0)
        self._archive = self._library.RarFile(self.handle, part_only=True, info_callback=self._note)
        if self._archive.needs_password() and not self._members:
            self._locked = True
            for secret in passwords(self.secrets):
                try:
                    self._archive.setpassword(secret)
                except (self._library.Error, *ERRORS):
                    continue
                if self._members:
                    self._locked, self._password = False, secret
                    break
        self._problem = str(self._archive.strerror() or "")

    def _note(self, block: Any) -> None:
        if block.type == self._library.RAR_BLOCK_FILE and len(self._members) <= self.limits.max_members:
            self._members.append(block)

    def _record(self) -> None:
        members = self._members
        encrypted = self._locked or any(member.needs_password() for member in members)
        if encrypted and self._password is None:
            self._password, checked = self._fitting()
            if self._locked or (self._password is None and (checked or not self.secrets)):
                self.needs = "a password"
        comment = self._archive.comment if self._archive is not None and isinstance(self._archive.comment, str) else ""
        self.describe(
            members=None if self._locked else len(members), encrypted=encrypted, names_encrypted=self._locked,
            solid=None if self._locked or self._archive is None else bool(self._archive.is_solid()),
            comment=part(comment.encode("utf-8", "surrogatepass").replace(b"/", b"\0"))[0].replace("\\x00", "/")[:4096],
            encryption={"rar5": "AES-256", "rar": "AES-128"}[self.format] if encrypted else None,
            **self._derivation(),
            **opened(self._password if encrypted else None),
        )  # fmt: skip

    def _derivation(self) -> dict[str, Any]:
        """How version 5 makes a key of a password, from the first encrypted member."""
        member = next((one for one in self._members if one.needs_password()), None)
        values = getattr(member, "file_encryption", None)
        return {"kdf": "PBKDF2-SHA256", "iterations": 1 << values[2]} if values and 0 < values[2] <= MOST_KDF else {}

    def _fitting(self) -> tuple[str | None, bool]:
        """(the first secret that the check value of version 5 confirms, whether there is one to compare with)."""
        member = next((one for one in self._members if one.needs_password()), None)
        values = getattr(member, "file_encryption", None)
        if not values or not values[5]:
            return None, False  # versions before 5 have none: only unpacking shows whether a password fits
        for secret in passwords(self.secrets):
            if rar5_fits(secret, values[2], values[3], values[5]):
                return secret, True
        return None, True

    def entries(self) -> Iterator[Entry | Gap]:
        """Every member; Gap where headers are damaged or encrypted, or content needs a program that is not here."""
        if self._locked:
            tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
            message = f"{self.archive.path}: names and content are encrypted: needs its password{tried}"
            yield Gap(message, None, "locked")
            return
        packed = encrypted = 0
        for number, member in enumerate(self._members):
            if number >= self.limits.max_members:
                yield Gap(f"{self.archive.path}: more than {number} members", None, "too_large")
                return
            try:
                entry = self._entry(number, member)
            except ERRORS as error:
                yield Gap(f"{self.archive.path}: member {number} is damaged: {error}"[:300])
                continue
            if entry.kind == "file" and entry.size:
                encrypted += bool(entry.attributes.get("encrypted"))
                packed += entry.attributes["method"] != "stored"
            yield entry
        if self._problem:
            yield Gap(f"{self.archive.path}: {self._problem}"[:300])
        if encrypted and self.needs:
            yield Gap(f"{self.archive.path}: {encrypted} encrypted members need a password", None, "locked")
        if packed and not self._has_tool():
            message = f"{self.archive.path}: {packed} compressed members are listed only: reading them needs unrar"
            yield Gap(message, None, "unsupported")

    def _entry(self, number: int, member: Any) -> Entry:
        name = str(member.filename)
        where = place(
            name.encode("utf-8", "surrogatepass"), self.limits, backslash=member.host_os in (0, 1, 2), text=name
        )
        redirection = member.file_redir
        kind = "directory" if member.is_dir() else "link" if redirection or member.is_symlink() else "file"
        size = int(member.file_size or 0)
        method = "stored" if member.compress_type == 0x30 else f"RAR level {int(member.compress_type or 0x30) - 0x30}"
        attributes: dict[str, Any] = {
            **where.attributes(),
            "method": method,
            "packed_size": int(member.compress_size or 0),
        }
        size = self.declared(size, attributes)
        if member.host_os in HOSTS:
            attributes["made_on"] = "Unix" if self.format == "rar5" and member.host_os == 3 else HOSTS[member.host_os]
        mode = int(member.mode or 0)
        if member.host_os in (3, 4, 5):
            attributes["mode"] = f"{mode & 0o7777:04o}"
        elif mode:
            attributes["dos_attributes"] = mode & 0xFFFFFFFF
        if isinstance(member.CRC, int):
            attributes["crc32"] = f"{member.CRC:08x}"
        if member.blake2sp_hash:
            attributes["blake2sp"] = bytes(member.blake2sp_hash).hex()
        if member.needs_password():
            attributes.update(encrypted=True, encryption="AES-256" if self.format == "rar5" else "AES-128")
        link = None
        if redirection:
            attributes["link"] = LINKS.get(redirection[0], f"type {redirection[0]}")
            link = part(str(redirection[2]).encode("utf-8", "surrogatepass").replace(b"/", b"\0"))[0]
            link = link.replace("\\x00", "/")[:4096]
        ref: dict[str, Any] = {"member": number}
        if method == "stored" and kind == "file" and not member.needs_password():
            ref["offset"], ref["length"] = int(member.data_offset), int(member.compress_size or 0)
        return Entry(
            self.join(where.path), where.name, kind, size if kind == "file" else 0, str(number), link_target=link,
            path_raw=where.raw, attributes=attributes, times=self._times(member), ref=ref,
        )  # fmt: skip

    @staticmethod
    def _times(member: Any) -> dict[str, Time]:
        found: dict[str, Time] = {}
        for field, name in (
            ("modified", "mtime"),
            ("accessed", "atime"),
            ("created", "ctime"),
            ("archived", "arctime"),
        ):
            value = getattr(member, name)
            if not isinstance(value, datetime):
                continue
            # versions before 5 store local DOS times, version 5 UTC; the library keeps digits below a second
            if value.tzinfo is None:
                found[field] = times.local(
                    value, value.isoformat(), "collector", "RAR before version 5 stores local time", 2.0
                )
                continue
            nano = getattr(value, "nanosecond", value.microsecond * 1000)
            utc = value.astimezone(UTC)
            precision = 1e-7 if nano else 1.0
            found[field] = times.aware(
                utc.replace(microsecond=int(nano) // 1000), str(value), "collector", "UTC", precision
            )
        return found

    def _has_tool(self) -> bool:
        try:
            self._library.tool_setup()
        except self._library.RarCannotExec:
            return False
        return True

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A stored member's bytes; others through the unrar program where it is installed."""
        if self._locked:
            raise ParseError(entry.path, None, "names and content are encrypted: needs its password", "locked")
        self.refuse(entry)
        if entry.attributes.get("encrypted") and self.needs:
            cipher = entry.attributes["encryption"]
            tried = f"; none of the {len(self.secrets)} given fits" if self.secrets else ""
            raise ParseError(entry.path, None, f"encrypted with {cipher}: needs its password{tried}", "locked")
        if "offset" in entry.ref:
            length = min(entry.ref["length"], entry.size)
            if length < entry.size:
                raise ParseError(
                    entry.path, None, f"{length} of {entry.size} stored bytes are in this part", "truncated"
                )
            return buffered(Window(entry.path, self.handle, [(entry.ref["offset"], entry.size)], self))
        if not entry.size:
            return self.spooled(entry, 1, lambda: iter(()))
        if self._archive is None:
            raise ParseError(entry.path, None, self._problem, "damaged")
        if not self._has_tool():
            raise ParseError(entry.path, None, "compressed with RAR: reading it needs the unrar program", "unsupported")
        packed = int(entry.attributes.get("packed_size", 0))
        return self.spooled(entry, packed, partial(self._unrar, int(entry.ref["member"]), entry.path))

    def _unrar(self, number: int, path: str) -> Iterator[bytes]:
        """A member's bytes from the unrar program, with each password in turn."""
        members = self._members
        if number >= len(members):
            raise ParseError(path, None, "no such member", "damaged")
        problem: Exception | None = None
        for secret in (self._password,) if self._password else passwords(self.secrets) or (None,):
            given = False
            try:
                with self._archive.open(members[number], pwd=secret) as stream:
                    while piece := stream.read(PIECE):
                        given = True
                        yield piece
                return
            except (self._library.Error, *ERRORS) as error:
                problem = error
                if given:
                    break
        locked = isinstance(problem, self._library.RarWrongPassword | self._library.PasswordRequired)
        raise ParseError(path, None, f"unrar: {problem}"[:300], "locked" if locked else "damaged")
