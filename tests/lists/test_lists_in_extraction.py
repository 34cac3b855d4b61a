"""Lists in an extraction and in a run: applied once, again where they changed, never where the case excludes."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wigmore.api.check import check
from wigmore.api.run import Options, run
from wigmore.evidence.source import SourceSpec
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Ledger
from wigmore.model.lists import ListFile
from wigmore.records.extraction import Extraction
from wigmore.records.pool import Pool
from wigmore.records.store import Part, RecordStore
from wigmore.registry import tools
from wigmore.tools.runner import arguments

NAMES = ["lists.keywords", "lists.hashes", "lists.yara", "lists.iocs", "file_listing", "container", "generic.text"]
TOOL = b"MZ a tool that names bad.example and the word harbour\n" * 3


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "docs").mkdir()
    (folder / "Private").mkdir()
    (folder / "docs" / "note.txt").write_text("the harbour at dawn, 198.51.100.7\n", encoding="utf-8")
    (folder / "docs" / "wide.bin").write_bytes(b"\x01\x02" + "HARBOUR".encode("utf-16-le"))
    (folder / "Private" / "note.txt").write_text("the harbour again\n", encoding="utf-8")
    (folder / "kit.exe").write_bytes(TOOL)
    (folder / "empty").write_bytes(b"")
    with zipfile.ZipFile(folder / "pack.zip", "w", zipfile.ZIP_STORED) as outer:
        for name in ("in/note.txt", "Private/note.txt"):
            outer.writestr(zipfile.ZipInfo(name, (2026, 3, 3, 10, 0, 0)), "a harbour in a stored archive\n")
    return folder


class Extracted:
    """A case folder for extractions with lists."""

    def __init__(self, folder: Path, evidence: Path) -> None:
        self.folder, self.evidence = folder, evidence
        Ledger.create(folder, lambda: datetime.now(UTC)).close()

    def extract(
        self, *lists: ListFile, jobs: int = 1, exclude: tuple[str, ...] = (), names: list[str] | None = None
    ) -> int:
        """Extract; how many entries were examined."""
        with Pool(jobs) as pool, Ledger.open(self.folder, lambda: datetime.now(UTC)) as ledger:
            store = RecordStore(self.folder)
            work = self.folder / "work"
            made = Extraction(ledger, store, work, pool, names=names or NAMES, exclude=exclude, lists=lists)
            made.run({"src": (SourceSpec("src", self.evidence, "tree"), [""], {})}, hash_also=False)
            store.close()
            return made.progress.files

    def events(self) -> list[dict[str, Any]]:
        with Ledger.open_readonly(self.folder) as ledger:
            return [e.body for e in ledger.events("extraction")]

    def records(self) -> list[dict[str, Any]]:
        store = RecordStore(self.folder)
        store.add(Part(**p) for e in self.events() for p in e["parts"])
        found = list(store.records())
        store.close()
        return found

    def hits(self) -> Counter[tuple[str, str]]:
        return Counter((r["path"], r["data"]["term"]) for r in self.records() if r["artifact"] == "lists.keyword_hit")


@pytest.fixture
def case(tmp_path: Path, evidence: Path) -> Extracted:
    return Extracted(tmp_path / "case", evidence)


HARBOUR = {
    ("docs/note.txt", "harbour"): 1,
    ("docs/wide.bin", "harbour"): 1,
    ("Private/note.txt", "harbour"): 1,
    ("kit.exe", "harbour"): 3,
    ("pack.zip/in/note.txt", "harbour"): 1,
    ("pack.zip/Private/note.txt", "harbour"): 1,
}


def test_hits_lie_in_files_and_in_what_is_in_archives_not_in_the_packed_bytes(case, listed) -> None:
    case.extract(listed("keywords", "w.txt", "harbour\n"))
    assert case.hits() == HARBOUR
    rows = {c["path"]: c for e in case.events() for c in e["coverage"] if c["parser"].startswith("lists.keywords@")}
    assert rows["pack.zip"]["outcome"] == "empty" and "entries are searched one by one" in rows["pack.zip"]["reason"]
    assert rows["docs/note.txt"]["reason"].startswith("w.txt (") and rows["docs/note.txt"]["complete"]


def test_what_the_case_excludes_is_never_searched(case, listed) -> None:
    case.extract(listed("keywords", "w.txt", "harbour\n"), exclude=("*private/*",))
    assert {path for path, _ in case.hits()} == {path for path, _ in HARBOUR if "Private" not in path}
    case.extract(listed("keywords", "w.txt", "harbour\ndawn\nagain\narchive\n"), exclude=("*private/*",))
    assert not any("Private" in r["path"] for r in case.records() if r["artifact"].startswith("lists."))


def test_an_entry_is_examined_again_for_a_changed_list_by_the_parsers_of_lists_only(case, listed) -> None:
    rules = listed("yara", "r.yar", "rule Program { condition: uint16(0) == 0x5A4D }")
    first, second = listed("keywords", "w1.txt", "harbour\n"), listed("keywords", "w2.txt", "harbour\ndawn\n")
    case.extract(first, rules)
    before, known = case.events(), Counter(r["artifact"] for r in case.records())
    assert {one["sha256"] for e in before for one in e["lists"]} == {first.sha256, rules.sha256}
    assert case.extract(first, rules) == 0 and case.events() == before
    assert case.extract(second, rules) > 0
    fresh = case.events()[len(before) :]
    looked = {c["parser"] for e in fresh for c in e["coverage"]}
    assert looked == {"lists.keywords@1"}
    assert [one["sha256"] for e in fresh for one in e["lists"]] == [second.sha256]
    after = case.records()
    counts = Counter(r["artifact"] for r in after)
    assert {a: n for a, n in counts.items() if a != "lists.keyword_hit"} == {
        a: n for a, n in known.items() if a != "lists.keyword_hit"
    }
    assert len({r["record_id"] for r in after}) == len(after)  # what both lists found are two records
    assert Counter(r["data"]["list"] for r in after if r["artifact"] == "lists.keyword_hit") == {
        "w1.txt": 8,
        "w2.txt": 9,
    }
    assert case.extract(second, rules) == 0
    assert case.extract(first, rules) == 0  # an earlier list again: it was applied


def test_lists_that_come_later_are_applied_to_what_is_done(case, listed) -> None:
    case.extract()
    assert not any(r["artifact"].startswith("lists.") for r in case.records())
    case.extract(listed("keywords", "w.txt", "harbour\n"))
    assert case.hits() == HARBOUR
    case.extract(listed("keywords", "w.txt", "harbour\n"), listed("known_bad", "b.txt", hashlib.md5(TOOL).hexdigest()))
    assert case.hits() == HARBOUR
    assert [r["path"] for r in case.records() if r["artifact"] == "lists.known_bad"] == ["kit.exe"]


def test_parsers_named_later_look_for_the_lists_that_they_apply(case, listed) -> None:
    words, rules = listed("keywords", "w.txt", "harbour\n"), listed("yara", "r.yar", "rule Any { condition: true }")
    case.extract(words, rules, names=["file_listing", "container", "lists.keywords"])
    case.extract(words, rules)
    assert case.hits() == HARBOUR
    assert sum(r["artifact"] == "lists.yara_hit" for r in case.records()) == len(HARBOUR)


def test_a_file_that_only_lists_were_applied_to_is_still_said_to_be_unread(tmp_path, listed) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "odd.bin").write_bytes(bytes(range(256)) * 9)
    case = Extracted(tmp_path / "case", folder)
    case.extract(listed("keywords", "w.txt", "harbour\n"))
    parsers = {c["parser"] for e in case.events() for c in e["coverage"] if c["path"] == "odd.bin"}
    assert parsers == {"file_listing@1", "lists.keywords@1"}


def test_records_are_the_same_for_one_job_and_for_two(tmp_path, evidence, listed) -> None:
    lists = (
        listed("keywords", "w.txt", "harbour\n/d[a-z]wn/\n"),
        listed("known_good", "g.txt", hashlib.sha1(TOOL).hexdigest()),
        listed("yara", "r.yar", 'rule Word { strings: $a = "harbour" nocase wide ascii condition: $a }'),
        listed("iocs", "i.csv", "domain,bad.example\nip,198.51.100.7\nfilename,kit.exe\n"),
    )
    found = []
    for jobs in (1, 2):
        case = Extracted(tmp_path / f"case{jobs}", evidence)
        case.extract(*lists, jobs=jobs)
        found.append(sorted(case.records(), key=lambda r: r["record_id"]))
    assert found[0] == found[1]
    assert {r["artifact"] for r in found[0]} >= {"lists.keyword_hit", "lists.known", "lists.yara_hit", "lists.ioc_hit"}


CASE = """case: T-1
sources: [{{id: src, path: {evidence}}}]
scope: {{exclude: ["Private/*"]}}
keywords: lists/words.txt
hashsets: {{known_bad: lists/bad.md5}}
yara: lists/yara
iocs: lists/iocs.csv
"""


@pytest.fixture(scope="module")
def investigated(tmp_path_factory: pytest.TempPathFactory, evidence: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "lists" / "yara").mkdir(parents=True)
    (folder / "case.yaml").write_text(CASE.format(evidence=evidence), encoding="utf-8")
    (folder / "lists" / "words.txt").write_text("harbour\n/(/\n", encoding="utf-8")
    (folder / "lists" / "bad.md5").write_text(f"{hashlib.md5(TOOL).hexdigest()}  kit\n", encoding="utf-8")
    (folder / "lists" / "yara" / "good.yar").write_text('rule Kit { strings: $a = "a tool that" condition: $a }')
    (folder / "lists" / "yara" / "bad.yar").write_text("rule {")
    (folder / "lists" / "iocs.csv").write_text(
        "type,value\nip,198.51.100.7\nfilename,KIT.exe\nasn,1\n", encoding="utf-8"
    )
    result = run(folder, Options(jobs=2))
    assert result.audit["overall"] == "approve", result.audit["findings"]
    assert sum("could not be used" in gap for gap in result.gaps) == 3
    return folder


def test_a_run_says_of_each_list_what_it_is_and_what_of_it_could_not_be_used(investigated: Path) -> None:
    with Workbench(investigated, write=False) as bench:
        rows = {c.path: c for c in bench.coverage if c.path.startswith("lists/")}
        hashes = {f.name: f.sha256 for f in bench.lists}
        titles = {p.title for p in bench.state.phenomena.values()}
    assert set(rows) == set(hashes) and all(hashes[name] in row.reason for name, row in rows.items())
    assert rows["lists/yara/bad.yar"].outcome == "failed" and rows["lists/yara/good.yar"].complete
    assert "line 2" in rows["lists/words.txt"].reason and rows["lists/words.txt"].records == 1
    assert any("known-bad list" in title and "kit.exe" in title for title in titles)
    assert any("YARA rule Kit" in title for title in titles)


def test_indicators_are_matched_against_the_values_of_records(investigated: Path) -> None:
    def call(tool: str, **given: Any) -> Any:
        with Workbench(investigated, write=False) as bench:
            output, error = bench.runner.execute(tools()[tool], arguments(tools()[tool], given), "src", "examiner")
        assert not error, error
        return output

    out = call("match_iocs")
    met = {(row["artifact"], row["path"], one["ioc"]) for row in out.rows for one in row["iocs"]}
    assert ("file_listing", "kit.exe", "KIT.exe") in met and "could not be used" in out.note
    assert any(ioc == "198.51.100.7" and path == "docs/note.txt" for _, path, ioc in met)
    assert call("match_iocs", ioc_type="url").outcome == "not_applicable"
    hits = call("list_hits", kind="keywords")
    assert {row["data"]["term"] for row in hits.rows} == {"harbour"}
    assert call("list_hits", kind="nonsense").outcome == "failed"


def test_check_names_lists_and_what_cannot_be_used(investigated: Path, tmp_path: Path, evidence: Path) -> None:
    seen = check(investigated, hashes=False)
    assert {one["name"] for one in seen["lists"]} >= {"lists/words.txt", "lists/yara/bad.yar"}
    assert any("words.txt" in p for p in seen["problems"]) and any("bad.yar" in p for p in seen["problems"])
    (tmp_path / "case.yaml").write_text(CASE.format(evidence=evidence), encoding="utf-8")
    assert any("does not exist" in p for p in check(tmp_path, hashes=False)["problems"])


def test_a_changed_list_does_not_break_the_audit_of_what_it_gave(investigated: Path, tmp_path: Path) -> None:
    investigated = shutil.copytree(investigated, tmp_path / "case")
    words = investigated / "lists" / "words.txt"
    words.write_text("harbour\ndawn\n", encoding="utf-8")
    result = run(investigated, Options(jobs=1))
    codes = {f["code"] for f in result.audit["findings"]}
    assert codes <= {"list_changed"} and result.audit["overall"] != "block"
    with Workbench(investigated, write=False) as bench:
        found = list(bench.store.records(["lists.keyword_hit"]))
    assert {r["data"]["term"] for r in found} == {"harbour", "dawn"}
    assert not any(r["path"].startswith("Private") for r in found)
