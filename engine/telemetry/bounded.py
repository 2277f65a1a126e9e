"""A dictionary that forgets the oldest: for what may begin and never end."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

CAPACITY = 10_000
"""Entries that are kept: more turns than can be under way at once."""


class Bounded(OrderedDict[K, V]):
    """Keeps the newest entries."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > CAPACITY:
            self.popitem(last=False)
