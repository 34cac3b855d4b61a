"""Generated cases: repeatable, complete, and true to what they say of themselves."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path

import pytest

from wigmore.agents.templates import load_templates
from wigmore.generator import Truth, generate, kinds, read_truth, stands_in
from wigmore.generator.rows import generate_rows_tree
from wigmore.generator.scenarios.departing_engineer import TEMPLATES


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and modification time of every file below a folder."""
    return {
        str(file.relative_to(folder)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_the_same_seed_makes_the_same_bytes_and_times(made: tuple[Path, Truth], tmp_path: Path) -> None:
    target, truth = made
    again = generate(tmp_path / "again")
    assert again == truth
    assert contents(tmp_path / "again" / "evidence") == contents(target / "evidence")


def test_another_seed_makes_other_people_and_serials(made: tuple[Path, Truth], tmp_path: Path) -> None:
    _, truth = made
    other = generate(tmp_path / "other", seed=2)
    assert len(other.planted) == len(truth.planted)
    same = sum(a.values == b.values for a, b in zip(truth.planted, other.planted, strict=True))
    assert same < len(truth.planted) // 3  # commands and program versions stay


def test_the_truth_lies_outside_the_evidence_and_reads_back(made: tuple[Path, Truth]) -> None:
    target, truth = made
    assert read_truth(target / "truth.json") == truth
    assert not list((target / "evidence").rglob("truth*"))


def test_every_truth_and_decoy_names_a_source_and_a_file_of_it(made: tuple[Path, Truth]) -> None:
    target, truth = made
    sources = {source.id: target / source.path for source in truth.sources}
    for item in (*truth.planted, *truth.decoys):
        place = sources[item.source]
        if place.is_dir():
            assert (place / item.path).is_file(), item
        else:
            assert place.is_file() and item.path.startswith(place.name), item
        assert item.values and all(item.values), item
    assert len({item.id for item in (*truth.planted, *truth.decoys)}) == len(truth.planted) + len(truth.decoys)


def test_the_default_case_is_rich(made: tuple[Path, Truth]) -> None:
    _, truth = made
    assert len(truth.sources) == 8
    assert len(truth.planted) >= 60
    assert len(truth.decoys) >= 12
    assert {item.hypothesis for item in truth.planted} - {None} == set(TEMPLATES)
    assert set(truth.expected) == set(TEMPLATES)


VARIANTS = [(name, variant) for name, kind in kinds().items() for variant in kind.variants]
VERDICTS = {"guilty": "supported", "innocent": "not_supported", "ambiguous": "cannot_say", "gap": "cannot_say"}
FRAMES = load_templates([Path(str(importlib.resources.files("wigmore") / "rules"))])


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(("scenario", "variant"), VARIANTS)
def test_every_variant_of_every_scenario_can_be_made(scenario: str, variant: str, seed: int, tmp_path: Path) -> None:
    truth = generate(tmp_path, scenario, seed, variant, noise=0)
    assert truth.expected[kinds()[scenario].frame] == VERDICTS[variant]
    named = {*truth.expected, *(item.hypothesis for item in (*truth.planted, *truth.decoys) if item.hypothesis)}
    assert {name.partition("/")[0] for name in named} <= set(FRAMES)
    sources = {source.id: tmp_path / source.path for source in truth.sources}
    for item in (*truth.planted, *truth.decoys):
        place = sources[item.source]
        assert (place / item.path).is_file() if place.is_dir() else item.path.startswith(place.name), item
    assert (truth.planted or truth.decoys) and truth.questions and truth.sources


@pytest.mark.parametrize(("scenario", "variant"), VARIANTS)
def test_missing_and_damaged_files_are_none_that_a_truth_rests_on(scenario: str, variant: str, tmp_path: Path) -> None:
    whole = generate(tmp_path / "whole", scenario, 5, variant, noise=20)
    spoiled = generate(tmp_path / "spoiled", scenario, 5, variant, noise=20, missing=1, damaged=1)
    assert (spoiled.planted, spoiled.decoys) == (whole.planted, whole.decoys)
    before, after = contents(tmp_path / "whole" / "evidence"), contents(tmp_path / "spoiled" / "evidence")
    changed = {name for name in before if before[name] != after.get(name)}
    assert len(changed) <= 2 and len(before) - len(after) <= 1
    folders = {source.id: source.path.removeprefix("evidence/") for source in whole.sources}
    assert not changed & {f"{folders[item.source]}/{item.path}" for item in (*whole.planted, *whole.decoys)}


def test_in_the_innocent_case_the_design_is_on_the_laptop_only(tmp_path: Path) -> None:
    truth = generate(tmp_path, variant="innocent")
    design = next((tmp_path / "evidence" / "laptop").rglob("*.step")).read_bytes()
    assert design[:4000] not in (tmp_path / "evidence" / "usb_stick" / "usb_stick.img").read_bytes()
    assert truth.expected["removable_media_copy"] == "not_supported"


def test_noise_adds_records_and_leaves_the_truth_alone(made: tuple[Path, Truth], tmp_path: Path) -> None:
    target, truth = made
    noisy = generate(tmp_path, noise=5_000)
    assert noisy.planted == truth.planted
    log = "evidence/server/var/log/apache2/access.log"
    assert (tmp_path / log).stat().st_size > 10 * (target / log).stat().st_size


def test_unknown_scenarios_parameters_and_full_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown scenario"):
        generate(tmp_path, "none")
    with pytest.raises(ValueError, match="unknown parameters"):
        generate(tmp_path, size=1)
    (tmp_path / "evidence").mkdir()
    with pytest.raises(FileExistsError):
        generate(tmp_path)


def test_a_rows_tree_holds_exactly_the_rows_asked_for(tmp_path: Path) -> None:
    log = generate_rows_tree(tmp_path, 20_500) / "var" / "log" / "apache2" / "access.log"
    lines = log.read_text("ascii").splitlines()
    assert len(lines) == 20_500
    assert sum("/uploads/rows.php?cmd=id" in line for line in lines) == 2


def test_a_planted_value_is_found_as_number_time_or_text() -> None:
    assert stands_in("52.375", [52.37500000001])
    assert stands_in("2025-03-04T10:00:00Z", ["2025-03-04T10:00:00.000000Z"])
    assert not stands_in("2025-03-04T10:00:00Z", ["2025-03-04T10:00:00"])
    assert stands_in("anydesk.exe", ["C:\\Program Files\\AnyDesk\\AnyDesk.exe"])
    assert not stands_in("6", ["2016-01-01", "counter 6x"])
