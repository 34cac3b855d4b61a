"""Damaged copies of a file: cut, with bits flipped, with runs of zeros; the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

NEAR = 4096  # bytes of a file's head and tail, where most formats keep what all else hangs on


def _place(draws: random.Random, size: int) -> int:
    """An offset: anywhere, in the head, or in the tail."""
    near = min(size, NEAR)
    where = draws.randrange(4)
    if where == 0:
        return draws.randrange(near)
    if where == 1:
        return size - 1 - draws.randrange(near)
    return draws.randrange(size)


def _length(draws: random.Random, most: int) -> int:
    """A length from 1 to `most`, short ones as likely as long ones."""
    return min(most, 1 << draws.randrange(max(most.bit_length(), 1)))


def _cut(draws: random.Random, content: bytearray) -> None:
    del content[_place(draws, len(content)) :]


def _flip(draws: random.Random, content: bytearray) -> None:
    for _ in range(_length(draws, 64)):
        content[_place(draws, len(content))] ^= 1 << draws.randrange(8)


def _zero(draws: random.Random, content: bytearray) -> None:
    place = _place(draws, len(content))
    run = min(_length(draws, max(len(content) // 4, 1)), len(content) - place)
    content[place : place + run] = bytes(run)


KINDS = {"cut": _cut, "flipped": _flip, "zeros": _zero}


def mutants(content: bytes, count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """`count` damaged copies with the kind of their damage, one kind after another; none of an empty file."""
    draws = random.Random(seed)
    for number in range(count if content else 0):
        kind = tuple(KINDS)[number % len(KINDS)]
        made = bytearray(content)
        KINDS[kind](draws, made)
        yield kind, bytes(made)
