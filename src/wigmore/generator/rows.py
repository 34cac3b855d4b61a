"""Large trees of access logs, for measuring memory and speed over 10⁵ to 10⁶ rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from wigmore.generator.draws import draws
from wigmore.generator.linux import logs

ROWS_A_FILE = 250_000
START = datetime(2025, 3, 3, tzinfo=UTC)


def generate_rows_tree(target: Path, rows: int, seed: int = 1) -> Path:
    """Write `rows` access-log lines below `target`/var/log/apache2, 250,000 a file, in constant memory.

    Returns the tree's root. Every 10,000th line is one and the same suspicious request, so that a reader's result can
    be checked: rows // 10,000 of them.
    """
    if rows < 0:
        raise ValueError("rows cannot be negative")
    folder = target / "var" / "log" / "apache2"
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for number in range(-(-rows // ROWS_A_FILE)):
        count = min(ROWS_A_FILE, rows - written)
        start = START + timedelta(days=number)
        step = timedelta(days=1) / ROWS_A_FILE
        name = "access.log" if number == 0 else f"access.log.{number}"
        with (folder / name).open("w", encoding="ascii", newline="\n") as log:
            lines = logs.ordinary_access(draws(f"rows-{seed}-{number}"), start, start + step * count, count)
            for index, (at, line) in enumerate(lines, written + 1):
                if index % 10_000 == 0:
                    line = logs.access(
                        at, "203.0.113.77", "GET", "/uploads/rows.php?cmd=id", 200, 54, "python-requests/2.31.0"
                    )
                log.write(f"{line}\n")
        written += count
    return target
