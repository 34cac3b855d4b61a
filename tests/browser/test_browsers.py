"""Browser stores: visits joined with pages, origins, epochs of every schema version, deleted index.dat entries."""

from __future__ import annotations

import json
import plistlib
import struct
from pathlib import Path

import pytest

from evidence_files import database, records
from wigmore.artifacts.browser import chromium, chromium_json, chromium_profile, firefox, msiecf, safari
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, ParseError

URLS = "CREATE TABLE urls (id INTEGER PRIMARY KEY, url, title, visit_count, typed_count, last_visit_time, hidden)"
VISITS = "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, visit_time, from_visit, transition)"


def test_a_chromium_visit_says_page_transition_and_origin(tmp_path: Path) -> None:
    path = database(
        tmp_path / "History", URLS, VISITS, "CREATE TABLE visit_source (id INTEGER PRIMARY KEY, source)",
        "INSERT INTO urls VALUES (7, 'http://example.org/', 'Example', 2, 1, 12946651391000000, 0)",
        "INSERT INTO visits VALUES (1, 7, 12946651391000000, 0, 805306369), (2, 7, 13161017332037692, 1, 0), (3, "
        "7, 1, 1, 0)",
        "INSERT INTO visit_source VALUES (1, 3), (3, 0)",
    )  # fmt: skip
    imported, local, synced = records(chromium.history, path, "browser.chromium.visit")
    assert imported.data["url"] == "http://example.org/" and imported.data["title"] == "Example"
    assert imported.data["transition_name"] == "typed, chain_start, chain_end"
    assert (imported.origin, local.origin, synced.origin) == ("imported", "local", "synced")
    assert imported.times["visit_time"]["text"] == "2011-04-07T12:03:11.000000Z" and imported.time_field == "visit_time"


def test_downloads_of_old_and_new_schemas_have_the_same_times(tmp_path: Path) -> None:
    old = database(
        tmp_path / "old", URLS, VISITS,
        "CREATE TABLE downloads (id INTEGER PRIMARY KEY, full_path, url, start_time, state)",
        "INSERT INTO downloads VALUES (1, '/a.exe', 'http://x/a.exe', 1306139730, 1)",
    )  # fmt: skip
    new = database(
        tmp_path / "new", URLS, VISITS,
        "CREATE TABLE downloads (id INTEGER PRIMARY KEY, target_path, start_time, state)",
        "CREATE TABLE downloads_url_chains (id, chain_index, url)",
        "INSERT INTO downloads VALUES (1, '/a.exe', 12950613330000000, 1)",
        "INSERT INTO downloads_url_chains VALUES (1, 1, 'http://x/a.exe'), (1, 0, 'http://y/')",
    )  # fmt: skip
    [first], [second] = (records(chromium.history, p, "browser.chromium.download") for p in (old, new))
    assert first.times["start_time"]["instant"] == second.times["start_time"]["instant"] == 1306139730 * 1_000_000
    assert second.data["url_chain"] == ["http://y/", "http://x/a.exe"] and second.data["url"] == "http://x/a.exe"


def test_a_database_of_that_name_but_other_tables_is_no_history(tmp_path: Path) -> None:
    path = database(tmp_path / "History", "CREATE TABLE t (a)")
    with pytest.raises(ParseError) as caught:
        records(chromium.history, path)
    assert caught.value.reason == "schema_unknown"
    assert not chromium.HISTORY(path.read_bytes()[:8192], "x/History", path.stat().st_size)


def test_saved_passwords_are_not_put_out(tmp_path: Path) -> None:
    path = database(
        tmp_path / "Login Data",
        "CREATE TABLE logins (origin_url, username_value, password_value BLOB, signon_realm, date_created)",
        "INSERT INTO logins VALUES ('https://x/', 'me', x'736563726574', 'https://x/', 13161017332037692)",
    )  # fmt: skip
    [login] = records(chromium_profile.logins, path)
    assert login.data["username_value"] == "me" and login.data["password_value_size"] == 6
    assert "secret" not in json.dumps(login.data) and "736563726574" not in json.dumps(login.data)


def test_preferences_show_extensions_and_permissions(tmp_path: Path) -> None:
    path = tmp_path / "Preferences"
    path.write_text(json.dumps({
        "extensions": {"settings": {"abc": {"install_time": "13059685884154837", "state": 1, "location": 5,
                                            "manifest": {"name": "Tool", "version": "1"}}}},
        "profile": {"name": "P", "content_settings": {"exceptions": {"midi_sysex": {
            "https://rawgit.com:443,*": {"last_used": "13123606368.934328", "setting": 1}}}}},
        "browser": {"x": 1},
    }))  # fmt: skip
    [extension] = records(chromium_json.preferences, path, "browser.chromium.extension")
    [permission] = records(chromium_json.preferences, path, "browser.chromium.permission")
    assert extension.data["name"] == "Tool" and extension.data["location"] == "component"
    assert extension.times["install_time"]["text"] == "2014-11-05T18:31:24.154837Z"
    assert permission.data["permission"] == "midi_sysex" and permission.data["site"] == "https://rawgit.com:443"
    assert permission.data["setting"] == "allow"


def test_bookmarks_keep_their_folders(tmp_path: Path) -> None:
    path = tmp_path / "Bookmarks"
    leaf = {"type": "url", "name": "X", "url": "http://x/", "date_added": "13161017332037692"}
    path.write_text(
        json.dumps({"checksum": "", "roots": {"bookmark_bar": {"type": "folder", "name": "Bar", "children": [leaf]}}})
    )
    assert chromium_json.bookmarks.__name__ == "bookmarks"
    folder, mark = records(chromium_json.bookmarks, path)
    assert mark.data["folder"] == "/Bar" and mark.time_field == "date_added" and folder.data["type"] == "folder"


def test_nested_json_without_end_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "Preferences"
    path.write_bytes(b'{"a":' * 200_000)
    with pytest.raises(ParseError):
        records(chromium_json.preferences, path)


def test_firefox_visits_name_page_and_referring_page(tmp_path: Path) -> None:
    path = database(
        tmp_path / "places.sqlite", "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url, title)",
        "CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, place_id, from_visit, visit_date, visit_type)",
        "INSERT INTO moz_places VALUES (1, 'http://a/', 'A'), (2, 'http://b/', 'B')",
        "INSERT INTO moz_historyvisits VALUES (1, 1, 0, 1309518981371935, 2), (2, 2, 1, 1309518981371936, 7)",
    )  # fmt: skip
    first, second = records(firefox.places, path, "browser.firefox.visit")
    assert first.data["visit_type_name"] == "typed" and second.data["visit_type_name"] == "download"
    assert (
        second.data["from_url"] == "http://a/" and second.times["visit_date"]["text"] == "2011-07-01T11:16:21.371936Z"
    )


@pytest.mark.parametrize("stored", [1698530136, 1698530136000])
def test_firefox_cookie_expiry_is_seconds_or_milliseconds(tmp_path: Path, stored: int) -> None:
    path = database(
        tmp_path / "c", "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, name, host, expiry, creationTime)",
        f"INSERT INTO moz_cookies VALUES (1, 'n', 'h', {stored}, 1383170136292675)",
    )  # fmt: skip
    [cookie] = records(firefox.cookies, path)
    assert cookie.times["expiry"]["instant"] == 1698530136 * 1_000_000 and cookie.time_field == "creationTime"


def test_safari_visits_tell_other_devices_apart(tmp_path: Path) -> None:
    path = database(
        tmp_path / "History.db", "CREATE TABLE history_items (id INTEGER PRIMARY KEY, url, visit_count)",
        "CREATE TABLE history_visits (id INTEGER PRIMARY KEY, history_item, visit_time REAL, title, origin)",
        "INSERT INTO history_items VALUES (1, 'http://a/', 2)",
        "INSERT INTO history_visits VALUES (1, 1, 703260029.5, 'A', 0), (2, 1, 703260030.5, 'A', 1)",
    )  # fmt: skip
    here, elsewhere = records(safari.history, path)
    assert (here.origin, elsewhere.origin) == ("local", "synced") and here.data["url"] == "http://a/"
    assert here.times["visit_time"]["text"] == "2023-04-15T14:00:29.500000Z"


def cookie_file(*names: bytes) -> bytes:
    cookies = []
    for name in names:
        strings = b"h\0" + name + b"\0/\0v\0"
        body = (
            struct.pack("<4I4I8xdd", 56 + len(strings), 0, 5, 0, 56, 58, 59 + len(name), 61 + len(name), 7e8, 6e8)
            + strings
        )
        cookies.append(body)
    offsets, at = [], 8 + 4 * len(cookies) + 4
    for cookie in cookies:
        offsets.append(at)
        at += len(cookie)
    page = b"\0\0\1\0" + struct.pack(f"<I{len(offsets)}I", len(offsets), *offsets) + bytes(4) + b"".join(cookies)
    return b"cook" + struct.pack(">II", 1, len(page)) + page


def test_binary_cookies_are_read_and_cut_ones_are_gaps(tmp_path: Path) -> None:
    path = tmp_path / "Cookies.binarycookies"
    path.write_bytes(cookie_file(b"one", b"two"))
    first, second = records(safari.binary_cookies, path)
    assert (first.data["name"], second.data["name"], first.data["http_only"]) == ("one", "two", True)
    assert first.times["created"]["text"] == "2020-01-06T10:40:00.000000Z"
    path.write_bytes(cookie_file(b"one", b"two")[:-20])
    assert any(isinstance(i, Gap) and i.reason == "truncated" for i in safari.binary_cookies(LocalFile.at(path)))


def test_safari_property_lists(tmp_path: Path) -> None:
    path = tmp_path / "History.plist"
    path.write_bytes(
        plistlib.dumps({"WebHistoryDates": [{"": "http://a/", "lastVisitedDate": "394560000.5", "title": "A"}]})
    )
    [page] = records(safari.history_plist, path)
    assert page.data["url"] == "http://a/" and page.times["lastVisitedDate"]["text"] == "2013-07-03T16:00:00.500000Z"
    marks = tmp_path / "Bookmarks.plist"
    leaf = {"WebBookmarkType": "WebBookmarkTypeLeaf", "URLString": "http://b/", "URIDictionary": {"title": "B"}}
    marks.write_bytes(plistlib.dumps({"Children": [{"Title": "Bar", "Children": [leaf]}]}))
    [mark] = records(safari.bookmarks_plist, marks)
    assert mark.data["URLString"] == "http://b/" and mark.data["folder"] == "/Bar"


def index_entry(location: bytes, second: int, first: int) -> bytes:
    entry = bytearray(b"URL " + struct.pack("<IQQ", 2, second, first).ljust(252, b"\0"))
    entry[0x34:0x38] = struct.pack("<I", 0x68)
    entry[0x54:0x58] = struct.pack("<I", 6)
    entry[0x68 : 0x68 + len(location)] = location
    return bytes(entry)


def index_dat(*entries: bytes, allocated: int) -> bytes:
    body = b"".join(entries)
    head = bytearray(b"Client UrlCache MMF Ver 5.2\0" + struct.pack("<I", 0x4000 + len(body))).ljust(0x4000, b"\0")
    head[0x250] = allocated
    return bytes(head) + body


def test_index_dat_entries_keep_their_user_clock_and_deletion(tmp_path: Path) -> None:
    path = tmp_path / "index.dat"
    time = 130849743185120000
    path.write_bytes(index_dat(
        index_entry(b"Visited: joe@http://x/", time, time),
        index_entry(b":2015082520150826: joe@http://y/", time, time),
        index_entry(b"http://gone/a.gif", 0, time), allocated=0b1111,
    ))  # fmt: skip
    visited, daily, gone = records(msiecf.index_dat, path)
    assert visited.data["user"] == "joe" and visited.data["url"] == "http://x/" and visited.data["number_of_hits"] == 6
    assert visited.times["visited"]["text"] == "2015-08-25T11:05:18.5120000Z"
    assert daily.data["container"] == "history daily" and daily.times["visited_local"]["instant"] is None
    assert gone.state == "unallocated" and visited.state == "live" and gone.data["container"] == "cache"


def test_real_profiles_give_every_row(shared_evidence: Path) -> None:
    folder = shared_evidence / "browser/plaso"
    if not folder.is_dir():
        pytest.skip("the browser samples are not among the shared evidence")
    assert len(records(chromium.history, folder / "chrome/History", "browser.chromium.visit")) == 69
    assert len(records(chromium_profile.cookies, folder / "chrome/cookies.db")) == 560
    assert len(records(firefox.cookies, folder / "firefox/firefox_2_cookies.sqlite")) == 90
    assert len(records(safari.binary_cookies, folder / "Cookies.binarycookies")) == 91
