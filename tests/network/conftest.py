"""Captures that tests make, read by the parser."""

from __future__ import annotations

from pathlib import Path

import pytest
from capture_builders import Read

from wigmore.artifacts.network.capture import capture
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, Record


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a capture's bytes: records by kind (the artifact's name after `network.`), and gaps."""

    def done(content: bytes) -> tuple[dict[str, list[Record]], list[Gap]]:
        path = tmp_path / "made.pcap"
        path.write_bytes(content)
        records: dict[str, list[Record]] = {}
        gaps: list[Gap] = []
        places = set()
        for item in capture(LocalFile.at(path, path="made.pcap")):
            if isinstance(item, Gap):
                gaps.append(item)
                continue
            assert isinstance(item, tuple)
            locator, record = item
            place = (record.artifact, *sorted(locator.items()))
            assert place not in places, "two records at one place"
            places.add(place)
            records.setdefault(record.artifact.removeprefix("network."), []).append(record)
        return records, gaps

    return done
