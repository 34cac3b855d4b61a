"""Cellebrite reports: models, chats, files, times with and without a zone, damage, and the UFDR container."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

import wigmore.artifacts.extraction.ufed  # noqa: F401  # registers the parser
from wigmore.artifacts.extraction import ufed_reader
from wigmore.evidence.recognise import recognise
from wigmore.evidence.source import SourceSpec, open_source
from wigmore.model.protocols import Gap, ParseError, Record
from wigmore.records.examine import choose
from wigmore.registry import parsers


def value(name: str, text: str, kind: str = "String", **more: str) -> str:
    extra = "".join(f' {key}="{one}"' for key, one in more.items())
    return f'<field name="{name}" type="{kind}"><value type="{kind}"{extra}><![CDATA[{text}]]></value></field>'


def party(identifier: str, name: str = "", role: str = "General", owner: bool = False) -> str:
    inner = value("Identifier", identifier) + value("Name", name) + value("Role", role, "PartyRole")
    return f'<model type="Party" id="p">{inner}{value("IsPhoneOwner", str(owner), "Boolean")}</model>'


def model(kind: str, inner: str, deleted: str = "Intact", **more: str) -> str:
    extra = "".join(f' {key}="{one}"' for key, one in more.items())
    front = f'<model type="{kind}" id="{kind}-1" deleted_state="{deleted}" decoding_confidence="High" extractionId="0"'
    return f"{front}{extra}>{inner}</model>"


def stamp(name: str, text: str, form: str = "TimeStampKnown", formatted: str = "") -> str:
    return value(name, text, "TimeStamp", format=form, formattedTimestamp=formatted or text)


MESSAGE = model(
    "InstantMessage",
    '<modelField name="From" type="Party">' + party("4915550001@s.whatsapp.net", "Ann", "From") + "</modelField>"
    '<multiModelField name="To" type="Party">' + party("4915550002@s.whatsapp.net", "Bob", "To", owner=True)
    + "</multiModelField>"
    + value("Body", "see you at <seven> & bring it") + value("Status", "Read")
    + stamp("TimeStamp", "2021-05-21T02:38:43.000+00:00"),
)  # fmt: skip
CHAT = model(
    "Chat",
    value("Source", "WhatsApp") + value("Id", "chat-7")
    + '<multiModelField name="Participants" type="Party">' + party("4915550001@s.whatsapp.net", "Ann") + "</multiModelField>"
    + f'<multiModelField name="Messages" type="InstantMessage">{MESSAGE}{MESSAGE}</multiModelField>',
)  # fmt: skip
CALL = model(
    "Call",
    value("Direction", "Outgoing") + value("Duration", "01:00:33.6090010", "TimeSpan") + value("VideoCall", "True")
    + stamp("TimeStamp", "2024-10-29T17:17:48.838", "DateTimeOnly", "2024-10-29T17:17:48+00:00")
    + '<multiModelField name="Parties" type="Party">' + party("+49 155 50003", "Cy") + "</multiModelField>",
    deleted="Deleted",
)  # fmt: skip
CONTACT = model(
    "Contact",
    value("Name", "Ann A.")
    + '<multiModelField name="Entries" type="ContactEntry">'
    + f'<model type="PhoneNumber">{value("Value", "+49 155 50001")}{value("Category", "Mobile")}</model>'
    + f'<model type="EmailAddress">{value("Value", "ann@example.org")}</model></multiModelField>'
    + '<field name="Account" type="String"><empty /></field>',
)
PLACE = model(
    "Location",
    '<modelField name="Position" type="Coordinate">'
    + model("Coordinate", value("Longitude", "12.21851", "Double") + value("Latitude", "45.5", "Double"))
    + "</modelField>",
    iscarved="True",
)
FILE = (
    '<file fs="Data" path="/private/var/x/a.jpg" name="a.jpg" size="12" id="f" extractionId="0" deleted="Deleted">'
    '<accessInfo><timestamp name="ModifyTime" format="TimeStampKnown" formattedTimestamp="2021-10-09T09:54:22+00:00">'
    "2021-10-09T09:54:22.000+00:00</timestamp></accessInfo>"
    r'<metadata section="File"><item name="Local Path"><![CDATA[files\Image\a.jpg]]></item>'
    '<item name="MD5"><![CDATA[24FC0CE0091EBF40F969C5C82438584B]]></item></metadata></file>'
)


def report(*models: str, files: str = FILE) -> str:
    types = "".join(f'<modelType type="x">{one}</modelType>' for one in models)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<project xmlns="http://pa.cellebrite.com/report/2.0" name="phone" reportVersion="8.5">'
        '<sourceExtractions><extractionInfo id="0" name="Physical" deviceName="Model X" /></sourceExtractions>'
        '<caseInformation><field name="Examiner" fieldType="ExaminerName">E. X.</field></caseInformation>'
        '<metadata section="Device Info"><item name="DeviceInfoIMEI">350000000000001</item></metadata>'
        f'<images><image key="a" path="dump.bin" /></images><taggedFiles>{files}</taggedFiles>'
        f"<decodedData>{types}</decodedData></project>"
    )


def records(make, read, text: str) -> tuple[dict[str, list[Record]], list[Gap]]:
    found, gaps = read(make(text, "report.xml"), "ufed.report")
    by: dict[str, list[Record]] = {}
    for _, record in found:
        by.setdefault(record.artifact, []).append(record)
    return by, gaps


def test_messages_of_a_chat_are_given_one_by_one_with_their_chat(make, read) -> None:
    by, gaps = records(make, read, report(CHAT))
    assert not gaps and len(by["ufed.message"]) == 2
    data = by["ufed.message"][0].data
    wanted = {
        "text": "see you at <seven> & bring it", "from": "4915550001@s.whatsapp.net", "to": ["4915550002@s.whatsapp.net"],
        "direction": "received", "source": "WhatsApp", "chat_id": "chat-7", "names": ["Ann", "Bob"], "status": "Read",
    }  # fmt: skip
    assert {name: data.get(name) for name in wanted} == wanted
    assert by["ufed.message"][0].times["time_stamp"]["text"] == "2021-05-21T02:38:43.000Z"
    chat = by["ufed.chat"][0].data
    assert chat["messages"] == 2 and chat["participants"][0]["name"] == "Ann" and "Messages" not in chat["fields"]


def test_calls_contacts_and_places_have_their_meaning(make, read) -> None:
    by, _ = records(make, read, report(CALL, CONTACT, PLACE))
    call = by["ufed.call"][0]
    assert (call.data["direction"], call.data["duration"], call.data["number"]) == ("outgoing", 3633, "+49 155 50003")
    assert call.data["video"] is True and call.state == "unallocated"
    assert call.times["time_stamp"]["instant"] is None and call.times["time_stamp"]["zone"] == "local-unknown"
    contact = by["ufed.contact"][0].data
    assert (
        contact["phones"] == ["+49 155 50001"]
        and contact["emails"] == ["ann@example.org"]
        and contact["name"] == "Ann A."
    )
    place = by["ufed.location"][0]
    assert (place.data["latitude"], place.data["longitude"], place.state) == (45.5, 12.21851, "carved")


def test_the_report_its_device_and_its_files_are_records(make, read) -> None:
    by, _ = records(make, read, report(model("Note", value("Body", "a note"))))
    assert by["ufed.device"][0].data == {"section": "Device Info", "DeviceInfoIMEI": "350000000000001"}
    assert [row.data["section"] for row in by["ufed.report"]] == [
        "project",
        "extractionInfo",
        "caseInformation",
        "image",
    ]
    assert by["ufed.report"][2].data["Examiner"] == "E. X."
    file = by["ufed.file"][0]
    assert file.data["local_path"] == "files/Image/a.jpg" and file.data["md5"] == "24fc0ce0091ebf40f969c5c82438584b"
    assert file.state == "unallocated" and file.times["modify_time"]["text"] == "2021-10-09T09:54:22.000Z"
    assert by["ufed.item"][0].data["fields"] == {"Body": "a note"} and by["ufed.item"][0].data["model"] == "Note"


def test_a_cut_report_keeps_what_was_read_and_says_so(make, read) -> None:
    by, gaps = records(make, read, report(CHAT, CALL)[:-200])
    assert len(by["ufed.message"]) == 2 and [gap.reason for gap in gaps] == ["truncated"]


def test_entities_and_depth_are_refused(make, read) -> None:
    text = report(CALL).replace("<project", '<!DOCTYPE x [<!ENTITY a "aaaa">]><project', 1)
    _, gaps = records(make, read, text)
    assert gaps[0].reason == "unsupported"
    _, gaps = records(make, read, report("<a>" * 300))
    assert gaps[0].reason == "depth"


def test_an_unknown_encoding_is_said(make, read) -> None:
    _, gaps = records(make, read, '<?xml version="1.0" encoding="utfm8"?><project id="1"></project>')
    assert "encoding" in gaps[0].message


def test_a_value_too_long_is_cut_and_said(make, read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ufed_reader, "LONGEST", 100)
    by, gaps = records(make, read, report(model("Note", value("Body", "b" * 500))))
    assert len(by["ufed.item"][0].data["fields"]["Body"]) == 100 and gaps[0].reason == "too_large"


@pytest.mark.parametrize("number", range(5))
def test_damaged_reports_are_gaps_never_crashes(make, number) -> None:
    draws, content = random.Random(number), bytearray(report(CHAT, CALL, CONTACT, PLACE).encode())
    for _ in range(8):
        content[draws.randrange(200, len(content))] = draws.randrange(256)
    try:
        items = list(parsers()["ufed.report"].function(make(bytes(content), f"m{number}")))
    except ParseError:
        return
    assert items and all(isinstance(item, Gap) or isinstance(item[1], Record) for item in items)


def test_a_ufdr_is_an_extraction_whose_report_and_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "phone.ufdr"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.xml", report(CHAT))
        archive.writestr("files/Image/a.jpg", b"\xff\xd8\xff content")
    assert recognise(path).type == "mobile_extraction" and "UFDR" in recognise(path).reason
    source = open_source(SourceSpec("src-1", path, "file"))
    entry = source.open_store("").find("phone.ufdr")
    assert entry is not None
    file = source.open_store("").file(entry)
    expansion = source.expand(file, file.read()[:65536])
    assert expansion is not None and expansion.prefixes == ("phone.ufdr",)
    inner = source.file_at("phone.ufdr/report.xml")
    head = inner.read()[:8192]
    assert [one.name for one in choose(parsers(), head, inner.path, inner.size)] == ["ufed.report"]
    source.close()
