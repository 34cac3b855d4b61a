"""Repeatable randomness: the same purpose draws the same numbers on every run and machine."""

from __future__ import annotations

import random


def draws(purpose: str) -> random.Random:
    """A generator seeded with a text."""
    return random.Random(purpose)  # noqa: S311  evidence must repeat; nothing here protects anything
