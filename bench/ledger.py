"""How fast the ledger records: `python bench/ledger.py`, beside a bare sqlite3 loop; exit code 1 below the floors.

The bare loop has the same pragmas, the same hash and JSON, and the same two projections; the two take turns, and the
median of the turns counts, so that a busy machine slows both alike.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from wigmore.ledger import Event, Ledger
from wigmore.ledger.ledger import PRAGMAS
from wigmore.ledger.projections import make_schema

TURNS = 5
SINGLE, BATCHED, LONG = 2_000, 20_000, 100_000
FLOORS = {"events/s singly": 2_500.0, "events/s in batches of 100": 15_000.0, "of the bare loop": 0.5}
GROWTH = 3.0


def body(number: int) -> dict[str, object]:
    """A body of the usual size (about 300 bytes)."""
    return {
        "id": f"fact-{number * 2654435761 % 2**32:08x}",
        "source_id": "src-disk",
        "artifact": "win.prefetch",
        "locator": {"kind": "offset", "offset": number * 512, "length": 512},
        "path": f"Windows/Prefetch/PROGRAM{number % 997}.EXE-0A1B2C3D.pf",
        "value": "2020-09-18T23:46:56.1234567Z",
        "invocation_id": f"inv-{number // 7:012x}",
    }


def ledger_rate(folder: Path, events: int, batch: int) -> float:
    """Events a second through `Ledger.append`."""
    with Ledger.create(folder, lambda: datetime.now(UTC)) as ledger:
        started = time.perf_counter()
        for first in range(0, events, batch):
            ledger.append([Event("fact", body(number)) for number in range(first, first + batch)])
        return events / (time.perf_counter() - started)


def bare_rate(folder: Path, events: int, batch: int) -> float:
    """Events a second through the plainest loop that stores, hashes and projects the same."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode=WAL", *PRAGMAS):
        connection.execute(f"PRAGMA {pragma}")
    make_schema(connection)
    previous = bytes(32)
    started = time.perf_counter()
    for first in range(0, events, batch):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(first, first + batch):
            value = body(number)
            raw = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
            at = datetime.now(UTC).isoformat()
            previous = hashlib.sha256(previous + f"{number + 1}|fact|{at}|".encode() + raw).digest()
            connection.execute("INSERT INTO events VALUES (?, 'fact', ?, ?, ?)", (number + 1, at, raw, previous))
            connection.execute("INSERT INTO counts VALUES ('fact', 1) ON CONFLICT (kind) DO UPDATE SET n = n + 1")
            connection.execute(
                "INSERT INTO keys VALUES ('fact', ?, ?) ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq",
                (value["id"], number + 1),
            )
        connection.execute("COMMIT")
    rate = events / (time.perf_counter() - started)
    connection.close()
    return rate


def compare(folder: Path, name: str, events: int, batch: int) -> bool:
    """Let both take turns, print medians and their ratio; whether the floors are kept."""
    turns: dict[Callable[[Path, int, int], float], list[float]] = {ledger_rate: [], bare_rate: []}
    for turn in range(TURNS):
        for rate, rates in turns.items():
            rates.append(rate(folder / f"{rate.__name__}-{batch}-{turn}", events, batch))
    ours, bare = (statistics.median(rates) for rates in turns.values())
    kept = ours >= FLOORS[name] and ours / bare >= FLOORS["of the bare loop"]
    print(
        f"{ours:9,.0f} {name}; bare loop {bare:,.0f}; {ours / bare:.0%} of it; {'kept' if kept else 'BELOW THE FLOOR'}"
    )
    return kept


def growth(folder: Path) -> bool:
    """What the last tenth of 10⁵ events costs against the first; also how fast they are opened, read and verified."""
    laps: list[float] = []
    clock = time.perf_counter
    with Ledger.create(folder, lambda: datetime.now(UTC)) as ledger:
        for lap in range(0, LONG, LONG // 10):
            started = clock()
            for first in range(lap, lap + LONG // 10, 100):
                ledger.append([Event("fact", body(number)) for number in range(first, first + 100)])
            laps.append(clock() - started)
    started = clock()
    with Ledger.open(folder, lambda: datetime.now(UTC)) as ledger:
        opened, started = clock() - started, clock()
        read = sum(1 for _ in ledger.events())
        folded, started = clock() - started, clock()
        damage = ledger.verify()
        verified = clock() - started
    ratio = laps[-1] / laps[0]
    kept = ratio <= GROWTH and read == LONG and not damage
    print(f"{ratio:9.2f} times the first 10,000 of {LONG:,} do the last 10,000 cost; {'kept' if kept else 'TOO MUCH'}")
    print(f"          {LONG:,} events: opened in {opened:.3f} s, read in {folded:.2f} s, verified in {verified:.2f} s")
    return kept


def main() -> None:
    """Run all three."""
    with tempfile.TemporaryDirectory(prefix="wigmore-bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        kept = [
            compare(folder, "events/s singly", SINGLE, 1),
            compare(folder, "events/s in batches of 100", BATCHED, 100),
            growth(folder / "long"),
        ]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
