"""Which prior and which damping fit the cases on which defaults are chosen: every combination over recorded edges.

`wigmore bench cases DIR --choosing --n 60 --seed 901 --seed 902`, then `python bench/choose.py DIR/seed-*/cases.jsonl`. The
kinds and seeds must not be those that are scored. Belief is recomputed from the edges that each run recorded, so no case is run
again. Printed: Brier score, expected calibration error and log loss of each (prior, rule); the best of each rule is marked.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from wigmore.model import belief, calibration
from wigmore.model.nouns import Edge

PRIORS = (0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)


def edges(row: dict[str, Any]) -> list[Edge]:
    """The edges of a row, as far as belief asks for them."""
    return [
        Edge(f"edge-{n}", event, "hyp", kind, event_key=event, source_id=source, records=tuple(records))
        for n, (kind, event, source, records) in enumerate(row["edges"])
    ]


def main() -> None:
    """Print the table."""
    rows = [json.loads(line) for name in sys.argv[1:] for line in Path(name).read_text("utf-8").splitlines()]
    decided = [r for r in rows if r["variant"] in ("guilty", "innocent") and "failed" not in r]
    if not decided:
        sys.exit("no guilty or innocent case was run: name the cases.jsonl of `wigmore bench cases --choosing`")
    held = [(edges(r), r["variant"] == "guilty") for r in decided]
    found = {}
    for rule in calibration.RULES:
        for prior in PRIORS:
            pairs = [(belief.probability(calibration.log_odds(prior, mine, rule)), truth) for mine, truth in held]
            found[rule, prior] = (
                calibration.brier(pairs),
                calibration.calibration_error(pairs),
                calibration.log_loss(pairs),
            )
    print(f"{len(decided)} cases of {len({r['kind'] for r in decided})} kinds")
    print(f"{'rule':<11} {'prior':>5} {'Brier':>7} {'ECE':>7} {'log loss':>9}")
    for (rule, prior), (brier, error, loss) in found.items():
        best = min(scores[2] for (name, _), scores in found.items() if name == rule)
        print(
            f"{rule:<11} {prior:>5} {brier:7.4f} {error:7.4f} {loss:9.4f}{'  least log loss' if loss == best else ''}"
        )


if __name__ == "__main__":
    main()
