"""A small file for each family that no other test has a file of, and a database for each family that declares its tables."""

from __future__ import annotations

import json
import plistlib
import random
import re
import sqlite3
import struct
import sys
from datetime import UTC, datetime

from compound_file import compound
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Query
from wigmore.registry import Parser

ROWS = 4
# one day in 2021 in the units that databases keep times in
MOMENTS = (1_620_000_000, 1_620_000_000_000, 1_620_000_000_000_000, 641_692_800, 641_692_800 * 10**9,
           13_264_473_600_000_000, 132_644_736_000_000_000, "2021-05-03 00:00:00", 44_319.0)  # fmt: skip
WORDS = re.compile(
    r"name|text|body|title|url|uri|path|address|jid|label|value|message|package|domain|host|service", re.I
)

MORE = {  # tables that a family reads without naming them in its layout or in a query
    "ios.powerlog": {"PLXPCAgent_EventForward_Lock": ("timestamp", "timestampEnd", "StartOffset", "LockState")},
}
ODD = (None, -1, 0, 2**63 - 1, -(2**63), 1e300, float("inf"), -0.5, "", "\0", "x" * 300, "9" * 30, "-1", "{\"a\": [1]}", "[null]",
       b"", b"\xff\xfe\x00", b"bplist00", b"\x0a\x02\x08\x01", b"\x78\x9c\x01", bytes(300))  # fmt: skip


def queries(parser: Parser) -> list[Query]:
    """The queries that the parser's module declares for its artifacts."""
    module = sys.modules[parser.function.__module__]
    found = [thing for thing in vars(module).values() if isinstance(thing, Query)]
    return [query for query in found if query.artifact in parser.artifacts]


def tables(parser: Parser) -> dict[str, dict[str, object]]:
    """Columns of the tables that the parser's layout and queries name, each with a value's pattern."""
    assert isinstance(parser.claims, Layout)
    wanted: dict[str, dict[str, object]] = {}
    spelt = {}
    for table, columns in parser.claims.tables:
        spelt[table.lower()] = table
        wanted[table] = dict.fromkeys(columns)
    for table, columns in MORE.get(parser.name, {}).items():
        wanted[table] = dict.fromkeys(columns)
    for query in queries(parser):
        text = " ".join(query.joins)
        alias = {}
        for table, short in re.findall(r"(?:^|JOIN )\"?(\w+)\"? (\w+)", text):
            table = spelt.setdefault(table.lower(), table)
            alias[short] = wanted.setdefault(table, {})
        for short, column in re.findall(r"\b(\w+)\.\"?(\w+)", f"{text} {query.columns} {query.key}"):
            if short in alias:
                alias[short].setdefault(column, None)
        for known in alias.values():
            for name, convert in query.times.items():
                if name in known:
                    known[name] = next((m for m in MOMENTS if _of_2021(convert(m))), None)
    return wanted


def _of_2021(time: object) -> bool:
    return isinstance(time, dict) and str(time.get("text", "")).startswith("2021")


def database(parser: Parser, odd: random.Random | None = None) -> bytes:
    """A database with those tables, four rows each, whose keys are the rows' numbers, so that joins find each other.

    With `odd`, each second value is one that no application writes there: SQLite takes any value in any column.
    """
    connection = sqlite3.connect(":memory:")
    for table, columns in tables(parser).items():
        seen: dict[str, str] = {}
        for column in columns:
            if column.lower() != "rowid":
                seen.setdefault(column.lower(), column)
        names = list(seen.values()) or ["unnamed"]
        connection.execute(f'CREATE TABLE "{table}" ({", ".join(f"{chr(34)}{n}{chr(34)}" for n in names)})')
        for number in range(1, ROWS + 1):
            row = [
                moment + number if isinstance(moment := columns.get(name), int) else
                moment if moment is not None else
                f"{name} {number}" if WORDS.search(name) and not name.lower().endswith(("id", "_row")) else number
                for name in names
            ]  # fmt: skip
            if odd is not None:
                row = [value if odd.random() < 0.5 else odd.choice(ODD) for value in row]
            connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', row)
    connection.commit()
    return connection.serialize()


def path_of(parser: Parser) -> str:
    """A path that the parser's globs take."""
    return parser.claims.paths[0].replace("*", "x") if parser.claims.paths else "some/file.db"


def _plist(value: object) -> bytes:
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


def _recall(sequence: int, statement: bytes) -> bytes:
    return struct.pack("<Id31s81s4001s", sequence, 44_000.5, b"scott", b"orcl", statement)


def _summary() -> bytes:
    """A SummaryInformation property set (MS-OLEPS): code page, title, author, time of creation."""
    values = {1: struct.pack("<Ihxx", 2, 1252), 12: struct.pack("<IQ", 64, 132_644_736_000_000_000)}
    for number, text in ((2, b"A title\0"), (4, b"An author\0\0\0")):
        values[number] = struct.pack("<II", 30, len(text)) + text
    places, body = b"", b""
    for number, value in sorted(values.items()):
        places += struct.pack("<II", number, 8 + 8 * len(values) + len(body))
        body += value
    section = struct.pack("<II", 8 + len(places) + len(body), len(values)) + places + body
    format_id = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
    return struct.pack("<HHI16xI", 0xFFFE, 0, 0x00020005, 1) + format_id + struct.pack("<I", 48) + section


_AT = datetime(2021, 5, 3, tzinfo=UTC).replace(tzinfo=None)
OTHERS: dict[str, tuple[str, bytes]] = {
    "android.package_list": (
        "data/system/packages.list",
        b"com.example.app 10123 0 /data/user/0/com.example.app default:targetSdkVersion=30 3003 0 12\n"
        b"org.example.two 10124 1 /data/user/0/org.example.two default none 0 1\n",
    ),
    "android.usagestats": (
        "data/system/usagestats/0/daily/1620000000000",
        b'<?xml version="1.0" encoding="utf-8"?>\n<usagestats version="1" endTime="86400000"><packages>'
        b'<package lastTimeActive="1000" package="com.example.app" timeActive="500" lastEvent="2" /></packages>'
        b'<event-log><event time="1000" package="com.example.app" class="com.example.Main" flags="0" type="1" />'
        b'<event time="2000" package="com.example.app" type="2" /></event-log></usagestats>',
    ),
    "browser.firefox.logins": (
        "logins.json",
        json.dumps({
            "nextId": 2,
            "logins": [{"id": 1, "hostname": "https://example.org", "encryptedUsername": "x", "encryptedPassword": "y",
                        "timeCreated": 1_620_000_000_000, "timesUsed": 2}],
        }).encode(),
    ),
    "browser.safari.downloads": (
        "Library/Safari/Downloads.plist",
        _plist({"DownloadHistory": [{"DownloadEntryURL": "https://example.org/a.zip", "DownloadEntryDateAddedKey": _AT}]}),
    ),
    "document.ole_metadata": ("report.doc", compound({"WordDocument": b"text" * 64, "\x05SummaryInformation": _summary()})),
    "ios.store_metadata": (
        "iTunesMetadata.plist",
        _plist({"itemName": "App", "softwareVersionBundleId": "org.example.app", "purchaseDate": "2021-05-03T00:00:00Z"}),
    ),
    "ios.keyboard_usage": ("app_usage_database.plist", _plist({"org.example.app": [{"startDate": _AT, "count": 2}]})),
    "ios.wifi": (
        "com.apple.wifi.known-networks.plist",
        _plist({"wifi.network.ssid.Example": {"AddedAt": _AT, "JoinedByUserAt": _AT, "SupportedSecurityTypes": "WPA2"}}),
    ),
    "linux.cron": (
        "etc/cron.d/example",
        b"# kept\nSHELL=/bin/sh\n*/5 * * * * root /usr/bin/example --one\n@reboot root /usr/bin/two % line\n",
    ),
    "linux.docker": (
        "var/lib/docker/containers/0123456789ab/config.v2.json",
        json.dumps({
            "ID": "0123456789ab", "Name": "/example", "Image": "sha256:00", "Created": "2021-05-03T00:00:00.1Z",
            "State": {"StartedAt": "2021-05-03T00:00:01Z"}, "Config": {"Image": "debian", "Cmd": ["sh"], "Env": ["A=b"]},
        }).encode(),
    ),
    "linux.lastlog": (
        "var/log/lastlog",
        bytes(292) + b"".join(struct.pack("<i32s256s", 1_620_000_000 + n, b"pts/0", b"192.0.2.1") for n in range(3)),
    ),
    "cloud.aws_elb": (
        "elb.log",
        b"".join(
            b"2021-05-03T00:00:0%d.186641Z front 192.0.2.1:5%d 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "
            b'"GET http://www.example.org:80/index.html HTTP/1.1" "curl/7.38.0" - -\n' % (n, 1000 + n)
            for n in range(6)
        ),
    ),
    "database.plsql_recall": ("PLSRecall_scott.dat", _recall(1, b"select 1 from dual") + _recall(2, b"select 2 from dual")),
    "web.atlassian_access": (
        "conf_access_log.2021-05-03.log",
        b"".join(
            b"[03/May/2021:00:00:0%d +0000] admin http-nio-8090-exec-1 192.0.2.1 GET /login.action HTTP/1.1 200 10%dms 5120 "
            b"https://example.org/ Mozilla/5.0\n" % (n, n)
            for n in range(6)
        ),
    ),
}  # fmt: skip
