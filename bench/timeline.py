"""The timeline at 10⁵, 10⁶ and 10⁷ times: how long its file takes to make, each filter, and memory.

`python bench/timeline.py [ROWS…]`. Makes parts as the record store lays them out, two of whose three kinds carry one time a
record and the third two; counts, for each filter, all that suit. On a machine with other work, the processor time divided by
two cores is the figure to look at. Exit code 1 where a filter takes a second or more, or memory grows by more than half with
ten times the rows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wigmore.model.canonical import canonical
from wigmore.records.rows import COLUMNS
from wigmore.records.store import GROUP_BYTES, GROUP_ROWS, Part, RecordStore, connect, file_sha256, quoted
from wigmore.records.timeline import Timeline, Wanted

START = 1_767_225_600_000_000  # 2026-01-01, µs
YEAR = 365 * 86_400_000_000
PART = 500_000
LIMIT = 1.0
KINDS: tuple[tuple[str, dict[str, object], tuple[str, ...]], ...] = (
    (
        "web.access",
        {
            "address": "198.51.100.<n>",
            "method": "GET",
            "status": 200,
            "url": "/shop/<n>?session=<md5>",
            "user_agent": "M",
        },
        ("received_at",),
    ),
    (
        "windows.eventlog",
        {"channel": "Security", "computer": "WS-7", "event": "logged on", "event_id": 4624, "user": "user<n>"},
        ("time_created",),
    ),
    (
        "file_listing",
        {"deleted": False, "kind": "file", "name": "report-<n>.docx", "md5": "<md5>"},
        ("created", "modified"),
    ),
)


def fill(case: Path, rows: int) -> RecordStore:
    """A store whose records carry about `rows` times, spread over a year and three sources."""
    store = RecordStore(case)
    parts = []
    with connect(2, "1GB", case / "spill-0-0") as connection:
        for kind, (artifact, data, fields) in enumerate(KINDS):
            records = rows // 4
            for number, first in enumerate(range(0, records, PART)):
                count = min(PART, records - first)
                source = f"src-{(kind + number) % 3}"
                at = f"{START} + ((n * 7919 + {kind} * 104729) % {records}) * ({YEAR} // {records})"
                text = f"strftime(make_timestamp({at}), '%Y-%m-%dT%H:%M:%S.%f') || 'Z'"
                time = {
                    "instant": "<at>",
                    "owner": "host",
                    "precision": 1e-6,
                    "raw": "<at>",
                    "text": "<text>",
                    "zone": "Z",
                }
                written = canonical({f: {**time, "zone_source": "POSIX time is UTC"} for f in fields}).decode()
                times = f"replace(replace({quoted(written)}, '\"<at>\"', ({at})::VARCHAR), '<text>', {text})"
                shown = quoted(canonical(data).decode())
                made = {
                    "record_id": "'rec-' || left(md5(" + f"'{artifact}' || n" + "), 24)",
                    "source_id": quoted(source),
                    "artifact": quoted(artifact),
                    "parser": quoted(artifact),
                    "path": f"'var/log/{artifact}/' || n // 20000 || '.log'",
                    "ordinal": "n",
                    "locator": '\'{"kind":"record","number":\' || n || \'}\'',
                    "instant": at,
                    "time_text": text,
                    "time_field": quoted(fields[0]),
                    "times": times,
                    "state": "'live'",
                    "host_id": "''",
                    "origin": "''",
                    "data": f"replace(replace({shown}, '<n>', n::VARCHAR), '<md5>', md5(n::VARCHAR))",
                }
                listed = ", ".join(f"({made.get(c, 'NULL')})::{t} AS {c}" for c, t in COLUMNS.items())
                file = f"{source}/{artifact}/part-{number}.parquet"
                target = store.folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(
                    f"COPY (SELECT {listed} FROM range({first}, {first + count}) AS r(n)) TO {quoted(str(target))} "
                    f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS}, ROW_GROUP_SIZE_BYTES {GROUP_BYTES})"
                )
                parts.append(Part(file, source, artifact, count, file_sha256(target), target.stat().st_size))
    store.add(parts)
    return store


FILTERS = {
    "one day": Wanted(after=START + YEAR // 2, before=START + YEAR // 2 + 86_400_000_000),
    "a text, rare": Wanted(text="report-77777.docx"),
    "a text, common": Wanted(text="user17"),
    "source and artifact": Wanted(source_id="src-1", artifact="windows.eventlog"),
    "owner, a month": Wanted(owner="host", after=START, before=START + 30 * 86_400_000_000),
}


def counted(timeline: Timeline, wanted: Wanted) -> int:
    """How many times suit: every row is looked at, none is brought over."""
    where, given = wanted.sql(timeline.store.artifacts())
    for at, sign in ((wanted.after, ">="), (wanted.before, "<")):
        if at is not None:
            where.append(f"instant {sign} {at}")
    with connect(2) as connection:
        row = connection.execute(f"SELECT count(*) FROM {timeline.relation()} WHERE {' AND '.join(where)}", given)
        return int((row.fetchone() or (0,))[0])


def peak() -> float:
    """Peak resident set of this process in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def one(folder: Path) -> None:
    """Make the timeline of a filled case and filter it; prints the figures as JSON."""
    store = RecordStore(folder)
    store.add(Part(**p) for p in json.loads((folder / "parts.json").read_text(encoding="utf-8")))
    begun, worked = time.perf_counter(), time.process_time()
    timeline = Timeline(store, folder / "index" / "timeline")
    out: dict[str, object] = {
        "make": time.perf_counter() - begun,
        "make_cpu": time.process_time() - worked,
        "make_peak": peak(),
    }
    out["bytes"] = timeline.file.stat().st_size
    filters = {}
    for name, wanted in FILTERS.items():
        took, work = [], []
        for _ in range(3):
            begun, worked = time.perf_counter(), time.process_time()
            found = counted(timeline, wanted)
            took.append(time.perf_counter() - begun)
            work.append(time.process_time() - worked)
        begun = time.perf_counter()
        first = next(timeline.known(wanted), None)  # brought over with all its columns
        filters[name] = {
            "found": found,
            "seconds": sorted(took)[1],
            "cpu": sorted(work)[1],
            "first_row": time.perf_counter() - begun,
        }
        assert (first is None) == (not found)
    begun, streamed, last = time.perf_counter(), 0, 0
    for row in timeline.known(Wanted()):
        assert row["instant"] >= last
        last, streamed = row["instant"], streamed + 1
        if streamed == 1_000_000:
            break
    out |= {"filters": filters, "streamed": streamed, "stream": time.perf_counter() - begun, "peak": peak()}
    store.close()
    print(json.dumps(out))


def main() -> None:
    """Print a table; exit code 1 where a filter is slow or memory grew."""
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        one(Path(sys.argv[2]))
        return
    sizes = [int(float(a)) for a in sys.argv[1:]] or [100_000, 1_000_000, 10_000_000]
    failed, before = False, 0.0
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="wigmore-timeline-") as folder:
            store = fill(Path(folder), rows)
            (Path(folder) / "parts.json").write_text(json.dumps([vars(p) for p in store.parts]), encoding="utf-8")
            store.close()
            done = subprocess.run(
                [sys.executable, __file__, "--one", folder], capture_output=True, text=True, check=True
            )
        got = json.loads(done.stdout)
        print(
            f"{rows:>9} times: made in {got['make']:6.1f} s ({got['make'] / rows * 1e6:.2f} µs each, "
            f"{got['make_cpu'] / rows * 1e6:.2f} µs of processors), "
            f"{got['bytes'] / 2**20:.0f} MiB, peak {got['make_peak']:.0f} MiB; the first {got['streamed']} read in "
            f"{got['stream']:.1f} s; peak of all {got['peak']:.0f} MiB"
        )
        for name, one_ in got["filters"].items():
            print(
                f"          {name:<20} {one_['found']:>9} in {one_['seconds']:.3f} s ({one_['cpu']:.3f} s of processors), "
                f"first row {one_['first_row']:.3f} s"
            )
            failed |= one_["seconds"] >= LIMIT
        failed |= bool(before) and rows > 1_000_000 and got["peak"] > 1.5 * before
        before = got["peak"]
    sys.exit(failed)


if __name__ == "__main__":
    main()
