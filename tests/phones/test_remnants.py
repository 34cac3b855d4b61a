"""Deleted rows are found where SQLite leaves them, each once, and never where a live row says the same."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from phone_builders import database, parse

from wigmore.artifacts.generic.sqlite_deleted import sqlite_deleted
from wigmore.model.protocols import Gap, ParseError, Record

TABLE = "CREATE TABLE calls (id INTEGER PRIMARY KEY, name TEXT, number TEXT NOT NULL, length REAL, flag INT)"


def rows(first: int, last: int) -> str:
    values = ", ".join(f"({i}, 'caller number {i}', '+1555{i:05}', {i}.5, {i % 3})" for i in range(first, last + 1))
    return f"INSERT INTO calls VALUES {values}"


def numbers(found: list[Record], state: str = "") -> set[str]:
    return {str(r.data["number"]) for r in found if "number" in r.data and (not state or r.state == state)}


def test_a_row_deleted_from_a_page_in_use_is_found_as_a_fragment(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 30), "DELETE FROM calls WHERE id = 7")
    found, gaps = parse(sqlite_deleted, path)
    (one,) = found
    assert (one.data["number"], one.data["name"], one.data["length"], one.state) == (
        "+155500007", "caller number 7", 7.5, "unallocated"
    )  # fmt: skip
    assert one.data["remnant_fragment"] and "rowid" in one.data["remnant_lost"] and one.data["table"] == "calls"
    assert not gaps


def test_neighbours_deleted_together_are_all_found(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "PRAGMA secure_delete=OFF",
        TABLE,
        rows(1, 30),
        "DELETE FROM calls WHERE id BETWEEN 10 AND 19",
    )
    found, _ = parse(sqlite_deleted, path)
    assert numbers(found) == {f"+1555{i:05}" for i in range(10, 20)}


def test_rows_of_emptied_pages_are_in_the_freelist_with_their_ids(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 600), "DELETE FROM calls")
    found, _ = parse(sqlite_deleted, path)
    free = [r for r in found if r.state == "freelist"]
    assert len(free) > 400 and all("remnant_fragment" not in r.data for r in free)
    whole = {r.data["id"]: r.data for r in free}
    assert whole[300]["number"] == "+155500300" and whole[300]["remnant_rowid_now"] == "absent"


def test_a_dropped_table_leaves_rows_without_a_name_and_its_definition(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 600), "CREATE TABLE other (a, b)",
                    "DROP TABLE calls")  # fmt: skip
    found, _ = parse(sqlite_deleted, path)
    nameless = [r for r in found if r.data["table"] == ""]
    assert any("+155500300" in r.data.values() for r in nameless)
    assert all("no table" in r.data["remnant_table"] for r in nameless)


def test_what_is_live_is_not_deleted_even_where_an_old_copy_of_it_lies(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 400), "VACUUM")
    assert parse(sqlite_deleted, path) == ([], [])
    database(path, "DELETE FROM calls WHERE id % 2", rows(1, 1), "DELETE FROM calls WHERE id BETWEEN 100 AND 300")
    live = {n for (n,) in sqlite3.connect(path).execute("SELECT number FROM calls")}
    assert not numbers(parse(sqlite_deleted, path)[0]) & live


def test_an_earlier_version_of_a_row_that_is_still_there_says_so(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 600),
                    "DELETE FROM calls WHERE id > 5", "INSERT INTO calls VALUES (300, 'anew', 'x', 1, 1)")  # fmt: skip
    found, _ = parse(sqlite_deleted, path)
    assert {r.data["remnant_rowid_now"] for r in found if r.data.get("id") == 300} == {"other values"}


def test_versions_between_in_the_log_are_found_with_their_frames(tmp_path: Path) -> None:
    made = database(tmp_path / "made.db", "PRAGMA journal_mode=WAL", TABLE, rows(1, 3))
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    for text in ("one", "two", "three"):
        writer.execute("UPDATE calls SET name = ? WHERE id = 2", (f"version {text}",))
    copy = tmp_path / "evidence.db"
    shutil.copy(made, copy)
    shutil.copy(f"{made}-wal", f"{copy}-wal")
    writer.close()
    found, _ = parse(sqlite_deleted, copy)
    assert sorted((r.data["name"], r.state) for r in found) == [
        ("version one", "wal_superseded"), ("version two", "wal_superseded")
    ]  # fmt: skip


def test_a_frame_whose_checksum_fails_is_not_taken_as_committed(tmp_path: Path) -> None:
    made = database(tmp_path / "made.db", "PRAGMA journal_mode=WAL", TABLE, rows(1, 3))
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE calls SET name = 'one' WHERE id = 2")
    writer.execute("UPDATE calls SET name = 'torn' WHERE id = 2")
    copy = tmp_path / "evidence.db"
    shutil.copy(made, copy)
    log = bytearray(Path(f"{made}-wal").read_bytes())
    log[-4] ^= 1
    Path(f"{copy}-wal").write_bytes(log)
    writer.close()
    found, _ = parse(sqlite_deleted, copy)
    assert [(r.data["name"], r.state) for r in found if r.data.get("id") == 2] == [("torn", "wal_uncommitted")]


@pytest.mark.parametrize("mode", ["PERSIST", "TRUNCATE"])
def test_a_kept_journal_holds_the_pages_of_before(tmp_path: Path, mode: str) -> None:
    made = database(tmp_path / "made.db", "PRAGMA secure_delete=ON", TABLE, rows(1, 60))
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA secure_delete=ON")
    writer.execute(f"PRAGMA journal_mode={mode}")
    writer.execute("DELETE FROM calls WHERE id = 7")
    writer.close()
    found, _ = parse(sqlite_deleted, made)
    assert [(r.data["id"], r.state) for r in found] == ([(7, "journal")] if mode == "PERSIST" else [])


def test_a_long_row_is_whole_where_its_chain_is_free_and_cut_where_it_is_not(tmp_path: Path) -> None:
    long = "word " * 4000
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT)",
                    *[("INSERT INTO t VALUES (?, ?, 'end')", (i, f"{i} {long}")) for i in range(1, 8)],
                    "DELETE FROM t")  # fmt: skip
    found, _ = parse(sqlite_deleted, path)
    assert found
    for record in found:
        whole = record.data["b"].endswith(long) and record.data["c"] == "end"
        assert whole or "end of the row" in record.data["remnant_lost"]
    assert any(r.data["b"].endswith(long) for r in found)


def test_secure_delete_leaves_nothing(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=ON", TABLE, rows(1, 600), "DELETE FROM calls WHERE id > 9")
    assert parse(sqlite_deleted, path) == ([], [])


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_texts_of_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = database(tmp_path / "a.db", f"PRAGMA encoding='{encoding}'", "PRAGMA secure_delete=OFF", TABLE, rows(1, 9),
                    "DELETE FROM calls WHERE id = 4")  # fmt: skip
    assert numbers(parse(sqlite_deleted, path)[0]) == {"+155500004"}


def test_columns_added_later_are_missing_not_wrong(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 20),
                    "ALTER TABLE calls ADD COLUMN extra TEXT", "DELETE FROM calls WHERE id IN (5, 6, 7)")  # fmt: skip
    found, _ = parse(sqlite_deleted, path)
    assert {"+155500005", "+155500006", "+155500007"} >= numbers(found)
    assert all("extra" not in r.data for r in found)


def test_pages_and_offsets_lead_to_the_bytes(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 30), "DELETE FROM calls WHERE id = 7")
    from wigmore.evidence.local import LocalFile

    ((where, _),) = [i for i in sqlite_deleted(LocalFile.at(path)) if isinstance(i, tuple)]
    raw = path.read_bytes()[where["offset"] : where["offset"] + where["length"]]
    assert b"caller number 7" in raw and where["page"] == where["offset"] // 4096 + 1


def test_damaged_databases_end_in_gaps_or_errors_not_in_crashes(tmp_path: Path) -> None:
    made = database(
        tmp_path / "a.db", "PRAGMA secure_delete=OFF", TABLE, rows(1, 900), "DELETE FROM calls WHERE id > 99"
    )
    whole = made.read_bytes()
    chance = random.Random(7)
    for number in range(12):
        raw = bytearray(whole[: len(whole) - number * 2500])
        for _ in range(number * 3):
            raw[chance.randrange(100, len(raw))] = chance.randrange(256)
        raw[32:36] = (chance.randrange(1 << 32) if number == 5 else int.from_bytes(raw[32:36], "big")).to_bytes(
            4, "big"
        )
        path = tmp_path / f"mutant{number}.db"
        path.write_bytes(raw)
        try:
            found, gaps = parse(sqlite_deleted, path)
        except ParseError:
            continue
        assert all(isinstance(g, Gap) for g in gaps)
        assert found or gaps


def test_a_deleted_row_of_a_known_layout_is_a_record_of_its_kind_with_names_from_live_rows(tmp_path: Path) -> None:
    from wigmore.artifacts.ios.messages import messages

    path = database(
        tmp_path / "sms.db", "PRAGMA secure_delete=OFF",
        "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, service TEXT)",
        "CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT, text TEXT, handle_id INTEGER, "
        "date INTEGER, is_from_me INTEGER)",
        "INSERT INTO handle VALUES (1, '+15550001', 'SMS')",
        *[("INSERT INTO message VALUES (?, ?, ?, 1, 606532259367563904, 0)", (i, f"guid-{i}", f"words number {i}"))
          for i in range(1, 400)],
        "DELETE FROM message WHERE ROWID > 100",
    )  # fmt: skip
    found, gaps = parse(messages, path)
    deleted = [r for r in found if r.state in ("freelist", "unallocated")]
    assert len([r for r in found if r.state == "live"]) == 100 and len(deleted) > 200
    one = next(r for r in deleted if r.data["text"] == "words number 250")
    assert (one.artifact, one.data["from"], one.data["ROWID"]) == ("ios.sms", "+15550001", 250)
    assert one.times["date"]["text"].startswith("2020-03-22T01:10:59")
    assert gaps == []


def test_a_damaged_page_of_a_tree_is_a_gap_and_rows_it_leads_to_are_called_unreached(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", TABLE, rows(1, 900))
    raw = bytearray(path.read_bytes())
    raw[4096] = 0xEE  # page 2 is the root of the table
    path.write_bytes(raw)
    found, gaps = parse(sqlite_deleted, path)
    assert any("page" in g.message and "(2)" in g.message for g in gaps)
    assert len(found) == 900 and all("no table reaches" in r.data["remnant_place"] for r in found)
