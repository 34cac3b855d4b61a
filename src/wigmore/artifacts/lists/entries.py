"""What the entries of a list are, whatever its kind: a term, hash, rule or indicator with its place in the list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from wigmore.artifacts.lists.search import Hit, text_around
from wigmore.model.lists import ListFile
from wigmore.model.protocols import EvidenceFile, ReadThrough

HITS_OF_ENTRY = 50  # of one entry in one file that get a record of their own
HITS_OF_LIST = 500  # and of all entries of one list
OPENED = "; a container: its entries are searched one by one, its own bytes (and space outside of them) are not"
UNUSABLE = 200  # entries that could not be used and are named


@dataclass
class Reading:
    """A list as it was read: how many entries can be used, and which cannot, each with the reason."""

    file: ListFile
    entries: int = 0
    unusable: list[str] = field(default_factory=list)
    more_unusable: int = 0

    def refuse(self, where: str, why: str) -> None:
        """Note an entry that cannot be used."""
        if len(self.unusable) < UNUSABLE:
            self.unusable.append(f"{where}: {why}")
        else:
            self.more_unusable += 1

    @property
    def refused(self) -> int:
        """How many entries cannot be used."""
        return len(self.unusable) + self.more_unusable


def is_opened(file: EvidenceFile) -> bool:
    """Whether a file is a container whose entries are examined: what the case excludes may lie in its bytes."""
    return isinstance(file, ReadThrough) and file.opened


def named(file: ListFile) -> dict[str, Any]:
    """The fields of a record that say which list it comes from."""
    return {"list": file.name, "list_sha256": file.sha256}


def note(readings: list[Reading]) -> str:
    """What a coverage row says of the lists that a file was searched for."""
    return "; ".join(
        f"{r.file.said()}: {r.entries} entries" + (f", {r.refused} could not be used" if r.refused else "")
        for r in readings
    )


def place(hit: Hit, file: ListFile, line: int) -> dict[str, Any]:
    """The locator of a hit: its bytes, and the line of the list that asked for it."""
    return {"kind": "offset", "offset": hit.offset, "length": hit.length, "list": file.sha256[:16], "entry": line}


def surroundings(hit: Hit) -> dict[str, str]:
    """The fields of a record that show a hit in its text."""
    before, found, behind = text_around(hit)
    return {"found": found, "context": before + found + behind}


@dataclass
class Bounds:
    """How many hits of each entry and list a file has had: past the bounds they are only counted."""

    of_entry: Counter[int] = field(default_factory=Counter)
    of_list: Counter[str] = field(default_factory=Counter)

    def room(self, entry: int, file: ListFile) -> bool:
        """Count a hit; whether it gets a record of its own."""
        self.of_entry[entry] += 1
        if self.of_entry[entry] > HITS_OF_ENTRY or self.of_list[file.sha256] >= HITS_OF_LIST:
            return False
        self.of_list[file.sha256] += 1
        return True
