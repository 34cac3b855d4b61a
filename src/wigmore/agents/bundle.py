"""What a model is given of a question: what code answered, the records that fit best, what was observed. Never a listing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from wigmore.agents.desk import Desk
from wigmore.agents.fence import cut, fenced, neutral, plain
from wigmore.records.answer_readings import Reading

Row = dict[str, Any]
# characters of the offline answer, the records, the observations and the artifacts: with what stands around them, 12,000
ANSWER, RECORDS, READ, KINDS = 1_500, 6_500, 2_000, 600
LINE = 1_400  # characters of one record or observation


def bundle(
    desk: Desk, said: Row, record_ids: Sequence[str], readings: Sequence[Reading], kinds: dict[str, int], path: str
) -> str:
    """The brief of a question; its records are printed by one recorded call, so that what is cited can be read again."""
    call = desk.call("get_records", record_ids=list(record_ids)) if record_ids else None
    inside = desk.config.get("inside") or (lambda _: True)
    rows = [row for row in call.rows if inside(str(row.get("path", "")))] if call else []
    order = {name: place for place, name in enumerate(record_ids)}
    rows.sort(key=lambda r: order.get(str(r["record_id"]), len(order)))
    answered = {
        "status": said["status"],
        "answer": said["answer"],
        "records": [c["record_id"] for c in said["citations"]],
    }
    of_kinds = ", ".join(f"{name} {n}" for name, n in sorted(kinds.items(), key=lambda k: (-k[1], k[0])))
    parts = [
        f"The examiner asks: {desk.config['question']}",
        f"The question is about what lies at or below this path alone: {neutral(path)}" if path else "",
        "What code answered from the records (it compares words, and may have missed what is meant):",
        fenced([_line(answered, ANSWER)], f"{desk.task_id} answer"),
        f"Records that fit the question best, {call.invocation.id if call else 'none'}; a field is cited by its name here:"
        if rows
        else "No record fits the words of the question.",
        fenced(_within((_line(record(row)) for row in rows), RECORDS), call.invocation.id) if call and rows else "",
        "What rules observed in records and may bear on it (get_phenomenon shows one):" if readings else "",
        fenced(_within((_line(_observed(r)) for r in readings), READ), f"{desk.task_id} observed") if readings else "",
        f"Records at hand, by artifact: {cut(of_kinds, KINDS) or 'none'}.",
        "Look further where you need to (query_records). Then call answer, with the record_id, field and value of all that the "
        "answer rests on; or cannot_answer.",
    ]
    return "\n".join(part for part in parts if part)


def record(row: Row) -> Row:
    """A record as a bundle shows it: its fields under the names by which they are cited."""
    times = {
        f"times.{name}": time.get("text") for name, time in (row.get("times") or {}).items() if isinstance(time, dict)
    }
    return {
        "record_id": row["record_id"],
        "source_id": row.get("source_id"),
        "artifact": row.get("artifact"),
        "path": row.get("path"),
        "state": row.get("state"),
        "fields": {**times, **(row.get("data") or {})},
    }


def _observed(reading: Reading) -> Row:
    return {
        "phenomenon": reading.phenomenon_id,
        "title": reading.title,
        "caveat": reading.caveat,
        "facts": [{"record_id": f.record_id, "field": f.name, "value": f.value} for f in reading.facts[:6]],
    }


def _line(row: Row, most: int = LINE) -> str:
    """A row as one line; keys stay in their order."""
    return cut(neutral(json.dumps(plain(row), ensure_ascii=False, separators=(",", ":"))), most)


def _within(lines: Iterable[str], most: int) -> list[str]:
    """The first lines that are together no longer than `most`."""
    out: list[str] = []
    for line in lines:
        if sum(map(len, out)) + len(line) > most and out:
            break
        out.append(line)
    return out
