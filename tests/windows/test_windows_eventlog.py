"""What the event log parser reads from real logs, whole and damaged."""

from __future__ import annotations

import json
import struct
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from windows_builders import Memory, rows, split

from wigmore.artifacts.windows.event_codes import well_known
from wigmore.artifacts.windows.event_names import EVENTS
from wigmore.artifacts.windows.eventlog import _record, eventlog
from wigmore.evidence.local import LocalFile
from wigmore.generator.windows.evtx import Logged, event_log
from wigmore.generator.windows.evtx import event as made_event
from wigmore.generator.windows.evtx import written as log_of
from wigmore.model.protocols import ParseError

CASE = "composite/case1_windows_aptsim/tree/Windows/System32/winevt/Logs"
STORED = 132_914_143_482_187_025  # 2022-03-10T19:32:28.2187025Z


def event(**payload: object) -> str:
    system = {
        "Provider": {"#attributes": {"Name": payload.pop("provider", "P")}},
        "EventID": payload.pop("event_id", 1),
        "EventRecordID": 7,
        "Computer": "PC",
        "Channel": "C",
        "Execution": {"#attributes": {"ProcessID": 4, "ThreadID": 8}},
        "Security": {"#attributes": {"UserID": "S-1-5-18"}},
    }
    return json.dumps({"Event": {"System": system, **payload}})


def test_event_fields_keep_their_native_names_and_the_header_dates_them() -> None:
    record = _record(event(EventData={"CommandLine": "a", "Number": 5}), STORED)
    assert (record.data["CommandLine"], record.data["Number"]) == ("a", 5)
    assert (record.data["process_id"], record.data["user_sid"], record.host_id) == (4, "S-1-5-18", "PC")
    assert record.times["time_created"]["text"] == "2022-03-10T19:32:28.2187025Z"


def test_unnamed_data_are_numbered_and_a_clashing_name_is_kept_apart() -> None:
    record = _record(event(EventData={"Data": {"#text": ["x", "y"]}, "provider": "mine"}), STORED)
    assert (record.data["data_0"], record.data["data_1"]) == ("x", "y")
    assert (record.data["provider"], record.data["EventData.provider"]) == ("P", "mine")


def test_the_wrapper_of_user_data_is_named_and_its_content_flattened() -> None:
    inner = {"#attributes": {"xmlns": "u"}, "User": "PC\\anna", "Deep": {"Er": {"#text": 3}}}
    record = _record(event(UserData={"EventXML": inner}), STORED)
    assert record.data["user_data"] == "EventXML"
    assert (record.data["User"], record.data["Deep.Er"]) == ("PC\\anna", 3)


def test_a_logon_is_described_by_provider_and_id_and_its_type_named() -> None:
    fields = {"LogonType": 10, "Status": "0xc000006d", "SubStatus": "0xC000006A"}
    record = _record(event(provider="Microsoft-Windows-Security-Auditing", event_id=4625, EventData=fields), STORED)
    assert (record.data["event"], record.data["logon_type_name"]) == ("logon failed", "remote interactive")
    assert record.data["SubStatus_text"] == "wrong password"
    other = _record(event(provider="Another", event_id=4625, EventData=fields), STORED)
    assert "event" not in other.data


def test_classic_powershell_lines_become_fields() -> None:
    fields = {
        "Data": {"#text": ["Available", "None", "\tHostName=ConsoleHost\r\n\tHostApplication=powershell -enc AA=="]}
    }
    record = _record(
        event(provider="PowerShell", event_id={"#attributes": {"Qualifiers": 0}, "#text": 400}, EventData=fields),
        STORED,
    )
    assert record.data["HostApplication"] == "powershell -enc AA=="
    assert (record.data["event_id"], record.data["event"]) == (400, "PowerShell engine started")


def test_times_inside_events_are_told_with_their_zone() -> None:
    record = _record(
        event(EventData={"UtcTime": "2022-03-10 19:32:28.218", "NewTime": "2022-03-10T19:32:28.2181234Z"}), STORED
    )
    assert record.times["UtcTime"]["text"] == "2022-03-10T19:32:28.218Z"
    assert record.times["NewTime"]["text"] == "2022-03-10T19:32:28.2181234Z"


def test_well_known_accounts_are_named_by_their_number() -> None:
    assert well_known("S-1-5-21-1-2-3-501") == "Guest (built-in account, RID 501)"
    assert well_known("S-1-5-21-1-2-3-1001") is None


def test_descriptions_are_short_and_never_interpret() -> None:
    for table in EVENTS.values():
        for text in table.values():
            assert len(text) < 80
            assert not {"malicious", "attacker", "suspicious activity"} & set(text.split())


def test_a_log_without_a_header_is_refused() -> None:
    with pytest.raises(ParseError):
        list(eventlog(Memory("a.evtx", b"ElfFile\0")))


AT = datetime(2022, 3, 10, 19, 32, 28, 218702, tzinfo=UTC)


def test_a_log_of_many_events_fills_chunks_and_is_read_whole() -> None:
    made = [Logged(AT, 4688, {"NewProcessName": f"C:\\p{n}.exe", "CommandLine": "x" * (n % 700)}) for n in range(900)]
    records, gaps, _ = split(eventlog(Memory("a.evtx", log_of(made))))
    assert gaps == [] and [r.data["NewProcessName"] for r in records] == [m.data["NewProcessName"] for m in made]
    assert len(log_of(made)) > 4096 + 5 * 65536


def written() -> bytes:
    """A log of two chunks with three events each."""
    return event_log(
        [
            (number, STORED + number, made_event(number, Logged(AT, 4625, {"TargetUserName": f"user{number}"})))
            for number in numbers
        ]
        for numbers in ((1, 2, 3), (4, 5, 6))
    )


def test_a_log_is_read_chunk_by_chunk_with_the_place_of_each_record() -> None:
    content = written()
    records, gaps, [recorder] = split(eventlog(Memory("a.evtx", content)))
    assert gaps == [] and [r.data["TargetUserName"] for r in records] == [f"user{n}" for n in range(1, 7)]
    assert {(r.data["event_id"], r.data["user_sid"], r.host_id, r.state) for r in records} == {
        (4625, "S-1-5-18", "DESK-1", "live")
    }
    assert (recorder.covers_from, recorder.covers_to) == (
        "2022-03-10T19:32:28.2187026Z",
        "2022-03-10T19:32:28.2187031Z",
    )
    for place, record in rows(eventlog(Memory("a.evtx", content))):
        number = struct.unpack_from("<4sIQ", content, int(str(place["offset"])))[2]
        assert number == place["number"] == record.data["record_id"]


def test_a_broken_chunk_is_said_and_its_neighbour_read() -> None:
    content = bytearray(written())
    content[4096 + 520 : 4096 + 560] = b"\xaa" * 40
    records, gaps, _ = split(eventlog(Memory("a.evtx", bytes(content))))
    assert [r.data["record_id"] for r in records][-3:] == [4, 5, 6]
    assert any("chunk 0" in gap.message for gap in gaps)


def test_every_allocated_record_of_a_real_log_is_read_before_those_of_free_parts(shared_evidence: Path) -> None:
    states: Counter[str] = Counter()
    for path in sorted((shared_evidence / CASE).glob("*.evtx")):
        listed = [record.state for _, record in rows(eventlog(LocalFile.at(path)))]
        assert listed == sorted(listed)  # live, then unallocated
        states.update(listed)
    assert states == {"live": 8358, "unallocated": 192}


def test_records_after_a_cut_and_a_damaged_chunk_are_still_read(shared_evidence: Path) -> None:
    content = bytearray((shared_evidence / CASE / "System.evtx").read_bytes())
    whole = rows(eventlog(Memory("a.evtx", bytes(content))))
    content[4096 + 700 : 4096 + 760] = b"\xaa" * 60  # inside the first records of the first chunk
    records, gaps, recorders = split(eventlog(Memory("a.evtx", bytes(content[: 4096 + 3 * 65536 - 30_000]))))
    assert 0 < len(records) < len(whole)
    assert {"truncated", "damaged"} <= {gap.reason for gap in gaps}
    assert recorders[0].covers_from


def test_a_destroyed_file_header_does_not_hide_the_chunks(shared_evidence: Path) -> None:
    content = (shared_evidence / CASE / "Setup.evtx").read_bytes()
    whole = rows(eventlog(Memory("a.evtx", content)))
    records, gaps, _ = split(eventlog(Memory("a.evtx", b"\0" * 4096 + content[4096:])))
    assert len(records) == len(whole) > 0
    assert "header is damaged" in gaps[0].message
