"""Damaged copies of a file: cut, with bits flipped, with runs of zeros; the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from wigmore.generator.draws import draws

NEAR = 4096  # bytes of a file's head and tail, where most formats keep what all else hangs on


def _place(dice: random.Random, size: int) -> int:
    """An offset: anywhere, in the head, or in the tail."""
    near = min(size, NEAR)
    where = dice.randrange(4)
    if where == 0:
        return dice.randrange(near)
    if where == 1:
        return size - 1 - dice.randrange(near)
    return dice.randrange(size)


def _length(dice: random.Random, most: int) -> int:
    """A length from 1 to `most`, short ones as likely as long ones."""
    return min(most, 1 << dice.randrange(max(most.bit_length(), 1)))


def _cut(dice: random.Random, content: bytearray) -> None:
    del content[_place(dice, len(content)) :]


def _flip(dice: random.Random, content: bytearray) -> None:
    for _ in range(_length(dice, 64)):
        content[_place(dice, len(content))] ^= 1 << dice.randrange(8)


def _zero(dice: random.Random, content: bytearray) -> None:
    place = _place(dice, len(content))
    run = min(_length(dice, max(len(content) // 4, 1)), len(content) - place)
    content[place : place + run] = bytes(run)


KINDS = {"cut": _cut, "flipped": _flip, "zeros": _zero}


def mutants(content: bytes, count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """`count` damaged copies with the kind of their damage, one kind after another; none of an empty file."""
    dice = draws(f"damage {seed}")
    for number in range(count if content else 0):
        kind = tuple(KINDS)[number % len(KINDS)]
        made = bytearray(content)
        KINDS[kind](dice, made)
        yield kind, bytes(made)
