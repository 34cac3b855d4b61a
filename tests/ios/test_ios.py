"""iOS stores: parties named, epochs told apart, names joined across tables and from beside the file."""

from __future__ import annotations

import gzip
import json
import plistlib
from pathlib import Path
from typing import Any

import pytest

from evidence_files import database, records
from wigmore.artifacts.ios import device, discord, messages, notes, people, system, teams, url_cache, whatsapp


def test_messages_name_both_sides_and_read_both_epochs(tmp_path: Path) -> None:
    path = database(
        tmp_path / "sms.db", "CREATE TABLE handle (id TEXT, service TEXT)", "CREATE TABLE chat (chat_identifier TEXT)",
        "CREATE TABLE message (text, handle_id, date, is_from_me, service)",
        "CREATE TABLE attachment (filename, mime_type, "
        "transfer_name, total_bytes)", "CREATE TABLE chat_message_join (chat_id, message_id)",
        "CREATE TABLE chat_handle_join (chat_id, handle_id)",
        "CREATE TABLE message_attachment_join (message_id, attachment_id)",
        "INSERT INTO handle VALUES ('+1555', 'iMessage')", "INSERT INTO chat VALUES ('+1555')",
        "INSERT INTO chat_handle_join VALUES (1, 1)", "INSERT INTO chat_message_join VALUES (1, 1), (1, 2)",
        "INSERT INTO message VALUES ('hello', 1, 470573320, 0, 'iMessage'), ('hi', 1, 606532259367563904, 1, 'SMS')",
        "INSERT INTO attachment VALUES ('~/a.jpg', 'image/jpeg', 'a.jpg', 5)",
        "INSERT INTO message_attachment_join VALUES (2, 1)",
    )  # fmt: skip
    received, sent = records(messages.messages, path, "ios.sms")
    assert (received.data["from"], received.data["to"]) == ("+1555", "Local User")
    assert (sent.data["from"], sent.data["to"], sent.data["direction"]) == ("Local User", "+1555", "sent")
    assert received.times["date"]["text"] == "2015-11-30T10:48:40.000000Z"
    assert sent.times["date"]["text"] == "2020-03-22T01:10:59.367563904Z"
    assert sent.data["attachments"][0]["transfer_name"] == "a.jpg"


def test_a_contact_holds_all_its_values(tmp_path: Path) -> None:
    path = database(
        tmp_path / "AddressBook.sqlitedb", "CREATE TABLE ABPerson (First, Last, CreationDate, ModificationDate)",
        "CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id, property, identifier, label, value)",
        "CREATE TABLE ABMultiValueLabel (value)", "CREATE TABLE ABMultiValueEntry (parent_id, key, value)",
        "CREATE TABLE ABMultiValueEntryKey (value)", "INSERT INTO ABPerson VALUES ('Jo', 'Doe', 703260029, 704051995)",
        "INSERT INTO ABMultiValueLabel VALUES ('_$!<Mobile>!$_'), ('Own')",
        "INSERT INTO ABMultiValueEntryKey VALUES ('City')",
        "INSERT INTO ABMultiValue VALUES (1, 1, 3, 0, 1, '(919) 555'), (2, 1, 4, 0, 2, 'a@b'), (3, 1, 5, 0, 2, NULL)",
        "INSERT INTO ABMultiValueEntry VALUES (3, 1, 'Paris')",
    )  # fmt: skip
    [person] = records(people.contacts, path)
    assert person.data["name"] == "Jo Doe" and person.data["phones"] == ["Mobile: (919) 555"]
    assert person.data["emails"] == ["Own: a@b"] and person.data["addresses"] == ["Own: City: Paris"]
    assert person.times["created"]["text"] == "2023-04-15T14:00:29.000000Z"


def test_a_call_record_has_direction_length_and_number(tmp_path: Path) -> None:
    path = database(
        tmp_path / "CallHistory.storedata",
        "CREATE TABLE ZCALLRECORD (Z_PK INTEGER PRIMARY KEY, ZADDRESS, ZDATE, ZDURATION, ZORIGINATED, ZANSWERED, "
        "ZCALLTYPE)",
        "INSERT INTO ZCALLRECORD VALUES (1, x'2b31353535', 703260029.5, 95.2, 1, 0, 8)",
    )
    [call] = records(people.calls, path)
    assert call.data["ZADDRESS"] == "+1555" and call.data["direction"] == "outgoing"
    assert call.data["duration"] == "00:01:35" and call.data["call_type"] == "FaceTime video"


def test_whatsapp_calls_take_names_from_the_contacts_beside_them(tmp_path: Path) -> None:
    database(
        tmp_path / "ContactsV2.sqlite",
        "CREATE TABLE ZWAADDRESSBOOKCONTACT (Z_PK INTEGER PRIMARY KEY, ZFULLNAME, ZPHONENUMBER, ZWHATSAPPID)",
        "INSERT INTO ZWAADDRESSBOOKCONTACT VALUES (1, 'Jo Doe', '(919) 555', '1919555@s.whatsapp.net')",
    )
    path = database(
        tmp_path / "CallHistory.sqlite",
        "CREATE TABLE ZWACDCALLEVENT (Z_PK INTEGER PRIMARY KEY, ZDATE, ZDURATION, ZOUTCOME, Z1CALLEVENTS)",
        "CREATE TABLE ZWAAGGREGATECALLEVENT (Z_PK INTEGER PRIMARY KEY, ZINCOMING, ZVIDEO)",
        "CREATE TABLE ZWACDCALLEVENTPARTICIPANT (Z_PK INTEGER PRIMARY KEY, Z1PARTICIPANTS, ZJIDSTRING)",
        "INSERT INTO ZWACDCALLEVENT VALUES (1, 704736730.06, 100.9, 0, 1)",
        "INSERT INTO ZWAAGGREGATECALLEVENT VALUES (1, 1, 0)",
        "INSERT INTO ZWACDCALLEVENTPARTICIPANT VALUES (1, 1, '1919555@s.whatsapp.net')",
    )  # fmt: skip
    [call] = records(whatsapp.calls, path)
    assert call.data["participant_names"] == ["Jo Doe ((919) 555)"] and call.data["direction"] == "Incoming"
    assert call.data["duration"] == "00:01:40"


def test_whatsapp_messages_name_group_members(tmp_path: Path) -> None:
    path = database(
        tmp_path / "ChatStorage.sqlite",
        "CREATE TABLE ZWAMESSAGE (Z_PK INTEGER PRIMARY KEY, ZTEXT, ZISFROMME, ZMESSAGEDATE, ZCHATSESSION, "
        "ZGROUPMEMBER, ZMESSAGETYPE)",
        "CREATE TABLE ZWACHATSESSION (Z_PK INTEGER PRIMARY KEY, ZCONTACTJID, ZPARTNERNAME)",
        "CREATE TABLE ZWAGROUPMEMBER (Z_PK INTEGER PRIMARY KEY, ZCONTACTNAME, ZMEMBERJID)",
        "INSERT INTO ZWACHATSESSION VALUES (1, '1@s.whatsapp.net', 'Jo'), (2, '9@g.us', 'Family')",
        "INSERT INTO ZWAGROUPMEMBER VALUES (1, 'Ann', '2@s.whatsapp.net')",
        "INSERT INTO ZWAMESSAGE VALUES (1, 'a', 1, 704736730, 1, NULL, 0), (2, 'b', 0, 704736731, 1, NULL, 0), "
        "(3, 'c', 0, 704736732, 2, 1, 0)",
    )
    found = [(r.data["from"], r.data["to"]) for r in records(whatsapp.chats, path, "ios.whatsapp.message")]
    assert found == [("Local User", "Jo"), ("Jo", "Local User"), ("Ann", "Family")]


def archived(value: Any) -> bytes:
    """A keyed archive of dictionaries and plain values."""
    objects: list[Any] = ["$null", {"$classname": "NSDictionary", "$classes": ["NSDictionary"]}]

    def add(item: Any) -> plistlib.UID:
        number = len(objects)
        objects.append(None)
        if isinstance(item, dict):
            keys, values = [add(k) for k in item], [add(v) for v in item.values()]
            objects[number] = {"NS.keys": keys, "NS.objects": values, "$class": plistlib.UID(1)}
        else:
            objects[number] = item
        return plistlib.UID(number)

    top = {"root": add(value)}
    made = {"$archiver": "NSKeyedArchiver", "$version": 100000, "$top": top, "$objects": objects}
    return plistlib.dumps(made, fmt=plistlib.FMT_BINARY)


def test_teams_calls_and_places_are_kinds_of_their_own(tmp_path: Path) -> None:
    call = {"call-log": {"callDirection": "incoming", "startTime": "2023-04-28T14:28:36.3858904Z",
                         "connectTime": "2023-04-28T14:28:40.1503415Z", "endTime": "2023-04-28T14:30:11.2399971Z",
                         "originatorParticipant": {"displayName": "Jo"}}}  # fmt: skip
    card = json.dumps(
        [{"content": {"body": [{"text": "1 High St", "url": "https://x/maps?rtp=adr.~pos.35.65_-78.81_a"}]}}]
    )
    users = "ZUSER"  # codespell:ignore zuser
    path = database(
        tmp_path / "SkypeSpacesDogfood-x.sqlite",
        "CREATE TABLE ZSMESSAGE (Z_PK INTEGER PRIMARY KEY, ZTSID, ZTHREADID, ZCONTENT, ZIMDISPLAYNAME, ZFROM, "
        "ZCOMPOSETIME)",
        "CREATE TABLE ZMESSAGEPROPERTIES (ZTSID, ZTHREADID, ZPROPERTIES)",
        f"CREATE TABLE {users} (Z_PK INTEGER PRIMARY KEY, ZDISPLAYNAME, ZTSID)",
        "INSERT INTO ZSMESSAGE VALUES (1, 1, 't', 'x', 'Jo', '8:jo', '2023-04-28T14:30:12.0000000Z')",
        "INSERT INTO ZSMESSAGE VALUES (2, 2, 't', 'y', 'Jo', '8:jo', '2023-04-28T14:31:12.0000000Z')",
        ("INSERT INTO ZMESSAGEPROPERTIES VALUES (1, 't', ?)", (archived(call),)),
        ("INSERT INTO ZMESSAGEPROPERTIES VALUES (2, 't', ?)", (archived({"cards": card}),)),
    )
    first, second = records(teams.teams, path)
    assert first.artifact == "ios.teams.call" and first.data["caller"] == "Jo" and first.data["direction"] == "incoming"
    assert first.time_field == "startTime" and first.data["duration"] == "00:01:31"
    assert second.artifact == "ios.teams.location" and second.data["card_text"] == ["1 High St"]
    assert (second.data["latitude"], second.data["longitude"]) == (35.65, -78.81)


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def test_the_text_of_a_note_is_unpacked() -> None:
    document = field(2, b"\x08\x01" + field(3, field(2, "Hallo Wörld".encode())))
    assert notes.note_text(gzip.compress(document, mtime=0)) == "Hallo Wörld"
    assert notes.note_text(b"encrypted") is None
    assert notes.note_text(gzip.compress(b"\xff" * 40, mtime=0)) is None


def test_accounts_carry_type_and_properties(tmp_path: Path) -> None:
    path = database(
        tmp_path / "Accounts3.sqlite",
        "CREATE TABLE ZACCOUNT (Z_PK INTEGER PRIMARY KEY, ZACCOUNTTYPE, ZDATE, ZUSERNAME)",
        "CREATE TABLE ZACCOUNTTYPE (Z_PK INTEGER PRIMARY KEY, ZACCOUNTTYPEDESCRIPTION)",
        "CREATE TABLE ZACCOUNTPROPERTY (Z_PK INTEGER PRIMARY KEY, ZOWNER, ZKEY, ZVALUE)",
        "INSERT INTO ZACCOUNT VALUES (1, 1, 606519591.912371, 'me@x')", "INSERT INTO ZACCOUNTTYPE VALUES (1, 'iCloud')",
        ("INSERT INTO ZACCOUNTPROPERTY VALUES (1, 1, 'fullName', ?)", (archived("Jo Doe"),)),
    )  # fmt: skip
    [account] = records(system.accounts, path)
    assert account.data["ZACCOUNTTYPEDESCRIPTION"] == "iCloud" and account.data["property.fullName"] == "Jo Doe"
    assert account.times["ZDATE"]["text"] == "2020-03-21T21:39:51.912371Z"


def test_a_cached_answer_shows_address_status_and_body(tmp_path: Path) -> None:
    response = plistlib.dumps(
        {"Version": 1, "Array": [0, 200, {"Content-Type": "text/plain"}]}, fmt=plistlib.FMT_BINARY
    )
    request = plistlib.dumps({"Version": 9, "Array": [1, "POST", {"User-Agent": "app/1"}]}, fmt=plistlib.FMT_BINARY)
    path = database(
        tmp_path / "Cache.db",
        "CREATE TABLE cfurl_cache_response (entry_ID INTEGER PRIMARY KEY, request_key, time_stamp)",
        "CREATE TABLE cfurl_cache_blob_data (entry_ID, response_object, request_object)",
        "CREATE TABLE cfurl_cache_receiver_data (entry_ID, isDataOnFS, receiver_data)",
        "INSERT INTO cfurl_cache_response VALUES (1, 'https://x/', '2023-05-08 17:19:55')",
        ("INSERT INTO cfurl_cache_blob_data VALUES (1, ?, ?)", (response, request)),
        ("INSERT INTO cfurl_cache_receiver_data VALUES (1, 0, ?)", (b'{"ok": true}',)),
    )  # fmt: skip
    [entry] = records(url_cache.url_cache, path)
    assert entry.data["status"] == 200 and entry.data["method"] == "POST" and entry.data["body"] == {"ok": True}
    assert entry.times["time_stamp"]["text"] == "2023-05-08T17:19:55Z"


def test_device_numbers_become_the_host_identity(tmp_path: Path) -> None:
    path = tmp_path / "Info.plist"
    path.write_bytes(
        plistlib.dumps({"Device Name": "Jo's iPhone", "Serial Number": "C02", "IMEI": "35", "Applications": {"a": 1}})
    )
    [found] = records(device.device, path)
    assert found.host_id == "C02" and found.data["Device Name"] == "Jo's iPhone" and "Applications.a" not in found.data
    path.write_bytes(plistlib.dumps({"CFBundleName": "App"}))
    assert not records(device.device, path)


def test_discord_messages_are_recognised_by_content(tmp_path: Path) -> None:
    message = {"id": "1", "content": "hello", "channel_id": "2", "author": {"id": "3", "username": "jo"},
               "timestamp": "2023-04-24T18:17:21.655000+00:00"}  # fmt: skip
    path = tmp_path / "23AAD8D4"
    path.write_text(json.dumps([message]))
    [found] = records(discord.discord_messages, path)
    assert found.data["author"] == "jo" and found.times["timestamp"]["owner"] == "server"


def test_the_real_iphone_gives_its_messages(shared_evidence: Path) -> None:
    path = shared_evidence / "mobile_ios/museum_ios13/Library/SMS/sms.db"
    if not path.exists():
        pytest.skip("the iOS 13 message store is not among the shared evidence")
    found = records(messages.messages, path, "ios.sms")
    assert sum(r.state in ("live", "wal_committed") for r in found) == 48
    assert sum(r.state == "wal_committed" for r in found) == 4
