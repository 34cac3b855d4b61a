"""Small mail files made from scratch: transfer form, compound files of Outlook, TNEF, Outlook Express folders."""

from __future__ import annotations

import base64
import struct
from typing import Any

CRLF = "\r\n"


def part(headers: dict[str, str], body: bytes, encoding: str = "base64") -> bytes:
    """One MIME part in base64."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if encoding == "base64":
        lines.append("Content-Transfer-Encoding: base64")
        body = b"\r\n".join(base64.b64encode(body[at : at + 57]) for at in range(0, len(body), 57))
    return CRLF.join(lines).encode("utf-8") + b"\r\n\r\n" + body


def multipart(boundary: str, *parts: bytes) -> bytes:
    """Parts between boundaries, with preamble and epilogue."""
    inside = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    return b"This is a message in MIME format.\r\n" + inside + b"--" + boundary.encode() + b"--\r\nafter the end\r\n"


def message(headers: dict[str, str] | list[tuple[str, str]], body: bytes) -> bytes:
    """A message in transfer form."""
    items = headers.items() if isinstance(headers, dict) else headers
    return "".join(f"{name}: {value}\r\n" for name, value in items).encode("utf-8") + b"\r\n" + body


PROGRAM = b"MZ" + bytes(range(256)) * 3
HEADERS = [
    ("Return-Path", "<bounce@mailer.example>"),
    ("Received", "from relay.example (relay.example [192.0.2.7]) by mx.corp.example with ESMTPS id A1"
     "\r\n\tfor <bob@corp.example>; Tue, 05 Mar 2024 11:02:09 +0100"),
    ("Received", "from [198.51.100.23] (helo=laptop) by relay.example with esmtpa; Tue, 5 Mar 2024 05:02:01 -0500"),
    ("Authentication-Results", "mx.corp.example; spf=softfail smtp.mailfrom=mailer.example; dkim=none; dmarc=fail"),
    ("Date", "Tue, 05 Mar 2024 05:01:58 -0500"),
    ("From", "=?utf-8?q?J=C3=BCrgen_Chef_=28chef=40corp=2Eexample=29?= <x7@mailer.example>"),
    ("Reply-To", "chef.corp@elsewhere.example"),
    ("To", '"Bob, B." <bob@corp.example>, team: ann@corp.example, cy@corp.example;'),
    ("Cc", "dora@gmail.com"),
    ("Subject", "=?iso-8859-1?Q?Rechnung_f=FCr_M=E4rz?="),
    ("Message-ID", "<m1@mailer.example>"),
    ("In-Reply-To", "<m0@corp.example>"),
    ("References", "<m-1@corp.example> <m0@corp.example>"),
    ("X-Mailer", "PHPMailer 6"),
    ("X-Originating-IP", "[203.0.113.9]"),
    ("MIME-Version", "1.0"),
]  # fmt: skip


def rich() -> bytes:
    """A message with plain and HTML body, a program with two extensions, and a message inside."""
    inner = message(
        {"From": "cy@corp.example", "To": "bob@corp.example", "Subject": "inner", "Date": "Mon, 4 Mar 2024 09:00:00 +0000",
         "MIME-Version": "1.0", "Content-Type": 'multipart/mixed; boundary="in"'},
        multipart("in", part({"Content-Type": "text/plain"}, b"inner text", "7bit"),
                  part({"Content-Type": "text/plain; name=deep.txt", "Content-Disposition": "attachment"}, b"deep content")),
    )  # fmt: skip
    body = multipart(
        "o=ut",
        part({"Content-Type": 'multipart/alternative; boundary="alt"'}, multipart(
            "alt",
            part({"Content-Type": "text/plain; charset=utf-8"}, "Grüße aus dem Büro".encode()),
            part({"Content-Type": "text/html; charset=utf-8"},
                 b"<html><style>p{}</style><p>Gr&uuml;&szlig;e</p><a href='https://evil.example/x?a=1&amp;b=2'>bank</a></html>"),
        ), "7bit"),
        part({"Content-Type": "application/octet-stream",
              "Content-Disposition": "attachment; filename*0*=utf-8''Rechnung%20; filename*1=\"M.pdf.exe\"",
              "Content-ID": "<cid1@x>"}, PROGRAM),
        part({"Content-Type": "message/rfc822"}, inner, "7bit"),
    )  # fmt: skip
    return message([*HEADERS, ("Content-Type", 'multipart/mixed; boundary="o=ut"')], body)


def plain(subject: str, text: str = "text", **more: str) -> bytes:
    """A short message with LF line ends."""
    headers = {"From": "a@corp.example", "To": "b@corp.example", "Subject": subject,
               "Date": "Wed, 6 Mar 2024 10:00:00 +0100", "Message-ID": f"<{subject}@x>"} | {
        name.replace("_", "-"): value for name, value in more.items()}  # fmt: skip
    return message(headers, text.encode()).replace(b"\r\n", b"\n")


def mbox(*messages: bytes, sender: str = "a@corp.example") -> bytes:
    """An mbox."""
    line = f"From {sender} Wed Mar 06 10:00:01 2024\n".encode()
    return b"\n".join(line + one + b"\n" for one in messages)


# compound files ----------------------------------------------------------------------------------------------------

Tree = dict[str, Any]  # names to bytes or to another tree
SECTOR, MINI, CUTOFF = 512, 64, 4096
END, FREE = 0xFFFFFFFE, 0xFFFFFFFF


def compound(tree: Tree) -> bytes:
    """A compound file (MS-CFB, version 3); siblings hang on each other's right side."""
    entries: list[dict[str, Any]] = [{"name": "Root Entry", "kind": 5, "child": FREE, "right": FREE}]
    streams: list[tuple[int, bytes]] = []

    def add(inside: Tree) -> int:
        first, before = FREE, None
        for name, value in inside.items():
            number = len(entries)
            entries.append({"name": name, "kind": 1 if isinstance(value, dict) else 2, "child": FREE, "right": FREE})
            if isinstance(value, dict):
                entries[number]["child"] = add(value)
            else:
                streams.append((number, value))
            if before is None:
                first = number
            else:
                entries[before]["right"] = number
            before = number
        return first

    entries[0]["child"] = add(tree)
    sectors: list[bytes] = []
    table: list[int] = []

    def chain(content: bytes) -> int:
        if not content:
            return END
        start = len(sectors)
        count = -(-len(content) // SECTOR)
        for at in range(count):
            sectors.append(content[at * SECTOR : (at + 1) * SECTOR].ljust(SECTOR, b"\0"))
            table.append(start + at + 1 if at + 1 < count else END)
        return start

    mini, mini_table = b"", list[int]()
    for number, content in streams:
        entries[number]["size"] = len(content)
        if len(content) >= CUTOFF or not content:
            entries[number]["start"] = chain(content)
            continue
        count = -(-len(content) // MINI)
        begin = len(mini_table)
        entries[number]["start"] = begin
        mini_table += [begin + n + 1 if n + 1 < count else END for n in range(count)]
        mini += content.ljust(count * MINI, b"\0")
    entries[0] |= {"start": chain(mini), "size": len(mini)}
    mini_fat = chain(
        struct.pack(f"<{len(mini_table)}I", *mini_table).ljust(-(-len(mini_table) * 4 // SECTOR) * SECTOR, b"\xff")
    )
    directory = b""
    for one in entries:
        name = one["name"].encode("utf-16-le") + b"\0\0"
        directory += name.ljust(64, b"\0") + struct.pack(
            "<HBBIII16sIQQIQ", len(name), one["kind"], 1, FREE, one["right"], one["child"], b"\0" * 16, 0, 0, 0,
            one.get("start", 0), one.get("size", 0),
        )  # fmt: skip
    at_directory = chain(directory.ljust(-(-len(directory) // SECTOR) * SECTOR, b"\0"))
    count = 1
    while count * SECTOR // 4 < len(table) + count:
        count += 1
    fat_start = len(sectors)
    table += [0xFFFFFFFD] * count
    fat = struct.pack(f"<{len(table)}I", *table).ljust(count * SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack(
        "<HHHHH6sIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, b"\0" * 6, 0, count, at_directory, 0, CUTOFF,
        mini_fat, 1 if mini_table else 0, END, 0,
    )  # fmt: skip
    difat = struct.pack(f"<{count}I", *range(fat_start, fat_start + count)).ljust(436, b"\xff")
    return header + difat + b"".join(sectors) + fat


def properties(values: dict[int, Any], head: bytes) -> Tree:
    """Property streams (MS-OXMSG 2.4): text, bytes, numbers and FILETIMEs (as ("time", value))."""
    fixed, out = head, Tree()
    for tag, value in values.items():
        if isinstance(value, str):
            raw = value.encode("utf-16-le")
            out[f"__substg1.0_{tag:04X}001F"] = raw
            fixed += struct.pack("<HHIII", 0x1F, tag, 6, len(raw) + 2, 0)
        elif isinstance(value, bytes):
            out[f"__substg1.0_{tag:04X}0102"] = value
            fixed += struct.pack("<HHIII", 0x102, tag, 6, len(value), 0)
        elif isinstance(value, tuple):
            fixed += struct.pack("<HHIQ", 0x40, tag, 6, value[1])
        else:
            fixed += struct.pack("<HHIiI", 0x03, tag, 6, value, 0)
    return {"__properties_version1.0": fixed, **out}


FILETIME = 133_541_112_000_000_000  # 2024-03-05T11:20:00Z


def outlook_message(embedded: bool = True) -> bytes:
    """A .msg with two recipients, an attachment, and a message inside that has an attachment too."""
    inner = properties(
        {0x1A: "IPM.Note", 0x37: "inside", 0x1000: "inner body", 0x42: "Inner", 0x5D02: "inner@corp.example"},
        b"\0" * 24,
    )
    inner["__attach_version1.0_#00000000"] = properties(
        {0x3707: "deep.bin", 0x3705: 1, 0x3701: b"deep bytes"}, b"\0" * 8
    )
    tree = properties(
        {
            0x1A: "IPM.Note", 0x37: "Quartalszahlen", 0x1000: "See attached.", 0x42: "Ann", 0x65: "ann@corp.example",
            0x64: "SMTP",
            0x39: ("time", FILETIME), 0x0E06: ("time", FILETIME + 20_000_000), 0x0E07: 0x21, 0x1035: "<o1@corp.example>",
            0x7D: "Received: from a.example by b.example; Tue, 5 Mar 2024 12:20:01 +0100\r\nX-Mailer: Outlook 16\r\n"
                  "Date: Tue, 5 Mar 2024 12:20:00 +0100\r\nFrom: Ann <ann@corp.example>\r\n\r\n",
        },
        b"\0" * 32,
    )  # fmt: skip
    tree["__recip_version1.0_#00000000"] = properties({0x3001: "Bob", 0x39FE: "bob@gmail.com", 0x0C15: 1}, b"\0" * 8)
    tree["__recip_version1.0_#00000001"] = properties({0x3001: "Eve", 0x39FE: "eve@corp.example", 0x0C15: 3}, b"\0" * 8)
    tree["__attach_version1.0_#00000000"] = properties(
        {0x3707: "figures.xlsx", 0x370E: "application/vnd.ms-excel", 0x3705: 1, 0x3712: "c1", 0x3701: b"F" * 5000},
        b"\0" * 8,
    )
    if embedded:
        tree["__attach_version1.0_#00000001"] = {
            **properties({0x3001: "inside", 0x3705: 5}, b"\0" * 8),
            "__substg1.0_3701000D": inner,
        }
    return compound(tree)


# TNEF --------------------------------------------------------------------------------------------------------------


def tnef(attachments: dict[str, bytes], subject: str = "tnef subject") -> bytes:
    """A TNEF stream with MAPI properties and attachments."""

    def attribute(level: int, name: int, content: bytes) -> bytes:
        return struct.pack("<BII", level, name, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)

    body = "body of the tnef".encode("utf-16-le") + b"\0\0"
    mapi = struct.pack("<I", 2)
    mapi += struct.pack("<HHII", 0x1F, 0x1000, 1, len(body)) + body.ljust(len(body) + 3 & ~3, b"\0")
    mapi += struct.pack("<HHQ", 0x40, 0x39, FILETIME)
    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x69007, struct.pack("<II", 1252, 0))
    out += attribute(1, 0x78008, b"IPM.Microsoft Mail.Note\0") + attribute(1, 0x18004, subject.encode() + b"\0")
    out += attribute(1, 0x69003, mapi)
    for name, content in attachments.items():
        out += attribute(2, 0x69002, b"\1\0" + b"\xff" * 4 + b"\0" * 8)
        out += attribute(2, 0x18010, name.encode() + b"\0") + attribute(2, 0x6800F, content)
        out += attribute(2, 0x38013, struct.pack("<7H", 2024, 3, 5, 12, 0, 0, 2))
    return out


# Outlook Express ---------------------------------------------------------------------------------------------------


def express(*messages: bytes) -> bytes:
    """A .dbx folder: one index node, an info object and segments for each message."""
    out = bytearray(0x24BC)
    out[:8] = b"\xcf\xad\x12\xfe\xc5\xfd\x74\x6f"
    infos = []
    for text in messages:
        pieces = [text[at : at + 496] for at in range(0, len(text), 496)]
        first = at = len(out)
        for number, piece in enumerate(pieces):
            following = at + 512 if number + 1 < len(pieces) else 0
            out += struct.pack("<IIHHI", at, 512, len(piece), 0, following) + piece.ljust(496, b"\0")
            at += 512
        info = len(out)
        values = struct.pack("<Q", FILETIME)
        entries = struct.pack("<BBH", 0x84, first & 0xFF, first >> 8 & 0xFFFF) + struct.pack("<BBH", 0x12, 0, 0)
        entries += struct.pack("<BBH", 0x81, 0x80, 0)
        out += struct.pack("<IIHBB", info, len(entries) + len(values), 0, 3, 0) + entries + values
        infos.append(info)
    node = len(out)
    out += struct.pack("<IIIIBBHI", node, 0, 0, 0, 0, len(infos), 0, 0)
    for info in infos:
        out += struct.pack("<III", info, 0, 0)
    struct.pack_into("<I", out, 0xE4, node)
    struct.pack_into("<I", out, 0xC4, len(infos))
    return bytes(out)
