"""SRUM, User Access Logging, WebCache, Windows Search and BITS: records of made databases, tools, real evidence."""

from __future__ import annotations

import struct
import uuid
from pathlib import Path
from typing import Any

import pytest
from ese_builder import (
    DATE,
    GUID,
    INT64,
    LONG,
    LONG_BINARY,
    LONG_TEXT,
    ULONG,
    Table,
    database,
)
from ese_cases import (
    FILETIME,
    records,
    srum_database,
    ual_database,
)

from wigmore.api.run import Options, prepare, run
from wigmore.api.tool import call_tool
from wigmore.artifacts.browser import webcache
from wigmore.artifacts.windows import bits, ese, search_index, srum, user_access
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import ParseError, Record
from windows.windows_builders import Memory, split, wide

# --- SRUM --------------------------------------------------------------------------------------------------------------


def test_srum_rows_name_program_account_interface_and_the_end_of_their_interval() -> None:
    found = records(srum.srum, "Windows/System32/sru/SRUDB.dat", srum_database())
    network = [r for r in found if r.artifact == "windows.srum.network_usage"]
    data = network[0].data
    assert data["application"].endswith("rclone.exe") and data["application_name"] == "rclone.exe"
    assert (
        data["user_sid"] == "S-1-5-21-1-2-3-1000"
        and data["bytes_sent"] == 5_000_000_000
        and data["bytes_received"] == 70
    )
    assert data["interface_type_name"] == "IEEE 802.11 wireless" and data["interface_index"] == 0x8001
    assert "l2_profile_id" not in data and network[0].time_field == "recorded_at"
    first, second = (r for r in found if r.artifact == "windows.srum.application_usage")
    assert first.data["application_name"] == "svchost.exe" and first.data["application_service_group"] == "netsvcs"
    assert first.data["application_linked"] == "2020/01/02:03:04:05" and first.data["user_name"] == "Local System"
    assert first.times["ended_at"]["text"] == "2022-03-10T15:02:21.2345678Z"
    assert second.data["application_id"] == 99 and "application" not in second.data
    [other] = [r for r in found if r.artifact == "windows.srum.other"]
    assert other.data["application"] == "DsmSvc" and other.data["application_kind"] == "service"


def test_srum_under_another_name_is_known_by_its_tables() -> None:
    named = records(srum.srum, "SRUDB.dat", srum_database())
    assert records(ese.ese, "evidence.001", srum_database()) == named


def test_a_file_called_srudb_with_other_tables_gives_plain_rows_and_a_gap() -> None:
    found, gaps, _ = split(srum.srum(Memory("SRUDB.dat", database(Table("A", {"Id": LONG}, [{"Id": 4}])))))
    assert found[-1].artifact == "windows.ese.row" and [g.reason for g in gaps] == ["schema_unknown"]


# --- User Access Logging -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (bytes([192, 0, 2, 9]), "192.0.2.9"),
        (bytes(15) + b"\1", "::1"),
        (bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 9]), "192.0.2.9"),
        (b"\2\0\0\0" + bytes([192, 0, 2, 9]) + bytes(8), "192.0.2.9"),
        (b"\x17\0" + bytes(6) + b"\x20\1\x0d\xb8" + bytes(11) + b"\5" + bytes(4), "2001:db8::5"),
        (b"abc", "616263"),
    ],
)
def test_addresses_of_every_stored_form_are_read(raw: bytes, text: str) -> None:
    assert user_access.address(raw) == text


def test_a_client_has_role_account_address_and_counts_by_day() -> None:
    [client, dns, role] = records(user_access.user_access, "Current.mdb", ual_database())
    assert client.data["role_name"] == "File Server" and client.data["address"] == "10.0.0.7"
    assert client.data["authenticated_user_name"] == "corp\\mara" and client.data["total_accesses"] == 5
    assert client.data["accesses_by_day"] == [
        {"day_of_year": 68, "accesses": 2, "date": "2022-03-09"},
        {"day_of_year": 69, "accesses": 3, "date": "2022-03-10"},
    ]
    assert client.time_field == "last_access" and dns.data["host_name"] == "ws7" and role.data["role_name"] == "unknown"


def test_roles_that_only_the_server_knows_are_named_from_the_database_beside() -> None:
    identity = database(
        Table("SYSTEM_IDENTITY", {"CreationTime": DATE, "OSBuildNumber": ULONG, "SystemDNSHostName": LONG_TEXT},
              [{"OSBuildNumber": 20348, "SystemDNSHostName": "SRV1"}]),
        Table("ROLE_IDS", {"RoleGuid": GUID, "RoleName": LONG_TEXT}, [{"RoleGuid": bytes(range(16)), "RoleName": "Own role"}]),
    )  # fmt: skip
    found = records(user_access.user_access, "Current.mdb", ual_database(), SystemIdentity__mdb=identity)
    assert found[-1].data["role_name"] == "Own role"
    named, system = records(user_access.system_identity, "SystemIdentity.mdb", identity)
    assert (
        system.host_id == "SRV1" and system.data["os_build_number"] == 20348 and named.data["role_name"] == "Own role"
    )
    assert records(user_access.user_access, "Current.mdb", ual_database(), SystemIdentity__mdb=b"no database")[0].data


# --- WebCache ----------------------------------------------------------------------------------------------------------

ENTRY = {"EntryId": INT64, "ContainerId": INT64, "Type": ULONG, "FileSize": INT64, "AccessCount": ULONG, "AccessedTime": INT64,
         "ModifiedTime": INT64, "ExpiryTime": INT64, "Url": LONG_TEXT, "Filename": LONG_TEXT,
         "ResponseHeaders": LONG_BINARY}  # fmt: skip


def webcache_database() -> bytes:
    names = ("History", "Content", "iedownload", "MSHist012022031020220311", "DOMStore")
    blob = (
        bytes(0x148)
        + wide("https://example.org/start")
        + wide("https://example.org/a.zip")
        + wide("C:\\Users\\mara\\a.zip")
    )
    entries: list[dict[str, Any]] = [
        {"Url": "Visited: mara@https://example.org/search?q=tide", "AccessCount": 4, "Type": 0x200001},
        {"Url": "https://example.org/logo.png", "Filename": "logo[1].png", "FileSize": 9,
         "ResponseHeaders": b"HTTP/1.1 200 OK\r\n\0"},
        {"Url": "iedownload:{0}", "ResponseHeaders": blob},
        {"Url": ":2022031020220311: mara@file:///C:/plan.docx"},
        {"Url": "https://example.org/"},
    ]  # fmt: skip
    return database(
        Table("Containers", {"ContainerId": INT64, "LastAccessTime": INT64, "Name": LONG_TEXT, "Directory": LONG_TEXT},
              [{"ContainerId": n, "LastAccessTime": FILETIME, "Name": name, "Directory": "C:\\X\\" + name}
               for n, name in enumerate(names, 1)]),
        *(Table(f"Container_{n}", ENTRY, [{"EntryId": 1, "ContainerId": n, "AccessedTime": FILETIME, **entry}])
          for n, entry in enumerate(entries, 1)),
        Table("CookieEntryEx_9", {"EntryId": INT64, "Expires": INT64, "RDomain": LONG_TEXT, "Name": LONG_BINARY,
               "Value": LONG_BINARY},
              [{"EntryId": 1, "Expires": FILETIME, "RDomain": "org.example", "Name": b"sid\0", "Value": b"1\0"}]),
        Table("LeakFiles", {"LeakId": INT64}, [{"LeakId": 3}]),
    )  # fmt: skip


def test_webcache_entries_are_told_apart_by_their_container() -> None:
    found: dict[str, list[Record]] = {}
    for record in records(webcache.webcache, "WebCacheV01.dat", webcache_database()):
        found.setdefault(record.artifact.rpartition(".")[2], []).append(record)
    assert {kind: len(rows) for kind, rows in found.items()} == {
        "container": 5, "visit": 2, "cache": 1, "download": 1, "storage": 1, "cookie": 1, "row": 1,
    }  # fmt: skip
    visit, daily = found["visit"]
    assert visit.data["url"] == "https://example.org/search?q=tide" and visit.data["user"] == "mara"
    assert visit.data["type_names"] == ["normal", "history"] and visit.data["access_count"] == 4
    assert visit.times["accessed"]["text"] == "2022-03-10T15:02:21.2345678Z" and visit.time_field == "accessed"
    assert daily.data["url"] == "file:///C:/plan.docx" and daily.data["period_from"] == "2022-03-10"
    assert found["cache"][0].data["response_headers"] == "HTTP/1.1 200 OK\r\n"
    download = found["download"][0].data
    assert download["target_path"] == "C:\\Users\\mara\\a.zip" and download["referrer"] == "https://example.org/start"
    assert download["texts"][1] == "https://example.org/a.zip"
    cookie = found["cookie"][0]
    assert cookie.data["domain"] == "example.org" and cookie.data["name"] == "sid" and "expires" in cookie.times


# --- Windows Search ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["little", "big"])
def test_properties_of_indexed_items_are_named_and_dates_read_in_either_byte_order(order: Any) -> None:
    raw = database(
        Table("SystemIndex_PropertyStore",
              {"WorkID": ULONG, "15F-System_DateModified": LONG_BINARY, "13F-System_Size": LONG_BINARY,
               "4447-System_ItemPathDisplay": LONG_TEXT},
              [{"WorkID": 1, "15F-System_DateModified": FILETIME.to_bytes(8, order), "13F-System_Size": (77).to_bytes(8, order),
                "4447-System_ItemPathDisplay": "C:\\plan.docx"}]),
        Table("SystemIndex_Gthr", {"ScopeID": LONG, "DocumentID": LONG, "FileName": LONG_TEXT},
              [{"ScopeID": 1, "DocumentID": 1, "FileName": "plan.docx"}]),
    )  # fmt: skip
    item, gathered = records(search_index.search_index, "Windows.edb", raw)
    assert item.data["System.ItemPathDisplay"] == "C:\\plan.docx" and item.data["System.Size"] == 77
    assert item.time_field == "System.DateModified" and gathered.data["FileName"] == "plan.docx"


# --- BITS --------------------------------------------------------------------------------------------------------------


def counted(text: str) -> bytes:
    return struct.pack("<I", len(text) + 1) + wide(text)


def bits_job(files: bytes, count: int, command: str = "C:\\ProgramData\\x.exe") -> bytes:
    job = struct.pack("<4I", 0, 2, 6, 0) + bytes(range(16))
    job += counted("update") + struct.pack("<I", 0) + counted(command) + counted("-q") + counted("S-1-5-21-1-2-3-1000")
    job += struct.pack("<I", 3) + b"token" + bits.TRANSFER + struct.pack("<I", count) + files + bits.TRANSFER
    return (
        job
        + struct.pack("<4I", 0, 1, 600, 1209600)
        + struct.pack("<3Q", FILETIME, FILETIME, 0)
        + bytes(14)
        + struct.pack("<2Q", 0, FILETIME)
    )


def bits_file() -> bytes:
    names = (
        counted("C:\\Users\\Public\\a.exe") + counted("http://192.0.2.1/a.exe") + counted("C:\\Users\\Public\\BIT1.tmp")
    )
    return names + struct.pack("<2QB", 10, 10, 0) + counted("C:\\") + counted("\\\\?\\Volume{1}\\")


def test_jobs_of_the_transfer_queue_have_owner_command_files_and_times() -> None:
    identifier = uuid.UUID(int=5)
    raw = database(
        Table("Jobs", {"Id": GUID, "Blob": LONG_BINARY},
              [{"Id": bytes(range(16)), "Blob": bytes(16) + bits_job(identifier.bytes_le, 1)}]),
        Table("Files", {"Id": GUID, "Blob": LONG_BINARY}, [{"Id": identifier.bytes_le, "Blob": bits.FILE + bits_file()}]),
    )  # fmt: skip
    job, file = records(bits.queue_database, "qmgr.db", raw)
    assert job.data["command"] == "C:\\ProgramData\\x.exe" and job.data["owner_sid"] == "S-1-5-21-1-2-3-1000"
    assert job.data["state"] == "transferred" and job.times["created_at"]["text"] == "2022-03-10T15:02:21.2345678Z"
    assert file.data["remote_name"] == "http://192.0.2.1/a.exe" and file.data["job_id"] == job.data["job_id"]


def test_the_older_queue_file_gives_the_same_and_refuses_what_is_none() -> None:
    mark = bits.OLD_JOBS[3]
    raw = bits.QUEUE + bytes(20) + mark + bits_job(bits_file() + bytes(9) + bits_file(), 2) + mark + bytes(40)
    found, gaps, _ = split(bits.queue_file(Memory("qmgr0.dat", raw)))
    assert [r.artifact for r in found] == ["windows.bits.job", "windows.bits.file", "windows.bits.file"]
    assert len(gaps) == 1 and gaps[0].reason == "schema_unknown"  # the mark at the end begins no job
    with pytest.raises(ParseError):
        list(bits.queue_file(Memory("qmgr0.dat", b"\0" * 100)))


@pytest.mark.parametrize("cut", [20, 60, 130, 200, 230, 260, 290])
def test_a_cut_off_job_is_a_gap_or_a_shorter_record(cut: int) -> None:
    blob = (bytes(16) + bits_job(bytes(16), 1))[:cut]
    try:
        record, _, _, problems = bits.job(blob)
    except bits.NotSo as error:
        assert str(error)
    else:
        assert problems and record.data["job_id"]


# --- tools and the whole -----------------------------------------------------------------------------------------------


def test_the_tools_show_what_was_extracted(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name, raw in (
        ("SRUDB.dat", srum_database()),
        ("Current.mdb", ual_database()),
        ("WebCacheV01.dat", webcache_database()),
    ):
        (evidence / name).write_bytes(raw)
    case = prepare([evidence], tmp_path / "case")
    run(case, Options(jobs=1))
    for tool, given, text in (
        ("list_network_usage", ["text=rclone"], b"rclone.exe"),
        ("list_program_usage", [], b"svchost.exe"),
        ("list_server_access", ["text=mara"], b"10.0.0.7"),
        ("browser_history", ["text=plan.docx"], b"file:///C:/plan.docx"),
        ("browser_downloads", [], b"a.zip"),
        ("browser_searches", [], b"tide"),
        ("get_srum", [], b"rclone.exe"),
    ):
        output, outcome = call_tool(case, tool, given)
        assert outcome == "found" and text in output, tool
    assert call_tool(case, "list_transfers", [])[1] == "not_applicable"
    assert call_tool(case, "list_program_usage", ["after=yesterday"])[1] == "failed"


def test_the_real_srum_database_resolves_programs_and_accounts(shared_evidence: Path) -> None:
    path = shared_evidence / "composite/case1_windows_aptsim/tree/Windows/System32/sru/SRUDB.dat"
    if not path.exists():
        pytest.skip("no SRUM database among the shared evidence")
    found, gaps, _ = split(srum.srum(LocalFile.at(path)))
    assert gaps == [] and len(found) == 2356
    usage = [r for r in found if r.artifact == "windows.srum.application_usage"]
    assert len(usage) == 562 and all(r.times["recorded_at"]["zone"] == "Z" for r in usage)
    assert sum("application" in r.data for r in usage) > 500 and sum("user_sid" in r.data for r in usage) > 500


def test_the_real_access_log_counts_accesses_by_role_and_account(shared_evidence: Path) -> None:
    path = next(iter(sorted((shared_evidence / "server_ual").rglob("*.mdb"))), None)
    if path is None:
        pytest.skip("no User Access Logging database among the shared evidence")
    found, gaps, _ = split(user_access.user_access(LocalFile.at(path)))
    clients = [r for r in found if r.artifact == "windows.ual.client"]
    assert gaps == [] and len(clients) == 14
    assert all(r.data["total_accesses"] == sum(d["accesses"] for d in r.data["accesses_by_day"]) for r in clients)
    assert {r.data["role_name"] for r in clients} <= {
        "File Server",
        "Active Directory Domain Services",
        "Print and Document Services",
    }
