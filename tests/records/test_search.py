"""Full text over records: what is found, in which order, and an index that follows the parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from record_builders import Made, record
from wigmore.records import search
from wigmore.records.search import Search
from wigmore.records.store import RecordStore

TEXTS = [
    "the rotor drawings went to anna.kerr@example.org",
    "rotor only",
    "drawings of the ROTOR, and the rotor again: rotor",
    "C:\\Users\\anna_k\\Desktop\\plan_v2.step",
    "Größe und Übergabe",
    "anna kerr example org in other words",
]


@pytest.fixture
def store(make: Made) -> RecordStore:
    make([record({"text": t, "n": n}, "2026-03-01T10:00:00Z") for n, t in enumerate(TEXTS)])
    return make(
        [record({"name": "rotor.step"})], source="src-b", path="disk/p1/work/rotor.step", artifact="file_listing"
    )


@pytest.fixture
def found(store: RecordStore, tmp_path: Path) -> Iterator[Any]:
    index = Search(store, tmp_path / "index")

    def numbers(words: str, **limits: Any) -> list[Any]:
        rows, count = index.find(words, **limits)
        assert count >= len(rows)
        return [json.loads(r["data"]).get("n", r["path"]) for r in rows]

    yield numbers


def test_all_words_must_occur_whatever_their_case(found: Any) -> None:
    assert sorted(found("ROTOR drawings")) == [0, 2]
    assert found("rotor nowhere") == []


def test_the_closest_record_comes_first(found: Any) -> None:
    assert found("rotor drawings")[0] == 2


def test_an_address_is_a_phrase_and_words_in_quotation_marks_are(found: Any) -> None:
    assert sorted(found("anna.kerr@example.org")) == [0, 5]  # the same words in the same order
    assert found('"rotor only"') == [1]
    assert found('"only rotor"') == []


def test_parts_of_paths_and_words_of_any_script_are_found(found: Any) -> None:
    assert found("plan_v2.step") == [3]
    assert found("übergabe") == [4]
    assert found("desktop anna") == [3]


def test_a_search_can_be_kept_to_a_path_an_artifact_and_a_source(found: Any) -> None:
    assert found("rotor", path="disk/p1") == ["disk/p1/work/rotor.step"]
    assert found("rotor", path="disk/p") == []  # a folder, not a beginning of one
    assert found("rotor", source_id="src-b", artifact="file_listing") == ["disk/p1/work/rotor.step"]
    assert found("rotor", artifact="app.*") == []


def test_words_without_letters_are_refused(found: Any) -> None:
    with pytest.raises(ValueError, match="no word"):
        found('"..." !')


@pytest.mark.parametrize(
    "words", ["text:rotor", "rotor AND NOT drawings", "ro*", "(rotor", "[a TO b]", "rotor^2", "-rotor"]
)
def test_nothing_a_searcher_types_is_a_language_of_its_own(found: Any, words: str) -> None:
    found(words)  # no error; signs only part words


def test_new_parts_are_added_and_foreign_ones_make_the_index_anew(
    store: RecordStore, make: Made, tmp_path: Path
) -> None:
    said: list[str] = []
    Search(store, tmp_path / "index", said.append)
    assert len(said) == len(store.parts)
    make([record({"text": "a late rotor"})], path="late")
    said.clear()
    assert Search(store, tmp_path / "index", said.append).find("late rotor")[1] == 1
    assert len(said) == 1
    store.parts.pop()
    said.clear()
    index = Search(store, tmp_path / "index", said.append)
    assert len(said) == len(store.parts) and index.find("rotor", limit=1)[1] > 0


def test_a_part_that_was_half_indexed_is_indexed_once(
    store: RecordStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        count = 0

        def texts(row: dict[str, Any]) -> list[str]:
            nonlocal count
            count += 1
            if count == 4:
                raise KeyboardInterrupt
            return ["half"]

        broken.setattr(search, "_texts", texts)
        with pytest.raises(KeyboardInterrupt):
            Search(store, tmp_path / "index")
    index = Search(store, tmp_path / "index")
    assert index.find("half")[1] <= 1  # the part that was whole when it broke may stay
    assert sorted(r["record_id"] for r in index.find("rotor")[0]) == sorted(
        {r["record_id"] for r in store.query("SELECT record_id, data FROM records") if "otor" in r["data"].lower()}
    )
