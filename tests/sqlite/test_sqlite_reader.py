"""SQLite databases are read from copies, with their log compared, and hostile ones do no harm."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from evidence_files import database
from wigmore.artifacts.generic import sqlite_reader
from wigmore.artifacts.generic.sqlite import guess_time, sqlite
from wigmore.artifacts.generic.sqlite_layout import MAGIC, Layout, schema_in
from wigmore.artifacts.generic.sqlite_reader import open_database
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, ParseError, Record


def with_wal(folder: Path) -> Path:
    """A database whose log changes row 1, deletes row 2 and adds row 3, copied while its writer is open."""
    made = database(folder / "made.db", "PRAGMA journal_mode=WAL", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)",
                 "INSERT INTO t VALUES (1, 'old'), (2, 'gone'), (5, 'same')")  # fmt: skip
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE t SET b = 'new' WHERE a = 1")
    writer.execute("DELETE FROM t WHERE a = 2")
    writer.execute("INSERT INTO t VALUES (3, 'added')")
    copy = folder / "evidence.db"
    shutil.copy(made, copy)
    shutil.copy(f"{made}-wal", f"{copy}-wal")
    writer.close()
    return copy


def read(path: Path, name: str | None = None) -> tuple[list[tuple[dict[str, object], Record]], list[Gap]]:
    items = list(sqlite(LocalFile.at(path, path=name)))
    return [i for i in items if isinstance(i, tuple)], [i for i in items if isinstance(i, Gap)]


def test_rows_of_the_log_and_rows_it_replaced_have_their_states(tmp_path: Path) -> None:
    records, gaps = read(with_wal(tmp_path))
    found = sorted((r.data["a"], r.data["b"], r.state) for _, r in records)
    assert found == [
        (1, "new", "wal_committed"), (1, "old", "wal_superseded"), (2, "gone", "wal_superseded"),
        (3, "added", "wal_committed"), (5, "same", "live"),
    ]  # fmt: skip
    assert not gaps
    assert len({json.dumps(locator, sort_keys=True) for locator, _ in records}) == len(records)


def test_evidence_and_its_folder_are_left_as_they_were(tmp_path: Path) -> None:
    path = with_wal(tmp_path)
    before = {p.name: p.read_bytes() for p in sorted(tmp_path.iterdir())}
    read(path)
    assert {p.name: p.read_bytes() for p in sorted(tmp_path.iterdir())} == before


def test_a_hot_journal_is_rolled_back_and_uncommitted_rows_are_told_apart(tmp_path: Path) -> None:
    made = database(
        tmp_path / "made.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, 'kept')"
    )
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN")
    writer.execute("UPDATE t SET b = 'uncommitted'")
    writer.executemany("INSERT INTO t (b) VALUES (?)", [("x" * 900,)] * 100)  # spills the cache into the file
    copy = tmp_path / "evidence.db"
    shutil.copy(made, copy)
    shutil.copy(f"{made}-journal", f"{copy}-journal")
    writer.execute("ROLLBACK")
    writer.close()
    records, _ = read(copy)
    states = {(r.data["b"], r.state) for _, r in records if r.data["a"] == 1}
    assert ("kept", "live") in states or ("kept", "journal") in states
    assert all(r.state == "wal_uncommitted" for _, r in records if r.data["a"] > 1)


def test_a_journal_cannot_make_sqlite_touch_another_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path = database(tmp_path / "evidence.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    name = str(victim).encode()
    total = sum(name) & 0xFFFFFFFF
    tail = b"\0\0\0\0" + name + len(name).to_bytes(4, "big") + total.to_bytes(4, "big") + sqlite_reader.JOURNAL_MAGIC
    header = sqlite_reader.JOURNAL_MAGIC + bytes(4) + bytes(4) + (2).to_bytes(4, "big") + (512).to_bytes(4, "big")
    header += (4096).to_bytes(4, "big")
    Path(f"{path}-journal").write_bytes(header.ljust(512, b"\0") + tail)
    _, gaps = read(path)
    assert victim.read_bytes() == b"precious"
    assert any("several files" in gap.message for gap in gaps)


def test_a_damaged_page_is_a_gap_and_other_tables_are_read(tmp_path: Path) -> None:
    path = database(tmp_path / "evidence.db", "CREATE TABLE a (x)", "CREATE TABLE b (x)", "INSERT INTO a VALUES ('first')",
                 "INSERT INTO b VALUES ('second')")  # fmt: skip
    raw = bytearray(path.read_bytes())
    raw[4096 : 4096 + 200] = b"\xff" * 200  # page 2 is the root of table a
    path.write_bytes(raw)
    records, gaps = read(path)
    assert [r.data["x"] for _, r in records] == ["second"]
    assert gaps and "table a" in gaps[0].message


def test_a_table_whose_name_is_no_text_does_not_hide_the_others(tmp_path: Path) -> None:
    hide = "UPDATE sqlite_master SET name = CAST(name AS BLOB) WHERE name = 'b'"
    path = database(tmp_path / "evidence.db", "CREATE TABLE a (x)", "CREATE TABLE b (x)", "INSERT INTO a VALUES ('first')",
                    "PRAGMA writable_schema=ON", hide)  # fmt: skip
    records, gaps = read(path)
    assert "first" in [r.data.get("x") for _, r in records]
    assert any("1 tables have a name that is no text" in gap.message for gap in gaps)


def test_pages_that_point_back_end_a_table_and_are_said(tmp_path: Path) -> None:
    rows = ", ".join(f"({i}, '{'x' * 200}')" for i in range(1, 101))
    path = database(
        tmp_path / "evidence.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)", f"INSERT INTO t VALUES {rows}"
    )
    raw = bytearray(path.read_bytes())
    assert raw[4096] == 5  # page 2, the table's root, has pages below it: the last shall be the first
    first = 4096 + int.from_bytes(raw[4096 + 12 : 4096 + 14], "big")
    raw[4096 + 8 : 4096 + 12] = raw[first : first + 4]
    path.write_bytes(raw)
    records, gaps = read(path)
    live = [r.data["a"] for _, r in records if r.state == "live"]
    assert live == sorted(set(live)) and 50 < len(live) < 100
    assert [gap for gap in gaps if "pages point back" in gap.message and "row 1 follows" in gap.message]


def test_a_cut_database_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    rows = ", ".join(f"({i}, '{'x' * 200}')" for i in range(1, 101))
    path = database(
        tmp_path / "evidence.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)", f"INSERT INTO t VALUES {rows}"
    )
    path.write_bytes(path.read_bytes()[: 4096 * 4])
    records, gaps = read(path)
    assert 0 < len(records) < 100
    assert {gap.reason for gap in gaps} >= {"truncated", "damaged"}


def test_no_database_at_all_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    path.write_bytes(MAGIC + b"\xff" * 5000)
    with pytest.raises(ParseError) as caught:
        read(path)
    assert caught.value.reason == "damaged" and caught.value.path == "evidence.db"


def test_views_are_not_evaluated_and_virtual_tables_are_a_gap(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    path = database(tmp_path / "evidence.db", f"CREATE VIEW urls AS {endless}", "CREATE TABLE t (a)")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "INSERT INTO sqlite_master VALUES ('table', 'spooky', 'spooky', 0, ?)",
        ("CREATE VIRTUAL TABLE spooky USING nomodule(a)",),
    )
    connection.commit()
    connection.close()
    records, gaps = read(path)
    assert not records
    assert any(gap.reason == "unsupported" and "spooky" in gap.message for gap in gaps)


def test_a_query_that_runs_away_stops_at_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_reader, "STEP", 1_000)
    monkeypatch.setattr(sqlite_reader, "BUDGET", 5)
    rows = ", ".join(f"({i})" for i in range(2_000))
    path = database(tmp_path / "evidence.db", "CREATE TABLE t (a)", f"INSERT INTO t VALUES {rows}")
    with open_database(LocalFile.at(path)) as opened:
        found = opened.related("SELECT count(*) FROM t x, t y, t z WHERE x.a + y.a + z.a = -1")
        assert found == [] and opened.gaps[0].reason == "timeout"


def test_tables_without_rowid_are_compared_by_content(tmp_path: Path) -> None:
    made = database(tmp_path / "made.db", "PRAGMA journal_mode=WAL",
                 "CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
                 "INSERT INTO w VALUES ('a', 1), ('b', 2)")  # fmt: skip
    writer = sqlite3.connect(made, isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE w SET v = 3 WHERE k = 'b'")
    copy = tmp_path / "evidence.db"
    shutil.copy(made, copy)
    shutil.copy(f"{made}-wal", f"{copy}-wal")
    writer.close()
    records, _ = read(copy)
    assert {(r.data["k"], r.data["v"], r.state) for _, r in records} == {
        ("a", 1, "live"), ("b", 3, "wal_committed"), ("b", 2, "wal_superseded"),
    }  # fmt: skip


def test_values_are_decoded_beside_what_is_stored(tmp_path: Path) -> None:
    path = database(tmp_path / "evidence.db", "CREATE TABLE t (body BLOB, note TEXT)")
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO t VALUES (?, CAST(? AS TEXT))", (gzip.compress(b'{"a": [1, 2]}', mtime=0), b"\xe9t\xe9")
    )
    connection.execute("INSERT INTO t VALUES (?, 'long')", (b"\x01" * 5000,))
    connection.commit()
    connection.close()
    records, _ = read(path)
    first, second = (r.data for _, r in records)
    assert first["body_decoded"] == {"a": [1, 2]} and first["note"] == r"\xe9t\xe9"
    assert second["body_size"] == 5000 and len(second["body"]) < 2100


def test_times_are_guessed_only_from_name_and_magnitude() -> None:
    assert guess_time("visit_time", 13_161_017_332_037_692, False)["text"] == "2018-01-21T14:08:52.037692Z"  # type: ignore[index]
    assert guess_time("created_at", 1_700_000_000, False)["text"] == "2023-11-14T22:13:20Z"  # type: ignore[index]
    assert guess_time("ZDATE", 700_000_000.5, True)["text"] == "2023-03-08T20:26:40.500000Z"  # type: ignore[index]
    assert guess_time("size", 1_700_000_000, False) is None
    assert guess_time("duration_time", 1_700_000_000, False) is None
    assert guess_time("created_at", 12, False) is None


def test_a_guessed_time_never_dates_a_record(tmp_path: Path) -> None:
    path = database(tmp_path / "evidence.db", "CREATE TABLE t (created_at)", "INSERT INTO t VALUES (1700000000)")
    [(_, record)], _ = read(path)
    assert record.time_field is None and "guessed" in record.times["created_at"]["zone_source"]


def test_layouts_are_recognised_by_the_tables_of_the_first_page(tmp_path: Path) -> None:
    path = database(tmp_path / "x", "CREATE TABLE urls (id INTEGER, url TEXT)", "CREATE TABLE other (z)")
    head = path.read_bytes()[:8192]
    assert [name for name, _ in schema_in(head) or ()] == ["urls", "other"]
    assert Layout(tables=(("urls", ("url",)),))(head, "renamed.bin", 8192)
    assert not Layout(paths=("renamed.bin",), tables=(("urls", ("title",)),))(head, "renamed.bin", 8192)
    assert not Layout(paths=("renamed.bin",), tables=(("urls", ()),))(b"no database", "renamed.bin", 11)


def test_a_known_layout_under_a_strange_name_is_read_through_the_generic_parser(tmp_path: Path) -> None:
    padding = ", ".join(f"a_long_name_of_a_column_{i} TEXT" for i in range(100))  # pushes the schema off page 1
    path = database(
        tmp_path / "renamed.bin", *(f"CREATE TABLE padding_{i} ({padding})" for i in range(10)),
        "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT, title TEXT)",
        "CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, place_id, visit_date, visit_type)",
        "INSERT INTO moz_places VALUES (1, 'http://example.org/', 'Example')",
        "INSERT INTO moz_historyvisits VALUES (1, 1, 1309518981371935, 2)",
    )  # fmt: skip
    records, _ = read(path)
    [visit] = [r for _, r in records if r.artifact == "browser.firefox.visit"]
    assert (
        visit.data["url"] == "http://example.org/"
        and visit.times["visit_date"]["text"] == "2011-07-01T11:16:21.371935Z"
    )


def test_the_log_of_a_real_message_store_is_needed(shared_evidence: Path) -> None:
    path = shared_evidence / "mobile_ios/museum_ios13/Library/SMS/sms.db"
    if not path.exists():
        pytest.skip("the iOS 13 message store is not among the shared evidence")
    records, gaps = read(path)
    messages = [r for _, r in records if r.data["table"] == "message"]
    assert sum(r.state in ("live", "wal_committed") for r in messages) == 48
    assert sum(r.state == "wal_committed" for r in messages) >= 4
    assert not gaps
