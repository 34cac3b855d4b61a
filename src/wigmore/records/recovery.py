"""Looking for a container's password within a budget: words of a list, of the case itself, and by a mask.

Candidates go to the workers in batches; how many a batch holds follows how long the container takes over one.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wigmore.records.pool import FanOut
from wigmore.records.store import RecordStore

CLASSES = {
    "l": "abcdefghijklmnopqrstuvwxyz",
    "u": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "d": "0123456789",
    "s": " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}
CLASSES["a"] = CLASSES["l"] + CLASSES["u"] + CLASSES["d"] + CLASSES["s"]
LONGEST = 128  # characters of a candidate
FIRST_BATCH = 4
LARGEST_BATCH = 4096
BATCH_SECONDS = 2.0
WORDS_KEPT = 200_000
WORD = re.compile(r"[^\s\"<>{}\[\]()|,;]{4,64}")
EDGES = ".:!?'`*=/\\-_"


class MaskError(ValueError):
    """A mask that cannot be read; the message says why."""


@dataclass(frozen=True)
class Result:
    """What became of a search: `opened`, `not_found` (every candidate was tried) or `budget_exhausted`."""

    outcome: str
    attempts: int
    seconds: float
    secret: str | None = None
    problem: str = ""


def mask_parts(mask: str) -> list[str]:
    """The characters of each place: ?l ?u ?d ?s ?a are classes, ?? a question mark, others stand for themselves."""
    parts, at = [], 0
    while at < len(mask):
        if mask[at] != "?":
            parts.append(mask[at])
            at += 1
            continue
        code = mask[at + 1 : at + 2]
        if code != "?" and code not in CLASSES:
            raise MaskError(f"the mask has ?{code} at {at}; known: ?l ?u ?d ?s ?a ??")
        parts.append("?" if code == "?" else CLASSES[code])
        at += 2
    if len(parts) > LONGEST:
        raise MaskError(f"the mask has {len(parts)} places, more than {LONGEST}")
    return parts


def masked(mask: str) -> Iterator[str]:
    """Every text that a mask stands for, in order."""
    return ("".join(chosen) for chosen in itertools.product(*mask_parts(mask)))


def listed(file: Path) -> Iterator[str]:
    """The lines of a word list, in its order; bytes that are no UTF-8 are taken as Latin-1."""
    with file.open("rb") as lines:
        for line in lines:
            raw = line.rstrip(b"\r\n")[: LONGEST * 4]
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                yield raw.decode("latin-1")


def harvested(store: RecordStore, source_id: str | None = None) -> list[str]:
    """Words that stand in the records' values, the most frequent first; with edges and capitals as written."""
    found: Counter[str] = Counter()
    for row in store.stream(f"SELECT data FROM {store.relation(None, source_id)}"):
        for word in WORD.findall(str(row["data"] or "")):
            plain = word.strip(EDGES)
            for form in {word, plain}:
                if 4 <= len(form) <= 64:
                    found[form] += 1
        if len(found) > 4 * WORDS_KEPT:
            found = Counter(dict(found.most_common(WORDS_KEPT)))
    return [word for word, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:WORDS_KEPT]]


def distinct(candidates: Iterable[str]) -> Iterator[str]:
    """Each candidate once, as far as memory for it is kept."""
    seen: set[str] = set()
    for text in candidates:
        if not text or len(text) > LONGEST or text in seen:
            continue
        if len(seen) < 1_000_000:
            seen.add(text)
        yield text


def search(
    pool: FanOut,
    target: dict[str, Any],
    candidates: Iterable[str],
    attempts: int,
    seconds: float,
    say: Callable[[str], None] = lambda text: None,
) -> Result:
    """Try candidates at a container (`target`: source, secrets, path) until one opens it or the budget is spent."""
    started = time.monotonic()
    waiting = itertools.islice(distinct(candidates), attempts + 1)
    size, sent, tried, told = FIRST_BATCH, 0, 0, started
    problem, spent, found = "", False, None

    def more() -> bool:
        nonlocal sent, spent
        if time.monotonic() - started >= seconds:
            spent = True
            return False
        batch = list(itertools.islice(waiting, size))
        if sent + len(batch) > attempts:
            spent, batch = True, batch[: attempts - sent]
        if not batch:
            return False
        sent += len(batch)
        pool.submit({"kind": "try", **target, "candidates": batch, "sent": time.monotonic()})
        return True

    for _ in range(pool.jobs):
        more()
    for task, answer in pool.answers():
        batch = task["candidates"]
        if answer["event"] not in ("done", "error", "lost"):
            continue
        if answer["event"] != "done":
            problem = problem or str(answer["reason"])
            if tried == 0 and answer.get("code") != "timeout":
                break  # it cannot be tried at all
        else:
            tried += len(batch)
            if answer["fitted"] is not None:
                found = str(batch[answer["fitted"]])
                break
        took = time.monotonic() - task["sent"]
        size = max(1, min(LARGEST_BATCH, int(len(batch) * BATCH_SECONDS / max(took, 0.01)), 4 * size))
        now = time.monotonic()
        if now - told >= BATCH_SECONDS:
            told = now
            say(f"{tried} of at most {attempts} tried in {now - started:.0f} s, {tried / (now - started):.0f} a second")
        more()
    outcome = "opened" if found is not None else "budget_exhausted" if spent else "failed" if problem else "not_found"
    return Result(outcome, tried, round(time.monotonic() - started, 3), found, problem)
