"""Mail of every form: header fields with their zones, route and checks, bodies, attachments as files of their own."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mail.conftest import Read, read_source
from mail.mail_builders import CRLF, FILETIME, PROGRAM, express, mbox, message, outlook_message, plain, rich, tnef
from wigmore.formats.mail import html_text
from wigmore.formats.mail_headers import addresses, date, decoded, hop
from wigmore.formats.mail_kinds import mail_kind
from wigmore.formats.mail_rtf import rtf_bytes, rtf_html, rtf_text

Reading = Callable[[dict[str, bytes]], Read]
SHARED = Path("/work/shared/evidence/email")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# headers and bodies ----------------------------------------------------------------------------------------------------


def test_a_message_keeps_the_zone_of_its_header_and_names_its_parties(reading: Reading) -> None:
    row = reading({"a.eml": rich()}).message("Rechnung für März")
    data = row["data"]
    assert row["times"]["date"]["text"] == "2024-03-05T05:01:58-05:00" and row["time_field"] == "date"
    assert data["date_utc"] == "2024-03-05T10:01:58Z"
    assert data["from"] == "Jürgen Chef (chef@corp.example) <x7@mailer.example>"
    assert data["to"] == ["Bob, B. <bob@corp.example>", "ann@corp.example", "cy@corp.example"]
    assert data["cc"] == ["dora@gmail.com"] and data["recipient_domains"] == ["corp.example", "gmail.com"]
    assert (
        data["references"] == ["<m-1@corp.example>", "<m0@corp.example>"] and data["in_reply_to"] == "<m0@corp.example>"
    )
    assert data["user_agent"] == "PHPMailer 6" and data["originating_ip"] == "203.0.113.9"


def test_the_route_is_told_hop_by_hop_with_each_servers_own_time(reading: Reading) -> None:
    row = reading({"a.eml": rich()}).message("Rechnung für März")
    first, last = row["data"]["received"][-1], row["data"]["received"][0]
    assert last == {"from": "relay.example", "by": "mx.corp.example", "with": "ESMTPS", "id": "A1", "for": "bob@corp.example",
                    "from_ip": "192.0.2.7", "time": "2024-03-05T11:02:09+01:00"}  # fmt: skip
    assert first["by"] == "relay.example" and row["data"]["first_hop_ip"] == "198.51.100.23"
    assert row["times"]["received_first"]["text"] == "2024-03-05T05:02:01-05:00"
    assert row["times"]["received_last"]["owner"] == "server"


def test_signs_of_a_false_sender_are_fields(reading: Reading) -> None:
    data = reading({"a.eml": rich()}).message("Rechnung für März")["data"]
    assert (data["spf"], data["dkim"], data["dmarc"]) == ("softfail", "none", "fail")
    assert data["from_domain"] == data["return_path_domain"] == "mailer.example"
    assert data["reply_to_domain"] == "elsewhere.example" and data["address_in_from_name"] == "chef@corp.example"


def test_the_plain_body_is_kept_and_the_links_of_the_other_one(reading: Reading) -> None:
    data = reading({"a.eml": rich()}).message("Rechnung für März")["data"]
    assert data["body"] == "Grüße aus dem Büro" and data["body_sha256"] == sha256("Grüße aus dem Büro".encode())
    assert data["links"] == ["https://evil.example/x?a=1&b=2"] and len(data["html_sha256"]) == 64


def test_html_alone_becomes_text_and_its_scripts_do_not() -> None:
    page = "<html><head><script>bad()</script><style>x</style></head><body><p>One&nbsp;&amp; two<br>three</p><!-- no --></body>"
    assert html_text(page) == "One & two\nthree"
    assert html_text("<script>" * 50_000) == ""
    assert "a < b" in html_text("a < b")


def test_a_long_body_is_cut_and_the_whole_is_a_member(reading: Reading) -> None:
    text = "lorem ipsum \n" * 20_000
    read = reading({"a.eml": plain("long", text)})
    data = read.message("long")["data"]
    assert data["body_cut"] and len(data["body"]) == 65_536 and data["body_size"] == len(text)
    assert data["body_sha256"] == sha256(text.encode())
    assert "a.eml/body.txt" in read.paths()


@pytest.mark.parametrize(
    ("written", "text", "zone"),
    [
        ("Tue, 9 Jun 2009 23:58:45 -0400 (EDT)", "2009-06-09T23:58:45-04:00", "-04:00"),
        ("9 Jun 2009 23:58:45 GMT", "2009-06-09T23:58:45Z", "Z"),
        ("Tue, 09 Jun 2009 23:58:45 -0000", "2009-06-09T23:58:45Z", "Z"),
        ("Tue, 09 Jun 2009 23:58:45", "2009-06-09T23:58:45", "local-unknown"),
    ],
)
def test_dates_stay_in_their_zone(written: str, text: str, zone: str) -> None:
    found = date(written, "author")
    assert found is not None and (found["text"], found["zone"]) == (text, zone)


@pytest.mark.parametrize(
    "written", ["", "yesterday", "Tue, 99 Jun 2009 23:58:45 +0000", "x" * 5000, "Tue, 9 Jun 2009 23:58:45 +99999"]
)
def test_what_is_no_date_is_no_time(written: str) -> None:
    assert date(written, "author") is None


def test_a_date_that_cannot_be_read_stays_as_text(reading: Reading) -> None:
    row = reading({"a.eml": plain("odd", Date="the ides of March")})
    assert row.message("odd")["data"]["date_text"] == "the ides of March"


def test_addresses_survive_quotes_groups_and_nonsense() -> None:
    assert addresses('"a, b" <c@d.example>, e@f.example') == [("a, b", "c@d.example"), ("", "e@f.example")]
    assert addresses("undisclosed-recipients:;") == []
    assert addresses("Only a Name") == [("Only a Name", "")]
    assert len(addresses("a@b.example, " * 5_000)) <= 500


def test_encoded_words_never_reach_transforms_of_python() -> None:
    assert decoded("=?utf-8?B?SGFsbG8=?= =?utf-8?Q?_Welt?=") == "Hallo Welt"
    assert decoded("=?zlib?B?eJxLTM4FAAJtATQ=?=") != "acm" and decoded("=?utf-8?B?####?=") == "=?utf-8?B?####?="


def test_a_received_line_of_another_form_is_kept_as_text() -> None:
    assert hop("(qmail 8 invoked by uid 99)") == {"text": "(qmail 8 invoked by uid 99)"}


# attachments as files --------------------------------------------------------------------------------------------------


def test_attachments_are_files_below_the_message_and_messages_inside_are_opened(reading: Reading) -> None:
    read = reading({"a.eml": rich()})
    data = read.message("Rechnung für März")["data"]
    program = data["attachments"][0]
    assert (
        program["name"] == "Rechnung M.pdf.exe"
        and program["sha256"] == sha256(PROGRAM)
        and program["content_id"] == "cid1@x"
    )
    listed = {row["path"]: row["data"] for row in read.of("file_listing")}
    assert listed["a.eml/Rechnung M.pdf.exe"]["sha256"] == sha256(PROGRAM)
    assert listed["a.eml/message-03.eml/deep.txt"]["sha256"] == sha256(b"deep content")
    assert (
        read.message("inner")["path"] == "a.eml/message-03.eml"
        and read.message("inner")["data"]["body"] == "inner text"
    )


def test_a_mailbox_gives_each_message_its_folder(reading: Reading) -> None:
    read = reading({"Inbox": mbox(plain("one"), rich().replace(b"\r\n", b"\n"), plain("three"))})
    assert [row["data"]["number"] for row in read.of("mail.message") if row["path"] == "Inbox"] == [1, 2, 3]
    assert "Inbox/message-0002/Rechnung M.pdf.exe" in read.paths()
    (box,) = read.of("mail.mailbox")
    assert box["data"]["messages"] == 3 and box["data"]["attachments"] == 2


def test_attachments_of_one_name_stay_apart(reading: Reading) -> None:
    from mail.mail_builders import multipart, part

    parts = [part({"Content-Type": "text/plain; name=n.txt"}, text) for text in (b"first", b"second")]
    headers = {
        "From": "a@x.example",
        "Date": "Wed, 6 Mar 2024 10:00:00 +0100",
        "Content-Type": "multipart/mixed; boundary=b",
    }
    read = reading({"a.eml": message(headers, multipart("b", *parts))})
    listed = {row["path"]: row["data"]["sha256"] for row in read.of("file_listing")}
    assert listed["a.eml/n.txt"] == sha256(b"first") and listed["a.eml/n (2).txt"] == sha256(b"second")


def test_names_that_would_lead_elsewhere_stay_below_the_message(reading: Reading) -> None:
    from mail.mail_builders import multipart, part

    names = ["../../etc/passwd", "C:\\x\\y.txt", "..", "a" * 400 + ".txt", "\x00\x01"]
    parts = [part({"Content-Type": f'text/plain; name="{name}"'}, b"content of some length") for name in names]
    headers = {
        "From": "a@x.example",
        "Date": "Wed, 6 Mar 2024 10:00:00 +0100",
        "Content-Type": "multipart/mixed; boundary=b",
    }
    read = reading({"a.eml": message(headers, multipart("b", *parts))})
    inside = [path.removeprefix("a.eml/") for path in read.paths() if path.startswith("a.eml/")]
    assert len(inside) == 5 and all(".." not in path.split("/") and "/" not in path for path in inside)


def test_uuencoded_files_in_the_text_are_attachments(reading: Reading) -> None:
    import binascii

    content = bytes(range(200))
    lines = b"".join(binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45))
    read = reading({"a.eml": plain("uu", "see below\n\nbegin 644 pic.bin\n" + lines.decode() + "`\nend\nbye\n")})
    assert read.message("uu")["data"]["attachments"][0]["sha256"] == sha256(content)
    assert "a.eml/pic.bin" in read.paths()


def test_base64_that_ends_early_is_said_and_what_is_there_is_kept(reading: Reading) -> None:
    from mail.mail_builders import multipart, part

    one = part({"Content-Type": "application/pdf; name=x.pdf"}, b"0123456789" * 20)
    whole = message({"From": "a@x.example", "Date": "Wed, 6 Mar 2024 10:00:00 +0100",
                     "Content-Type": "multipart/mixed; boundary=b"}, multipart("b", one))  # fmt: skip
    read = reading({"a.eml": whole[:-120]})
    (row,) = read.of("mail.message")
    assert 0 < row["data"]["attachments"][0]["size"] < 200
    assert any("closing boundary" in one.reason for one in read.coverage)


def test_plain_messages_are_no_containers(reading: Reading) -> None:
    read = reading({f"Maildir/cur/{n}.host:2,RS": plain(f"m{n}") for n in range(5)})
    assert len(read.of("mail.message")) == 5 and read.of("container") == []
    assert read.message("m1")["data"]["flags"] == ["replied", "seen"]


# mailboxes -------------------------------------------------------------------------------------------------------------


def test_lines_that_begin_with_from_do_not_part_a_message(reading: Reading) -> None:
    body = "Hello\n\nFrom here on it is text\n>From quoted\nFrom me to you 2024\n"
    read = reading({"box": mbox(plain("one", body), plain("two"))})
    assert [row["data"]["subject"] for row in read.of("mail.message")] == ["one", "two"]
    assert "From here on" in read.message("one")["data"]["body"]


def test_a_large_mailbox_is_parted_at_every_message(reading: Reading) -> None:
    many = [plain(f"s{n}", "x" * (n * 37 % 5000)) for n in range(1_500)]
    read = reading({"box": mbox(*many)})
    assert [row["data"]["subject"] for row in read.of("mail.message")] == [f"s{n}" for n in range(1_500)]
    content = mbox(*many)
    for row in read.of("mail.message")[::200]:
        place = json.loads(row["locator"])
        assert content[place["offset"] :].startswith(b"From a@corp.example")


def test_thunderbird_status_words_are_flags(reading: Reading) -> None:
    one = b"X-Mozilla-Status: 1003\nX-Mozilla-Status2: 10000000\n" + plain("t")
    data = reading({"ImapMail/INBOX": mbox(one, sender="- ")}).message("t")["data"]
    assert data["flags"] == ["read", "replied", "forwarded", "attachment"]


def test_a_message_without_a_header_is_dated_by_its_envelope(reading: Reading) -> None:
    (row,) = reading({"box": b"From someone Mon Jun 01 10:00:00 2009\n\nonly text\n"}).of("mail.message")
    assert row["times"]["envelope_date"]["text"] == "2009-06-01T10:00:00"
    assert row["times"]["envelope_date"]["zone"] == "local-unknown"


def test_apple_mail_brings_flags_and_its_own_time(reading: Reading) -> None:
    text = plain("apple")
    plist = (
        b"<?xml version='1.0'?><plist version='1.0'><dict><key>flags</key><integer>5</integer><key>date-received</key>"
    )
    plist += b"<integer>1709716000</integer><key>remote-id</key><string>77</string></dict></plist>"
    row = reading({"1.emlx": str(len(text)).encode() + b"\n" + text + plist}).message("apple")
    assert row["data"]["flags"] == ["read", "answered"] and row["data"]["remote_id"] == "77"
    assert row["times"]["received_at"]["text"] == "2024-03-06T09:06:40Z"


# Outlook ---------------------------------------------------------------------------------------------------------------


def test_an_outlook_message_gives_properties_recipients_and_attachments(reading: Reading) -> None:
    read = reading({"m.msg": outlook_message()})
    row = read.message("Quartalszahlen")
    data = row["data"]
    assert data["from"] == "Ann <ann@corp.example>" and data["to"] == ["Bob <bob@gmail.com>"]
    assert data["bcc"] == ["Eve <eve@corp.example>"] and data["flags"] == ["read", "from me"]
    assert row["times"]["client_submit"]["text"] == "2024-03-05T11:20:00.0000000Z"
    assert row["times"]["date"]["text"] == "2024-03-05T12:20:00+01:00" and data["user_agent"] == "Outlook 16"
    assert data["attachments"][0]["sha256"] == sha256(b"F" * 5000) and data["attachments"][0]["content_id"] == "c1"
    assert "m.msg/figures.xlsx" in read.paths()


def test_an_outlook_message_inside_another_is_a_record_with_its_own_attachments(reading: Reading) -> None:
    read = reading({"m.msg": outlook_message()})
    assert read.message("inside")["data"]["body"] == "inner body"
    listed = {row["path"]: row["data"] for row in read.of("file_listing")}
    assert listed["m.msg/embedded-02/deep.bin"]["sha256"] == sha256(b"deep bytes")


def test_a_winmail_stream_gives_body_and_attachments(reading: Reading) -> None:
    read = reading({"winmail.dat": tnef({"plan.txt": b"the plan", "b.bin": bytes(3000)})})
    row = read.message("tnef subject")
    assert row["data"]["body"] == "body of the tnef" and row["times"]["client_submit"]["instant"] == 1709637600000000
    listed = {one["path"]: one["data"]["sha256"] for one in read.of("file_listing")}
    assert listed["winmail.dat/plan.txt"] == sha256(b"the plan") and listed["winmail.dat/b.bin"] == sha256(bytes(3000))
    assert row["data"]["attachments"][0]["modified"] == "2024-03-05T12:00:00"


def test_an_outlook_express_folder_gives_its_messages(reading: Reading) -> None:
    read = reading({"Inbox.dbx": express(plain("first", "y" * 2000), rich())})
    assert read.message("first")["data"]["flags"] == ["read"]
    assert read.message("first")["times"]["received_at"]["raw"] == FILETIME
    assert "Inbox.dbx/message-0002/Rechnung M.pdf.exe" in read.paths()
    assert read.of("mail.mailbox")[0]["data"]["stated_messages"] == 2


def test_rtf_bodies_are_unpacked() -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Gr\'fc\u223?e\par {\*\generator x;}two\tab three}"
    packed = len(rtf).to_bytes(4, "little") * 2 + b"MELA" + b"\0" * 4 + rtf
    assert rtf_text(rtf_bytes(packed)) == "Grüße\ntwo\tthree"
    # MS-OXRTFCP 4.1.1
    sample = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert rtf_bytes(sample) == b"{\\rtf1\\ansi\\ansicpg1252\\pa%s hello world}\r\n" % b"rd"
    html = rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 text{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0 }"
    assert rtf_html(html).strip() == "<p>text</p>"


# recognition -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (plain("x"), "eml"),
        (mbox(plain("x")), "mbox"),
        (b"!BDN" + b"\0" * 100, "pst"),
        (b"From the beginning it was clear\nthat this is text\n", None),
        (b"Subject: notes\nDate: today\n\nmy notes", None),
        (b"From: <Saved by Blink>\nSnapshot-Content-Location: http://x\nMIME-Version: 1.0\nDate: x\n\n", None),
        (b"HTTP/1.1 200 OK\r\nDate: Wed\r\nServer: x\r\n\r\n", None),
        (b"Mar  5 10:00:00 host postfix/smtp[1]: to=<a@b.example>, from: x\n" * 3, None),
        (b"Package: x\nFrom: y\nVersion: 1\n\n", None),
    ],
)
def test_mail_is_recognised_by_content(head: bytes, kind: str | None) -> None:
    assert mail_kind(head, "some/file") == kind


# damage ----------------------------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[], bytes]] = {
    "a.eml": rich,
    "box": lambda: mbox(plain("one"), rich(), plain("last")),
    "m.msg": outlook_message,
    "winmail.dat": lambda: tnef({"a.txt": b"text", "b.bin": bytes(3000)}),
    "f.dbx": lambda: express(plain("one"), rich()),
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_damaged_mail_never_crashes_a_parser_and_says_what_it_lost(name: str, tmp_path: Path) -> None:
    whole = FORMS[name]()
    chance = random.Random(7)
    for number in range(10):
        content = bytearray(whole[: len(whole) * (number + 1) // 6] if number < 5 else whole)
        for _ in range(0 if number < 5 else 25):
            content[chance.randrange(len(content))] = chance.randrange(256)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_bytes(bytes(content))
        (folder / "good.eml").write_bytes(plain("neighbour"))
        read = read_source(folder)
        assert [c for c in read.coverage if c.reason_code == "crashed"] == []
        assert read.message("neighbour")


def test_many_parts_and_deep_nesting_end() -> None:
    import io

    from wigmore.formats.mail_mime import read_message

    wide = message({"From": "a@x.example", "Content-Type": "multipart/mixed; boundary=b"}, b"--b\r\n\r\nx\r\n" * 20_000)
    found = read_message(io.BytesIO(wide), 0, len(wide), "wide")
    assert any("more than" in gap.message for gap in found.gaps)
    deep = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}{CRLF}{CRLF}--b{n}{CRLF}".encode() for n in range(3_000)
    )
    assert read_message(io.BytesIO(deep), 0, len(deep), "deep") is not None


# tools and rules -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from wigmore.api.run import Options, prepare, run

    root = tmp_path_factory.mktemp("mail")
    (root / "evidence").mkdir()
    (root / "evidence" / "in.mbox").write_bytes(mbox(plain("one"), rich().replace(b"\r\n", b"\n")))
    (root / "evidence" / "out.msg").write_bytes(outlook_message())
    made = prepare([root / "evidence"], root / "case")
    run(made, Options(jobs=1))
    return made


def called(case: Path, tool: str, **given: Any) -> list[dict[str, Any]]:
    from wigmore.investigation.workbench import Workbench
    from wigmore.registry import tools
    from wigmore.tools.runner import arguments

    with Workbench(case, write=False) as bench:
        source = next(iter(bench.state.sources))
        output, error = bench.runner.execute(tools()[tool], arguments(tools()[tool], given), source, "examiner")
        assert not error, error
        return list(output.rows)


def test_list_mail_finds_by_party_text_attachment_and_time(case: Path) -> None:
    def subjects(**given: Any) -> set[str]:
        return {row["data"]["subject"] for row in called(case, "list_mail", **given)}

    assert subjects(sender="mailer.example") == {"Rechnung für März"}
    assert subjects(recipient="GMAIL.com") == {"Rechnung für März", "Quartalszahlen"}
    assert subjects(attachment=".exe") == {"Rechnung für März"}
    assert subjects(text="büro") == {"Rechnung für März"}
    assert subjects(after="2024-03-06T00:00:00Z") == {"one"}
    assert len(called(case, "list_messages")) == len(called(case, "list_mail"))
    assert [row["data"]["messages"] for row in called(case, "list_mailboxes")] == [2]


def test_the_rules_see_false_senders_programs_and_private_recipients(case: Path) -> None:
    from wigmore.api.cases import open_case

    with open_case(case) as bench:
        rules = {one.rule for one in bench.state.phenomena.values()}
        templates = {one.template for one in bench.state.hypotheses.values()}
    assert {
        "mail.attachments_to_personal_address",
        "mail.reply_to_differs",
        "mail.address_in_display_name",
        "mail.authentication_failed",
        "mail.executable_attachment",
        "mail.double_extension",
    } <= rules
    assert {"mail_exfiltration", "mail_spoofed"} <= templates


# shared evidence -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.exists(), reason="the shared evidence is not on this machine")
def test_shared_mail_files_are_read_whole() -> None:
    read = read_source(SHARED)
    assert {c.outcome for c in read.coverage if c.parser.startswith("mail.")} == {"found"}
    assert len([r for r in read.of("mail.message") if r["path"].endswith(".pst")]) == 5
    assert all(c.complete for c in read.coverage if c.parser.startswith("mail."))
    boxes = [row["data"]["encryption"] for row in read.of("mail.mailbox") if row["data"]["format"] == "pst"]
    assert len(boxes) == 2 and all(text.startswith("compressible") for text in boxes)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared evidence is not on this machine")
def test_damaged_outlook_files_never_crash_a_parser(tmp_path: Path) -> None:
    (whole,) = [path.read_bytes() for path in SHARED.rglob("outlook.pst")]
    chance = random.Random(3)
    for number in range(5):
        content = bytearray(whole[: len(whole) * (number + 3) // 8] if number < 3 else whole)
        for _ in range(0 if number < 3 else 200):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path = tmp_path / f"{number}.pst"
        path.write_bytes(bytes(content))
        read = read_source(path)
        assert [c for c in read.coverage if c.reason_code == "crashed"] == []
        assert read.outcomes("mail.outlook_file")


def test_zones_of_separating_lines_are_kept_where_they_stand(reading: Reading) -> None:
    box = b"From 17@xxx Tue Mar 05 10:00:00 +0200 2024\r\nSubject: g\r\nX-Gmail-Labels: Sent\r\n\r\nbody\r\n\r\n"
    read = reading({"takeout.mbox": box + b"From x Tue Mar 05 10:00:00 CET 2024\r\nSubject: h\r\n\r\nbody 2\r\n"})
    first, second = read.of("mail.message")
    assert first["times"]["envelope_date"]["text"] == "2024-03-05T10:00:00+02:00" and first["data"]["body"] == "body\n"
    assert second["times"]["envelope_date"]["text"] == "2024-03-05T10:00:00" and first["data"]["labels"] == "Sent"


def test_a_winmail_attachment_is_opened_in_turn(reading: Reading) -> None:
    from mail.mail_builders import multipart, part

    inside = part({"Content-Type": "application/ms-tnef; name=winmail.dat"}, tnef({"plan.txt": b"the plan"}))
    headers = {
        "From": "a@x.example",
        "Date": "Wed, 6 Mar 2024 10:00:00 +0100",
        "Content-Type": "multipart/mixed; boundary=b",
    }
    read = reading({"a.eml": message(headers, multipart("b", inside))})
    assert "a.eml/winmail.dat/plan.txt" in read.paths() and read.message("tnef subject")["path"] == "a.eml/winmail.dat"


def test_what_is_left_of_a_cut_attachment_is_hashed_and_marked(reading: Reading) -> None:
    from mail.mail_builders import multipart, part

    one = part({"Content-Type": "application/pdf; name=x.pdf"}, b"0123456789" * 50)
    headers = {
        "From": "a@x.example",
        "Date": "Wed, 6 Mar 2024 10:00:00 +0100",
        "Content-Type": "multipart/mixed; boundary=b",
    }
    whole = message(headers, multipart("b", one))
    for cut in range(120, 130):
        read = reading({f"{cut}.eml": whole[:-cut]})
        (listed,) = [row for row in read.of("file_listing") if row["path"] == f"{cut}.eml/x.pdf"]
        (told,) = [row for row in read.of("mail.message") if row["path"] == f"{cut}.eml"]
        assert listed["data"]["sha256"] == told["data"]["attachments"][0]["sha256"] and listed["data"]["size"] > 300


def test_pdf_pages_give_text_and_addresses(reading: Reading) -> None:
    drawn = b"BT /F1 12 Tf 10 100 Td (Write to sender@corp.example today) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(drawn), drawn), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += (
        b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    )
    read = reading({"d.pdf": out} | {f"{n}.pdf": out[: n * 60] for n in range(1, 10)})
    (row,) = [row for row in read.of("document.text") if row["path"] == "d.pdf"]
    assert row["data"]["emails"] == ["sender@corp.example"] and row["data"]["page"] == 1
    assert [c for c in read.coverage if c.reason_code == "crashed"] == []
