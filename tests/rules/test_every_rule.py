"""Every rule has a scene: records that it matches, and a near miss that it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from scenes import Scene, fill
from scenes_captures import SCENES as CAPTURES
from scenes_captures_risks import SCENES as RISKS
from scenes_explanations import SCENES as EXPLANATIONS
from scenes_frames import SCENES as FRAMES
from scenes_kinds import SCENES as KINDS
from scenes_other import SCENES as OTHER
from scenes_people import SCENES as PEOPLE
from scenes_routines import LOOKALIKES as ROUTINE_LOOKALIKES
from scenes_routines import SCENES as ROUTINES
from scenes_systems import SCENES as SYSTEMS
from scenes_tools import LOOKALIKES as TOOL_LOOKALIKES
from scenes_tools import SCENES as TOOLS
from scenes_windows import SCENES as WINDOWS

import wigmore.formats.capture
from wigmore.artifacts.network import capture
from wigmore.records.indicators import match
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators
from wigmore.records.store import RecordStore

SCENES: dict[str, Scene] = {
    **FRAMES,
    **OTHER,
    **WINDOWS,
    **KINDS,
    **CAPTURES,
    **RISKS,
    **PEOPLE,
    **SYSTEMS,
    **EXPLANATIONS,
    **TOOLS,
    **ROUTINES,
}
LOOKALIKES = {**TOOL_LOOKALIKES, **ROUTINE_LOOKALIKES}


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    """All scenes, each part of each a source of its own."""
    folder = tmp_path_factory.mktemp("scenes")
    made = RecordStore(folder / "case")
    for name, scene in (*SCENES.items(), *((f"like {name}", scene) for name, scene in LOOKALIKES.items())):
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
    assert match(store, rule, f"{name}:hit", scene.given), "the scene is not matched"
    assert not match(store, rule, f"{name}:miss", scene.given), "the near miss is matched"


@pytest.mark.parametrize("name", sorted(LOOKALIKES))
def test_a_rule_leaves_its_lookalike_alone(name: str, store: RecordStore, indicators: dict[str, Indicator]) -> None:
    assert match(store, indicators[name], f"like {name}:hit", {}), "the scene is not matched"
    assert not match(store, indicators[name], f"like {name}:miss", {}), "the lookalike is matched"


def named_elsewhere() -> str:
    """The text of the other tests of rules: a rule that one names has its scene there."""
    here = Path(__file__).parent
    files = sorted({*here.glob("test_rules_*.py"), *here.glob("test_frame*_*.py")})
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_rule_has_a_scene(indicators: dict[str, Indicator]) -> None:
    text = named_elsewhere()
    without = {
        name for name in indicators if name not in SCENES and not re.search(rf"[\"']{re.escape(name)}[\"']", text)
    }
    assert without == set()


def test_scenes_of_captures_have_the_fields_that_their_parser_yields() -> None:
    package = Path(wigmore.formats.capture.__file__).parent
    text = "\n".join(file.read_text(encoding="utf-8") for file in [*package.glob("*.py"), Path(capture.__file__)])
    yielded = set(re.findall(r'"(\w+)"', text)) | {"response_body_type", "response_body_size"}
    kinds = {f"network.{kind}" for kind in capture.KINDS}
    scenes = [s for s in SCENES.values() if s.artifact in kinds]
    named = {name for s in scenes for _, record in (*s.hit, *s.miss) for name in record.data}
    assert scenes and named <= yielded


def test_a_scene_is_of_a_rule_that_is_there(indicators: dict[str, Indicator]) -> None:
    assert set(SCENES) <= set(indicators)
