"""What kind of file some bytes are, from a table of signatures of forensic interest; the name has no say.

Sources: the format documents of each kind (Microsoft Open Specifications, RFC 1952 and 8878, APPNOTE.TXT, POSIX pax,
ISO/IEC 14496-12, sqlite.org/fileformat2, libyal's format notes, source.android.com, Apple's open sources).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Mark = bytes | tuple[int, bytes]

# (type, extensions it commonly has, marks: bytes at offset 0 or (offset, bytes)); no extensions: any name will do.
TABLE: tuple[tuple[str, str, tuple[Mark, ...]], ...] = (
    # pictures
    ("JPEG", "jpg jpeg jpe jfif jif thm", (b"\xff\xd8\xff",)),
    ("PNG", "png apng", (b"\x89PNG\r\n\x1a\n",)),
    ("GIF", "gif", (b"GIF87a", b"GIF89a")),
    ("BMP", "bmp dib", (b"BM",)),
    ("TIFF", "tif tiff dng nef cr2 arw pef orf rw2 srw", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIU\0")),
    ("Photoshop picture", "psd psb", (b"8BPS",)),
    ("icon", "ico", (b"\0\0\1\0",)),
    ("cursor", "cur", (b"\0\0\2\0",)),
    ("JPEG XL", "jxl", (b"\0\0\0\x0cJXL \r\n\x87\n",)),
    ("JPEG 2000", "jp2 j2k jpx jpf", (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    ("metafile", "emf wmf", (b"\xd7\xcd\xc6\x9a", (40, b" EMF"))),
    ("DjVu", "djvu djv", (b"AT&TFORM",)),
    ("Fujifilm raw picture", "raf", (b"FUJIFILMCCD-RAW",)),
    # sound and moving pictures
    ("RIFF", "", (b"RIFF",)),
    ("ISO media", "", ((4, b"ftyp"),)),
    ("QuickTime movie", "mov qt mp4 m4v", ((4, b"moov"), (4, b"mdat"), (4, b"wide"))),
    ("Matroska", "mkv mka mks webm", (b"\x1a\x45\xdf\xa3",)),
    ("Windows Media", "wmv wma asf dvr-ms", (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",)),
    ("Flash video", "flv f4v", (b"FLV\1",)),
    ("MPEG video", "mpg mpeg vob m2p dat", (b"\0\0\1\xba", b"\0\0\1\xb3")),
    ("MP3", "mp3", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    ("AAC sound", "aac", (b"\xff\xf1", b"\xff\xf9")),
    ("AMR sound", "amr awb", (b"#!AMR",)),
    ("SILK sound", "silk slk aud", (b"#!SILK_V3", b"\x02#!SILK_V3")),
    ("Ogg", "ogg oga ogv opus spx", (b"OggS",)),
    ("FLAC", "flac", (b"fLaC",)),
    ("Core Audio", "caf", (b"caff\0\1",)),
    ("AIFF sound", "aif aiff aifc", (b"FORM",)),
    ("MIDI", "mid midi", (b"MThd",)),
    # documents
    ("PDF", "pdf ai fdf", (b"%PDF-",)),
    ("PostScript", "ps eps ai", (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    ("RTF", "rtf doc", (b"{\\rtf",)),
    (
        "OLE compound file",
        "doc dot xls xlt xlm xla ppt pps pot msg oft msi msp mst db automaticdestinations-ms vsd pub mpp suo wps hwp "
        "docx xlsx pptx docm xlsm pptm one onetoc2 wiz snt fpx max sch dat ost",
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    ),
    ("OneNote section", "one onetoc2", (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c")),
    ("Windows help", "chm", (b"ITSF",)),
    ("Access database", "mdb mde accdb accde", (b"\0\1\0\0Standard Jet DB", b"\0\1\0\0Standard ACE DB")),
    ("Mobipocket book", "mobi azw azw3 prc", ((60, b"BOOKMOBI"),)),
    # archives
    ("zip", "", (b"PK\3\4", b"PK\5\6", b"PK\7\x08")),
    ("gzip", "gz tgz svgz emz gzip asl adb", (b"\x1f\x8b\x08",)),
    ("bzip2", "bz2 tbz tbz2", (b"BZh",)),
    ("xz", "xz txz", (b"\xfd7zXZ\0",)),
    ("Zstandard", "zst tzst zstd", (b"\x28\xb5\x2f\xfd",)),
    ("LZ4", "lz4", (b"\x04\x22\x4d\x18",)),
    ("lzip", "lz", (b"LZIP\1",)),
    ("compress", "z", (b"\x1f\x9d",)),
    ("7-Zip", "7z", (b"7z\xbc\xaf\x27\x1c",)),
    ("RAR", "rar cbr r00", (b"Rar!\x1a\7\0", b"Rar!\x1a\7\1\0")),
    ("tar", "tar ova gem", ((257, b"ustar"),)),
    ("cabinet", "cab msu", (b"MSCF\0\0\0\0", b"ISc(")),
    ("LHA", "lzh lha", ((2, b"-lh"), (2, b"-lz"))),
    ("ARJ", "arj", (b"\x60\xea",)),
    ("ACE", "ace", ((7, b"**ACE**"),)),
    ("xar", "xar pkg safariextz", (b"xar!",)),
    ("cpio", "cpio", (b"070701", b"070702", b"070707", b"\xc7\x71", b"\x71\xc7")),
    ("Unix ar", "a deb lib udeb", (b"!<arch>\n",)),
    ("RPM", "rpm", (b"\xed\xab\xee\xdb",)),
    ("Windows image (WIM)", "wim esd swm", (b"MSWIM\0\0\0",)),
    ("Android backup", "ab", (b"ANDROID BACKUP\n",)),
    # programs
    ("MZ", "", (b"MZ",)),
    ("ELF", "", (b"\x7fELF",)),
    ("Mach-O", "", (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")),
    ("CAFEBABE", "", (b"\xca\xfe\xba\xbe",)),
    ("Dalvik executable", "dex", (b"dex\n03", b"dey\n03")),
    ("Android runtime file", "vdex odex oat art", (b"vdex", b"oat\n", b"art\n")),
    ("WebAssembly", "wasm", (b"\0asm",)),
    ("Flash", "swf", (b"FWS", b"CWS", b"ZWS")),
    ("debugging symbols", "pdb", (b"Microsoft C/C++ MSF 7.00",)),
    ("Android binary XML", "xml", (b"ABX\0", b"\3\0\x08\0")),
    # Windows
    ("Windows event log", "evtx", (b"ElfFile\0",)),
    ("Windows event log chunk", "", (b"ElfChnk\0",)),
    ("Windows event log (NT)", "evt", (b"\x30\0\0\0LfLe",)),
    ("registry hive", "dat hve hiv hive sav bak default sam security software system", (b"regf",)),
    ("registry transaction log", "log log1 log2", (b"HvLE", b"DIRT")),
    ("registry hive (Windows 9x)", "dat da0", (b"CREG",)),
    ("registry export", "reg txt", (b"REGEDIT4", b"Windows Registry Editor", b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i")),
    ("prefetch", "pf", (b"MAM\x04", (4, b"SCCA"))),
    ("Windows shortcut", "lnk", (b"\x4c\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",)),
    ("ESE database", "edb dat mdb sdb db jfm vol ds", ((4, b"\xef\xcd\xab\x89"),)),
    ("thumbnail cache", "db", (b"CMMM",)),
    ("thumbnail cache index", "db", (b"IMMM",)),
    ("Internet Explorer history", "dat", (b"Client UrlCache MMF",)),
    ("Outlook store", "pst ost pab nst", (b"!BDN",)),
    ("Outlook Express folder", "dbx", (b"\xcf\xad\x12\xfe",)),
    ("shim database", "sdb", ((8, b"sdbf"),)),
    ("NTFS file table", "", (b"FILE0\0", b"FILE*\0")),
    ("NTFS log", "", (b"RSTR\x1e\0",)),
    ("crash dump", "dmp mdmp", (b"PAGEDUMP", b"PAGEDU64", b"MDMP\x93\xa7")),
    ("hibernation file", "sys", (b"hibr", b"HIBR", b"wake", b"WAKE", b"RSTR\0\0")),
    ("Windows Defender detection", "", ((48, b"M\0a\0g\0i\0c\0.\0V\0e\0r\0s\0i\0o\0n"),)),
    ("Windows backup", "bkf", (b"TAPE",)),
    ("encoded script", "vbe jse", (b"#@~^",)),
    ("certificate store entry", "", ((4, b"\1\0\0\0\x14\0\0\0\1\0\0\0\x14\0\0\0"),)),
    # Apple
    ("binary property list", "", (b"bplist00", b"bplist15", b"bplist16")),
    ("Safari cookies", "binarycookies", (b"cook\0\0",)),
    ("Finder folder settings", "ds_store", (b"\0\0\0\1Bud1",)),
    ("FSEvents page", "", (b"1SLD", b"2SLD", b"3SLD")),
    ("Apple system log", "asl", (b"ASL DB\0",)),
    ("Unified log", "tracev3", (b"\0\x10\0\0\x11\0\0\0",)),
    ("Biome segment", "", (b"SEGB", (52, b"SEGB"))),
    ("macOS keychain", "keychain keychain-db", (b"kych",)),
    ("typed stream", "", (b"\x04\x0bstreamtyped", b"\x04\x0btypedstream")),
    ("Spotlight store", "db", (b"8tsd",)),
    # Linux
    ("systemd journal", "journal", (b"LPKSHHRH",)),
    ("locate database", "db", (b"\0mlocate", b"\0plocate")),
    # databases, browsers, applications
    ("SQLite 3", "", (b"SQLite format 3\0",)),
    ("SQLite write-ahead log", "", (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")),
    ("SQLite rollback journal", "", (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",)),
    ("Berkeley DB", "", ((12, b"\x62\x31\x05\0"), (12, b"\x61\x15\x06\0"), (12, b"\0\x05\x31\x62"))),
    ("Realm database", "realm", ((16, b"T-DB"),)),
    ("Chromium session", "", (b"SNSS",)),
    ("Chromium cache entry", "", (b"\x30\x5c\x72\xa7\x1b\x6d\xfb\xfc",)),
    ("Chromium cache", "", (b"\xc3\xca\x03\xc1", b"\xc3\xca\x04\xc1")),
    ("Mozilla compressed JSON", "", (b"mozLz40\0",)),
    ("Mork database", "", (b"// <!-- <mdb:mork",)),
    ("Java download index", "idx", (b"\0\0\0\0\x02\x5a", b"\0\0\0\0\x02\x5b", b"\0\0\0\0\x02\x5c", b"\0\0\0\0\x02\x5d")),
    ("Java object", "ser obj", (b"\xac\xed\0\5",)),
    ("torrent", "torrent", (b"d8:announce", b"d10:created by", b"d13:announce-list")),
    # keys and encrypted things
    ("KeePass database", "kdbx kdb", (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", b"\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5")),
    ("PEM", "pem key crt cer csr pub p7b asc ovpn txt", (b"-----BEGIN ",)),
    ("Java key store", "jks keystore", (b"\xfe\xed\xfe\xed\0\0\0",)),
    ("PuTTY key", "ppk", (b"PuTTY-User-Key-File",)),
    ("encrypted text (age, OpenSSL)", "", (b"age-encryption.org/v1", b"Salted__")),
    ("LUKS volume", "", (b"LUKS\xba\xbe",)),
    ("BitLocker volume", "", ((3, b"-FVE-FS-"),)),
    # disk images, file systems
    ("EnCase image", "e01 s01", (b"EVF\t\r\n\xff\0",)),
    ("EnCase image (Ex01)", "ex01", (b"EVF2\r\n\x81\0",)),
    ("EnCase logical image", "l01 lx01", (b"LVF\t\r\n\xff\0", b"LEF2\r\n\x81\0")),
    ("AFF image", "aff afd", (b"AFF10\r\n\0", b"AFF10\n\0")),
    ("AD1 image", "ad1", (b"ADSEGMENTEDFILE", b"ADLOGICALIMAGE")),
    ("VMDK", "vmdk", (b"KDMV", b"COWD", b"# Disk DescriptorFile")),
    ("VHD", "vhd avhd", (b"conectix",)),
    ("VHDX", "vhdx avhdx", (b"vhdxfile",)),
    ("QCOW", "qcow qcow2 img", (b"QFI\xfb",)),
    ("VirtualBox disk", "vdi", ((64, b"\x7f\x10\xda\xbe"),)),
    ("Apple sparse image", "sparseimage", (b"sprs",)),
    ("Apple encrypted image", "dmg sparsebundle", (b"encrcdsa",)),
    ("Android sparse image", "img simg", (b"\x3a\xff\x26\xed",)),
    ("Android boot image", "img", (b"ANDROID!",)),
    ("squashfs", "squashfs sfs snap img", (b"hsqs", b"sqsh")),
    ("memory image (LiME)", "", (b"EMiL", b"AVML")),
    ("NTFS volume", "", ((3, b"NTFS    "),)),
    ("exFAT volume", "", ((3, b"EXFAT   "),)),
    ("FAT volume", "", ((82, b"FAT32   "), (54, b"FAT16   "), (54, b"FAT12   "), (54, b"FAT     "))),
    ("GPT disk", "", ((512, b"EFI PART"), (4096, b"EFI PART"))),
    ("LVM volume", "", ((512, b"LABELONE"),)),
    ("HFS+ volume", "", ((1024, b"H+\0\4"), (1024, b"HX\0\5"))),
    ("APFS container", "", ((32, b"NXSB"),)),
    ("XFS volume", "", (b"XFSB\0\0",)),
    ("F2FS volume", "", ((1024, b"\x10\x20\xf5\xf2"),)),
    ("ext volume", "", ((1080, b"\x53\xef"),)),
    # network, mail
    ("pcap", "pcap cap dmp", (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")),
    ("pcapng", "pcapng pcap ntar", (b"\n\r\r\n",)),
    ("network capture (snoop, NetMon)", "cap snoop", (b"snoop\0\0\0", b"GMBU")),
    ("mailbox (mbox)", "", (b"From ",)),
    # last: marks that many other formats carry as well
    ("disk (MBR)", "", ((510, b"\x55\xaa"),)),
)

_EXTRA: dict[str, str] = {  # types that only the functions below name
    "Word document": "docx docm dotx dotm",
    "Excel workbook": "xlsx xlsm xltx xlsb xltm xlam",
    "PowerPoint presentation": "pptx pptm ppsx potx ppsm potm",
    "OpenDocument": "odt ods odp odg odf ott ots otp odb",
    "EPUB book": "epub",
    "Android package": "apk apks apex jar",
    "Java archive": "jar war ear apk aar xpi",
    "PE executable": "exe scr com cpl pif sys efi ocx ax tmp drv mui",
    "PE library": "dll ocx cpl ax drv sys mui tsp acm ime rll node pyd winmd exe efi olb tlb fon xll ds flt iec rs",
    "MS-DOS executable": "exe com sys drv ovl dll",
    "Java class": "class",
    "WAVE sound": "wav wave",
    "AVI": "avi divx",
    "WebP": "webp",
    "cursor (animated)": "ani",
    "HEIF picture": "heic heif hif heics avif avci",
    "MPEG-4": "mp4 m4v m4a m4b m4r m4p 3gp 3g2 mov f4v crdownload part dat",
    "Canon raw picture": "cr3",
    "XML property list": "plist xml mobileconfig strings entitlements",
}

ANY_NAME = frozenset("zip RIFF MZ CAFEBABE".split())
TEXTS = frozenset("text|text (UTF-16)|JSON|XML|HTML|script|e-mail|SVG".split("|"))

_OFFSETS: list[tuple[int, int, dict[bytes, str]]] = []
_EXTENSIONS: dict[str, frozenset[str]] = {}


def _marks() -> Iterator[tuple[int, bytes, str]]:
    for kind, extensions, marks in TABLE:
        if extensions:
            _EXTENSIONS[kind] = frozenset(extensions.split())
        for mark in marks:
            offset, text = (0, mark) if isinstance(mark, bytes) else mark
            yield offset, text, kind


def _build() -> None:
    groups: dict[tuple[int, int], dict[bytes, str]] = {}
    for offset, text, kind in _marks():
        groups.setdefault((offset, len(text)), {})[text] = kind
    first = sorted((key for key in groups if key[0] == 0), key=lambda key: -key[1])  # the longest mark wins
    rest = [key for key in groups if key[0]]  # as the table has them: the weak ones last
    _OFFSETS.extend((offset, offset + length, groups[offset, length]) for offset, length in first + rest)
    _EXTENSIONS.update({kind: frozenset(names.split()) for kind, names in _EXTRA.items()})


_build()
SIGNATURES = sum(len(group) for _, _, group in _OFFSETS)
# Extensions whose files carry a signature of their own: text under such a name is out of place.
_SIGNED = frozenset(extension for names in _EXTENSIONS.values() for extension in names) - frozenset(
    "dat db log txt bak tmp img reg pub key pem asc doc one ai ps eps cap dmp z a lib part crdownload idx ds rs sys com "
    "default system software sam security sav ser obj map xml plist strings cer crt csr aud max sch node gem svgz db-wal "
    "hive vol mobileconfig entitlements ovpn torrent adb art fon map".split()
)


def tar_checksum(head: bytes) -> bool:
    """Whether a tar header's checksum holds (sum of 512 bytes, its own field taken as spaces; POSIX pax, v7 alike)."""
    if len(head) < 512 or not head[0]:
        return False
    field = head[148:156].strip(b" \0")
    if not 1 <= len(field) <= 7 or field.strip(b"01234567"):
        return False
    stored = int(field, 8)
    block = head[:148] + b" " * 8 + head[156:512]
    return stored in (sum(block), sum(block) - 256 * sum(1 for byte in block if byte > 127))  # old tars summed signed bytes


def _zip(head: bytes, size: int) -> str | None:
    if head[30:38] == b"mimetype":
        if b"application/epub" in head[38:70]:
            return "EPUB book"
        return "OpenDocument" if b"opendocument" in head[38:90] else "zip"
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        for mark, kind in ((b"word/", "Word document"), (b"xl/", "Excel workbook"), (b"ppt/", "PowerPoint presentation")):
            if mark in head:
                return kind
    if b"AndroidManifest.xml" in head[:4096]:
        return "Android package"
    return "Java archive" if head[30:39] == b"META-INF/" else "zip"


def _mz(head: bytes, size: int) -> str | None:
    if len(head) < 64:
        return None
    at = int.from_bytes(head[60:64], "little")
    if head[at : at + 4] == b"PE\0\0" and len(head) >= at + 24:
        return "PE library" if int.from_bytes(head[at + 22 : at + 24], "little") & 0x2000 else "PE executable"
    if at + 4 > len(head) and at < size:
        return "PE executable"  # its header lies past the bytes we see
    return "MS-DOS executable"


def _riff(head: bytes, size: int) -> str | None:
    forms = {b"WAVE": "WAVE sound", b"AVI ": "AVI", b"WEBP": "WebP", b"ACON": "cursor (animated)"}
    return forms.get(head[8:12], "RIFF")


def _iso_media(head: bytes, size: int) -> str | None:
    brand = head[8:12]
    if brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"heif"):
        return "HEIF picture"
    return {b"qt  ": "QuickTime movie", b"crx ": "Canon raw picture"}.get(brand, "MPEG-4")


def _cafebabe(head: bytes, size: int) -> str | None:
    # a universal binary counts its architectures where a class has its version, 45 or more
    return "Java class" if int.from_bytes(head[4:8], "big") & 0xFFFF >= 43 else "Mach-O"


def _bmp(head: bytes, size: int) -> str | None:
    known = int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)
    return "BMP" if known and head[6:10] == b"\0\0\0\0" else None


def _icon(head: bytes, size: int) -> str | None:
    count = int.from_bytes(head[4:6], "little")
    return ("icon" if head[2] == 1 else "cursor") if 0 < count < 256 and len(head) > 21 and head[9] == 0 else None


def _mbr(head: bytes, size: int) -> str | None:
    entries = [head[446 + 16 * n : 462 + 16 * n] for n in range(4)]
    plausible = all(entry[0] in (0, 0x80) for entry in entries) and any(entry[4] for entry in entries)
    return "disk (MBR)" if plausible else "boot sector"


def _mpeg_sound(head: bytes, size: int) -> str | None:
    if head[:3] == b"ID3":
        return "MP3"
    return "MP3" if len(head) > 3 and head[2] & 0xF0 not in (0, 0xF0) and head[2] & 0x0C != 0x0C else None


def _mbox(head: bytes, size: int) -> str | None:
    return "mailbox (mbox)" if MBOX.match(head) else None


MBOX = re.compile(rb"From [^\r\n]{0,200}?(?:\d\d:\d\d|\b\d{4})[^\r\n]{0,40}\r?\n")
MAIL = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|X-Original-To|Message-I[Dd]|MIME-Version|X-Apparently-To|X-Gmail-Labels|"
    rb"DKIM-Signature|ARC-Seal|X-Mozilla-Status|X-Account-Key|From|To|Date|Subject|X-[A-Za-z-]+): ?[^\r\n]*\r?\n"
    rb"(?:[A-Za-z-]+: ?[^\r\n]*\r?\n|[ \t][^\r\n]*\r?\n){1,400}?(?:From|Date|Subject|To|Message-I[Dd]|MIME-Version): ?",
)
JSON = re.compile(rb'\s*[\[{]\s*(?:["\[{\]}]|-?\d|true|false|null)')
_CONTROL = bytes(range(9)) + b"\x0b\x0e\x0f" + bytes(range(16, 27)) + bytes(range(28, 32)) + b"\x7f"
_PLAIN = bytes(range(9, 14)) + b"\x1b" + bytes(range(32, 127))


def _bzip2(head: bytes, size: int) -> str | None:
    return "bzip2" if head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90") else None


def _arj(head: bytes, size: int) -> str | None:
    return "ARJ" if 30 <= int.from_bytes(head[2:4], "little") <= 2600 and len(head) > 10 and head[10] <= 2 else None


def _ext(head: bytes, size: int) -> str | None:
    return "ext volume" if int.from_bytes(head[1048:1052], "little") <= 6 else None  # its block size is 1 KiB << n


_REFINE: dict[str, Callable[[bytes, int], str | None]] = {
    "zip": _zip, "MZ": _mz, "RIFF": _riff, "ISO media": _iso_media, "CAFEBABE": _cafebabe, "BMP": _bmp, "icon": _icon,
    "cursor": _icon, "disk (MBR)": _mbr, "MP3": _mpeg_sound, "mailbox (mbox)": _mbox, "bzip2": _bzip2, "ARJ": _arj,
    "ext volume": _ext,
}  # fmt: skip


def _text(head: bytes) -> str | None:
    sample = head[:2048]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff") and len(sample) > 3:
        return "text (UTF-16)"
    if sample.translate(None, _CONTROL) != sample:
        even = sample[: len(sample) & ~1]
        wide = len(even) >= 8 and even[1::2].count(0) * 10 >= len(even) * 4 and not even[::2].translate(None, _PLAIN)
        return "text (UTF-16)" if wide else None
    strange = len(sample.translate(None, _PLAIN))
    if strange * 4 > len(sample):
        try:
            sample[:-4].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 8:
                return None
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n")[:512]
    low = start[:64].lower()
    if low.startswith(b"<?xml") or low.startswith(b"<!doctype plist") or low.startswith(b"<plist"):
        if b"<plist" in sample or b"<!DOCTYPE plist" in sample:
            return "XML property list"
        return "SVG" if b"<svg" in sample else "XML"
    if low.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "HTML"
    if low.startswith(b"<svg"):
        return "SVG"
    if low.startswith(b"#!") and b"/" in low:
        return "script"
    if MBOX.match(start):
        return "mailbox (mbox)"
    if JSON.match(start):
        return "JSON"
    return "e-mail" if MAIL.match(sample) else "text"


def file_type(head: bytes, path: str = "", size: int = -1) -> str | None:
    """A short name of the content's type (`PE executable`, `SQLite 3`, `text`), from its first 8 KiB; None if unknown.

    `path` is not asked: a type is what the bytes are. `size` in bytes, -1 where it is not known.
    """
    if not head:
        return None
    if size < 0:
        size = len(head)
    for start, end, group in _OFFSETS:
        kind = group.get(head[start:end])
        if kind is not None:
            refine = _REFINE.get(kind)
            if refine is not None:
                kind = refine(head, size)
            if kind is not None:
                return kind
    if tar_checksum(head):
        return "tar"
    return _text(head)


def extension_mismatch(kind: str | None, path: str) -> bool:
    """Whether a name's extension belongs to other content than this type (`photo.jpg` that is a zip).

    Only known extensions on known types are judged: False says "not seen", never "in order".
    """
    name = path.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower()
    if kind is None or not dot or not stem or not extension:
        return False
    if kind in TEXTS:
        return extension in _SIGNED
    expected = _EXTENSIONS.get(kind)
    if expected is None:
        return extension in _PICTURES or (extension in _DOCUMENTS and kind not in ANY_NAME)
    return extension not in expected and (extension in _SIGNED or (extension in _PLAIN_NAMES and kind in _STRONG))


_PICTURES = frozenset("jpg jpeg png gif bmp tif tiff heic webp pdf mp3 mp4 mov avi".split())
_DOCUMENTS = frozenset("doc docx xls xlsx ppt pptx exe dll lnk evtx".split())
_PLAIN_NAMES = frozenset("txt log csv xml json htm html ini".split())
_STRONG = frozenset(
    "JPEG|PNG|PDF|PE executable|PE library|ELF|7-Zip|RAR|OLE compound file|HEIF picture|MPEG-4|KeePass database".split("|")
)
