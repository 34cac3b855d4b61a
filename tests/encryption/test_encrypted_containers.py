"""Containers open under their secret, say what protects them without it, and fail with a reason where they are damaged."""

from __future__ import annotations

import hashlib
import io
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from encryption_builders import (
    android_backup,
    encrypted_docx,
    encrypted_pdf,
    ios_backup,
    luks2,
    noise,
    tcrypt,
    tcrypt_header,
    xts,
)

from evidence.evidence_builders import Fat16
from wigmore.evidence import tcrypt as tcrypt_reader
from wigmore.evidence.filetype import file_type, unread
from wigmore.evidence.locked import describe
from wigmore.evidence.media import RawMedia
from wigmore.evidence.secret import KEY_FILE, Secret
from wigmore.evidence.source import Expansion, Source, SourceSpec, open_source
from wigmore.evidence.store import Entry
from wigmore.model.protocols import ParseError


def volume(text: bytes = b"hello world") -> bytes:
    fat = Fat16()
    fat.file(b"HELLO   TXT", text)
    return bytes(fat.data)


@pytest.fixture
def look() -> Iterator[Callable[..., tuple[Source, Expansion]]]:
    """Opens a folder as a source and expands one file of it."""
    opened: list[Source] = []

    def looked(folder: Path, path: str, *secrets: str) -> tuple[Source, Expansion]:
        source = open_source(SourceSpec("src-1", folder, "tree"), secrets=secrets)
        opened.append(source)
        file = source.file_at(path)
        with file.open() as stream:
            found = source.expand(file, stream.read(65536))
        assert found is not None
        return source, found

    yield looked
    for source in opened:
        source.close()


def data(found: Expansion) -> dict[str, Any]:
    """The record about encryption."""
    return next(r.data for _, r in found.records if "encryption" in r.data)


def reasons(found: Expansion) -> list[str]:
    return [gap.reason for gap in found.gaps]


def entries(source: Source, prefix: str) -> dict[str, Entry]:
    return {e.path: e for e in source.open_store(prefix).entries() if isinstance(e, Entry)}


def read(source: Source, path: str) -> bytes:
    return source.file_at(path).read()


def test_a_truecrypt_volume_opens_and_tells_hash_and_cipher(tmp_path: Path, look: Any) -> None:
    (tmp_path / "box.tc").write_bytes(tcrypt(volume(b"in the box"), b"open me"))
    source, found = look(tmp_path, "box.tc", "wrong", Secret("open me", "box_password"))
    said = data(found)
    assert said["encryption"] == "TrueCrypt" and said["hash"] == "sha512" and said["cipher"] == "aes-xts-plain64"
    assert said["secret_name"] == "box_password" and said["locked"] is False and "open me" not in str(said)
    assert read(source, "box.tc/p0/HELLO.TXT") == b"in the box"


def test_a_headerless_container_without_a_secret_is_locked_not_claimed(tmp_path: Path, look: Any) -> None:
    (tmp_path / "box.hc").write_bytes(tcrypt(volume(), b"open me"))
    _, found = look(tmp_path, "box.hc")
    assert found.prefixes == () and reasons(found) == ["locked"] and data(found)["locked"] is True
    assert "or random bytes" in data(found)["looks_like"]


@pytest.mark.parametrize("name", ["box.tc", "Box.HC", "a/box.veracrypt"])
def test_a_cut_volume_is_told_by_its_name(name: str) -> None:
    cut = tcrypt(volume(), b"open me")[:256]
    kind = file_type(cut, name, len(cut))
    assert not tcrypt_reader.headerless(cut, len(cut), name)
    outcome, reason, code = unread(kind, name, len(cut)) or ("", "", "")
    assert (outcome, code) == ("failed", "damaged") and "cut off" in reason and "256 bytes" in reason
    assert unread("text", name, len(cut)) is None


def test_the_hidden_volume_opens_under_its_own_password(tmp_path: Path, look: Any) -> None:
    (tmp_path / "box.tc").write_bytes(tcrypt(volume(b"deeper"), b"second", hidden=True))
    source, found = look(tmp_path, "box.tc", "second")
    assert data(found)["hidden_volume"] is True
    assert read(source, "box.tc/p0/HELLO.TXT") == b"deeper"


def test_the_outer_and_the_hidden_volume_are_both_read(tmp_path: Path, look: Any) -> None:
    raw = bytearray(tcrypt(volume(b"for show") + bytes(len(volume())), b"first"))
    inner, keys, start = volume(b"deeper"), bytes(range(160, 224)), 131072 + len(volume())
    header = tcrypt_header(b"TRUE", b"second", "sha512", 1000, start, len(inner), keys, len(inner))
    raw[65536 : 65536 + 512] = header
    raw[start : start + len(inner)] = xts(keys, start // 512, inner)
    (tmp_path / "box.tc").write_bytes(raw)
    source, found = look(tmp_path, "box.tc", "second", "first")
    assert set(found.prefixes) == {"box.tc/p0", "box.tc/p0/hidden"}
    assert read(source, "box.tc/p0/HELLO.TXT") == b"for show"
    assert read(source, "box.tc/p0/hidden/HELLO.TXT") == b"deeper"


def test_a_veracrypt_volume_opens_with_its_pim(tmp_path: Path, look: Any) -> None:
    raw = tcrypt(volume(b"under a PIM"), b"open me", mark=b"VERA", name="sha256", iterations=15_000 + 1_000 * 2)
    (tmp_path / "box.hc").write_bytes(raw)
    source, found = look(tmp_path, "box.hc", "open me#pim=2")
    assert data(found)["encryption"] == "VeraCrypt" and data(found)["pim"] == 2 and data(found)["iterations"] == 17_000
    assert read(source, "box.hc/p0/HELLO.TXT") == b"under a PIM"


def test_a_key_file_opens_a_volume(tmp_path: Path, look: Any) -> None:
    content = b"the content of a key file" * 9
    (tmp_path / "box.tc").write_bytes(tcrypt(volume(), tcrypt_reader.mixed(b"with", [content])))
    _, found = look(tmp_path, "box.tc", "with", KEY_FILE + content.hex())
    assert data(found)["key_files"] == 1 and data(found)["locked"] is False


def test_the_xts_of_single_blocks_is_that_of_the_library() -> None:
    key = bytes(range(64))
    whole = tcrypt_reader.decryptor("camellia", key)
    again = whole(5, noise(512))
    assert len(again) == 512 and again != noise(512)
    assert list(tcrypt_reader._tweaks(bytes(15) + b"\x80", 2))[1] == b"\x87" + bytes(15)


def test_luks2_with_argon2id_opens_by_passphrase_and_by_volume_key(tmp_path: Path, look: Any) -> None:
    (tmp_path / "safe.img").write_bytes(luks2(volume(b"argon"), b"sesame"))
    _, locked = look(tmp_path, "safe.img", "wrong")
    slot = data(locked)["key_slots"][0]
    assert slot["kdf"] == "argon2id" and slot["memory_kib"] == 64 and reasons(locked) == ["locked"]
    for secret in ("sesame", "hex:" + bytes(range(64, 128)).hex(), KEY_FILE + b"sesame".hex()):
        source, found = look(tmp_path, "safe.img", secret)
        assert data(found)["locked"] is False
        assert read(source, "safe.img/p0/HELLO.TXT") == b"argon"


def test_a_key_slot_that_cannot_be_tried_is_not_said_to_be_tried(tmp_path: Path, look: Any) -> None:
    (tmp_path / "safe.img").write_bytes(luks2(volume(), b"sesame").replace(b'"argon2id"', b'"argon9xx"'))
    _, locked = look(tmp_path, "safe.img", "sesame")
    said = "; ".join(gap.message for gap in locked.gaps)
    assert "key slot 0 uses argon9xx: not tried" in said and "do not open it" not in said
    assert reasons(locked) == ["unsupported", "locked"]


@pytest.mark.parametrize("size", [256, 512, 20_000])
def test_a_bitlocker_volume_without_its_metadata_is_cut_off(size: int) -> None:
    content = (b"\xeb\x58\x90-FVE-FS-" + b"\0\2\x08").ljust(size, b"\0")
    with RawMedia("raw", [(io.BytesIO(content), size)]) as media, pytest.raises(ParseError) as caught:
        describe(media, "BitLocker", "volume.img")
    assert f"cut off: {size} bytes do not hold" in caught.value.message and caught.value.reason == "truncated"


def test_an_encrypted_document_becomes_a_readable_member(tmp_path: Path, look: Any) -> None:
    (tmp_path / "plan.docx").write_bytes(encrypted_docx("the plan", "tulip"))
    _, locked = look(tmp_path, "plan.docx", "rose")
    assert locked.prefixes == () and reasons(locked) == ["locked"] and locked.needs
    assert data(locked)["encryption"] == "Office agile encryption" and data(locked)["iterations"] > 1000
    source, found = look(tmp_path, "plan.docx", "rose", "tulip")
    assert b"the plan" in read(source, "plan.docx/plan.docx/word/document.xml")
    assert found.gaps == ()


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_an_encrypted_pdf_becomes_a_readable_member(tmp_path: Path, look: Any, algorithm: str) -> None:
    import pypdf

    (tmp_path / "plan.pdf").write_bytes(encrypted_pdf("a title", "tulip", algorithm))
    _, locked = look(tmp_path, "plan.pdf")
    assert reasons(locked) == ["locked"] and data(locked)["cipher"].startswith(algorithm[:3])
    source, found = look(tmp_path, "plan.pdf", "tulip")
    plain = read(source, "plan.pdf/plan.pdf")
    reader = pypdf.PdfReader(io.BytesIO(plain))
    assert not reader.is_encrypted and reader.metadata is not None and reader.metadata.title == "a title"
    again, _ = look(tmp_path, "plan.pdf", "tulip")
    assert read(again, "plan.pdf/plan.pdf") == plain
    assert data(found)["unlocked_with"] == "user password"


def test_an_encrypted_android_backup_opens(tmp_path: Path, look: Any) -> None:
    (tmp_path / "phone.ab").write_bytes(android_backup(b"the tar inside" * 1000, "0417"))
    _, locked = look(tmp_path, "phone.ab", "wrong")
    assert locked.prefixes == () and reasons(locked) == ["locked"]
    source, found = look(tmp_path, "phone.ab", "0417")
    assert read(source, "phone.ab/phone.tar") == b"the tar inside" * 1000
    assert next(r.data for _, r in found.records)["iterations"] == 1000


FILES = {
    ("HomeDomain", "Library/SMS/sms.db"): b"a database" * 100,
    ("AppDomain-com.example", "Documents/note.txt"): b"a note",
    ("HomeDomain", "empty"): b"",
}


@pytest.mark.parametrize("password", [None, "0417"])
def test_an_ios_backup_is_read_by_domain_and_path(tmp_path: Path, look: Any, password: str | None) -> None:
    ios_backup(tmp_path / "backup", FILES, password)
    source, found = look(tmp_path, "backup/Manifest.db", *(["wrong", password] if password else []))
    assert found.prefixes == ("backup/Manifest.db",) and found.gaps == ()
    listed = entries(source, "backup/Manifest.db")
    for (domain, path), content in FILES.items():
        entry = listed[f"backup/Manifest.db/{domain}/{path}"]
        assert entry.size == len(content) and entry.times["modified"]["text"] == "2023-11-14T22:13:20Z"
        assert read(source, entry.path) == content
    assert listed["backup/Manifest.db/HomeDomain/Library"].kind == "directory"
    with source.file_at("backup/Manifest.db/HomeDomain/Library/SMS/sms.db").open() as stream:
        stream.seek(333)
        assert stream.read(20) == (b"a database" * 100)[333:353]


def test_a_locked_phone_backup_is_locked_not_empty(tmp_path: Path, look: Any) -> None:
    ios_backup(tmp_path / "backup", FILES, "0417")
    _, found = look(tmp_path, "backup/Manifest.db", "wrong")
    assert found.prefixes == () and reasons(found) == ["locked"] and "password" in found.needs
    said = data(found)
    assert said["locked"] is True and said["iterations"] == 10 and said["first_iterations"] == 100


def test_a_listed_file_that_is_not_there_is_told(tmp_path: Path, look: Any) -> None:
    ios_backup(tmp_path / "backup", FILES)
    name = hashlib.sha1(b"HomeDomain-Library/SMS/sms.db").hexdigest()
    (tmp_path / "backup" / name[:2] / name).unlink()
    source, _ = look(tmp_path, "backup/Manifest.db")
    with pytest.raises(ParseError, match="not in the backup"):
        read(source, "backup/Manifest.db/HomeDomain/Library/SMS/sms.db")
    assert read(source, "backup/Manifest.db/AppDomain-com.example/Documents/note.txt") == b"a note"


MADE: dict[str, Callable[[], bytes]] = {
    "box.tc": lambda: tcrypt(volume(), b"sesame"),
    "safe.img": lambda: luks2(volume(), b"sesame"),
    "plan.docx": lambda: encrypted_docx("the plan", "sesame"),
    "plan.pdf": lambda: encrypted_pdf("a title", "sesame"),
    "phone.ab": lambda: android_backup(noise(4096), "sesame"),
}


@pytest.mark.parametrize("name", sorted(MADE))
def test_damaged_copies_fail_with_a_reason_and_never_crash(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcrypt_reader, "SLOW_MOST", 0)  # VeraCrypt's derivations take seconds
    raw, chance = MADE[name](), random.Random(7)
    for number in range(6):
        copy = bytearray(raw)
        if number % 2:
            copy = copy[: chance.randrange(520, len(raw))]
        for _ in range(20):
            copy[chance.randrange(min(len(copy), 8192))] ^= 1 << chance.randrange(8)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_bytes(copy)
        # as in a run: whatever is wrong becomes a gap, or the file is no container any more
        with open_source(SourceSpec("src-1", folder, "tree"), secrets=("sesame",)) as source:
            file = source.file_at(name)
            with file.open() as stream:
                found = source.expand(file, stream.read(65536))
            if found is None:
                continue
            for prefix in found.prefixes:
                try:
                    for item in source.open_store(prefix).entries():
                        if isinstance(item, Entry) and item.readable:
                            source.open_store(prefix).file(item).read()
                except ParseError as error:
                    assert error.reason in ("damaged", "truncated", "locked", "unsupported", "too_large")
            assert found.prefixes or found.gaps


def test_a_damaged_key_bag_is_damaged(tmp_path: Path, look: Any) -> None:
    import plistlib

    ios_backup(tmp_path / "backup", FILES, "0417")
    plist = plistlib.loads((tmp_path / "backup/Manifest.plist").read_bytes())
    plist["BackupKeyBag"] = plist["BackupKeyBag"][:30]
    (tmp_path / "backup/Manifest.plist").write_bytes(plistlib.dumps(plist))
    _, found = look(tmp_path, "backup/Manifest.db", "0417")
    assert found.prefixes == () and reasons(found) == ["damaged"]


def test_a_core_storage_volume_is_told_where_its_metadata_is_damaged(tmp_path: Path, look: Any) -> None:
    head = bytearray(100 * 1024)
    head[8:12], head[88:90] = b"\x01\x00\x10\x00", b"CS"
    (tmp_path / "mac.dd").write_bytes(head)
    _, found = look(tmp_path, "mac.dd", "sesame")
    assert found.prefixes == () and reasons(found) == ["damaged"]


def test_a_core_storage_volume_needs_its_key_file_with_the_password(
    tmp_path: Path, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyfvde", FakeLibrary(volume(b"behind FileVault")))  # type: ignore[misc]
    head = bytearray(100 * 1024)
    head[8:12], head[88:90] = b"\x01\x00\x10\x00", b"CS"
    (tmp_path / "mac.dd").write_bytes(head)
    _, locked = look(tmp_path, "mac.dd", "sesame")
    assert reasons(locked) == ["locked"] and "EncryptedRoot.plist.wipekey" in locked.needs
    source, found = look(tmp_path, "mac.dd", "sesame", KEY_FILE + b"the plist".hex())
    assert data(found)["locked"] is False and data(found)["cipher"] == "aes-xts-plain64"
    assert read(source, "mac.dd/p1/HELLO.TXT") == b"behind FileVault"


class FakeLibrary:
    """libfvde as far as it is called, since no writer of such volumes is at hand: opens under both secrets together."""

    def __init__(self, plain: bytes) -> None:
        self.plain, self.plist, self.given = plain, b"", ""

    def volume(self) -> FakeLibrary:
        return FakeLibrary(self.plain)

    def read_encrypted_root_plist(self, path: str) -> None:
        self.plist = Path(path).read_bytes()

    def open_file_object(self, medium: object) -> None:
        pass

    def open_physical_volume_files_as_file_objects(self, media: object) -> None:
        pass

    def get_volume_group(self) -> FakeLibrary:
        return self

    get_physical_volume = get_logical_volume = lambda self, number: self

    def get_number_of_logical_volumes(self) -> int:
        return 1

    def get_encryption_method(self) -> int:
        return 2

    def get_name(self) -> str:
        return "Macintosh HD"

    def get_identifier(self) -> str:
        return "an-uuid"

    def get_size(self) -> int:
        return len(self.plain)

    def is_locked(self) -> bool:
        return not (self.plist == b"the plist" and self.given == "sesame")

    def set_password(self, text: str) -> None:
        self.given = text

    set_recovery_password = set_password

    def unlock(self) -> bool:
        return not self.is_locked()

    def read_buffer_at_offset(self, length: int, offset: int) -> bytes:
        return self.plain[offset : offset + length]
