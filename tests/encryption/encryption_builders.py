"""Encrypted containers built byte by byte: TrueCrypt and VeraCrypt volumes, LUKS2, Android and iOS backups."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import plistlib
import sqlite3
import struct
import zlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SALT = bytes(range(1, 65))


def xts(key: bytes, first: int, plain: bytes, unit: int = 512) -> bytes:
    """AES-XTS over whole units, numbered from `first`."""
    out = b""
    for number in range(len(plain) // unit):
        cipher = Cipher(algorithms.AES(key), modes.XTS(struct.pack("<Q8x", first + number)))
        out += cipher.encryptor().update(plain[number * unit : (number + 1) * unit])
    return out


def tcrypt_header(
    mark: bytes, password: bytes, name: str, iterations: int, start: int, size: int, keys: bytes, hidden_size: int = 0
) -> bytes:
    """The 512 bytes of a header: salt, then mark, version, checksums, places, keys under the password's key."""
    body = bytearray(448)
    body[0:4], body[4:6], body[6:8] = mark, struct.pack(">H", 5), b"\x01\x0b"
    body[28:60] = struct.pack(">QQQQ", hidden_size, size, start, size)
    body[64:68] = struct.pack(">I", 512)
    body[192:256] = keys
    body[8:12] = struct.pack(">I", zlib.crc32(body[192:448]))
    body[188:192] = struct.pack(">I", zlib.crc32(body[:188]))
    key = hashlib.pbkdf2_hmac(name, password, SALT, iterations, 64)
    cipher = Cipher(algorithms.AES(key), modes.XTS(bytes(16)))
    return SALT + cipher.encryptor().update(bytes(body))


def noise(count: int) -> bytes:
    """Bytes as even as ciphertext, the same each time."""
    return b"".join(hashlib.sha256(struct.pack("<I", number)).digest() for number in range(count // 32))


def tcrypt(
    payload: bytes,
    password: bytes,
    *,
    mark: bytes = b"TRUE",
    name: str = "sha512",
    iterations: int = 1000,
    hidden: bool = False,
) -> bytes:
    """A volume: headers of 128 KiB, then the payload."""
    keys = bytes(range(100, 164))
    start = 131072
    header = tcrypt_header(mark, password, name, iterations, start, len(payload), keys, len(payload) if hidden else 0)
    head = bytearray(noise(start))
    head[65536 if hidden else 0 :][:512] = b""
    at = 65536 if hidden else 0
    head[at : at + 512] = header
    return bytes(head) + xts(keys, start // 512, payload) + noise(131072)


def luks2(payload: bytes, passphrase: bytes) -> bytes:
    """A LUKS2 volume with one Argon2id key slot, small enough to be quick."""
    salt, key = bytes(range(32)), bytes(range(64, 128))
    stripes, size, area = 4, 64, 32768
    slot_key = Argon2id(salt=salt, length=64, iterations=1, lanes=1, memory_cost=64).derive(passphrase)
    parts = [hashlib.sha512(bytes([number])).digest() for number in range(stripes - 1)]
    joined = bytes(size)
    for part in parts:
        mixed = bytes(a ^ b for a, b in zip(joined, part, strict=True))
        joined = b"".join(
            hashlib.sha256(struct.pack(">I", at // 32) + mixed[at : at + 32]).digest() for at in range(0, size, 32)
        )
    parts.append(bytes(a ^ b for a, b in zip(joined, key, strict=True)))
    material = xts(slot_key, 0, b"".join(parts).ljust(512, b"\0"))
    text = {
        "keyslots": {"0": {
            "type": "luks2", "key_size": 64, "af": {"type": "luks1", "stripes": stripes, "hash": "sha256"},
            "area": {"type": "raw", "offset": str(area), "size": "4096", "encryption": "aes-xts-plain64", "key_size": 64},
            "kdf": {"type": "argon2id", "time": 1, "memory": 64, "cpus": 1, "salt": base64.b64encode(salt).decode()},
        }},
        "segments": {"0": {"type": "crypt", "offset": "65536", "size": "dynamic", "iv_tweak": "0",
                           "encryption": "aes-xts-plain64", "sector_size": 4096}},
        "digests": {"0": {"type": "pbkdf2", "keyslots": ["0"], "segments": ["0"], "hash": "sha256", "iterations": 1000,
                          "salt": base64.b64encode(salt).decode(),
                          "digest": base64.b64encode(hashlib.pbkdf2_hmac("sha256", key, salt, 1000, 32)).decode()}},
        "tokens": {}, "config": {},
    }  # fmt: skip
    head = struct.pack(">6sHQQ48s32s64s40s", b"LUKS\xba\xbe", 2, 16384, 1, b"", b"sha256", b"", b"a-uuid").ljust(
        4096, b"\0"
    )
    body = (head + json.dumps(text).encode()).ljust(area, b"\0") + material
    units = b""
    for number in range(len(payload) // 4096):
        units += xts(key, number * 8, payload[number * 4096 : (number + 1) * 4096], 4096)
    return body.ljust(65536, b"\0") + units


def _cbc(key: bytes, vector: bytes, plain: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(plain)


def _padded(plain: bytes) -> bytes:
    count = 16 - len(plain) % 16
    return plain + bytes([count]) * count


def android_backup(content: bytes, password: str) -> bytes:
    """An encrypted, compressed backup of version 5."""
    master, vector, salt, rounds = bytes(range(200, 232)), bytes(range(16)), bytes(range(64)), 1000
    characters = "".join(chr(0xFF00 | b if b & 0x80 else b) for b in master).encode("utf-8")
    check = hashlib.pbkdf2_hmac("sha1", characters, salt, rounds, 32)
    key = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, rounds, 32)
    blob = _cbc(key, vector, _padded(b"\x10" + vector + b"\x20" + master + b"\x20" + check))
    lines = ["ANDROID BACKUP", "5", "1", "AES-256", salt.hex(), salt.hex(), str(rounds), vector.hex(), blob.hex(), ""]
    return "\n".join(lines).encode() + _cbc(master, vector, _padded(zlib.compress(content)))


def _tag(name: bytes, value: bytes | int) -> bytes:
    raw = struct.pack(">I", value) if isinstance(value, int) else value
    return name + struct.pack(">I", len(raw)) + raw


def _mbfile(size: int, key: bytes | None) -> bytes:
    root: dict[str, Any] = {
        "Size": size, "Mode": 0o100644, "LastModified": 1_700_000_000, "Birth": 1_600_000_000, "ProtectionClass": 3,
        "UserID": 501,
    }  # fmt: skip
    objects: list[Any] = ["$null", root]
    if key is not None:
        root["EncryptionKey"] = plistlib.UID(2)
        objects.append({"NS.data": key})
    tree = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": plistlib.UID(1)}, "$objects": objects}
    return plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)


def ios_backup(folder: Path, files: dict[tuple[str, str], bytes], password: str | None = None) -> None:
    """A backup folder with Manifest.plist, Manifest.db and a file for each (domain, path)."""
    folder.mkdir(parents=True)
    class_key, manifest_key = bytes(range(32)), bytes(range(50, 82))
    plist: dict[str, Any] = {
        "IsEncrypted": password is not None, "Version": "10.0", "Lockdown": {"DeviceName": "A phone", "ProductVersion": "17.1"},
    }  # fmt: skip
    if password is not None:
        salt, first = bytes(20), b"\1" * 20
        key = hashlib.pbkdf2_hmac("sha256", password.encode(), first, 100, 32)
        key = hashlib.pbkdf2_hmac("sha1", key, salt, 10, 32)
        plist["BackupKeyBag"] = b"".join(
            (_tag(b"VERS", 5), _tag(b"TYPE", 1), _tag(b"UUID", bytes(16)), _tag(b"WRAP", 0), _tag(b"SALT", salt),
             _tag(b"ITER", 10),
             _tag(b"DPWT", 1), _tag(b"DPIC", 100), _tag(b"DPSL", first), _tag(b"UUID", bytes(16)), _tag(b"CLAS", 3),
             _tag(b"WRAP", 2), _tag(b"KTYP", 0), _tag(b"WPKY", keywrap.aes_key_wrap(key, class_key)))
        )  # fmt: skip
        plist["ManifestKey"] = struct.pack("<I", 3) + keywrap.aes_key_wrap(class_key, manifest_key)
    (folder / "Manifest.plist").write_bytes(plistlib.dumps(plist, fmt=plistlib.FMT_BINARY))
    database = sqlite3.connect(folder / "plain.db")
    database.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    for number, ((domain, path), content) in enumerate(sorted(files.items())):
        name = hashlib.sha1(f"{domain}-{path}".encode()).hexdigest()
        key_of = bytes([number + 1]) * 32
        wrapped = struct.pack("<I", 3) + keywrap.aes_key_wrap(class_key, key_of) if password is not None else None
        stored = _cbc(key_of, bytes(16), _padded(content)) if password is not None else content
        database.execute(
            "INSERT INTO Files VALUES (?, ?, ?, 1, ?)", (name, domain, path, _mbfile(len(content), wrapped))
        )
        (folder / name[:2]).mkdir(exist_ok=True)
        (folder / name[:2] / name).write_bytes(stored)
    database.execute("INSERT INTO Files VALUES ('aa', 'HomeDomain', 'Library', 2, NULL)")
    database.commit()
    database.close()
    raw = (folder / "plain.db").read_bytes()
    (folder / "plain.db").unlink()
    (folder / "Manifest.db").write_bytes(raw if password is None else _cbc(manifest_key, bytes(16), raw))


def docx(text: str) -> bytes:
    """A package that a zip reader takes for a document."""
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
        types = "http://schemas.openxmlformats.org/package/2006/content-types"
        part = f'<Override PartName="/word/document.xml" ContentType="{main}"/>'
        package.writestr("[Content_Types].xml", f'<Types xmlns="{types}">{part}</Types>')
        package.writestr(
            "word/media/noise.bin", noise(9024)
        )  # past the size that the library's writer has trouble below
        package.writestr("word/document.xml", f"<w:document>{text}</w:document>" * 50)
    return buffer.getvalue()


def encrypted_docx(text: str, password: str) -> bytes:
    """The same under agile encryption."""
    from msoffcrypto.format.ooxml import OOXMLFile

    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(docx(text))).encrypt(password, buffer)
    return buffer.getvalue()


def encrypted_pdf(text: str, password: str, algorithm: str = "AES-256") -> bytes:
    """A one-page document under a user password."""
    import pypdf

    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Title": text})
    writer.encrypt(password, "owner of it", algorithm=algorithm)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
