"""Every time of every record as Timesketch JSON lines; times of unknown zone go to a file of their own.

Timesketch wants `message`, `datetime` (ISO 8601 with its zone), `timestamp` (microseconds since 1970 UTC) and
`timestamp_desc` on every row (timesketch.org, user guide, "Create a timeline from JSON/JSONL/CSV file"); further
columns are kept as they are. A time of unknown zone is never guessed into UTC. File times of the collecting machine
(folders, most archives) are left out: they date the collection, not the matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from wigmore.ledger import durable_file
from wigmore.model.times import instant_text, iso
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.markup import clipped, plain

MESSAGE = 600
FIELDS = 6
LISTING = "file_listing"
LOCAL = "timesketch-local-time.jsonl"


def rows(data: ReportData) -> Iterator[tuple[bool, dict[str, Any]]]:
    """(whether its instant is known, row) for each time of each record, then for each dated phenomenon."""
    case = data.context.get("case")
    for record in data.records():
        for name, time in sorted((record.get("times") or {}).items()):
            if not isinstance(time, dict) or not time.get("text"):
                continue
            if record["artifact"] != LISTING or time.get("owner") == "host":  # a collector's file times date nothing
                yield _record_row(case, record, name, time)
    for phenomenon in data.phenomena:
        time = iso(plain(phenomenon.get("occurred_at"))) if phenomenon.get("occurred_at") else None
        if time is not None:
            shown = {
                "message": clipped(f"{phenomenon['title']} — {phenomenon['interpretation']}", MESSAGE),
                "timestamp_desc": "Observed event",
                "data_type": f"wigmore:observation:{plain(phenomenon['category']).replace(' ', '_')}",
                "phenomenon_id": phenomenon["id"],
                "rule": phenomenon.get("rule", ""),
                "tag": ["wigmore_observation", *(plain(a) for a in phenomenon.get("attack") or ())],
                "source_id": phenomenon["source_id"],
                "case": case,
            }
            yield _dated(shown, time)


def _dated(row: dict[str, Any], time: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    instant = time.get("instant")
    if not isinstance(instant, int):
        return False, {**row, "local_time": time["text"], "zone": time.get("zone", "local-unknown")}
    return True, {
        **row,
        "datetime": instant_text(instant).replace("Z", "+00:00"),
        "timestamp": instant,
        "time_text": time["text"],
    }


def _record_row(case: Any, record: dict[str, Any], name: str, time: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    values = [f"{k}={clipped(v, 120)}" for k, v in record["data"].items() if v not in (None, "", [], {})][:FIELDS]
    row = {
        "message": clipped(f"{record['artifact']}: {' · '.join(values) or plain(record['path'])}", MESSAGE),
        "timestamp_desc": name.replace("_", " "),
        "data_type": f"wigmore:{plain(record['artifact']).replace('.', ':')}",
        "artifact": record["artifact"],
        "path": record["path"],
        "source_id": record["source_id"],
        "record_id": record["record_id"],
        "locator": json.dumps(record["locator"], sort_keys=True),
        "state": record["state"],
        "host": record.get("host_id", ""),
        "clock_owner": time.get("owner", ""),
        "case": case,
        "dates_the_record": name == record.get("time_field"),
    }
    return _dated(row, time)


def _write(stream: TextIO, row: dict[str, Any]) -> None:
    stream.write(json.dumps(row, sort_keys=True, ensure_ascii=True) + "\n")


@report_format("timesketch", "timesketch.jsonl")
def timesketch(data: ReportData, folder: Path) -> Path:
    """All dated records and observations for Timesketch; times of unknown zone are written beside it.

    `timesketch-local-time.jsonl` holds those with `local_time` instead of `datetime`, which Timesketch takes for UTC.
    """
    target, beside = folder / "timesketch.jsonl", folder / LOCAL
    with (
        durable_file(target) as temporary,
        durable_file(beside) as other,
        temporary.open("w", encoding="utf-8", newline="\n") as known,
        other.open("w", encoding="utf-8", newline="\n") as local,
    ):
        for dated, row in rows(data):
            _write(known if dated else local, row)
    return target
