"""What a generated case holds: its sources, planted truths, decoys and expected verdicts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

EXPECTATIONS = frozenset(("supported", "not_supported", "cannot_say"))


@dataclass(frozen=True, slots=True)
class Source:
    """An evidence source of the case; `path` is relative to the folder the case was generated in."""

    id: str
    label: str
    type: str
    access_mode: str
    platform: str
    path: str
    timezone: str = "UTC"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """A truth of the case and where it shows.

    `path` is the path inside the source as INTERFACE.md writes it. `values` are strings that stand together in one
    record (see `stands_in`). `hypothesis` is the template the record bears on, None for background that must be read
    all the same.
    """

    id: str
    statement: str
    source: str
    path: str
    artifact: str
    values: tuple[str, ...]
    hypothesis: str | None = None


@dataclass(frozen=True, slots=True)
class Decoy:
    """A statement the evidence invites and does not bear; `why` says what it really shows."""

    id: str
    statement: str
    why: str
    values: tuple[str, ...]
    source: str
    path: str
    hypothesis: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question put to the case, the template it belongs to, and the values a right answer names."""

    id: str
    question: str
    template: str | None
    answer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything known about a generated case by construction."""

    scenario: str
    seed: int
    variant: str
    parameters: dict[str, Any]
    title: str
    description: str
    questions: tuple[Question, ...]
    sources: tuple[Source, ...]
    planted: tuple[Planted, ...]
    decoys: tuple[Decoy, ...]
    expected: dict[str, str] = field(default_factory=dict)
    period: tuple[str, str] = ("", "")  # from (inclusive) and to (exclusive), UTC: what the case is about

    def as_json(self) -> str:
        """The truth as JSON text, keys sorted, stable between runs."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _tuple(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(item) for item in value)


def read_truth(path: Path) -> Truth:
    """Read a truth.json back; raises KeyError or TypeError where it is not one."""
    raw = json.loads(path.read_text("utf-8"))
    return Truth(
        raw["scenario"],
        raw["seed"],
        raw["variant"],
        raw["parameters"],
        raw["title"],
        raw["description"],
        tuple(Question(**{**item, "answer": _tuple(item["answer"])}) for item in raw["questions"]),
        tuple(Source(**item) for item in raw["sources"]),
        tuple(Planted(**{**item, "values": _tuple(item["values"])}) for item in raw["planted"]),
        tuple(Decoy(**{**item, "values": _tuple(item["values"])}) for item in raw["decoys"]),
        raw["expected"],
        (raw["period"][0], raw["period"][1]),
    )


def leaves(value: Any) -> Iterable[Any]:
    """The scalar values of a JSON value, depth first; of a time, its text and its stored value."""
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value


TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")


def _same_time(wanted: re.Match[str], text: str) -> bool:
    found = TIME.fullmatch(text)
    if found is None or wanted[1] != found[1] or (wanted[3] or "") != (found[3] or ""):
        return False
    digits = min(len(wanted[2] or ""), len(found[2] or ""))
    return (wanted[2] or "")[:digits] == (found[2] or "")[:digits]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def stands_in(value: str, record_leaves: Iterable[Any]) -> bool:
    """Whether a planted value stands among the leaves of one record.

    Numbers are compared as numbers (1e-6), times by the digits both have, texts without case, either equal or as part
    of a longer leaf.
    """
    wanted_time = TIME.fullmatch(value)
    wanted, wanted_number = value.casefold(), _number(value)
    for leaf in record_leaves:
        text = str(leaf)
        if wanted_time is not None and _same_time(wanted_time, text):
            return True
        if wanted_number is not None:
            found = _number(text)
            if found is not None and abs(found - wanted_number) <= 1e-6:
                return True
            if len(value) < 4:  # a short number inside a longer text says nothing
                continue
        if wanted in text.casefold():
            return True
    return False
