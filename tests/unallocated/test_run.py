"""Free space through a whole run: its own artifact, carved files with theirs, nothing read for who does not ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carved_builders import Volume, jpeg, noise, packed

from wigmore.api.run import Options, prepare, run
from wigmore.investigation.workbench import Workbench
from wigmore.records.examine import choose
from wigmore.registry import Claim, parsers, tools
from wigmore.tools.runner import arguments

SECRET = b" write to somebody.else@mail.example.org about it "


def bench_of(folder: Path, names: list[str] | None = None) -> Workbench:
    volume = Volume()
    volume.live("LIVE.TXT", b"nothing of note\n")
    volume.place(20, jpeg(9000))
    volume.place(40, packed(("inner/a.txt",), 600))
    volume.place(60, noise(300) + SECRET + "wide@mail.example.net ".encode("utf-16-le") + noise(300))
    (folder / "stick.img").write_bytes(volume.to_bytes())
    made = prepare([folder / "stick.img"], folder / "case")
    result = run(made, Options(jobs=1, parsers=names))
    assert result.exit_code in (0, 3), result
    assert result.audit["overall"] == "approve"
    return Workbench(made, write=False)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with bench_of(tmp_path_factory.mktemp("run")) as opened:
        yield opened


def rows(bench: Workbench) -> list[dict[str, Any]]:
    return list(bench.store.records())


def test_pieces_and_carved_files_have_artifacts_of_their_own(bench: Workbench) -> None:
    found = rows(bench)
    counts = Counter((row["artifact"], row["state"]) for row in found if "$Unallocated" in row["path"])
    assert counts["unallocated_space", "unallocated"] == 1
    assert counts["carved_file", "carved"] == 3  # picture, archive, and the file in the archive
    assert not any(artifact == "file_listing" for artifact, _ in counts)
    assert {state for (artifact, state) in counts if artifact != "unallocated_space"} <= {"carved", "unallocated"}
    listed = [row["path"].rpartition("/")[2] for row in found if row["artifact"] == "file_listing"]
    assert "LIVE.TXT" in listed


def test_addresses_are_found_in_free_space_at_their_bytes(bench: Workbench) -> None:
    found = {
        row["data"]["value"]: row for row in rows(bench)
        if row["artifact"] == "generic.features" and row["data"]["feature"] == "email"
    }  # fmt: skip
    assert set(found) == {"somebody.else@mail.example.org", "wide@mail.example.net"}
    source = bench.open_source(next(iter(bench.state.sources)))
    for value, coding in (("somebody.else@mail.example.org", "ascii"), ("wide@mail.example.net", "utf-16-le")):
        row = found[value]
        assert row["state"] == "unallocated"
        content = source.file_at(row["path"]).read()
        start = row["locator"]["offset"]
        assert content[start : start + row["locator"]["length"]] == value.encode(coding)


def test_the_folder_of_free_space_is_listed(bench: Workbench) -> None:
    def listed(path: str) -> list[dict[str, Any]]:
        tool = tools()["list_directory"]
        source = next(iter(bench.state.sources))
        output, error = bench.runner.execute(tool, arguments(tool, {"path": path}), source, "examiner")
        assert not error
        return list(output.rows)

    assert "stick.img/p0/$Unallocated" in [row["path"] for row in listed("stick.img/p0")]
    [piece] = listed("stick.img/p0/$Unallocated")
    assert piece["artifact"] == "unallocated_space"
    inside = listed(piece["path"])
    assert sorted(row["path"].rpartition(".")[2] for row in inside) == ["jpg", "zip"]


def test_free_space_is_not_read_for_a_parser_that_did_not_ask(tmp_path: Path) -> None:
    with bench_of(tmp_path, ["media.exif"]) as opened:
        assert not any("$Unallocated" in row["path"] for row in rows(opened))
        covered = [row["path"] for event in opened.ledger.events("extraction") for row in event.body["coverage"]]
        assert covered
        assert not any("$Unallocated" in path for path in covered)


def test_only_parsers_that_ask_for_it_see_free_space() -> None:
    chosen = choose(parsers(), b"%PDF-1.4", "v.img/p0/$Unallocated/000000000000", 9000, free_space=True)
    assert [one.name for one in chosen] == ["generic.features"]
    assert not Claim(paths=("*",)).free_space
