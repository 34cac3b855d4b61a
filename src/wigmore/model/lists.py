"""The examiner's lists (keywords, hash sets, YARA rules, indicators) as this process has them.

A list is one file, named by its kind, its name in the case file and the SHA-256 of its bytes. Workers are told with each
task which lists apply (`use`); parsers ask `current()`; what they make of a list is made once a process and kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

KINDS = ("keywords", "known_bad", "known_good", "yara", "iocs")
LARGEST = 256 * 1024 * 1024  # bytes of a list that is read whole
PIECE = 1024 * 1024
LONGEST_LINE = 65536

Made = TypeVar("Made")


class ListError(Exception):
    """A list that cannot be used: names the list and what is wrong."""


@dataclass(frozen=True, slots=True, order=True)
class ListFile:
    """One file of a list: `name` as the case file names it, `sha256` of the bytes that are to be used."""

    kind: str
    name: str
    path: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        """As it travels to a worker."""
        return {"kind": self.kind, "name": self.name, "path": self.path, "sha256": self.sha256}

    @classmethod
    def of(cls, kind: str, name: str, path: Path) -> ListFile:
        """A list as it is on disk now; raises ListError where it cannot be read."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as stream:
                while piece := stream.read(PIECE):
                    digest.update(piece)
        except OSError as error:
            raise ListError(f"{kind}: {name} cannot be read: {error.strerror or error}") from error
        return cls(kind, name, str(path), digest.hexdigest())

    def said(self) -> str:
        """Name and the beginning of the hash, for a line of text."""
        return f"{self.name} ({self.sha256[:12]})"

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbered lines without their ends; raises ListError at the end where the bytes are not those of `sha256`."""
        digest = hashlib.sha256()
        try:
            with open(self.path, "rb") as stream:
                number = 0
                while line := stream.readline(LONGEST_LINE):
                    digest.update(line)
                    number += 1
                    yield number, line.rstrip(b"\r\n")
        except OSError as error:
            raise ListError(f"{self.kind}: {self.name} cannot be read: {error.strerror or error}") from error
        self._same(digest.hexdigest())

    def read(self) -> bytes:
        """All bytes; raises ListError where they are too many or not those of `sha256`."""
        try:
            with open(self.path, "rb") as stream:
                content = stream.read(LARGEST + 1)
        except OSError as error:
            raise ListError(f"{self.kind}: {self.name} cannot be read: {error.strerror or error}") from error
        if len(content) > LARGEST:
            raise ListError(f"{self.kind}: {self.name} has more than {LARGEST} bytes")
        self._same(hashlib.sha256(content).hexdigest())
        return content

    def _same(self, digest: str) -> None:
        if digest != self.sha256:
            raise ListError(f"{self.kind}: {self.name} is not what it was when the run began (SHA-256 {digest})")


@dataclass
class Lists:
    """The lists that apply, and what was made of lists so far in this process."""

    files: tuple[ListFile, ...] = ()
    _made: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def use(self, files: Iterable[ListFile]) -> None:
        """From now on these lists apply."""
        self.files = tuple(sorted(files))

    def of(self, *kinds: str) -> tuple[ListFile, ...]:
        """The lists of some kinds, in order of kind and name."""
        return tuple(f for f in self.files if f.kind in kinds)

    def made(self, make: Callable[[tuple[ListFile, ...]], Made], *kinds: str) -> Made:
        """What `make` makes of the lists of some kinds, once for the same lists; raises ListError as it does."""
        files = self.of(*kinds)
        key = (make.__module__, make.__qualname__, files)
        if key not in self._made:
            for old in [k for k in self._made if k[:2] == key[:2]]:
                del self._made[old]  # hash sets are large: one set of lists at a time
            self._made[key] = make(files)
        made: Made = self._made[key]
        return made


_current = Lists()


def current() -> Lists:
    """The lists of this process."""
    return _current


def from_json(values: Iterable[dict[str, str]]) -> tuple[ListFile, ...]:
    """The lists that `to_json` wrote."""
    return tuple(ListFile(v["kind"], v["name"], v["path"], v["sha256"]) for v in values)
