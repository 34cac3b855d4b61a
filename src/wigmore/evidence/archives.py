"""Archives as stores: recognised by content, members listed and read without writing anything beside the evidence."""

from __future__ import annotations

from wigmore.evidence.archive_member import ArchiveStore
from wigmore.evidence.filetype import tar_checksum
from wigmore.evidence.store import Limits
from wigmore.formats.capture.containers import known
from wigmore.formats.mail_kinds import KINDS as MAIL_KINDS
from wigmore.formats.mail_kinds import mail_kind
from wigmore.model.protocols import EvidenceFile, ParseError

HEAD = 8192  # bytes that recognition needs
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\3\4", "zip"),
    (0, b"PK\5\6", "zip"),
    (0, b"PK\7\x08PK\3\4", "zip"),
    (0, b"PK00PK\3\4", "zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\7\0", "rar"),
    (0, b"Rar!\x1a\7\1\0", "rar"),
    (0, b"\x1f\x8b\x08", "gz"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zst"),
    (0, b"ANDROID BACKUP\n", "ab"),
    (0, b"MSCF\0\0\0\0", "cab"),
    (0, b"xar!", "xar"),
    (0, b"MSWIM\0\0\0", "wim"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"070701", "cpio"),
    (0, b"070702", "cpio"),
    (0, b"070707", "cpio"),
    (0, b"\x1f\x9d", "compress"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"LZIP\1", "lzip"),
    (7, b"**ACE**", "ace"),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "l01"),
    (0, b"ADSEGMENTEDFILE\0", "ad1"),
)
BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")  # the first block, or the end of an empty stream
# recognised, so that it can be said that they are not read, and what reads them
NOT_READ = {
    "cab": "cabextract", "xar": "xar or bsdtar", "wim": "wimlib or 7-Zip", "rpm": "rpm2cpio", "cpio": "cpio or bsdtar",
    "compress": "uncompress", "lz4": "lz4", "lzip": "lzip", "ace": "unace", "lha": "lhasa or 7-Zip",
}  # fmt: skip


def archive_kind(head: bytes, path: str) -> str | None:
    """The kind of archive that begins with `head` (at least 8 KiB of it), None if it is none.

    zip (also documents that are zips), tar, gz, bz2, xz, zst, 7z, rar, ab (Android backup), mail files (mbox, eml, emlx,
    msg, tnef, pst, dbx), l01 and ad1 (logical evidence of EnCase, FTK) are opened by `open_archive`; other names are kinds
    that are recognised only. By content; `path` helps with mail alone.
    """
    for offset, mark, kind in _MARKS:
        if head[offset : offset + len(mark)] == mark:
            return kind
    if head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] in BZIP2_BLOCKS:
        return "bz2"
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:
        return "zst"  # a skippable frame comes first
    if head[2:5] in (b"-lh", b"-lz") and head[6:7] == b"-":
        return "lha"
    if tar_checksum(head) or (head[257:262] == b"ustar" and head[262:263] in b"\0 "):
        return "tar"  # with a wrong checksum it is a damaged one
    return mail_kind(head, path)


def container_kind(head: bytes, file: EvidenceFile) -> str | None:
    """As `archive_kind`, and what else holds files: `office`, `pdf` (encrypted documents), `ios` (the file list of an iOS
    backup), `capture` (network captures, for the files that were carried).
    """
    from wigmore.evidence.ios_backup import backup_kind
    from wigmore.evidence.sealed import sealed_kind

    found = archive_kind(head, file.path) or sealed_kind(head, file) or backup_kind(head, file)
    return found or ("capture" if known(head) else None)


def open_archive(file: EvidenceFile, prefix: str, limits: Limits, secrets: tuple[str, ...] = ()) -> ArchiveStore:
    """The archive's members as a store; `prefix` is the path that members' paths begin with.

    The store's `records` and `gaps` tell of the archive itself, `needs` what would open what is locked. ParseError
    (damaged, truncated, unsupported, too_large, memory) where nothing can be listed.
    """
    with file.open() as stream:
        head = stream.read(HEAD)
    kind = container_kind(head, file)
    if kind is None:
        raise ParseError(file.path, 0, "not an archive", "unsupported")
    if kind in NOT_READ:
        raise ParseError(file.path, 0, f"{kind} archives are not read; needs {NOT_READ[kind]}", "unsupported")
    if kind == "capture":
        from wigmore.evidence.archive_capture import CaptureStore

        return CaptureStore(file, prefix, limits)
    if kind == "zip":
        from wigmore.evidence.archive_zip import ZipStore

        return ZipStore(file, prefix, limits, secrets)
    if kind == "tar":
        from wigmore.evidence.archive_tar import TarStore

        store = TarStore(file, prefix, limits)
        store.describe()
        return store
    if kind == "7z":
        from wigmore.evidence.archive_7z import SevenZipStore

        return SevenZipStore(file, prefix, limits, secrets)
    if kind == "rar":
        from wigmore.evidence.archive_rar import RarStore

        return RarStore(file, prefix, limits, secrets)
    if kind == "ad1":
        from wigmore.evidence.ad1 import LogicalImage

        return LogicalImage(file, prefix, limits)
    if kind == "l01":
        from wigmore.evidence.ewf_logical import LogicalStore

        return LogicalStore(file, prefix, limits)
    if kind in MAIL_KINDS:
        from wigmore.evidence.archive_mail import MailStore

        return MailStore(file, prefix, limits, kind)
    if kind in ("office", "pdf"):
        from wigmore.evidence.sealed import SealedStore

        return SealedStore(file, prefix, limits, kind, secrets)
    if kind == "ios":
        from wigmore.evidence.ios_backup import BackupStore

        return BackupStore(file, prefix, limits, secrets)
    from wigmore.evidence.archive_stream import SingleStore

    return SingleStore(file, prefix, limits, kind, secrets)
