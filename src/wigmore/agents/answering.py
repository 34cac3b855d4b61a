"""What a model may say to a question: values that code reads again in the cited records, and words that hold no others.

An answer is refused with all its reasons at once and may be given once more; then the question is left unanswered by this model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from wigmore.agents.proposing import Proposing
from wigmore.graph.grounding import same_value
from wigmore.graph.hard_values import leaves, normal, ungrounded
from wigmore.graph.proposals import field_of
from wigmore.model.nouns import ToolInvocation
from wigmore.model.overclaims import overclaims

TRIES = 2  # answers of one run, the second with the reasons against the first
LONGEST, MOST = 1200, 20  # characters of an answer, values that it cites
TELLING = 40  # characters from which the beginning of a long value agrees with it
CUT = re.compile(r"…(?: \(\d+ characters more\))?\s*$")  # how values are cut where they are shown
QUOTED = re.compile(r"[\"“«`]([^\"“”«»`]{2,300})[\"”»`]|(?<!\w)'([^']{2,300})'(?!\w)")
NUMBER = re.compile(r"(?<![\w-])\d+(?![A-Za-z])")
Row = dict[str, Any]


class Value(TypedDict, total=False):
    """A value that an answer rests on: a field of a record that was shown."""

    record_id: str
    field: str
    value: Any


@dataclass(frozen=True)
class Given:
    """An answer that stands: its words, and its values as code read them."""

    text: str
    values: tuple[Row, ...]
    asked_alone: tuple[str, ...] = ()  # what it repeats of the question, and no cited value holds


@dataclass
class Answering(Proposing):
    """The answer of one run of the role; `desk.config` holds the question, and `inside` where a path limits it."""

    given: Given | None = None
    why: str = ""  # why there is no answer, in the model's words
    declined: bool = False

    force = (
        "You have not answered. What you write without a call is not kept: call `answer` with the values that you rely on, or "
        "`cannot_answer`. Nothing else is on offer."
    )

    @property
    def unsettled(self) -> str:
        """Why another model is asked."""
        return "it could not answer" if self.declined else ""

    @property
    def decided(self) -> frozenset[tuple[str, ...]]:
        """The fields that the answer rests on, or that there is none."""
        if self.given is not None:
            return frozenset(("value", v["record_id"], v["field"]) for v in self.given.values)
        return frozenset({("cannot_answer",)} if self.declined else ())

    def answer(self, text: str, values: list[Value]) -> str:
        """Answer the question. Code reads each value in the record that you cite; the words may hold no other values.

        text: one to three sentences. values: what the answer rests on, each a record_id that was shown to you, the field's name
        (`times.NAME` for a time), and the value as it was shown.
        """
        rows, problems = self._shown(), list[str]()
        read = [self._read(value, rows, problems) for value in values[:MOST]]
        held = [value for value in read if value is not None]
        if not values:
            problems.append(
                "no value is cited: an answer rests on at least one field of a record; else call cannot_answer"
            )
        if not text.strip() or len(text) > LONGEST:
            problems.append(f"the text has {len(text)} characters: one to three sentences are asked for")
        if words := overclaims(text):
            problems.append(f"the text claims more than records carry ({', '.join(words[:5])}): say what is recorded")
        grounds = [[v["value"], v["path"]] for v in held]
        question = str(self.desk.config.get("question", ""))
        if loose := stray(text, [*grounds, question], len(held)):
            problems.append(
                f"the text states {', '.join(loose[:5])}, which stands in no cited value: cite it, or leave it out"
            )
        if problems:
            proposal = {"text": text[:LONGEST], "values": [dict(v) for v in values[:MOST]]}
            said = self._refuse(str(self.desk.gateway.refused("answer", "", "; ".join(problems), proposal)))
            self.over = len(self.refusals) >= TRIES
            return said
        self.given = Given(text.strip(), tuple(held), tuple(stray(text, grounds, len(held))))
        self.recorded.append("answer")
        self.over = True
        return "the answer is kept"

    def cannot_answer(self, why: str) -> str:
        """Say that nothing shown to you answers the question, after you looked. why: what is missing, without values."""
        question = str(self.desk.config.get("question", ""))
        if len(why) <= LONGEST and not overclaims(why) and not stray(why, [question], 0):
            self.why = why.strip()
        self.declined = True
        self.recorded.append("cannot_answer")
        self.over = True
        return "noted"

    def _shown(self) -> dict[str, tuple[ToolInvocation, Row]]:
        """The records that this run's calls printed, within the path where one limits the question."""
        runner, inside = self.desk.runner, self.desk.config.get("inside")
        out: dict[str, tuple[ToolInvocation, Row]] = {}
        for name in self.desk.made:
            call = runner.invocation(name)
            for row in runner.rows(call) if call is not None else ():
                known = call is not None and row.get("record_id") and "data" in row
                if call is not None and known and (inside is None or inside(str(row.get("path", "")))):
                    out.setdefault(str(row["record_id"]), (call, row))
        return out

    def _read(self, value: Value, rows: dict[str, tuple[ToolInvocation, Row]], problems: list[str]) -> Row | None:
        """A cited value as its record has it; or None, with the reason among the problems."""
        name, field = str(value.get("record_id", "")), str(value.get("field", ""))
        if name not in rows:
            problems.append(f"record {name!r} was not shown to you: cite one that was, by its record_id")
            return None
        call, row = rows[name]
        read = field_of(row, field)
        if read is None or read == "":
            known = [*row["data"], *(f"times.{t}" for t in row.get("times") or ())]
            problems.append(f"record {name} has no field {field!r}; it has {', '.join(map(str, known[:20]))}")
            return None
        if "value" in value and value["value"] is not None and not agrees(value["value"], read):
            problems.append(f"{field} of record {name} does not say {value['value']!r}: state what was read there")
            return None
        return {
            "record_id": name,
            "field": field,
            "value": read,
            "path": str(row.get("path", "")),
            "artifact": str(row.get("artifact", "")),
            "state": str(row.get("state") or "live"),
            "locator": dict(row.get("locator") or {}),
            "invocation_id": call.id,
        }


def agrees(typed: Any, read: Any) -> bool:
    """Whether a typed value is the one that was read; of a long text its beginning will do, as it was shown."""
    if same_value(typed, read):
        return True
    start = CUT.sub("", typed) if isinstance(typed, str) else ""
    return isinstance(read, str) and len(start) >= TELLING and read.startswith(start)


def stray(text: str, grounds: Iterable[Any], count: int) -> list[str]:
    """What a text states (hard values, numbers, quoted words) that none of the grounds holds; it may say how many there are."""
    known = list(grounds)
    out = [value for _, value in ungrounded(text, known)]
    said = [leaf for ground in known for leaf in leaves(ground)]
    numbers = {int(n) for leaf in said for n in re.findall(r"\d+", leaf)} | ({count} if count else set())
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    out += [n for n in NUMBER.findall(plain) if int(n) not in numbers and not any(n in value for value in out)]
    known_texts = [normal(leaf) for leaf in said]
    for first, second in QUOTED.findall(text):
        words = first or second
        if not any(normal(words) in leaf for leaf in known_texts) and words not in out:
            out.append(repr(words))
    return out
