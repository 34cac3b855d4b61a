"""What a rule says of its scene passes the gateway: title and interpretation state nothing that the cited facts do not hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
import yaml
from frame_cases import NOW, _Bench, _extracted
from scenes import Scene
from test_every_rule import SCENES

from wigmore.agents.offline import observe
from wigmore.investigation.config import Config
from wigmore.investigation.phases import Investigation
from wigmore.ledger import Event
from wigmore.model.nouns import EvidenceSource
from wigmore.model.protocols import Record


def source_of(name: str) -> str:
    return "src-" + name.replace(".", "-").replace("_", "-")


def entered(bench: _Bench, folder: Path, name: str, scene: Scene) -> None:
    """Enter the records of a scene as a source of their own."""
    source = source_of(name)
    made = EvidenceSource(source, name, "disk_image", "tree", str(folder), {})
    hashed = {"id": source, "hashes": {"sha256": "0" * 64}, "mismatch": ""}
    bench.append([Event("source", made.to_dict()), Event("source.hashed", hashed)])
    lying: dict[str, list[Record]] = defaultdict(list)
    for path, record in scene.hit:
        lying[f"{record.artifact or scene.artifact}@{path}"].append(record)
    bench.append([_extracted(bench, folder, source, artifact, rows) for artifact, rows in sorted(lying.items())])


@pytest.fixture(scope="module")
def investigation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Investigation]:
    """A case of all scenes."""
    folder = tmp_path_factory.mktemp("admitted")
    listed = [{"id": source_of(n), "path": str(folder), "type": "disk_image", "label": n} for n in SCENES]
    (folder / "case.yaml").write_text(yaml.safe_dump({"case": "0418", "sources": listed}), encoding="utf-8")
    with mock.patch("os.fsync"), _Bench(folder, config=Config(), clock=lambda: NOW) as bench:
        bench.append([Event("run.started", {"id": "run-001"})])
        for name, scene in SCENES.items():
            entered(bench, folder, name, scene)
        yield Investigation(bench, jobs=1)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_what_a_rule_says_of_its_scene_is_admitted(name: str, investigation: Investigation) -> None:
    rule = investigation.bench.rules.indicators[name]
    desk = investigation.desk(rule.role, name, source_of(name))
    given = SCENES[name].given
    call = desk.call("match_indicator", rule=name, **({"parameters": given} if given else {}))
    observed = observe(desk, rule, call)
    refused = [event.body["reason"] for event in desk.gateway.buffer if event.kind == "rejection"]
    assert observed and not refused, (call, refused)
