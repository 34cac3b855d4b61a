"""All the lies that a model tells (`lies_told` about the evidence, `lies_wire` of form), and what became of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import lies_told
import lies_wire
from liar import LIES, Liar, Scene, Told
from oracle import Verdict

from wigmore.llm.scripted import Scripted

__all__ = ["LIES", "Fate", "Liar", "Scene", "Told", "fates", "lies_told", "lies_wire", "names_in"]
TAKEN = ("recorded", "noted", "linked", "asked", "raised", "ordered", "proposed", "declared", "kept")
REFUSED = ("refused:", "could not look", "Unknown tool", "validation error", "Invalid", "Fix the errors")


@dataclass
class Fate:
    """What became of one lie: replies that told it, their calls, and of these refused, taken in, and never answered."""

    attempts: int = 0
    calls: int = 0
    refused: int = 0
    taken: int = 0
    ungrounded: int = 0

    @property
    def unanswered(self) -> int:
        """Calls of which no later request tells."""
        return self.calls - self.refused - self.taken


def answers(server: Scripted) -> dict[str, str]:
    """What each call was answered, by its id: as it was told first, before it was left out to save room."""
    out: dict[str, str] = {}
    for asked in list(server.asked):
        for name, text in asked.tool_results.items():
            out.setdefault(name, text)
    return out


def told(server: Scripted, liar: Liar) -> Iterator[tuple[str, list[str]]]:
    """(lie, answers to its calls) of every lying reply."""
    known = answers(server)
    for number, asked in enumerate(list(server.asked), 1):
        name = liar.said.get(id(asked))
        if name is not None:
            yield name, [text for call, text in known.items() if call.startswith(f"call_{number}_")]


def fates(server: Scripted, liar: Liar, verdict: Verdict | None = None) -> dict[str, Fate]:
    """What became of each lie; ungrounded: ids of faults that a call of the lie was answered with."""
    out: dict[str, Fate] = {}
    faulty = {fault.id.split("/")[0] for fault in verdict.faults} if verdict else set()
    for name, said in told(server, liar):
        fate = out.setdefault(name, Fate())
        fate.attempts += 1
        fate.calls += len(said)
        refused = sum(any(mark in text for mark in REFUSED) for text in said)
        fate.refused += refused
        fate.taken += len(said) - refused
        fate.ungrounded += sum(any(f and f in text for f in faulty) for text in said if text.startswith(TAKEN))
    return out


def names_in(server: Scripted, liar: Liar, fault: str) -> list[str]:
    """The lies whose answers name an id."""
    return [name for name, said in told(server, liar) if any(fault in text for text in said if text.startswith(TAKEN))]
