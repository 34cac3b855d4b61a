"""Small media built byte by byte: FAT16 volumes, partition tables, E01 files, ISO 9660, LUKS1."""

from __future__ import annotations

import hashlib
import struct
import zlib

SECTOR = 512
DATE, CLOCK = (2024 - 1980) << 9 | 3 << 5 | 5, 10 << 11 | 20 << 5 | 15  # 2024-03-05 10:20:30


class Fat16:
    """A FAT16 volume of 4 MiB with clusters of one sector: files and folders added to the root or to a folder."""

    RESERVED, TABLE, ROOTS, TOTAL = 1, 32, 128, 8192

    def __init__(self, label: bytes = b"TESTVOL") -> None:
        self.data = bytearray(self.TOTAL * SECTOR)
        boot = struct.pack(
            "<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"MSDOS5.0",
            SECTOR, 1, self.RESERVED, 2, self.ROOTS, self.TOTAL, 0xF8,
            self.TABLE, 32, 2, 0, 0,
        ) + struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x12345678, label.ljust(11), b"FAT16   ")  # fmt: skip
        self.data[: len(boot)] = boot
        self.data[510:512] = b"\x55\xaa"
        self.root = (self.RESERVED + 2 * self.TABLE) * SECTOR
        self.first = self.root + self.ROOTS * 32
        self.next = 2
        self.set(0, 0xFFF8)
        self.set(1, 0xFFFF)
        self.slots: dict[int, int] = {0: 0}
        self.slot(0, label.ljust(11), 0x08, 0, 0)

    def set(self, cluster: int, value: int) -> None:
        """Write one entry of both tables."""
        for table in range(2):
            at = (self.RESERVED + table * self.TABLE) * SECTOR + cluster * 2
            self.data[at : at + 2] = struct.pack("<H", value)

    def place(self, cluster: int) -> int:
        """Byte offset of a cluster."""
        return self.first + (cluster - 2) * SECTOR

    def slot(self, folder: int, name: bytes, attributes: int, cluster: int, size: int) -> int:
        """Add a directory entry to the folder that begins at a cluster (0: root); its byte offset."""
        at = (self.place(folder) if folder else self.root) + self.slots[folder] * 32
        self.slots[folder] += 1
        self.data[at : at + 32] = struct.pack(
            "<11sBBBHHHHHHHI", name, attributes, 0, 50, CLOCK, DATE, DATE, 0, CLOCK, DATE, cluster, size
        )
        return at

    def content(self, raw: bytes) -> int:
        """Write content into the next clusters, chained; its first cluster."""
        count = max(1, -(-len(raw) // SECTOR))
        first = self.next
        self.next += count
        for number in range(first, first + count):
            self.set(number, number + 1 if number < first + count - 1 else 0xFFFF)
        self.data[self.place(first) : self.place(first) + len(raw)] = raw
        return first

    def file(self, name: bytes, raw: bytes, folder: int = 0) -> int:
        """Add a file; the byte offset of its entry."""
        return self.slot(folder, name, 0x20, self.content(raw), len(raw))

    def folder(self, name: bytes, parent: int = 0) -> tuple[int, int]:
        """Add a folder: (its cluster, byte offset of its entry)."""
        cluster = self.content(bytes(SECTOR))
        at = self.slot(parent, name, 0x10, cluster, 0)
        self.slots[cluster] = 0
        self.slot(cluster, b".          ", 0x10, cluster, 0)
        self.slot(cluster, b"..         ", 0x10, parent, 0)
        return cluster, at

    def delete(self, at: int) -> None:
        """Delete an entry as DOS does: first byte of the name and the chain are erased."""
        cluster = int.from_bytes(self.data[at + 26 : at + 28], "little")
        count = max(1, -(-int.from_bytes(self.data[at + 28 : at + 32], "little") // SECTOR))
        self.data[at] = 0xE5
        for number in range(cluster, cluster + count):
            self.set(number, 0)


def mbr(*volumes: bytes) -> bytes:
    """A disk with a partition for each volume, one MiB apart."""
    rows, body, start = b"", b"", 2048
    for volume in volumes:
        sectors = len(volume) // SECTOR
        rows += struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x06, b"\0\0\0", start, sectors)
        body += volume.ljust(-(-sectors // 2048) * 2048 * SECTOR, b"\0")
        start += -(-sectors // 2048) * 2048
    head = bytes(440) + struct.pack("<I", 0xCAFEBABE) + b"\0\0" + rows.ljust(64, b"\0") + b"\x55\xaa"
    return head.ljust(2048 * SECTOR, b"\0") + body


def gpt(volume: bytes, name: str) -> bytes:
    """A disk with one GPT partition of Microsoft basic data."""
    sectors = len(volume) // SECTOR
    kind = bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")
    entry = (
        kind
        + bytes(range(16))
        + struct.pack("<QQQ", 2048, 2047 + sectors, 0)
        + name.encode("utf-16-le").ljust(72, b"\0")
    )
    entries = entry.ljust(128 * 128, b"\0")
    total = 2048 + sectors + 64

    def header(own: int, other: int, table: int) -> bytes:
        raw = struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, total - 34, bytes(range(16, 32)),
            table,
            128, 128, zlib.crc32(entries),
        )  # fmt: skip
        return (raw[:16] + struct.pack("<I", zlib.crc32(raw)) + raw[20:]).ljust(SECTOR, b"\0")

    protective = bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\0\0", 0xEE, b"\0\0\0", 1, total - 1)
    head = protective.ljust(510, b"\0") + b"\x55\xaa" + header(1, total - 1, 2) + entries
    tail = entries + header(total - 1, 1, total - 33)
    disk = head.ljust(2048 * SECTOR, b"\0") + volume
    return disk.ljust(total * SECTOR - len(tail), b"\0") + tail


def _section(name: bytes, place: int, body: bytes, *, last: bool = False) -> bytes:
    size = 76 + len(body)
    head = struct.pack("<16sQQ40x", name, place if last else place + size, 76 if last else size)
    return head + struct.pack("<I", zlib.adler32(head)) + body


def ewf(
    media: bytes, *, segments: int = 1, notes: str = "made by a test", errors: tuple[tuple[int, int], ...] = (),
    tree: bytes = b"",
) -> list[bytes]:  # fmt: skip
    """The files of an E01 image with chunks of 32 KiB, every second one stored uncompressed; `errors`: sectors not read.

    With a `tree` those of a logical evidence file.
    """
    chunk = 32768
    chunks = [media[at : at + chunk] for at in range(0, len(media), chunk)]
    share = -(-len(chunks) // segments)
    files = []
    for number in range(segments):
        file = (b"LVF" if tree else b"EVF") + b"\x09\x0d\x0a\xff\x00\x01" + struct.pack("<HH", number + 1, 0)
        if number == 0:
            names = "c\tn\ta\te\tt\tav\tov\tm\tu"
            values = f"CASE-7\tEV-1\ttest disk\ttester\t{notes}\t1\tLinux\t1700000000\t1700000000"
            text = f"1\nmain\n{names}\n{values}\n\n"
            file += _section(b"header2", len(file), zlib.compress(text.encode("utf-16")))
            volume = struct.pack("<B3xIIIQ", 1, len(chunks), chunk // SECTOR, SECTOR, len(media) // SECTOR)
            volume = volume.ljust(1048, b"\0")
            file += _section(b"volume", len(file), volume + struct.pack("<I", zlib.adler32(volume)))
        body, offsets, start = b"", [], len(file) + 76
        for index, raw in enumerate(chunks[number * share : (number + 1) * share]):
            packed = index % 2 == 0
            offsets.append(start + len(body) | (0x80000000 if packed else 0))
            body += zlib.compress(raw) if packed else raw + struct.pack("<I", zlib.adler32(raw))
        file += _section(b"sectors", len(file), body)
        head = struct.pack("<I4xQ4x", len(offsets), 0)
        entries = struct.pack(f"<{len(offsets)}I", *offsets)
        table = head + struct.pack("<I", zlib.adler32(head)) + entries + struct.pack("<I", zlib.adler32(entries))
        file += _section(b"table", len(file), table)
        file += _section(b"table2", len(file), table)
        if number == segments - 1 and tree:
            head = hashlib.md5(tree).digest() + struct.pack("<Q", len(tree))
            check = struct.pack("<I", zlib.adler32(head + bytes(24)))
            file += _section(b"ltree", len(file), head + check + bytes(20) + tree)
        if number == segments - 1 and errors:
            head = struct.pack("<I", len(errors)) + bytes(512)
            rows = b"".join(struct.pack("<II", *row) for row in errors)
            body = head + struct.pack("<I", zlib.adler32(head)) + rows + struct.pack("<I", zlib.adler32(rows))
            file += _section(b"error2", len(file), body)
        if number == segments - 1:
            digest = hashlib.md5(media).digest()
            file += _section(
                b"hash", len(file), digest + bytes(16) + struct.pack("<I", zlib.adler32(digest + bytes(16)))
            )
        file += _section(b"done" if number == segments - 1 else b"next", len(file), b"", last=True)
        files.append(file)
    return files


def iso(files: dict[bytes, bytes]) -> bytes:
    """An ISO 9660 image with files in its root folder."""
    size = 2048

    def both(number: int, width: int) -> bytes:
        return number.to_bytes(width, "little") + number.to_bytes(width, "big")

    def record(name: bytes, place: int, length: int, flags: int = 0) -> bytes:
        body = b"\0" + both(place, 4) + both(length, 4) + bytes((124, 1, 2, 3, 4, 5, 0, flags, 0, 0)) + both(1, 2)
        body += bytes((len(name),)) + name + (b"" if len(name) % 2 else b"\0")
        return bytes((len(body) + 1,)) + body

    root, place, data = record(b"\0", 20, size, 2), 21, b""
    records = root + record(b"\1", 20, size, 2)
    for name, raw in files.items():
        records += record(name, place, len(raw))
        data += raw.ljust(-(-len(raw) // size) * size, b"\0")
        place += -(-len(raw) // size)
    head = b"\1CD001\1\0" + b"LINUX".ljust(32) + b"TESTDISC".ljust(32) + bytes(8) + both(place, 4) + bytes(32)
    head += (
        both(1, 2) + both(1, 2) + both(size, 2) + both(10, 4) + struct.pack("<II", 18, 0) + struct.pack(">II", 19, 0)
    )
    head = (head + root[:34]).ljust(813, b" ") + b"2020010203040500\0" * 2 + b"0" * 16 + b"\0" + b"0" * 16 + b"\0\1\0"
    table = b"\1\0" + struct.pack("<IH", 20, 1) + b"\0\0"
    backwards = b"\1\0" + struct.pack(">IH", 20, 1) + b"\0\0"
    blocks = [head, b"\xffCD001\1", table, backwards, records]
    return bytes(16 * size) + b"".join(block.ljust(size, b"\0") for block in blocks) + data


def luks1(payload: bytes, passphrase: bytes) -> bytes:
    """A LUKS1 volume, AES-XTS plain64 of 512 bits, SHA-256, one key slot with few iterations."""
    import pycaes

    key, salt, stripes = bytes(range(64)), b"s" * 32, 4000
    encrypt = pycaes.crypt_modes.ENCRYPT

    def sealed(secret: bytes, data: bytes) -> bytes:
        context = pycaes.tweaked_context()
        context.set_keys(encrypt, secret[:32], secret[32:])
        return b"".join(
            pycaes.crypt_xts(context, encrypt, struct.pack("<Q8x", number), data[number * 512 : number * 512 + 512])
            for number in range(len(data) // 512)
        )

    # all stripes but the last are zero: the last one is the key mixed with what they spread to
    joined = bytes(64)
    for _ in range(stripes - 1):
        joined = b"".join(
            hashlib.sha256(struct.pack(">I", part) + joined[part * 32 : part * 32 + 32]).digest() for part in range(2)
        )
    last = bytes(left ^ right for left, right in zip(joined, key, strict=True))
    split = bytes(64 * (stripes - 1)) + last
    start = 4096
    payload_sector = (start + len(split)) // 512 + 1
    digest = hashlib.pbkdf2_hmac("sha256", key, salt, 10, 20)
    head = b"LUKS\xba\xbe" + struct.pack(">H32s32s32sII", 1, b"aes", b"xts-plain64", b"sha256", payload_sector, 64)
    head += digest + salt + struct.pack(">I40s", 10, b"11111111-2222-3333-4444-555555555555")
    head += struct.pack(">II32sII", 0x00AC71F3, 20, salt, start // 512, stripes)
    for _ in range(7):
        head += struct.pack(">II32sII", 0x0000DEAD, 0, bytes(32), 0, 0)
    area = sealed(hashlib.pbkdf2_hmac("sha256", passphrase, salt, 20, 64), split)
    return (head.ljust(start, b"\0") + area).ljust(payload_sector * 512, b"\0") + sealed(key, payload)


def vdi(media: bytes, *, kind: int = 1, block: int = 65536, extra: int = 0, reverse: bool = True) -> bytes:
    """A VirtualBox image (1 dynamic, 2 fixed, 4 differencing); blocks of zeros are left out, the others stand in reverse."""
    blocks = [media[at : at + block].ljust(block, b"\0") for at in range(0, len(media), block)]
    stored = [number for number, raw in enumerate(blocks) if kind == 2 or any(raw)]
    if reverse:
        stored.reverse()
    places = [stored.index(number) if number in stored else 0xFFFFFFFF for number in range(len(blocks))]
    data_at = 1024 + -(-4 * len(blocks) // 512) * 512
    head = (
        b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe" + struct.pack("<HH", 1, 1)
    )
    head += struct.pack("<III256sII", 400, kind, 0, b"a comment", 1024, data_at) + bytes(20)
    head += struct.pack("<QIIII", len(media), block, extra, len(blocks), len(stored))
    head += bytes(range(16)) + bytes(16) + b"P" * 16 + bytes(16)
    body = b"".join(b"E" * extra + blocks[number] for number in stored)
    return (head.ljust(1024, b"\0") + struct.pack(f"<{len(places)}I", *places)).ljust(data_at, b"\0") + body


def l01_tree(files: dict[str, bytes], folder: str = "Evidence") -> tuple[bytes, bytes]:
    """The content of a logical evidence file and its list: one folder with files, as EnCase 6 writes them."""
    names = ["p", "n", "id", "opr", "ls", "cr", "ac", "wr", "ha", "be"]
    rows, content = [], b""
    for number, (name, raw) in enumerate(files.items(), 3):
        place = f"1 {len(content):x} {len(raw):x}" if raw else ""
        values = [
            "",
            name,
            str(number),
            "0",
            str(len(raw)),
            "1600000000",
            "",
            "1600000001",
            hashlib.md5(raw).hexdigest(),
            place,
        ]
        rows += ["26\t0", "\t".join(values)]
        content += raw
    top = ["26\t1", "\t".join(["1", "", "1", "0", "", "", "", "", "", ""])]
    inner = [f"26\t{len(files)}", "\t".join(["1", folder, "2", "0", "", "", "", "", "", ""])]
    others: list[str] = []
    for category, columns in (
        ("perm", "p n s pr nta nti nts"),
        ("srce", "p n id ev tb lo po ah gu aq"),
        ("sub", "p n id nu co gu"),
    ):
        types = columns.split()
        values = "\t".join("10" if name == "pr" else "" for name in types)  # 10: a group of permissions
        others += [category, "0\t1", "\t".join(types), "0\t0", values, ""]
    rec = ["5", "rec", "tb\tcl", f"{len(content)}\t1", ""]
    lines = [*rec, *others, "entry", "26\t1", "\t".join(names), *top, *inner, *rows, "", ""]
    return content, "\n".join(lines).encode("utf-16-le")


def ad1(files: dict[str, bytes], *, segments: int = 1, chunk: int = 4096, version: int = 4) -> list[bytes]:
    """The segments of an FTK logical image: a folder with files, each with times and hashes, as public readers have it."""
    body = bytearray(b"ADLOGICALIMAGE\0\0" + struct.pack("<III", version, 1, chunk) + bytes(8))
    body += struct.pack("<QI", 0, 6) + bytes(44) + b"source"

    def attributes(rows: list[tuple[int, int, str]]) -> int:
        first = last = 0
        for category, key, text in rows:
            at = len(body)
            body.extend(struct.pack("<QIII", 0, category, key, len(text)) + text.encode())
            if last:
                struct.pack_into("<Q", body, last, at)
            first, last = first or at, at
        return first

    def item(
        name: str, kind: int, content: int = 0, size: int = 0, rows: list[tuple[int, int, str]] | None = None
    ) -> int:
        chain = attributes(rows or [])
        at = len(body)
        raw = name.encode()
        body.extend(struct.pack("<5QII", 0, 0, chain, content, size, kind, len(raw)) + raw + bytes(8))
        return at

    folder = item("C:", 5, rows=[(3, 0x09, "20200913T122640")])
    struct.pack_into("<Q", body, 36, folder)
    before, place = folder, 8  # the first file is the folder's child, the others are one another's next
    for name, raw in files.items():
        chunks = [zlib.compress(raw[at : at + chunk]) for at in range(0, len(raw), chunk)]
        content, table = len(body), 8 * (len(chunks) + 2)
        if raw:
            ends = [content + table + sum(map(len, chunks[:number])) for number in range(len(chunks) + 1)]
            body.extend(struct.pack(f"<Q{len(ends)}Q", len(chunks), *ends) + b"".join(chunks))
        digest = hashlib.md5(raw).hexdigest()
        rows = [
            (1, 0x5001, digest),
            (5, 0x09, "20200913T122640.123456"),
            (5, 0x08, "20190314T031653"),
            (2, 0x2001, "-rw-r--r--"),
        ]
        made = item(name, 0, content if raw else 0, len(raw), rows)
        struct.pack_into("<Q", body, before + place, made)
        before, place = made, 0
    share = -(-len(body) // segments)
    found = []
    for number in range(segments):
        head = b"ADSEGMENTEDFILE\0" + bytes(8) + struct.pack("<IIQI", number + 1, segments, 0, 512)
        found.append(head.ljust(512, b"\0") + bytes(body[number * share : (number + 1) * share]))
    return found
