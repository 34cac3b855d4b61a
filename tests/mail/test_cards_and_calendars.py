"""vCard and iCalendar files: folding, encodings, zones, and what is cut off."""

from __future__ import annotations

from collections.abc import Callable

from mail.conftest import Read

Reading = Callable[[dict[str, bytes]], Read]

CARDS = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Hans;;;\r\nFN:Hans M\r\n"
    b"TEL;CELL;PREF:+49 171 555\r\nEMAIL;INTERNET:h@x.example\r\nPHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ\r\n SkZJRg==\r\n\r\n"
    b"NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0A=\r\ntwo\r\nREV:20200102T030405Z\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Second\\, Jr\r\nitem1.EMAIL;type=INTERNET;type=WORK:a@b.example\r\nORG:Org;Unit\r\n"
    b"BDAY:1980-01-01\r\nADR;TYPE=home:;;Street 1;City;;12345;Land\r\n"
)
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nPRODID:-//x//y\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
    b"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20200102T100000\r\n"
    b'SUMMARY:Meet\\, now\r\nORGANIZER;CN="Boss: X":mailto:boss@x.example\r\n'
    b"ATTENDEE;PARTSTAT=ACCEPTED;CN=A:mailto:a@x.example\r\nDESCRIPTION:long\r\n  folded\r\nBEGIN:VALARM\r\n"
    b"TRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_cards_of_two_versions_stand_in_one_file_and_a_cut_one_is_said(reading: Reading) -> None:
    read = reading({"c.vcf": CARDS})
    first, second = (row["data"] for row in read.of("mail.contact"))
    assert first["surname"] == "Müller" and first["phones"] == ["+49 171 555"] and first["note"] == "one\r\ntwo"
    assert first["photo"]["size"] == 10 and first["kinds"] == {"+49 171 555": "cell"}
    assert second["name"] == "Second, Jr" and second["emails"] == ["a@b.example"] and second["birthday"] == "1980-01-01"
    assert read.of("mail.contact")[0]["times"]["revised"]["text"] == "2020-01-02T03:04:05Z"
    assert any("no end" in one.reason for one in read.coverage)


def test_an_invitation_names_parties_and_keeps_local_times_local(reading: Reading) -> None:
    (row,) = reading({"i.ics": CALENDAR}).of("mail.appointment")
    data, times = row["data"], row["times"]
    assert data["summary"] == "Meet, now" and data["organizer"] == "Boss: X <boss@x.example>"
    assert data["answers"] == {"a@x.example": "accepted"} and data["method"] == "REQUEST" and data["alarms"] == 1
    assert times["start"]["text"] == "2020-01-02T10:00:00" and times["start"]["zone"] == "local-unknown"
    assert "Europe/Berlin" in times["start"]["zone_source"] and times["stamped"]["text"] == "2020-01-01T00:00:00Z"
    assert data["description"] == "long folded"


def test_damaged_cards_and_calendars_are_read_as_far_as_they_go(reading: Reading) -> None:
    files = {f"{n}.vcf": CARDS[: 11 + n * 40] for n in range(8)} | {
        f"{n}.ics": CALENDAR[: 15 + n * 50] for n in range(8)
    }
    read = reading(files)
    assert [c for c in read.coverage if c.reason_code == "crashed"] == []
