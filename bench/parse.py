"""Try one parser (or all that claim it) on one file: `python bench/parse.py FILE [PARSER]` prints its rows as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, ParseError, Recorder
from wigmore.registry import HEAD, parsers


def main() -> None:
    file = LocalFile.at(Path(sys.argv[1]), path=sys.argv[1].lstrip("/"))
    with file.open() as stream:
        head = stream.read(HEAD)
    chosen = [
        p
        for p in parsers().values()
        if (p.name == sys.argv[2] if len(sys.argv) > 2 else p.claims(head, file.path, file.size))
    ]
    for parser in chosen:
        started, rows = time.perf_counter(), 0
        try:
            for item in parser.function(file):
                if isinstance(item, (Gap, Recorder)):
                    print(f"# {item}", file=sys.stderr)
                    continue
                locator, record = item
                rows += 1
                print(
                    json.dumps(
                        {
                            "artifact": record.artifact or parser.name,
                            "locator": locator,
                            "time_field": record.time_field,
                            "times": {k: v["text"] for k, v in record.times.items()},
                            "state": record.state,
                            "host_id": record.host_id,
                            "origin": record.origin,
                            "data": record.data,
                        }
                    )
                )
        except ParseError as error:
            print(f"# failed: {error} ({error.reason})", file=sys.stderr)
        print(f"# {parser.name}: {rows} rows, {time.perf_counter() - started:.3f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
