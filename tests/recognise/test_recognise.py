"""Sources are recognised by layout and content, never by their own name, and the markers are named."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from wigmore.evidence.recognise import LIMIT, TYPES, recognise, recognise_listing

PCAP = b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(16)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.mark.parametrize(
    ("paths", "kind", "platform"),
    [
        (["p1/Windows/System32/config/SOFTWARE", "p1/Users/a/NTUSER.DAT"], "log_collection", "windows"),
        (["C/Windows/Prefetch/CMD.EXE-12345678.pf"], "log_collection", "windows"),
        (["private/var/mobile/Library/SMS/sms.db"], "mobile_extraction", "ios"),
        (["HomeDomain/Library/SMS/sms.db", "Manifest.db"], "mobile_extraction", "ios"),
        (["Manifest.db", "3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28"], "mobile_extraction", "ios"),
        (["data/data/com.whatsapp/databases/msgstore.db", "system/build.prop"], "mobile_extraction", "android"),
        (["etc/passwd", "etc/os-release", "var/log/syslog"], "log_collection", "linux"),
        (
            ["System/Library/CoreServices/SystemVersion.plist", "Users/a/Library/Preferences/x.plist"],
            "log_collection",
            "macos",
        ),
        (["DCIM/1.jpg", "DCIM/2.jpg", "DCIM/3.mov", "readme.txt"], "media_collection", "unknown"),
        (["mail/archive.pst"], "mailbox", "unknown"),
        (["a.pcap", "b.pcapng"], "network_capture", "unknown"),
        (["notes.txt", "data.bin"], "file_collection", "unknown"),
        ([], "file_collection", "unknown"),
    ],
)
def test_listings_show_type_and_platform(paths: list[str], kind: str, platform: str) -> None:
    found = recognise_listing(paths)
    assert (found.type, found.platform) == (kind, platform)
    assert found.reason and found.type in TYPES


def test_a_phone_backup_on_a_computer_stays_a_note() -> None:
    paths = [
        "Windows/System32/config/SAM", "Windows/Prefetch/A.EXE-00000000.pf", "Users/a/NTUSER.DAT",
        "Users/a/AppData/Roaming/Apple Computer/MobileSync/Backup/x/Manifest.db",
        "Users/a/AppData/Roaming/Apple Computer/MobileSync/Backup/x/3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28",
    ]  # fmt: skip
    found = recognise_listing(paths)
    assert found.platform == "windows"
    assert any("ios" in note for note in found.notes)


def test_work_is_bounded_and_said_so() -> None:
    def endless() -> object:
        number = 0
        while True:
            number += 1
            yield f"folder/{number}.txt"

    found = recognise_listing(endless())  # type: ignore[arg-type]  # a generator of str
    assert f"first {LIMIT} entries" in " ".join(found.notes)


def test_loose_artifacts_are_recognised_by_content(tmp_path: Path) -> None:
    found = recognise(tree(tmp_path, {"one": b"ElfFile\0" + bytes(100), "two": b"regf" + bytes(100)}))
    assert (found.type, found.platform, found.access_mode) == ("log_collection", "windows", "tree")
    assert "Windows event log" in found.reason and "registry hive" in found.reason


def test_android_databases_are_recognised_by_their_metadata_table(tmp_path: Path) -> None:
    head = b"SQLite format 3\0" + bytes(200) + b"CREATE TABLE android_metadata (locale TEXT)" + bytes(200)
    found = recognise(tree(tmp_path, {"x.db": head}))
    assert (found.type, found.platform) == ("mobile_extraction", "android")


def test_pictures_captures_mail_and_logs_are_collections(tmp_path: Path) -> None:
    assert recognise(tree(tmp_path / "a", {"1": JPEG, "2": JPEG, "3": b"text"})).type == "media_collection"
    assert recognise(tree(tmp_path / "b", {"1": PCAP})).type == "network_capture"
    assert recognise(tree(tmp_path / "c", {"1": b"!BDN" + bytes(60)})).type == "mailbox"
    log = b"Jan  5 10:00:00 host sshd[1]: hello\n"
    assert recognise(tree(tmp_path / "d", {"1": log, "2": log})).type == "log_collection"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PCAP, "network_capture"),
        (b"EVF\t\r\n\xff\0" + bytes(100), "disk_image"),
        (b"LUKS\xba\xbe\0\1" + bytes(600), "disk_image"),
        (b"conectix" + bytes(504), "disk_image"),
        (b"From a@b.org Mon Jan  5 10:00:00 2015\nSubject: x\n\n", "mailbox"),
        (JPEG, "media_collection"),
        (b"Jan  5 10:00:00 host sshd[1]: hello\n", "log_collection"),
        (b"ElfFile\0" + bytes(100), "log_collection"),
        (b"ANDROID BACKUP\n5\n1\nAES-256\n", "mobile_extraction"),
        (b"", "file_collection"),
        (b"prose without any markers", "file_collection"),
    ],
)  # fmt: skip
def test_single_files_are_recognised_by_content(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(content)
    found = recognise(path)
    assert found.type == kind
    assert found.access_mode == ("image" if kind == "disk_image" else "file")


def test_evenly_spread_bytes_may_be_an_encrypted_container(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(os.urandom(128 * 1024))
    assert any("encrypted container" in note for note in recognise(path).notes)


def test_archives_are_recognised_by_their_members(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("private/var/mobile/Library/SMS/sms.db", b"")
    found = recognise(path)
    assert (found.type, found.platform, found.access_mode) == ("mobile_extraction", "ios", "file")


def test_a_tar_in_a_gzip_is_looked_into(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("etc/passwd", "var/log/auth.log"):
            archive.addfile(tarfile.TarInfo(name))
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(buffer.getvalue()))
    found = recognise(path)
    assert (found.type, found.platform) == ("archive", "linux")
    assert "a tar of a gz archive" in found.reason


def test_the_name_of_the_source_says_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path / "Windows" / "System32", {"a.txt": b"hello"})
    assert recognise(root).platform == "unknown"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"Windows/System32/config/SAM": b"regf" + bytes(60)})
    root = tree(tmp_path / "root", {"a.txt": b"hello"})
    (root / "link").symlink_to(outside)
    assert recognise(root).platform == "unknown"


def test_the_shared_cases_are_what_they_are(shared_evidence: Path) -> None:
    expected = {
        "composite/case1_windows_aptsim/tree": ("log_collection", "windows"),
        "composite/case2_ios15_hickman/tree": ("mobile_extraction", "ios"),
        "composite/case4_linux_ext4/case4.E01": ("disk_image", "unknown"),
        "mobile_android/extraction_android11_hickman": ("mobile_extraction", "android"),
        "pictures": ("media_collection", "unknown"),
        "pcap": ("network_capture", "unknown"),
        "email": ("mailbox", "unknown"),
    }
    for name, (kind, platform) in expected.items():
        path = shared_evidence / name
        if not path.exists():
            pytest.skip(f"{name} is not in the shared evidence")
        found = recognise(path)
        assert (found.type, found.platform) == (kind, platform), found


@pytest.mark.parametrize(
    "paths, platform",
    [
        (["filesystem2/private/var/mobile/Library/SMS/sms.db", "extra/x", "metadata2/filesystem.msgpack"], "ios"),
        (["private/var/mobile/Library/SMS/sms.db", "private/var/keybags/systembag.kb"], "ios"),
        (
            ["Dump/data/data/com.android.providers.telephony/databases/mmssms.db", "Dump/data/system/packages.xml"],
            "android",
        ),
        (["data/data/com.whatsapp/databases/msgstore.db", "data/system/packages.xml"], "android"),
    ],
)
def test_full_file_systems_as_vendors_pack_them_are_extractions(paths: list[str], platform: str) -> None:
    found = recognise_listing(paths)
    assert (found.type, found.platform) == ("mobile_extraction", platform)
