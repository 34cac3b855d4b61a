"""Change a bundle and verify it: `python bench/bundle_tamper.py [CHANGES] [SEED] [CASE]`.

The demo case (or CASE) is audited and bundled. Then, each alone: single bytes changed at random places (seal), and the same in an
output, a fact's value and an event with manifest and seal made anew, as who knows the format would (output, chain); the whole
chain made anew besides (fact, expected head); one byte of a file of evidence (evidence). Every change must be found. Prints a
table, and what the bundle takes in bytes and seconds; exit code 1 where any change was missed.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "audit"))

from bundle_case import Forged

from kill_run import small_case
from wigmore import verify as verifier
from wigmore.api.bundle import audit_and_bundle
from wigmore.api.run import Options, run
from wigmore.investigation.case_file import read_case

Lines = list[list[bytes]]


def flipped(data: bytes, choice: random.Random, within: tuple[int, int] | None = None) -> bytes:
    """The bytes with one of them changed."""
    changed = bytearray(data)
    changed[choice.randrange(*(within or (0, len(data))))] ^= choice.randrange(1, 256)
    return bytes(changed)


def output(forged: Forged, choice: random.Random) -> None:
    """One byte of an output."""
    name = choice.choice([n for n in forged.members if n != "ledger"])
    forged.members[name] = flipped(forged.members[name], choice)


def _value(lines: Lines, choice: random.Random) -> None:
    """One letter or digit of the value of a fact."""
    chosen = choice.choice([line for line in lines if line[2] == b"phenomenon"])
    place = choice.choice([*re.finditer(rb'"value":"?([\w.-]+)', chosen[4])])
    at = choice.randrange(*place.span(1))
    new = choice.choice([c for c in b"0123456789" if c != chosen[4][at]])
    chosen[4] = chosen[4][:at] + bytes([new]) + chosen[4][at + 1 :]


def fact(forged: Forged, choice: random.Random) -> None:
    """A fact's value, its event's hash left as it was."""
    lines = forged.lines()
    _value(lines, choice)
    forged.chain(lines, anew=False)


def event(forged: Forged, choice: random.Random) -> None:
    """One byte of the body of an event."""
    lines = forged.lines()
    chosen = choice.choice(lines)
    at = choice.randrange(len(chosen[4]))
    new = choice.choice([c for c in b"0123456789abcdef{}" if c != chosen[4][at]])
    chosen[4] = chosen[4][:at] + bytes([new]) + chosen[4][at + 1 :]
    forged.chain(lines, anew=False)


def fact_and_chain(forged: Forged, choice: random.Random) -> None:
    """A fact's value, and every hash from there on made anew."""
    lines = forged.lines()
    _value(lines, choice)
    forged.chain(lines, anew=True)


def event_and_chain(forged: Forged, choice: random.Random) -> None:
    """An event taken away, and every hash made anew."""
    lines = forged.lines()
    del lines[choice.randrange(len(lines))]
    forged.chain(lines, anew=True)


CHANGES: dict[str, Callable[[Forged, random.Random], None]] = {
    "output, sealed again": output,
    "fact, sealed again": fact,
    "event, sealed again": event,
    "fact, chain made anew": fact_and_chain,
    "event gone, chain anew": event_and_chain,
}


def codes(data: bytes, expect: tuple[int, str]) -> set[str]:
    """What of a bundle does not hold."""
    return set(verifier.verify(io.BytesIO(data), expect=expect).failures)


def evidence(bundle: Path, case: Path, scratch: Path, choice: random.Random) -> bool:
    """One byte of a file of a copied source; whether it was found, and the untouched sources held."""
    chosen = choice.choice(read_case(case).sources)
    copy = scratch / "copy"
    shutil.copytree(chosen.path, copy, symlinks=True) if chosen.path.is_dir() else shutil.copy(chosen.path, copy)
    files = sorted(p for p in (copy.rglob("*") if copy.is_dir() else [copy]) if p.is_file() and not p.is_symlink())
    file = choice.choice([p for p in files if p.stat().st_size])
    given = [f"{s.id}={copy if s.id == chosen.id else s.path}" for s in read_case(case).sources]
    with bundle.open("rb") as stream:
        before = verifier.verify(stream, evidence=given).failures.total()
        data = flipped(file.read_bytes(), choice)
        file.write_bytes(data)
        after = verifier.verify(stream, evidence=given).failures
    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
    return not before and set(after) == {"evidence"}


def alone(bundle: Path, folder: Path, *more: str) -> tuple[int, float]:
    """(exit code, seconds) of the one file in an isolated Python without site-packages."""
    copy = shutil.copy(verifier.__file__, folder / "check.py")
    started = time.monotonic()
    command = [sys.executable, "-I", "-S", str(copy), str(bundle), "-q", *more]
    code = subprocess.run(command, cwd=folder, check=False).returncode
    return code, time.monotonic() - started


def main() -> None:
    """Bundle, change, verify, tabulate."""
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    choice, started = random.Random(seed), time.monotonic()
    table: dict[str, Counter[bool]] = {}
    with tempfile.TemporaryDirectory(prefix="wigmore-bundle-") as name:
        folder = Path(name)
        case = Path(sys.argv[3]) if len(sys.argv) > 3 else small_case(folder / "demo", seed=3)
        if len(sys.argv) <= 3:
            run(case, Options(jobs=2))
        bundle = folder / "case.bundle"
        result, written = audit_and_bundle(case, bundle)
        audit_and_bundle(case, folder / "again")
        data = bundle.read_bytes()
        equal = data == (folder / "again").read_bytes()
        seq, _, digest = written["head"].partition(":")
        expect = (int(seq), digest)
        code, seconds = alone(bundle, folder)
        code_with, seconds_with = alone(
            bundle,
            folder,
            *(f"--evidence={s.id}={s.path}" for s in read_case(case).sources),
            "--expect-head",
            written["head"],
        )
        print(
            f"audit {result.overall}; bundle of {len(data)} bytes, twice the same: {equal}; "
            f"verified in {seconds:.2f} s: {code}; with its evidence in {seconds_with:.2f} s: {code_with}"
        )
        bad = not equal or code != 0 or code_with != 0
        for kind, found in {
            "one byte": lambda: bool(codes(flipped(data, choice), expect)),
            **{kind: lambda change=change: tried(data, change, choice, expect) for kind, change in CHANGES.items()},
            "one byte of evidence": lambda: evidence(bundle, case, folder, choice),
        }.items():
            rounds = changes if kind == "one byte" else max(1, changes // 10)
            table[kind] = Counter(found() for _ in range(rounds))
            bad = bad or table[kind][False] > 0
    for kind, counts in table.items():
        print(f"{kind:<24} found {counts[True]:>4}  missed {counts[False]:>3}")
    print(f"seed {seed}, {time.monotonic() - started:.0f} s")
    sys.exit(bad)


def tried(
    data: bytes, change: Callable[[Forged, random.Random], None], choice: random.Random, expect: tuple[int, str]
) -> bool:
    """Whether a change that was sealed again is found, by another check than the seal."""
    forged = Forged(data)
    change(forged, choice)
    found = codes(forged.sealed(), expect)
    return bool(found) and "seal" not in found


if __name__ == "__main__":
    main()
