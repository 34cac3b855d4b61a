"""Epochs are defined in one place, `model/times.py`, with their sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wigmore
from wigmore.model import times

ROOT = Path(wigmore.__file__).parent
HOME = ROOT / "model" / "times.py"
# seconds between epochs: 1601, 1899-12-30, 1900, 1904, 1980 (FAT and GPS) and 2001 to 1970, and days from 1899-12-30
APART = (11_644_473_600, 2_209_161_600, 2_208_988_800, 2_082_844_800, 315_532_800, 315_964_800, 978_307_200, 25_569)
BEGINNINGS = {(1601, 1, 1), (1899, 12, 30), (1900, 1, 1), (1904, 1, 1), (1970, 1, 1), (1980, 1, 6), (2001, 1, 1)}


def epochs(text: str) -> list[int]:
    """The lines of a program on which an epoch is written: its distance in any decimal unit, or its date."""
    lines = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value:
            value = abs(node.value)
            if any(value == apart * 10**power for apart in APART for power in range(10)):
                lines.append(node.lineno)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "datetime",
            "date",
        ):
            numbers = tuple(a.value for a in node.args if isinstance(a, ast.Constant))
            if numbers[:3] in BEGINNINGS and not any(numbers[3:]):
                lines.append(node.lineno)
    return sorted(lines)


@pytest.mark.parametrize(
    "line",
    [
        "x = 116_444_736_000_000_000",
        "y = value - 978307200",
        "z = datetime(1904, 1, 1, tzinfo=UTC)",
        "date(1899, 12, 30)",
    ],
)
def test_an_epoch_that_is_written_out_is_seen(line: str) -> None:
    assert epochs(f"\n{line}\n") == [2]


def test_no_module_but_times_writes_an_epoch() -> None:
    elsewhere = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        if path != HOME and "generator" not in path.relative_to(ROOT).parts
        for line in epochs(path.read_text(encoding="utf-8"))
    }
    assert elsewhere == set()
    assert epochs(HOME.read_text(encoding="utf-8"))


def test_the_epochs_are_where_their_sources_say() -> None:
    for time, text in (
        (times.classic(1), "1904-01-01T00:00:01Z"),
        (times.cocoa(1), "2001-01-01T00:00:01.000000Z"),
        (times.filetime(10_000_000), "1601-01-01T00:00:01.0000000Z"),
        (times.webkit(1_000_000), "1601-01-01T00:00:01.000000Z"),
        (times.ole(2.5, True), "1900-01-01T12:00:00Z"),
        (times.ole(0.25), "1899-12-30T06:00:00"),
        (times.fat(0x21, 0), "1980-01-01T00:00:00"),
        (times.posix(2 * 10**9 - times.NTP_OFFSET), "1963-05-19T03:33:20Z"),
    ):
        assert time is not None and time["text"] == text
    assert times.classic(times.CLASSIC_OFFSET) is None  # the second of 1970 is what an unset POSIX time reads as
