"""Databases of the families that several tests read, and a parser's records without gaps."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterator

from ese_builder import (
    BYTE,
    DATE,
    GUID,
    INT64,
    LONG,
    LONG_BINARY,
    LONG_TEXT,
    ULONG,
    USHORT,
    Table,
    database,
)

from wigmore.artifacts.windows import ese_values
from wigmore.model.protocols import EvidenceFile, Record, Yield
from windows.windows_builders import Memory, split, wide

FILETIME = 132_913_981_412_345_678  # 2022-03-10T15:02:21.2345678Z
OLE = struct.pack("<d", 44630.691)  # 2022-03-10T16:35:02.400
USER = bytes.fromhex("010500000000000515000000010000000200000003000000e8030000")  # S-1-5-21-1-2-3-1000
SYSTEM = bytes.fromhex("010100000000000512000000")
FILE_SERVER = uuid.UUID("10a9226f-50ee-49d8-a393-9a501d47ce04").bytes_le
NETWORK = "{973F5D5C-1D90-4944-BE8E-24B94231A174}"
APPS = "{D10CA2FE-6FCF-4F6D-848E-B2E99266FA89}"

Parse = Callable[[EvidenceFile], Iterator[Yield]]


def srum_database(rows: int = 3, state: int = 3) -> bytes:
    names = {1: (0, wide("\\Device\\HarddiskVolume3\\Tools\\rclone.exe")), 2: (3, USER), 3: (3, SYSTEM),
             4: (0, wide("!!svchost.exe!2020/01/02:03:04:05!1c364![netsvcs]")), 5: (1, wide("DsmSvc"))}  # fmt: skip
    return database(
        Table(
            "SruDbIdMapTable",
            {"IdType": BYTE, "IdIndex": LONG, "IdBlob": LONG_BINARY},
            [{"IdType": kind, "IdIndex": number, "IdBlob": raw} for number, (kind, raw) in names.items()],
        ),
        Table(
            NETWORK,
            {"AutoIncId": LONG, "TimeStamp": DATE, "AppId": LONG, "UserId": LONG, "InterfaceLuid": INT64,
             "L2ProfileId": LONG, "BytesSent": INT64, "BytesRecvd": INT64},
            [{"AutoIncId": n, "TimeStamp": OLE, "AppId": 1, "UserId": 2, "InterfaceLuid": 0x0047008001000000,
              "BytesSent": 5_000_000_000 + n, "BytesRecvd": 70} for n in range(rows)],
        ),
        Table(
            APPS,
            {"AutoIncId": LONG, "TimeStamp": DATE, "AppId": LONG, "UserId": LONG, "FaceTime": INT64, "EndTime": INT64},
            [{"AutoIncId": 1, "TimeStamp": OLE, "AppId": 4, "UserId": 3, "FaceTime": 10, "EndTime": FILETIME},
             {"AutoIncId": 2, "TimeStamp": OLE, "AppId": 99, "UserId": 3}],
        ),
        Table("{00000000-1111-2222-3333-444444444444}", {"AutoIncId": LONG, "AppId": LONG}, [{"AutoIncId": 7, "AppId": 5}]),
        state=state,
    )  # fmt: skip


def ual_database() -> bytes:
    client = {"RoleGuid": FILE_SERVER, "TotalAccesses": 5, "InsertDate": FILETIME.to_bytes(8, "little"),
              "LastAccess": FILETIME.to_bytes(8, "little"), "AuthenticatedUserName": "corp\\mara"}  # fmt: skip
    columns = {"RoleGuid": GUID, "TotalAccesses": ULONG, "InsertDate": DATE, "LastAccess": DATE, "Address": LONG_BINARY,
               "AuthenticatedUserName": LONG_TEXT, "Day68": USHORT, "Day69": USHORT}  # fmt: skip
    return database(
        Table("CLIENTS", columns, [{**client, "Address": bytes([10, 0, 0, 7]), "Day68": 2, "Day69": 3}]),
        Table("ROLE_ACCESS", {"RoleGuid": GUID, "FirstSeen": DATE}, [{"RoleGuid": bytes(range(16))}]),
        Table(
            "DNS",
            {"LastSeen": DATE, "Address": LONG_TEXT, "HostName": LONG_TEXT},
            [{"Address": "10.0.0.7", "HostName": "ws7"}],
        ),
    )


def records(parse: Parse, path: str, content: bytes, **siblings: bytes) -> list[Record]:
    found, gaps, _ = split(parse(Memory(path, content, {k.replace("__", "."): v for k, v in siblings.items()})))
    assert not gaps, gaps
    return [r for r in found if r.artifact != ese_values.HEADER]
