"""`wigmore bench cases`: what is planned, what is scored, and one case of each variant run in earnest."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from wigmore.api.bench_cases import UNDECIDED, bench_cases, by_kind, plan, run_one, selected, summary
from wigmore.api.cases import UseError
from wigmore.generator import kinds


def test_variants_are_spread_evenly_over_the_kinds_with_seeds_of_their_own() -> None:
    names = selected((), choosing=False)
    planned = plan(len(names) * 2, 1, names)
    assert Counter((kind, variant) for kind, variant, _ in planned) == {
        (kind, variant): 2 for kind in names for variant in ("guilty", "innocent", "ambiguous")
    }
    seeds = [seed for series in (1, 2) for _, _, seed in plan(100, series, names)]
    assert len(set(seeds)) == len(seeds)


def test_kinds_for_choosing_defaults_are_never_scored() -> None:
    scored, choosing = selected((), choosing=False), selected((), choosing=True)
    assert len(scored) + len(choosing) >= 12 and choosing and not set(scored) & set(choosing)
    assert all(set(kinds()[name].variants) == {"guilty", "innocent", "ambiguous"} for name in scored + choosing)
    with pytest.raises(UseError, match="no scenario kind nothing; there are: "):
        selected(["nothing"], choosing=False)


@pytest.mark.parametrize("variant", ["guilty", "innocent", "ambiguous"])
def test_a_case_of_each_variant_is_run_and_scored(variant: str, tmp_path: Path) -> None:
    row = run_one("password_attack", variant, 903, tmp_path / "case")
    assert "failed" not in row, row
    assert (row["found"], row["unexpected"], row["decoys_asserted"]) == (row["planted"], [], 0)
    probability = row["probability"]["per_type"]
    if variant == "guilty":
        assert row["verdict"] == "concluded" and probability > 0.9
    else:
        assert row["verdict"] in UNDECIDED and probability < 0.5
    assert not (tmp_path / "case").exists()  # a scored case is removed


def test_a_case_that_cannot_be_made_is_a_row_and_the_series_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("not ours")
    row = run_one("password_attack", "guilty", 1, tmp_path / "taken")
    assert "not empty and no sample of ours" in row["failed"]
    assert (summary([row])["failed"], summary([row])["recall"]) == (1, None)


def scored(variant: str, verdict: str, probability: float, **more: Any) -> dict[str, Any]:
    rules = dict.fromkeys(("per_type", "per_source", "naive"), probability)
    return {
        "kind": "k", "variant": variant, "verdict": verdict, "probability": rules, "planted": 4, "found": 4,
        "decoys_asserted": 0, "unexpected": [], **more,
    }  # fmt: skip


def test_the_figures_are_those_reckoned_by_hand() -> None:
    rows = [
        scored("guilty", "concluded", 0.9),
        scored("guilty", "open", 0.6, found=2),
        scored("innocent", "open", 0.1),
        scored("innocent", "concluded", 0.8, unexpected=["k"]),
        scored("ambiguous", "contested", 0.8),
        scored("ambiguous", "concluded", 0.95),
    ]
    made = summary(rows)
    assert made["recall"] == pytest.approx(22 / 24) and made["concluded_guilty"] == 0.5
    assert (made["asserted_innocent"], made["undecided_ambiguous"]) == (1, 0.5)
    assert made["per_type"]["brier"] == pytest.approx((0.01 + 0.16 + 0.01 + 0.64) / 4)
    [row] = by_kind(rows)
    assert row["guilty"] == "concluded 1 open 1 (0.75)" and row["failed"] == 0


def test_a_series_leaves_its_rows_in_a_file(tmp_path: Path) -> None:
    rows = bench_cases(1, 904, tmp_path, names=["password_attack"], jobs=1)
    kept = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text("utf-8").splitlines()]
    assert kept == json.loads(json.dumps(rows)) and [r["variant"] for r in rows] == ["guilty", "innocent", "ambiguous"]
