"""What a volume holds, told from its first bytes: file systems, encryption, volume managers."""

from __future__ import annotations

import struct

HEAD = 68 * 1024  # reaches the btrfs super block, the farthest signature
BITLOCKER_GUIDS = (
    bytes.fromhex("3bd67649292ed84a8399f6a339e3d001"),
    bytes.fromhex("3b4da892809a0f419e31a4af7dbe81dc"),  # used disk space only
)
READ_BY_TSK = frozenset(("NTFS", "FAT", "exFAT", "ext", "ISO9660", "UFS"))
READ_BY_LIBYAL = frozenset(("HFS", "HFS+", "APFS", "XFS"))
ENCRYPTED = frozenset(("BitLocker", "LUKS"))
NOT_READ = {
    "Btrfs": "Btrfs file system", "F2FS": "F2FS file system", "EROFS": "EROFS file system", "ReFS": "ReFS file system",
    "SquashFS": "SquashFS file system", "VMFS": "VMFS file system", "UDF": "UDF file system", "JFS": "JFS file system",
    "ReiserFS": "ReiserFS file system", "Linux RAID": "Linux RAID member",
    "ZFS": "ZFS pool member", "Linux swap": "Linux swap space", "Dynamic disk": "Windows dynamic disk database",
}  # fmt: skip
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (3, b"-FVE-FS-", "BitLocker"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (3, b"ReFS\x00", "ReFS"),
    (32, b"NXSB", "APFS"),
    (0, b"XFSB", "XFS"),
    (0, b"hsqs", "SquashFS"),
    (88, b"CS", "CoreStorage"),
    (1024, b"H+", "HFS+"),
    (1024, b"HX", "HFS+"),
    (1024, b"\x10\x20\xf5\xf2", "F2FS"),
    (1024, b"\xe2\xe1\xf5\xe0", "EROFS"),
    (32769, b"CD001", "ISO9660"),
    (32769, b"BEA01", "UDF"),
    (65600, b"_BHRfS_M", "Btrfs"),
    (65588, b"ReIsEr", "ReiserFS"),
    (32768, b"JFS1", "JFS"),
    (4096, b"\xfc\x4e\x2b\xa9", "Linux RAID"),
    (4086, b"SWAPSPACE2", "Linux swap"),
    (8192 + 1372, b"\x54\x19\x01\x00", "UFS"),
    (8192 + 1372, b"\x00\x01\x19\x54", "UFS"),
    (65536 + 1372, b"\x19\x01\x54\x19", "UFS"),
    (65536 + 1372, b"\x19\x54\x01\x19", "UFS"),
)


def volume_kind(head: bytes) -> str | None:
    """The kind of volume that begins with `head` (HEAD bytes where there are as many); None where none is known."""
    for guid in BITLOCKER_GUIDS:
        if guid in (head[160:176], head[424:440]):
            return "BitLocker"
    for offset, mark, kind in _MARKS:
        if head[offset : offset + len(mark)] == mark and _sane(kind, head):
            return kind
    if any(head[sector : sector + 8] == b"LABELONE" for sector in range(0, 2048, 512)):
        return "LVM"
    if is_ext(head):
        return "ext"
    if is_fat(head):
        return "FAT"
    if head[1024:1026] == b"BD" and 512 <= int.from_bytes(head[1044:1048], "big") <= 1 << 24:
        return "HFS"
    return None


def _sane(kind: str, head: bytes) -> bool:
    if kind == "CoreStorage":
        return head[8:12] == b"\x01\x00\x10\x00"  # version 1, type volume header
    if kind == "HFS+":
        block = int.from_bytes(head[1024 + 40 : 1024 + 44], "big")
        return 512 <= block <= 1 << 24 and block & (block - 1) == 0
    return True


def is_ext(head: bytes) -> bool:
    """An ext2/3/4 super block (Linux Documentation/filesystems/ext4: magic, block size, blocks, inodes)."""
    if len(head) < 1024 + 256 or head[1080:1082] != b"\x53\xef":
        return False
    inodes, blocks = struct.unpack_from("<II", head, 1024)
    (log_block,) = struct.unpack_from("<I", head, 1024 + 24)
    return bool(log_block <= 6 and inodes > 0 and blocks > 0)


def is_fat(head: bytes) -> bool:
    """A FAT12/16/32 boot sector (Microsoft FAT specification 1.03, 3.1)."""
    if len(head) < 512 or (head[510:512] != b"\x55\xaa" and head[54:57] != b"FAT" and head[82:85] != b"FAT"):
        return False
    sector, per_cluster, reserved, tables, roots, small, media, _ = struct.unpack_from("<HBHBHHBH", head, 11)
    (large,) = struct.unpack_from("<I", head, 32)
    return bool(
        sector in (512, 1024, 2048, 4096)
        and per_cluster > 0
        and per_cluster & (per_cluster - 1) == 0
        and reserved > 0
        and 1 <= tables <= 4
        and (media == 0xF0 or media >= 0xF8)
        and (small > 0 or large > 0)
        and (roots > 0 or struct.unpack_from("<I", head, 36)[0] > 0)
    )


def has_table(head: bytes) -> bool:
    """Whether the first sectors look like a partition table (MBR, GPT, Apple); the library decides in the end."""
    if head[512:520] == b"EFI PART" or head[4096:4104] == b"EFI PART":
        return True
    if head[:2] == b"ER" or head[512:514] == b"PM":
        return True
    if head[510:512] != b"\x55\xaa" or len(head) < 512:
        return False
    rows = [struct.unpack_from("<BxxxBxxxII", head, 446 + 16 * number) for number in range(4)]
    used = [row for row in rows if row[1] and row[3]]
    return bool(used) and all(row[0] in (0, 0x80) for row in rows)


def declared_size(head: bytes, kind: str) -> int | None:
    """Bytes the file system says it has; None where the first bytes do not tell."""
    if kind == "NTFS":
        return (int.from_bytes(head[40:48], "little") + 1) * int.from_bytes(head[11:13], "little")
    if kind == "FAT":
        small, large = int.from_bytes(head[19:21], "little"), int.from_bytes(head[32:36], "little")
        return (small or large) * int.from_bytes(head[11:13], "little")
    if kind == "exFAT":
        return int.from_bytes(head[72:80], "little") << min(head[108], 12)
    if kind == "ext":
        block = 1024 << int.from_bytes(head[1048:1052], "little")
        return int.from_bytes(head[1028:1032], "little") * block
    if kind == "HFS+":
        return int.from_bytes(head[1064:1068], "big") * int.from_bytes(head[1068:1072], "big")
    return None


def details(head: bytes, kind: str) -> dict[str, object]:
    """What the first bytes say of a file system: its exact kind, serial or UUID, label, sizes in bytes."""
    found: dict[str, object] = {}
    if kind == "NTFS" and len(head) >= 512:
        sector = int.from_bytes(head[11:13], "little")
        per = head[13] if head[13] <= 0x80 else 1 << (256 - head[13])
        found = {
            "sector_size": sector,
            "cluster_size": sector * per,
            "serial": f"{int.from_bytes(head[72:80], 'little'):016X}",
        }
    elif kind == "FAT" and len(head) >= 512:
        found = _fat_details(head)
    elif kind == "exFAT" and len(head) >= 512:
        number = int.from_bytes(head[100:104], "little")
        found = {
            "cluster_size": 1 << min(head[108] + head[109], 40),
            "serial": f"{number >> 16:04X}-{number & 0xFFFF:04X}",
        }
    elif kind == "ext" and len(head) >= 1024 + 256:
        found = _ext_details(head[1024:])
    elif kind == "HFS+" and len(head) >= 1536:
        found = {
            "file_system": "HFSX" if head[1024:1026] == b"HX" else "HFS+",
            "cluster_size": int.from_bytes(head[1064:1068], "big"),
            "serial": head[1128:1136].hex().upper(),
        }
    elif kind == "XFS" and len(head) >= 264:
        found = {
            "cluster_size": int.from_bytes(head[4:8], "big"),
            "uuid": _uuid(head[32:48]),
            "label": _label(head[108:120]),
        }
    elif kind == "ISO9660" and len(head) >= 32768 + 883:
        found = {"label": _label(head[32768 + 40 : 32768 + 72])}
    elif kind == "BitLocker" and len(head) >= 512:
        found = {}
    size = declared_size(head, kind)
    if size:
        found["declared_size"] = size
    return {name: value for name, value in found.items() if value not in ("", None)}


def _fat_details(head: bytes) -> dict[str, object]:
    sector, per_cluster, reserved, tables, roots = struct.unpack_from("<HBHBH", head, 11)
    small, large = int.from_bytes(head[19:21], "little"), int.from_bytes(head[32:36], "little")
    table = int.from_bytes(head[22:24], "little") or int.from_bytes(head[36:40], "little")
    root_sectors = -(-roots * 32 // max(sector, 1))
    clusters = max(0, (small or large) - reserved - tables * table - root_sectors) // max(per_cluster, 1)
    # the count of clusters alone decides (FAT specification 3.5), the text in the boot sector does not
    kind = "FAT12" if clusters < 4085 else "FAT16" if clusters < 65525 else "FAT32"
    if not int.from_bytes(head[22:24], "little") and not roots:
        kind = "FAT32"
    at = 67 if kind == "FAT32" else 39
    number = int.from_bytes(head[at : at + 4], "little")
    return {
        "file_system": kind,
        "sector_size": sector,
        "cluster_size": sector * per_cluster,
        "serial": f"{number >> 16:04X}-{number & 0xFFFF:04X}",
        "label": _label(head[at + 4 : at + 15]),
        "oem_name": _label(head[3:11]),
    }


def _ext_details(block: bytes) -> dict[str, object]:
    compatible, incompatible, read_only = struct.unpack_from("<III", block, 92)
    kind = "ext2"
    if compatible & 0x4:
        kind = "ext3"
    if incompatible & (0x40 | 0x80 | 0x200) or read_only & (0x8 | 0x10 | 0x20 | 0x40):
        kind = "ext4"
    found: dict[str, object] = {
        "file_system": kind,
        "cluster_size": 1024 << int.from_bytes(block[24:28], "little"),
        "uuid": _uuid(block[104:120]),
        "label": _label(block[120:136]),
        "last_mounted_at": _label(block[136:200]),
    }
    if incompatible & 0x10000:
        found["encryption"] = "fscrypt (some folders may be locked)"
    if incompatible & 0x4:
        found["needs_recovery"] = True
    return found


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if any(raw) else ""


def _label(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "backslashreplace").strip()
