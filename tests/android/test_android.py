"""Android stores: message units, call directions, contacts in one record, text and binary XML."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from evidence_files import database, records
from wigmore.artifacts.android import apps, system, telephony
from wigmore.artifacts.android.xml_reader import read_xml
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import ParseError


def test_sms_are_milliseconds_and_mms_are_seconds(tmp_path: Path) -> None:
    path = database(
        tmp_path / "mmssms.db", "CREATE TABLE threads (_id)",
        "CREATE TABLE sms (_id INTEGER PRIMARY KEY, address, date, type, body)",
        "CREATE TABLE pdu (_id INTEGER PRIMARY KEY, date, msg_box)",
        "CREATE TABLE addr (_id INTEGER PRIMARY KEY, msg_id, address, type)",
        "CREATE TABLE part (_id INTEGER PRIMARY KEY, mid, seq, ct, name, text)",
        "INSERT INTO sms VALUES (1, '+1555', 1383065788038, 2, 'hello'), (2, '+1555', 1383065789038, 1, 'hi')",
        "INSERT INTO pdu VALUES (1, 1383065788, 1)",
        "INSERT INTO addr VALUES (1, 1, '+1555', 137), (2, 1, 'insert-address-token', 151)",
        "INSERT INTO part VALUES (1, 1, 0, 'text/plain', 'a', 'picture for you'), (2, 1, 1, 'image/jpeg', 'b', NULL)",
    )  # fmt: skip
    sent, received = records(telephony.messages, path, "android.sms")
    [mms] = records(telephony.messages, path, "android.mms")
    assert (sent.data["from"], sent.data["to"], received.data["from"]) == ("Local User", "+1555", "+1555")
    assert (
        sent.times["date"]["text"] == "2013-10-29T16:56:28.038Z" and mms.times["date"]["text"] == "2013-10-29T16:56:28Z"
    )
    assert mms.data["from"] == ["+1555"] and mms.data["to"] == ["Local User"] and mms.data["body"] == "picture for you"


def test_a_contact_holds_all_its_values(tmp_path: Path) -> None:
    path = database(
        tmp_path / "contacts2.db",
        "CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY, display_name, account_id, contact_id)",
        "CREATE TABLE accounts (_id INTEGER PRIMARY KEY, account_name, account_type)",
        "CREATE TABLE mimetypes (_id INTEGER PRIMARY KEY, mimetype)",
        "CREATE TABLE data (_id INTEGER PRIMARY KEY, mimetype_id, raw_contact_id, data1, data2, data3, data4)",
        "INSERT INTO raw_contacts VALUES (1, 'Jo Doe', 1, 1)", "INSERT INTO accounts VALUES (1, 'me@x', 'com.google')",
        "INSERT INTO mimetypes VALUES (1, 'vnd.android.cursor.item/phone_v2'), (2, 'vnd.android.cursor.item/email_v2')",
        "INSERT INTO data VALUES (1, 1, 1, '555', 2, NULL, '+1555'), (2, 2, 1, 'a@b', 1, NULL, NULL)",
    )  # fmt: skip
    [contact] = records(telephony.contacts, path)
    assert contact.data["phones"] == ["Mobile: 555 (+1555)"] and contact.data["emails"] == ["a@b"]
    assert contact.data["account_name"] == "me@x"


def test_calls_have_direction_and_length(tmp_path: Path) -> None:
    path = database(
        tmp_path / "calllog.db", "CREATE TABLE calls (_id INTEGER PRIMARY KEY, number, date, duration, type)",
        "INSERT INTO calls VALUES (1, '5404561685', 1383772636690, 0, 3)",
    )  # fmt: skip
    [call] = records(telephony.calls, path)
    assert call.data["direction"] == "missed" and call.times["date"]["text"] == "2013-11-06T21:17:16.690Z"


def test_whatsapp_messages_name_their_parties(tmp_path: Path) -> None:
    path = database(
        tmp_path / "msgstore.db", "CREATE TABLE jid (_id INTEGER PRIMARY KEY, raw_string)",
        "CREATE TABLE chat (_id INTEGER PRIMARY KEY, jid_row_id, subject)",
        "CREATE TABLE message (_id INTEGER PRIMARY KEY, chat_row_id, from_me, sender_jid_row_id, timestamp, "
        "text_data, message_type)",
        "INSERT INTO jid VALUES (1, '1@s.whatsapp.net'), (2, '9@g.us')",
        "INSERT INTO chat VALUES (1, 1, NULL), (2, 2, 'Family')",
        "INSERT INTO message VALUES (1, 1, 1, NULL, 1600000000000, 'a', 0), (2, 2, 0, 1, 1600000001000, 'b', 0)",
    )  # fmt: skip
    found = [(r.data["from"], r.data["to"]) for r in records(apps.whatsapp, path)]
    assert found == [("Local User", "1@s.whatsapp.net"), ("1@s.whatsapp.net", "Family")]


def test_usage_history_gives_a_component_its_time(tmp_path: Path) -> None:
    path = tmp_path / "u.xml"
    path.write_text(
        "<?xml version='1.0'?><usage-history><pkg name='p'><comp name='p.C' lrt='1386617313047' "
        "/></pkg></usage-history>"
    )
    [usage] = records(system.usage_history, path)
    assert (
        usage.data == {"package": "p", "component": "p.C"}
        and usage.times["last_resumed"]["text"] == "2013-12-09T19:28:33.047Z"
    )


def abx() -> bytes:
    """`<packages><package name="com.x" it="18..." userId="10001"/></packages>` in binary XML."""

    def known(text: str) -> bytes:
        return b"\xff\xff" + struct.pack(">H", len(text)) + text.encode()

    body = (
        b"ABX\0"
        + bytes([0x00 | 1 << 4])
        + bytes([0x02 | 3 << 4])
        + known("packages")
        + bytes([0x02 | 3 << 4])
        + known("package")
    )
    body += bytes([0x0F | 2 << 4]) + known("name") + struct.pack(">H", 5) + b"com.x"
    body += bytes([0x0F | 2 << 4]) + known("it") + struct.pack(">H", 11) + b"18bcfe56800"
    body += bytes([0x0F | 6 << 4]) + known("userId") + struct.pack(">i", 10001)
    body += (
        bytes([0x03 | 3 << 4])
        + struct.pack(">H", 1)
        + bytes([0x03 | 3 << 4])
        + struct.pack(">H", 0)
        + bytes([0x01 | 1 << 4])
    )
    return body


def test_binary_xml_is_read_like_text(tmp_path: Path) -> None:
    binary, text = tmp_path / "b.xml", tmp_path / "t.xml"
    binary.write_bytes(abx())
    text.write_text('<packages><package name="com.x" it="18bcfe56800" userId="10001" /></packages>')
    [first], [second] = records(system.packages, binary), records(system.packages, text)
    assert first.data == second.data and first.times == second.times
    assert first.data["user_id"] == "10001" and first.time_field == "first_install"


def test_cut_binary_xml_and_entities_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "b.xml"
    path.write_bytes(abx()[:-12])
    with pytest.raises(ParseError) as caught:
        records(system.packages, path)
    assert caught.value.reason == "truncated"
    path.write_text('<!DOCTYPE p [<!ENTITY a "b">]><packages>&a;</packages>')
    with pytest.raises(ParseError):
        read_xml(LocalFile.at(path))


def test_wifi_networks_show_name_and_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "WifiConfigStore.xml"
    path.write_text(
        '<?xml version="1.0"?><WifiConfigStoreData><NetworkList><Network><WifiConfiguration>'
        '<string name="SSID">&quot;home&quot;</string><string name="PreSharedKey">&quot;pass&quot;</string>'
        "</WifiConfiguration></Network></NetworkList></WifiConfigStoreData>"
    )
    [network] = records(system.wifi, path)
    assert network.data == {"kind": "Network", "SSID": "home", "PreSharedKey": "pass"}


def test_build_properties_carry_the_build_time(tmp_path: Path) -> None:
    path = tmp_path / "build.prop"
    path.write_text("# c\nro.product.model=Pixel 3\nro.build.date.utc=1600000000\nro.serialno=AB1\n")
    [build] = records(system.build_properties, path)
    assert build.data["ro.product.model"] == "Pixel 3" and build.host_id == "AB1"
    assert build.times["ro.build.date.utc"]["text"] == "2020-09-13T12:26:40Z"


def test_the_real_extraction_gives_its_messages(shared_evidence: Path) -> None:
    path = shared_evidence / (
        "mobile_android/extraction_android11_hickman/data/data/com.android.providers.telephony/databases/mmssms.db"
    )
    if not path.exists():
        pytest.skip("the Android 11 extraction is not among the shared evidence")
    assert len(records(telephony.messages, path, "android.sms")) == 27
