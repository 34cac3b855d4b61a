"""Encrypted documents as containers of one member: the document in the clear, so that the document parsers read it.

Microsoft Office (OOXML agile and standard, RC4, RC4 CryptoAPI, XOR) through msoffcrypto-tool, PDF through pypdf. Sources:
MS-OFFCRYPTO, MS-XLS 2.4.117 (FilePass), MS-DOC 2.5.1 (FibBase), ISO 32000-2, 7.6 (Encryption).
"""

from __future__ import annotations

import io
import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import IO, Any, BinaryIO
from xml.parsers.expat import ExpatError

from wigmore.evidence.archive_member import IN_MEMORY, ArchiveStore, Window, place
from wigmore.evidence.secret import opened, passwords
from wigmore.evidence.store import Entry, Limits, buffered
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST = 512 * 1024 * 1024  # both libraries hold a document in memory
MOST_SPINS = 10_000_000  # MS-OFFCRYPTO 2.3.4.10 allows no more
BUILT_IN = "VelvetSweatshop"  # Excel encrypts write-protected workbooks under this one
ALGORITHMS = {0x6801: "RC4", 0x660E: "AES-128", 0x660F: "AES-192", 0x6610: "AES-256"}
OFFICE_NAMES = {
    "standard": "Office standard encryption", "agile": "Office agile encryption", "extensible": "Office extensible encryption",
    "rc4": "Office RC4", "rc4_cryptoapi": "Office RC4 CryptoAPI", "xor": "Office XOR obfuscation",
}  # fmt: skip
PDF_CIPHERS = {
    "V1": "RC4 40-bit",
    "V2": "RC4",
    "AESV2": "AES-128",
    "AESV3": "AES-256",
    "None": "none",
    "Identity": "none",
}
# what damaged documents make the two libraries raise, measured over damaged copies
ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError, OSError, struct.error,
    OverflowError, NotImplementedError, UnicodeDecodeError, RuntimeError, zlib.error, ExpatError,
)  # fmt: skip


def _errors() -> tuple[type[BaseException], ...]:
    from pypdf import errors

    exceptions: Any = import_module("msoffcrypto.exceptions")

    return (*ERRORS, exceptions.DecryptionError, exceptions.FileFormatError, exceptions.EncryptionError, exceptions.ParseError,
            errors.PyPdfError)  # fmt: skip


def sealed_kind(head: bytes, file: EvidenceFile) -> str | None:
    """`office` or `pdf` where the file is such a document and encrypted; None otherwise, for damaged ones too."""
    if not 512 <= file.size <= LARGEST:
        return None
    if head[:8] == OLE:
        with file.open() as stream:
            return "office" if _office(stream) is not None else None
    if b"%PDF-" in head[:1024] and _mentions(file, b"/Encrypt"):
        return "pdf"
    return None


def _mentions(file: EvidenceFile, wanted: bytes) -> bool:
    with file.open() as stream:
        tail = b""
        while piece := stream.read(1024 * 1024):
            if wanted in tail + piece:
                return True
            tail = piece[-len(wanted) :]
    return False


def _office(stream: BinaryIO) -> tuple[str, dict[str, Any]] | None:
    """(kind of encryption, its fields) of an OLE document; None where it is not encrypted or not such a document."""
    import olefile

    try:
        with olefile.OleFileIO(stream) as ole:
            if ole.exists("EncryptionInfo") and ole.exists("EncryptedPackage"):
                return _package(ole.openstream("EncryptionInfo").read(64 * 1024))
            for name in ("Workbook", "Book"):
                if ole.exists(name) and (found := _workbook(ole.openstream(name).read(64 * 1024))):
                    return found
            if ole.exists("WordDocument"):
                return _word(ole)
            if ole.exists("PowerPoint Document") and ole.exists("Current User"):
                user = ole.openstream("Current User").read(64)
                return ("rc4_cryptoapi", {}) if user[12:16] == b"\xdf\xc4\xd1\xf3" else None
    except ERRORS:
        return None  # a damaged compound file: its parsers say so
    return None


def _package(info: bytes) -> tuple[str, dict[str, Any]]:
    major, minor = struct.unpack_from("<HH", info)
    if (major, minor) == (4, 4):
        text = info[8:].decode("utf-8", "replace")
        key = re.search(r"<p:encryptedKey\b[^>]*>|<encryptedKey\b[^>]*>", text)
        shown = {**_attributes(text, "keyData"), **(_fields(key[0]) if key else {})}
        fields: dict[str, Any] = {
            "cipher": f"{shown.get('cipherAlgorithm', '')}-{shown.get('keyBits', '')} {shown.get('cipherChaining', '')}",
            "hash": shown.get("hashAlgorithm"),
        }
        if shown.get("spinCount", "").isdigit():
            fields["iterations"] = int(shown["spinCount"])
        return "agile", fields
    if minor == 2 and major in (2, 3, 4):
        return "standard", _crypto_api(info[8:], {"hash": "SHA-1", "iterations": 50_000})
    return "extensible", {"version": f"{major}.{minor}"}


def _attributes(text: str, tag: str) -> dict[str, str]:
    found = re.search(rf"<{tag}\b[^>]*>", text)
    return _fields(found[0]) if found else {}


def _fields(tag: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]{0,100})"', tag))


def _crypto_api(header: bytes, more: dict[str, Any]) -> dict[str, Any]:
    """The EncryptionHeader (MS-OFFCRYPTO 2.3.2) behind its length."""
    if len(header) < 4 + 20:
        return dict(more)
    _, _, algorithm, _, bits = struct.unpack_from("<5I", header, 4)
    provider = header[4 + 32 : 4 + min(int.from_bytes(header[:4], "little"), 256)].decode("utf-16-le", "replace")
    return {
        "cipher": ALGORITHMS.get(algorithm, f"algorithm {algorithm:#06x}"), "key_bits": bits or 40,
        "provider": provider.split("\0")[0], **more,
    }  # fmt: skip


def _workbook(stream: bytes) -> tuple[str, dict[str, Any]] | None:
    at = 0
    for _ in range(64):
        if at + 4 > len(stream):
            return None
        number, size = struct.unpack_from("<HH", stream, at)
        if number == 0x2F and size >= 6:
            kind, major, minor = struct.unpack_from("<HHH", stream, at + 4)
            if kind == 0:
                return "xor", {"cipher": "XOR obfuscation, 16-bit verifier"}
            if (major, minor) == (1, 1):
                return "rc4", {"cipher": "RC4", "key_bits": 40, "hash": "MD5"}
            return "rc4_cryptoapi", _crypto_api(stream[at + 14 : at + 4 + size], {"hash": "SHA-1"})
        at += 4 + size
    return None


def _word(ole: Any) -> tuple[str, dict[str, Any]] | None:
    base = ole.openstream("WordDocument").read(32)
    flags = int.from_bytes(base[10:12], "little")
    if not flags & 0x0100:  # fEncrypted
        return None
    if flags & 0x8000:  # fObfuscated
        return "xor", {"cipher": "XOR obfuscation"}
    table = "1Table" if flags & 0x0200 else "0Table"
    head = ole.openstream(table).read(1024) if ole.exists(table) else b""
    if head[:4] == b"\1\0\1\0":
        return "rc4", {"cipher": "RC4", "key_bits": 40, "hash": "MD5"}
    return "rc4_cryptoapi", _crypto_api(head[8:], {"hash": "SHA-1"})


class SealedStore(ArchiveStore):
    """One document in the clear under its own name, where a secret opens it; what protects it in any case."""

    kind = "document"

    def __init__(
        self, file: EvidenceFile, prefix: str, limits: Limits, kind: str, secrets: tuple[str, ...] = ()
    ) -> None:
        super().__init__(file, prefix, limits, secrets)
        self._plain: IO[bytes] | None = None
        self._size = 0
        if file.size > LARGEST:
            raise ParseError(file.path, None, f"an encrypted document of {file.size} bytes is not opened", "too_large")
        self.format = {"office": "encrypted Office document", "pdf": "encrypted PDF"}[kind]
        open_it = self._open_office if kind == "office" else self._open_pdf
        try:
            facts, fitted = open_it()
        except MemoryError as error:
            raise ParseError(file.path, None, "decrypting needs more memory than it may", "memory") from error
        except _errors() as error:
            message = f"the encryption header is damaged: {type(error).__name__}: {error}"[:300]
            raise ParseError(file.path, None, message, "damaged") from error
        self.shut = self._plain is None
        if self.shut:
            self.needs = "the document's password"
            tried = f"; none of the {len(secrets)} given fits" if secrets else ""
            message = f"encrypted with {facts['encryption']}: needs its password{tried}"
            self.gaps.append(Gap(message, None, "locked"))
        self.describe(description=self.format, **facts, **fitted, encrypted=True)

    def _open_office(self) -> tuple[dict[str, Any], dict[str, str]]:
        msoffcrypto: Any = import_module("msoffcrypto")
        exceptions: Any = import_module("msoffcrypto.exceptions")

        found = _office(self.handle)
        if found is None:
            raise ParseError(self.archive.path, None, "not an encrypted document", "unsupported")
        kind, fields = found
        facts = {"encryption": OFFICE_NAMES[kind], **fields}
        if kind == "extensible":
            raise ParseError(self.archive.path, None, f"{facts['encryption']} is not read", "unsupported")
        if int(fields.get("iterations", 0)) > MOST_SPINS:
            raise ParseError(self.archive.path, None, f"asks for {fields['iterations']} iterations", "too_large")
        for secret in (BUILT_IN, *passwords(self.secrets)):
            with self.archive.open() as stream:
                try:
                    office: Any = msoffcrypto.OfficeFile(stream)
                    if office.format == "ooxml":
                        office.load_key(password=secret, verify_password=True)
                    else:
                        office.load_key(password=secret[:255])
                    kept = self._keep()
                    office.decrypt(kept)
                except exceptions.InvalidKeyError:
                    continue
                except exceptions.DecryptionError as error:
                    if "password" in str(error).lower() or "verif" in str(error).lower():
                        continue
                    raise
                self._done(kept)
                return facts, opened(*((None, "built-in password") if secret is BUILT_IN else (secret,)))
        return facts, {}

    def _open_pdf(self) -> tuple[dict[str, Any], dict[str, str]]:
        import pypdf

        reader = pypdf.PdfReader(self.own(self.archive.open()))
        if not reader.is_encrypted:
            raise ParseError(self.archive.path, None, "no encryption dictionary stands in the trailer", "unsupported")
        facts = _pdf_facts(reader.trailer["/Encrypt"].get_object())
        for secret in ("", *passwords(self.secrets)):
            kind = int(reader.decrypt(secret))
            if kind:
                kept = self._keep()
                pypdf.PdfWriter(clone_from=reader).write(kept)
                self._done(kept)
                how = {1: "user password", 2: "owner password"}.get(kind, "password") if secret else "no password"
                return facts, opened(secret or None, how)
        return facts, {}

    def _keep(self) -> IO[bytes]:
        return self.own(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # closed with the store

    def _done(self, kept: IO[bytes]) -> None:
        self._plain = kept
        self._size = kept.seek(0, io.SEEK_END)
        if self._size > self.limits.max_member_bytes:
            raise ParseError(self.archive.path, None, "the decrypted document is past the limits", "too_large")

    def entries(self) -> Iterator[Entry | Gap]:
        """The document in the clear; nothing but the Gap where it is locked."""
        if self._plain is None:
            yield from self.gaps
            return
        where = place(self.archive.path.rpartition("/")[2].encode("utf-8", "surrogatepass"), self.limits)
        yield Entry(
            self.join(where.path), where.name, size=self._size, inode="0", path_raw=where.raw,
            attributes={"decrypted": True, "method": "decrypted"}, ref={"member": 0},
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The decrypted content."""
        if self._plain is None:
            raise ParseError(entry.path, None, f"encrypted; needs {self.needs}", "locked")
        return buffered(Window(entry.path, self._plain, [(0, self._size)], self))


def _pdf_facts(dictionary: Any) -> dict[str, Any]:
    """What the encryption dictionary says: revision, cipher, key length."""
    values: dict[str, Any] = dictionary
    version, revision = int(values.get("/V", 0)), int(values.get("/R", 0))
    bits = int(values.get("/Length", 40)) if version != 5 else 256
    cipher = {1: "RC4 40-bit", 2: f"RC4 {bits}-bit", 3: "unpublished", 5: "AES-256"}.get(version, f"V{version}")
    filters = values.get("/CF")
    if version >= 4 and filters is not None:
        named = filters.get_object().get(values.get("/StmF", "/StdCF"), {})
        method = str(named.get_object().get("/CFM", "")).lstrip("/") if named else ""
        cipher = PDF_CIPHERS.get(method, method) or cipher
    return {
        "encryption": f"PDF standard security handler revision {revision}" if revision else "PDF encryption",
        "handler": str(values.get("/Filter", "")).lstrip("/"), "cipher": cipher, "key_bits": bits,
        "permissions": int(values["/P"]) if "/P" in values else None,
        "metadata_encrypted": bool(values.get("/EncryptMetadata", True)),
    }  # fmt: skip
