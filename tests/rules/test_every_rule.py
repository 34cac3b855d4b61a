"""Every rule has a scene: records that it matches, and a near miss that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from scenes import Scene, fill
from scenes_frames import SCENES as FRAMES
from scenes_kinds import SCENES as KINDS
from scenes_windows import SCENES as WINDOWS

from wigmore.records.indicators import match
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators
from wigmore.records.store import RecordStore

SCENES: dict[str, Scene] = {**FRAMES, **WINDOWS, **KINDS}


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    """All scenes, each part of each a source of its own."""
    folder = tmp_path_factory.mktemp("scenes")
    made = RecordStore(folder / "case")
    for name, scene in SCENES.items():
        fill(made, folder, f"{name}:hit", scene.artifact, scene.hit)
        fill(made, folder, f"{name}:miss", scene.artifact, scene.miss)
    yield made
    made.close()


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_rule_matches_its_scene_and_not_the_near_miss(
    name: str, store: RecordStore, indicators: dict[str, Indicator]
) -> None:
    rule, scene = indicators[name], SCENES[name]
    assert any(fnmatchcase(scene.artifact, a) for a in rule.artifacts), "the scene is of another artifact"
    assert match(store, rule, f"{name}:hit", {}), "the scene is not matched"
    assert not match(store, rule, f"{name}:miss", {}), "the near miss is matched"
