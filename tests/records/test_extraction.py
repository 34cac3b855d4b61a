"""Extraction over a small folder with an archive: nothing twice, nothing lost, whatever was cut short before."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wigmore.evidence.source import SourceSpec
from wigmore.ledger import Ledger
from wigmore.records import extraction as module
from wigmore.records import pool
from wigmore.records.extraction import Extraction, _Finished
from wigmore.records.pool import Pool
from wigmore.records.store import Part, RecordStore

LINE = '192.0.2.7 - - [03/Mar/2026:10:{n:02d}:00 +0000] "GET /{p} HTTP/1.1" 200 512 "-" "test"\n'


def log(name: str, lines: int = 3) -> str:
    return "".join(LINE.format(n=n, p=name) for n in range(lines))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    for name in ("a/access.log", "b/access.log", "Private/Medical/access.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(log(name), encoding="utf-8")
    with zipfile.ZipFile(folder / "logs.zip", "w") as outer:
        for name in ("in/access.log", "in/medical/access.log"):
            outer.writestr(zipfile.ZipInfo(name, (2026, 3, 3, 10, 0, 0)), log(name))
    return folder


class Case:
    """A case folder, opened for one extraction at a time."""

    def __init__(self, folder: Path, evidence: Path) -> None:
        self.folder, self.evidence = folder, evidence
        Ledger.create(folder, lambda: datetime.now(UTC)).close()

    def extract(
        self, names: list[str] | None = None, exclude: Iterable[str] = (), cut_after: int | None = None
    ) -> None:
        """Extract; with `cut_after`, stop as a kill would after so many commits."""
        with Pool(1) as pool, Ledger.open(self.folder, lambda: datetime.now(UTC)) as ledger:
            store = RecordStore(self.folder)
            made = Extraction(ledger, store, self.folder / "work", pool, names=names, exclude=exclude)
            commit, count = made._commit, 0

            def limited() -> None:
                nonlocal count
                if count == cut_after:
                    raise KeyboardInterrupt
                commit()
                count += 1

            made._commit = limited  # type: ignore[method-assign]
            try:
                made.run({"src": (SourceSpec("src", self.evidence, "tree"), [""], {})}, hash_also=False)
            finally:
                store.close()

    def events(self) -> list[dict[str, Any]]:
        with Ledger.open_readonly(self.folder) as ledger:
            return [e.body for e in ledger.events("extraction")]

    def records(self) -> list[tuple[str, str, str]]:
        """(artifact, path, record id) of every record."""
        store = RecordStore(self.folder)
        store.add(Part(**p) for e in self.events() for p in e["parts"])
        found = [(r["artifact"], r["path"], r["record_id"]) for r in store.records()]
        store.close()
        return found

    def coverage(self) -> list[dict[str, Any]]:
        return [c for e in self.events() for c in e["coverage"]]


@pytest.fixture
def case(tmp_path: Path, evidence: Path) -> Case:
    return Case(tmp_path / "case", evidence)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, evidence: Path) -> Case:
    made = Case(tmp_path_factory.mktemp("whole") / "case", evidence)
    made.extract()
    return made


def without_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({k: v for k, v in r.items() if k != "seconds"} for r in rows), key=repr)


def test_files_folders_and_what_lies_in_archives_are_extracted(whole: Case) -> None:
    logs = Counter(path for artifact, path, _ in whole.records() if artifact == "web.access")
    assert logs == {
        "a/access.log": 3,
        "b/access.log": 3,
        "Private/Medical/access.log": 3,
        "logs.zip/in/access.log": 3,
        "logs.zip/in/medical/access.log": 3,
    }
    assert not (whole.folder / "work").exists()


def test_each_file_a_parser_claims_has_one_coverage_row_with_hashes(whole: Case) -> None:
    rows = [c for c in whole.coverage() if c["parser"].startswith("web.access@")]
    assert Counter(c["path"] for c in rows) == dict.fromkeys((p for a, p, _ in whole.records() if a == "web.access"), 1)
    assert all(
        c["outcome"] == "found" and c["records"] == 3 and len(c["file_sha256"]) == len(c["rows_sha256"]) == 64
        for c in rows
    )
    assert {(c["covers_from"], c["covers_to"]) for c in rows} == {("2026-03-03T10:00:00Z", "2026-03-03T10:02:00Z")}


def test_what_is_done_is_not_done_or_noted_again(tmp_path: Path, evidence: Path) -> None:
    case = Case(tmp_path / "case", evidence)
    case.extract()
    before = case.events()
    case.extract()
    assert case.events() == before


@pytest.mark.parametrize("commits", [0, 1, 2, 4])
def test_an_extraction_cut_short_goes_on_where_it_was(
    case: Case, whole: Case, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(module, "PART_ROWS", 1)  # commit after each batch
        small.setattr(pool, "BATCH_FILES", 1)
        with pytest.raises(KeyboardInterrupt):
            case.extract(cut_after=commits)
    assert len(case.events()) == commits
    kept = set(case.records())
    case.extract()
    assert case.records() == whole.records()
    assert kept <= set(case.records())
    assert without_clock(case.coverage()) == without_clock(whole.coverage())


def test_parsers_named_later_look_at_what_is_done_and_only_they(case: Case, whole: Case) -> None:
    case.extract(names=["file_listing"])
    listed = case.records()
    assert {a for a, _, _ in listed} <= {"file_listing", "container"}
    case.extract(names=["file_listing", "web.access"])
    assert Counter(a for a, _, _ in case.records())["web.access"] == 15
    case.extract()
    assert case.records() == whole.records()
    before = case.events()
    case.extract(names=["web.access"])
    assert case.events() == before


@pytest.mark.parametrize("glob", ["*/Medical/*", "*/medical/*"])
def test_excluded_paths_are_neither_read_nor_listed_and_said_so_once(case: Case, whole: Case, glob: str) -> None:
    for _ in range(2):
        case.extract(exclude=[glob])
    assert not [p for _, p, _ in case.records() if "medical/" in p.lower()]
    rows = [c for c in case.coverage() if c["reason_code"] == "excluded"]
    assert sorted(c["path"] for c in rows) == ["Private/Medical/access.log", "logs.zip/in/medical/access.log"]
    assert {(c["outcome"], c["complete"]) for c in rows} == {("not_run", False)}
    assert set(case.records()) == {r for r in whole.records() if not r[1].lower().endswith("medical/access.log")}


def test_an_exclusion_that_is_lifted_lets_the_file_be_read(case: Case, whole: Case) -> None:
    case.extract(exclude=["*/Medical/*"])
    case.extract()
    assert case.records() == whole.records()


def test_rows_of_a_file_that_was_never_acknowledged_are_cut_off(case: Case, evidence: Path) -> None:
    from wigmore.model.protocols import Record
    from wigmore.records.rows import RowMaker

    maker = RowMaker("src", "p", None, "app.log")
    lines = [maker.line(n, {"kind": "record", "number": n}, Record({"n": n}))[2] for n in range(3)]
    spool = case.folder / "work" / "batch-0"
    spool.mkdir(parents=True)
    kept = len(lines[0]) + len(lines[1])
    (spool / "app.log.jsonl").write_bytes(b"".join(lines)[:-7])  # and the last line is torn
    with Pool(1) as pool, Ledger.open(case.folder, lambda: datetime.now(UTC)) as ledger:
        store = RecordStore(case.folder)
        made = Extraction(ledger, store, case.folder / "work", pool)
        (part,) = made._parts("src", [_Finished("src", spool, {"app.log": kept}, [], [], 2)])
        assert part.rows == 2
        assert made._parts("src", [_Finished("src", spool, {"app.log": 0}, [], [], 0)]) == []
        store.close()


def test_what_a_killed_run_left_in_its_workspace_becomes_no_record(case: Case, whole: Case) -> None:
    for number in range(4):
        spool = case.folder / "work" / f"batch-{number}"
        spool.mkdir(parents=True)
        for part in (whole.folder / "records").rglob("*.parquet"):
            (spool / f"{part.parent.name}.jsonl").write_text('{"record_id":"rec-left"}\n', encoding="utf-8")
    case.extract()
    assert case.records() == whole.records()


def test_an_unknown_parser_is_refused_by_name(case: Case) -> None:
    with pytest.raises(ValueError, match=r"unknown parsers nonsense"):
        case.extract(names=["web.access", "nonsense"])
