"""MB/s and records/s of each parser over real files: `python bench/families.py SHARED WORK [--profile NAME]`.

The files are those of SHARED that it finds records in, the forty largest of a parser. One process, CPU time; what is small
is read again until half a second is spent, or 200 times. A reading is what a run does with a file in memory: the parser, its
rows made canonical and hashed. Slowest first; `slow` marks less than 2 MB/s over more than 100 kB. With --profile the
parser's costliest functions by their own time.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from dataclasses import dataclass
from pathlib import Path

from samples import Found, found, opened
from wigmore.evidence.hashing import hash_stream
from wigmore.evidence.store import StoreFile
from wigmore.records.examine import HeldFile, run_parser
from wigmore.registry import Parser, parsers

SPENT = 0.5  # CPU seconds of a family
AGAIN = 200
LEAST = 2.0  # MB/s
SMALL = 100_000  # bytes of input of which no rate can be told
FILES = 40


@dataclass
class Speed:
    """What one parser read, and the CPU seconds it took."""

    parser: str
    files: int
    size: int  # bytes of one reading
    records: int  # of one reading
    seconds: float  # of one reading

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.size / 1e6 / max(self.seconds, 1e-9)

    @property
    def slow(self) -> bool:
        """Whether the rate asks for a reason."""
        return self.rate < LEAST and self.size > SMALL

    def line(self) -> str:
        """A row of the table."""
        per = self.seconds / self.records * 1e6 if self.records else 0.0
        return (
            f"{self.parser:<34} {self.files:>5} {self.size / 1e6:>9.3f} {self.records:>8} {self.rate:>9.2f} "
            f"{self.records / max(self.seconds, 1e-9):>10.0f} {per:>10.0f} {self.size / max(self.records, 1):>10.0f} "
            f"{'slow' if self.slow else ''}"
        )


def measure(parser: Parser, evidence: Path, wanted: list[Found]) -> Speed:
    """Read a parser's files in this process."""
    total = Speed(parser.name, 0, 0, 0, 0.0)
    for _, file in opened(evidence, wanted):
        assert isinstance(file, StoreFile)
        with file.open() as stream:
            content = stream.read()
        with file.open() as stream:
            held = HeldFile(file, dict(hash_stream(stream)), content=content)
        run_parser(parser, held, "", lambda *_: None, time.process_time)  # imports and caches are no rate
        readings, started = 0, time.process_time()
        while readings < AGAIN and (not readings or time.process_time() - started < SPENT / len(wanted)):
            coverage = run_parser(parser, held, "", lambda *_: None, time.process_time)
            readings += 1
        total.seconds += (time.process_time() - started) / readings
        total.files += 1
        total.size += len(content)
        total.records += coverage.records
    return total


def main() -> None:
    """Print the table, slowest first."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("shared", type=Path)
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--profile", default="", help="the parser to profile")
    given = arguments.parse_args()
    evidence = given.shared.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    everything = found(evidence, given.work.resolve())
    speeds, absent = [], []
    for name, parser in parsers().items():
        if given.profile not in ("", name):
            continue
        wanted = sorted((f for f in everything if f.parser == name and f.size), key=lambda f: (-f.size, f.path))[:FILES]
        if not wanted:
            absent.append(name)
            continue
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(measure, parser, evidence, wanted)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        speeds.append(measure(parser, evidence, wanted))
    print(
        f"{'parser':<34} {'files':>5} {'MB':>9} {'records':>8} {'MB/s':>9} {'records/s':>10} {'µs/record':>10} "
        f"{'B/record':>10}"
    )
    for speed in sorted(speeds, key=lambda s: s.rate):
        print(speed.line())
    print(f"{len(speeds)} parsers, {sum(s.slow for s in speeds)} slow; no real file: {', '.join(absent) or 'none'}")


if __name__ == "__main__":
    main()
