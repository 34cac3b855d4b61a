"""Stores of telephones, made here by their public descriptions: each field named, each epoch right, secrets left out."""

from __future__ import annotations

import plistlib
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from phone_builders import database, parse, records, table

from wigmore.artifacts.android import apps, messengers, stores, telegram, usage_proto
from wigmore.artifacts.generic import plist, sqlite_locked
from wigmore.artifacts.ios import applications, biome, daily, keychain, locations, photos, system
from wigmore.artifacts.ios import messengers as ios_messengers
from wigmore.model.protocols import ParseError
from wigmore.registry import parsers

DAY = 700_000_000  # seconds since 2001: 2023-03-08T20:26:40Z
MS = 1_678_307_200_000  # the same in POSIX milliseconds


# iOS --------------------------------------------------------------------------------------------------------------------


def test_a_photo_has_its_place_albums_people_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "Photos.sqlite"
    table(
        path,
        "ZASSET",
        {
            "Z_PK": 1,
            "ZUUID": "A",
            "ZDIRECTORY": "DCIM/100APPLE",
            "ZFILENAME": "IMG_1.HEIC",
            "ZDATECREATED": DAY + 0.5,
            "ZLATITUDE": -33.5,
            "ZLONGITUDE": 151.25,
            "ZKIND": 0,
            "ZHIDDEN": 1,
            "ZTRASHEDSTATE": 1,
            "ZTRASHEDDATE": DAY + 60.0,
            "ZADDITIONALATTRIBUTES": 9,
        },
        {
            "Z_PK": 2,
            "ZFILENAME": "IMG_2.MOV",
            "ZDATECREATED": DAY + 9.0,
            "ZLATITUDE": -180.0,
            "ZLONGITUDE": -180.0,
            "ZKIND": 1,
            "ZHIDDEN": 0,
            "ZTRASHEDSTATE": 0,
        },
    )
    table(
        path,
        "ZADDITIONALASSETATTRIBUTES",
        {"Z_PK": 9, "ZORIGINALFILENAME": "holiday.heic", "ZIMPORTEDBYBUNDLEIDENTIFIER": "a.b"},
    )
    table(path, "ZGENERICALBUM", {"Z_PK": 4, "ZTITLE": "Trip", "ZKIND": 2, "ZCREATIONDATE": DAY + 1.0})
    table(path, "Z_26ASSETS", {"Z_26ALBUMS": 4, "Z_3ASSETS": 1, "Z_FOK_3ASSETS": 2048})
    table(path, "ZPERSON", {"Z_PK": 1, "ZFULLNAME": "Jo Doe"})
    table(path, "ZDETECTEDFACE", {"Z_PK": 1, "ZASSETFORFACE": 1, "ZPERSONFORFACE": 1})
    one, two = records(photos.photos, path, "ios.photo")
    assert (one.data["latitude"], one.data["longitude"], one.data["hidden"], one.data["trashed"]) == (
        -33.5,
        151.25,
        True,
        True,
    )
    assert (
        one.data["albums"] == ["Trip"]
        and one.data["people"] == ["Jo Doe"]
        and one.data["ZORIGINALFILENAME"] == "holiday.heic"
    )
    assert one.times["ZDATECREATED"]["text"].startswith("2023-03-08T20:26:40.5") and one.time_field == "ZDATECREATED"
    assert "latitude" not in two.data and two.data["ZKIND_name"] == "video"
    assert [r.data["ZTITLE"] for r in records(photos.photos, path, "ios.photo_album")] == ["Trip"]


def test_an_old_library_is_known_by_its_table_and_another_schema_is_said(tmp_path: Path) -> None:
    path = table(
        tmp_path / "old.sqlite",
        "ZGENERICASSET",
        {"Z_PK": 1, "ZFILENAME": "a.jpg", "ZDATECREATED": DAY, "ZTRASHEDSTATE": 0},
    )
    assert records(photos.old_photos, path)[0].data["ZFILENAME"] == "a.jpg"
    with pytest.raises(ParseError) as caught:
        records(photos.photos, path)
    assert caught.value.reason == "schema_unknown"


def test_fixes_visits_and_towers_are_told_apart(tmp_path: Path) -> None:
    cache = table(
        tmp_path / "Cache.sqlite",
        "ZRTCLLOCATIONMO",
        {"Z_PK": 1, "ZTIMESTAMP": DAY + 0.25, "ZLATITUDE": 48.1, "ZLONGITUDE": 11.5, "ZHORIZONTALACCURACY": 5.0},
    )
    (fix,) = records(locations.routined_cache, cache)
    assert (fix.artifact, fix.data["latitude"], fix.data["ZHORIZONTALACCURACY"]) == ("ios.location", 48.1, 5.0)
    local = table(
        tmp_path / "Local.sqlite",
        "ZRTLEARNEDLOCATIONOFINTERESTMO",
        {"Z_PK": 3, "ZLOCATIONLATITUDE": 48.2, "ZLOCATIONLONGITUDE": 11.6, "ZPLACE": 1},
    )
    table(
        local,
        "ZRTLEARNEDLOCATIONOFINTERESTVISITMO",
        {"Z_PK": 1, "ZENTRYDATE": DAY + 0.0, "ZEXITDATE": DAY + 3661.0, "ZLOCATIONOFINTEREST": 3, "ZCONFIDENCE": 0.9},
    )
    table(local, "ZRTLEARNEDPLACEMO", {"Z_PK": 1, "ZMAPITEM": 1, "ZTYPE": 1})
    table(local, "ZRTMAPITEMMO", {"Z_PK": 1, "ZNAME": "Station", "ZADDRESS": 1})
    table(local, "ZRTADDRESSMO", {"Z_PK": 1, "ZLOCALITY": "Munich", "ZCOUNTRY": "Germany"})
    visit, place = records(locations.significant_locations, local)
    assert (visit.artifact, visit.data["stay"], visit.data["place_name"], visit.data["city"]) == (
        "ios.visit",
        "01:01:01",
        "Station",
        "Munich",
    )
    assert visit.data["latitude"] == 48.2 and place.artifact == "ios.significant_place"
    towers = table(
        tmp_path / "cache_encryptedB.db",
        "WifiLocation",
        {"MAC": 0x0011223344FF, "Timestamp": DAY + 0.0, "Latitude": 48.3, "Longitude": 11.7, "Channel": 6},
    )
    table(
        towers,
        "LteCellLocation",
        {"MCC": 262, "MNC": 1, "CI": 77, "TAC": 5, "Timestamp": DAY, "Latitude": 1.5, "Longitude": 2.5},
    )
    wifi, cell = records(locations.radio_locations, towers)
    assert wifi.data["bssid"] == "00:11:22:33:44:ff" and (cell.data["kind"], cell.data["CI"]) == ("LTE cell", 77)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def proto(*fields: tuple[int, Any]) -> bytes:
    """A protocol-buffers message: numbers as varints, floats as doubles, texts and bytes with their length."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


FOCUS = proto((2, 1), (3, 1), (4, DAY + 0.5), (6, "com.example.app"), (9, "1.2"))


def segb_first(*entries: tuple[int, bytes]) -> bytes:
    body = b""
    for state, content in entries:
        body += struct.pack("<iiddIi", len(content), state, DAY + 1.0, DAY + 1.0, zlib.crc32(content), 0) + content
        body += bytes(-(56 + len(body)) % 8)
    return struct.pack("<I", 56 + len(body)) + bytes(48) + b"SEGB" + body


def segb_second(*entries: tuple[int, bytes]) -> bytes:
    body, trailer = b"", b""
    for state, content in entries:
        body += struct.pack("<II", zlib.crc32(content), 0) + content
        trailer += struct.pack("<iid", len(body), state, DAY + 1.0)
        body += bytes(-len(body) % 4)
    return b"SEGB" + struct.pack("<id", len(entries), DAY + 0.0) + bytes(16) + body + trailer


STREAM = "private/var/mobile/Library/Biome/streams/restricted/App.InFocus/local/700000000"


@pytest.mark.parametrize("make", [segb_first, segb_second])
def test_biome_streams_of_both_versions_give_their_entries(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "700000000"
    path.write_bytes(make((1, FOCUS), (3, bytes(len(FOCUS))), (1, FOCUS + b"\0\0\0" if make is None else FOCUS)))
    found, gaps = parse(biome.biome, path, STREAM)
    assert not gaps and [r.state for r in found] == ["live", "unallocated", "live"]
    one = found[0]
    assert (one.data["stream"], one.data["bundle_id"], one.data["in_foreground"]) == (
        "App.InFocus",
        "com.example.app",
        True,
    )
    assert one.times["written"]["text"].startswith("2023-03-08T20:26:41") and one.origin == "local"
    assert one.times["absolute_time"]["text"].startswith("2023-03-08T20:26:40.5")


def test_a_stream_of_another_device_says_so_and_a_wrong_checksum_is_said(tmp_path: Path) -> None:
    raw = bytearray(segb_first((1, FOCUS)))
    raw[56 + 32 + 30] ^= 1
    path = tmp_path / "x"
    path.write_bytes(raw)
    found, gaps = parse(biome.biome, path, STREAM.replace("/local/", "/remote/ABCD/"))
    assert found[0].origin == "synced" and found[0].data["checksum"] == "does not hold" and gaps
    assert parsers()["ios.biome"].claims(bytes(raw), "any/name", len(raw))


@pytest.mark.parametrize("make", [segb_first, segb_second])
def test_damaged_streams_end_in_gaps_or_errors(tmp_path: Path, make: Any) -> None:
    whole, chance = make(*[(1, FOCUS)] * 40), random.Random(3)
    for number in range(10):
        raw = bytearray(whole[: len(whole) - number * 100])
        for _ in range(number):
            raw[chance.randrange(60, len(raw))] = chance.randrange(256)
        path = tmp_path / "x"
        path.write_bytes(raw)
        try:
            found, gaps = parse(biome.biome, path, STREAM)
        except ParseError:
            continue
        assert found or gaps


def test_the_power_log_adds_its_own_offset(tmp_path: Path) -> None:
    path = table(
        tmp_path / "CurrentPowerlog.PLSQL",
        "PLStorageOperator_EventForward_TimeOffset",
        {"ID": 1, "timestamp": 1000.0, "system": 1_678_300_000.0},
        {"ID": 2, "timestamp": 5000.0, "system": 1.0},
    )
    table(
        path,
        "PLApplicationAgent_EventForward_Application",
        {"ID": 1, "timestamp": 2000.0, "identifier": "com.example", "state": 8},
    )
    (row,) = records(applications.powerlog, path)
    assert row.times["timestamp"]["text"].startswith("2023-03-08T19:00:00") and row.data["identifier"] == "com.example"
    assert "offset" in row.times["timestamp"]["zone_source"]


def test_applications_and_screen_time(tmp_path: Path) -> None:
    state = table(
        tmp_path / "applicationState.db",
        "application_identifier_tab",
        {"id": 1, "application_identifier": "com.example"},
    )
    table(state, "key_tab", {"id": 1, "key": "compatibilityInfo"})
    info = plistlib.dumps(
        {"bundleIdentifier": "com.example", "sandboxPath": "/private/var/x", "noise": 1}, fmt=plistlib.FMT_BINARY
    )
    table(state, "kvs", {"id": 1, "application_identifier": 1, "key": 1, "value": info})
    (app,) = records(applications.application_state, state)
    assert (app.data["bundle_id"], app.data["sandboxPath"]) == ("com.example", "/private/var/x")
    path = table(
        tmp_path / "RMAdminStore-Local.sqlite",
        "ZUSAGETIMEDITEM",
        {"Z_PK": 1, "ZBUNDLEIDENTIFIER": "com.example", "ZTOTALTIMEINSECONDS": 65, "ZCATEGORY": 1},
    )
    table(path, "ZUSAGECATEGORY", {"Z_PK": 1, "ZBLOCK": 1, "ZIDENTIFIER": "DH0001"})
    table(path, "ZUSAGEBLOCK", {"Z_PK": 1, "ZSTARTDATE": DAY, "ZUSAGE": 1})
    (use,) = records(applications.screen_time, path)
    assert use.data["seconds"] == 65 and use.times["ZSTARTDATE"]["text"].startswith("2023-03-08T20:26:40")


def test_keychain_entries_come_without_secrets(tmp_path: Path) -> None:
    path = table(
        tmp_path / "keychain-2.db",
        "genp",
        {
            "rowid": 1,
            "cdat": DAY + 0.0,
            "mdat": DAY + 5.0,
            "agrp": "apple",
            "pdmn": "ck",
            "svce": b"\x01" * 20,
            "acct": b"me@example.org",
            "data": b"SECRET",
        },
    )
    table(path, "inet", {"cdat": DAY, "mdat": DAY, "agrp": "b", "srvr": "host", "pdmn": "ak"})
    first, second = records(keychain.keychain, path)
    assert (first.data["class"], first.data["account"], first.data["service_sha1"]) == (
        "generic password",
        "me@example.org",
        "01" * 20,
    )
    assert first.data["protection_name"] == "after first unlock" and second.data["server"] == "host"
    assert not any("SECRET" in str(r.data) or b"SECRET".hex() in str(r.data) for r in (first, second))


def test_secrets_of_a_keychain_list_stay_out_of_both_readers(tmp_path: Path) -> None:
    path = tmp_path / "keychain-backup.plist"
    path.write_bytes(
        plistlib.dumps({"genp": [{"svce": "wifi", "acct": "home", "agrp": "g", "v_Data": b"hidden word"}], "inet": []})
    )
    (entry,) = records(keychain.keychain_list, path)
    assert (entry.data["service"], entry.data["account"]) == ("wifi", "home")
    both = str([r.data for r in [entry, *records(plist.plist, path)]])
    assert "hidden" not in both and b"hidden".hex() not in both and "(left out)" in both


def test_interactions_name_their_recipients(tmp_path: Path) -> None:
    path = table(
        tmp_path / "interactionC.db",
        "ZINTERACTIONS",
        {
            "Z_PK": 1,
            "ZBUNDLEID": "com.apple.MobileSMS",
            "ZSTARTDATE": DAY,
            "ZENDDATE": DAY,
            "ZDIRECTION": 1,
            "ZSENDER": 1,
        },
    )
    table(
        path,
        "ZCONTACTS",
        {"Z_PK": 1, "ZDISPLAYNAME": "Me", "ZIDENTIFIER": "m"},
        {"Z_PK": 2, "ZDISPLAYNAME": "You", "ZIDENTIFIER": "+1"},
    )
    table(path, "Z_2INTERACTIONRECIPIENT", {"Z_2RECIPIENTS": 2, "Z_3INTERACTIONRECIPIENT": 1})
    (one,) = records(system.interactions, path, "ios.interaction")
    assert (
        one.data["recipients"] == ["You (+1)"]
        and one.data["direction"] == "outgoing"
        and one.data["sender_name"] == "Me"
    )


def test_calendar_mail_health_and_bluetooth(tmp_path: Path) -> None:
    path = table(
        tmp_path / "Calendar.sqlitedb",
        "CalendarItem",
        {"ROWID": 1, "summary": "Lunch", "start_date": DAY, "end_date": DAY + 3600, "calendar_id": 1, "location_id": 1},
    )
    table(path, "Calendar", {"ROWID": 1, "title": "Home"})
    table(path, "Location", {"ROWID": 1, "title": "Café", "latitude": 1.5, "longitude": 2.5})
    (event,) = records(daily.calendar, path)
    assert (event.data["summary"], event.data["calendar"], event.data["location"]) == ("Lunch", "Home", "Café")
    mail = table(
        tmp_path / "Envelope Index",
        "messages",
        {"ROWID": 1, "subject": 1, "sender": 1, "date_received": MS // 1000, "mailbox": 1, "read": 1},
    )
    table(mail, "mailboxes", {"ROWID": 1, "url": "imap://x/INBOX"})
    table(mail, "subjects", {"ROWID": 1, "subject": "Hello"})
    table(mail, "addresses", {"ROWID": 1, "address": "a@example.org", "comment": "A"})
    (message,) = records(daily.mail_index, mail)
    assert (message.data["subject"], message.data["from"], message.data["mailbox"]) == (
        "Hello",
        "a@example.org",
        "imap://x/INBOX",
    )
    assert message.times["date_received"]["text"] == "2023-03-08T20:26:40Z"
    health = table(
        tmp_path / "healthdb_secure.sqlite",
        "samples",
        {"data_id": 1, "start_date": DAY + 0.0, "end_date": DAY + 60.0, "data_type": 7},
    )
    table(health, "quantity_samples", {"data_id": 1, "quantity": 42.0})
    table(
        health,
        "location_series_data",
        {"series_identifier": 1, "timestamp": DAY + 1.0, "latitude": 3.5, "longitude": 4.5},
    )
    sample, point = records(daily.health, health)
    assert (sample.data["data_type_name"], sample.data["quantity"], point.data["latitude"]) == ("steps", 42.0, 3.5)
    devices = tmp_path / "com.apple.MobileBluetooth.devices.plist"
    devices.write_bytes(plistlib.dumps({"00:11": {"Name": "Car", "LastSeenTime": MS // 1000, "LinkKey": b"k"}}))
    (car,) = records(daily.bluetooth_classic, devices)
    assert car.data["Name"] == "Car" and "LinkKey" not in car.data and car.time_field == "LastSeenTime"


def test_a_chat_of_wechat_is_named_by_its_digest(tmp_path: Path) -> None:
    import hashlib

    digest = hashlib.md5(b"friend_1", usedforsecurity=False).hexdigest()
    path = table(
        tmp_path / "MM.sqlite",
        f"Chat_{digest}",
        {"MesLocalID": 1, "MesSvrID": 7, "CreateTime": MS // 1000, "Message": "hi", "Status": 2, "Type": 1, "Des": 0},
    )
    table(path, "Friend", {"userName": "friend_1"})
    (message,) = records(ios_messengers.wechat, path)
    assert (message.data["from"], message.data["to"], message.data["Message"]) == ("Local User", "friend_1", "hi")
    assert message.times["CreateTime"]["text"] == "2023-03-08T20:26:40Z"


# Android ----------------------------------------------------------------------------------------------------------------


def tl_text(text: str) -> bytes:
    raw = text.encode()
    head = bytes([len(raw)]) if len(raw) < 254 else b"\xfe" + len(raw).to_bytes(3, "little")
    return head + raw + bytes(-(len(head) + len(raw)) % 4)


@pytest.mark.parametrize("text", ["Bonjour à tous", "long " * 100])
def test_the_text_of_a_telegram_message_stands_behind_its_date(tmp_path: Path, text: str) -> None:
    date = MS // 1000
    blob = struct.pack("<Iiii", 0x38116EE0, 0, 5, 77) + struct.pack("<i", date) + tl_text(text) + bytes(8)
    path = table(
        tmp_path / "cache4.db",
        "messages_v2",
        {"mid": 5, "uid": 77, "date": date, "data": blob, "out": 0, "read_state": 1, "send_state": 0},
    )
    table(path, "users", {"uid": 77, "name": "jane doe;;;janed", "status": 0})
    (message,) = records(telegram.telegram, path, "android.telegram.message")
    assert (message.data["text"], message.data["from"], message.data["to"]) == (text, "jane doe", "Local User")
    (user,) = records(telegram.telegram, path, "android.telegram.user")
    assert (user.data["name"], user.data["username"]) == ("jane doe", "janed")


def test_messengers_of_android_name_both_sides(tmp_path: Path) -> None:
    path = table(
        tmp_path / "viber_messages",
        "messages",
        {"_id": 1, "conversation_id": 1, "participant_id": 1, "body": "yo", "send_type": 0, "date": MS},
    )
    table(path, "participants", {"_id": 1, "participant_info_id": 3, "conversation_id": 1})
    table(path, "participants_info", {"_id": 3, "number": "+1555", "contact_name": "Ann", "viber_name": "ann"})
    (viber,) = records(messengers.viber, path)
    assert (viber.data["from"], viber.data["to"], viber.data["number"]) == ("Ann", "Local User", "+1555")
    kik = table(
        tmp_path / "kikDatabase.db",
        "messagesTable",
        {"_id": 1, "body": "hey", "partner_jid": "x@talk.kik.com", "was_me": 1, "timestamp": MS},
    )
    (sent,) = records(messengers.kik, kik, "android.kik.message")
    assert sent.data["direction"] == "sent" and sent.data["to"] == "x@talk.kik.com"
    wechat = table(
        tmp_path / "EnMicroMsg.db",
        "message",
        {
            "msgId": 1,
            "msgSvrId": 2,
            "type": 1,
            "isSend": 0,
            "createTime": MS,
            "talker": "9@chatroom",
            "content": "bob:\nhi",
        },
    )
    table(wechat, "rcontact", {"username": "9@chatroom", "nickname": "Club"})
    (group,) = records(messengers.wechat, wechat, "android.wechat.message")
    assert (group.data["from"], group.data["to"], group.data["content"]) == ("bob", "Club", "hi")
    snap = table(
        tmp_path / "arroyo.db",
        "conversation_message",
        {
            "client_conversation_id": "c",
            "client_message_id": 1,
            "creation_timestamp": MS,
            "content_type": 1,
            "message_content": proto((4, proto((4, proto((2, "see you there")))))),
            "sender_id": "s",
        },
    )
    (one,) = records(messengers.snapchat, snap)
    assert "see you there" in one.data["texts"] and "message_unread" not in one.data


@pytest.mark.parametrize(("blob", "reason"), [(b"\xff\xff\xff", "no protobuf"), (bytes(1024 * 1024 + 1), "larger")])
def test_a_message_that_cannot_be_decoded_says_so(tmp_path: Path, blob: bytes, reason: str) -> None:
    row = {
        "client_conversation_id": "c",
        "client_message_id": 1,
        "creation_timestamp": MS,
        "content_type": 1,
        "message_content": blob,
        "sender_id": "s",
    }
    (one,) = records(messengers.snapchat, table(tmp_path / "arroyo.db", "conversation_message", row))
    assert reason in one.data["message_unread"] and "texts" not in one.data


def test_usage_of_android_10_is_placed_in_its_span_and_names_come_from_the_pool(tmp_path: Path) -> None:
    pool = proto((1, 2), (2, "com.example"), (2, "com.example.Main"))
    event = proto((2, 1), (4, 2), (5, 5000), (7, 1))
    app = proto((2, 1), (3, 6000), (4, 1500), (6, 3))
    path = tmp_path / str(MS)
    path.write_bytes(proto((1, 9000), (2, pool), (3, 1), (20, app), (22, event)))
    name = f"data/system/usagestats/0/daily/{MS}"
    assert parsers()["android.usagestats_proto"].claims(path.read_bytes(), name, 100)
    found, gaps = parse(usage_proto.usagestats, path, name)
    use, opened = found
    assert not gaps and (opened.data["package"], opened.data["class"]) == ("com.example", "com.example.Main")
    assert opened.data["type_name"] == "moved to foreground" and opened.times["time"]["text"].startswith(
        "2023-03-08T20:26:45"
    )
    assert (use.data["total_time_active_ms"], use.data["launch_count"]) == (1500, 3)


def test_usage_of_android_11_has_tokens_and_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / str(MS)
    path.write_bytes(proto((1, 9000), (22, proto((1, 8), (2, 1), (3, 5000), (5, 2)))))
    (event,) = parse(usage_proto.usagestats, path, f"usagestats/0/daily/{MS}")[0]
    assert (event.data["package"], event.data["type_name"]) == ("token 7", "moved to background")
    names = tmp_path / "mappings"
    names.write_bytes(proto((1, 9), (2, proto((1, 8), (2, "com.example"), (2, "com.example.Main")))))
    (mapped,) = parse(usage_proto.usage_names, names, "usagestats/0/mappings")[0]
    assert (mapped.data["token"], mapped.data["package"]) == (7, "com.example")
    for cut in range(1, 20):
        path.write_bytes(proto((1, 9000), (22, proto((1, 8), (3, 5000), (5, 2))))[:cut])
        try:
            assert parse(usage_proto.usagestats, path, f"usagestats/0/daily/{MS}") is not None
        except ParseError:
            continue


def test_media_store_sims_accounts_and_destinations(tmp_path: Path) -> None:
    media = table(
        tmp_path / "external.db",
        "files",
        {
            "_id": 1,
            "_data": "/sdcard/DCIM/a.jpg",
            "_size": 9,
            "date_added": MS // 1000,
            "date_modified": MS // 1000,
            "datetaken": MS,
            "mime_type": "image/jpeg",
            "media_type": 1,
            "is_trashed": 1,
            "latitude": 1.5,
            "longitude": 2.5,
        },
    )
    table(media, "android_metadata", {"locale": "en_GB"})
    (file,) = records(stores.media_store, media)
    assert file.times["datetaken"]["instant"] == file.times["date_added"]["instant"] and file.data["is_trashed"] is True
    sim = table(
        tmp_path / "telephony.db", "siminfo", {"_id": 1, "icc_id": "8949", "display_name": "Work", "number": "+49"}
    )
    assert records(stores.sim_cards, sim)[0].data["icc_id"] == "8949"
    accounts = table(tmp_path / "accounts_de.db", "accounts", {"_id": 1, "name": "a@example.org", "type": "com.google"})
    table(accounts, "extras", {"_id": 1, "accounts_id": 1, "key": "k", "value": "v"})
    table(
        accounts,
        "debug_table",
        {"_id": 1, "action_type": "action_account_add", "time": "2023-03-08 20:26:40", "caller_uid": 1000},
    )
    account, event = records(apps.accounts, accounts)
    assert account.data["name"] == "a@example.org" and event.times["time"]["zone"] == "local-unknown"
    maps = table(
        tmp_path / "da_destination_history",
        "destination_history",
        {"time": MS, "dest_lat": 48100000, "dest_lng": 11500000, "dest_title": "Home"},
    )
    (goal,) = records(stores.maps_destinations, maps)
    assert (goal.data["latitude"], goal.data["longitude"]) == (48.1, 11.5)


def test_settings_and_bluetooth_of_android(tmp_path: Path) -> None:
    path = tmp_path / "settings_secure.xml"
    path.write_text(
        '<?xml version="1.0"?><settings><setting id="1" name="android_id" value="abc123" package="android"/></settings>'
    )
    (one,) = records(stores.settings, path)
    assert (one.data["name"], one.data["value"], one.host_id) == ("android_id", "abc123", "abc123")
    conf = tmp_path / "bt_config.conf"
    conf.write_text(
        "[Info]\nFileSource = Original\n\n[Adapter]\nAddress = aa:bb:cc:dd:ee:ff\nName = Phone\n\n[11:22:33:44:55:66]\n"
        f"Timestamp = {MS // 1000}\nName = Car\nLinkKey = 0011\n"
    )
    adapter, car = records(stores.bluetooth, conf)
    assert adapter.data["Name"] == "Phone" and car.data["bonded"] is True and "LinkKey" not in car.data
    assert car.times["Timestamp"]["text"] == "2023-03-08T20:26:40Z"


# locked -----------------------------------------------------------------------------------------------------------------


def test_an_encrypted_database_is_locked_not_damaged_and_a_plain_one_is_left_to_others(tmp_path: Path) -> None:
    path = tmp_path / "signal.db"
    path.write_bytes(random.Random(1).randbytes(8192))
    claim = parsers()["generic.locked_database"].claims
    assert claim(path.read_bytes(), "data/org.thoughtcrime.securesms/databases/signal.db", 8192)
    with pytest.raises(ParseError) as caught:
        records(sqlite_locked.locked, path)
    assert caught.value.reason == "locked"
    plain = database(tmp_path / "plain.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    assert not claim(plain.read_bytes(), "x/signal.db", plain.stat().st_size)
