"""All targets, by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from tests.fuzz.links import links
from tests.fuzz.samples import UPDATES
from tests.fuzz.states import states
from tests.fuzz.tokens import tokens
from tests.fuzz.updates import updates
from tests.fuzz.webhook import webhook

Target = Callable[[bytes], None]
"""Raises where something is wrong, and returns for all other bytes."""

TARGETS: Mapping[str, Target] = {
    "updates": updates,
    "tokens": tokens,
    "webhook": webhook,
    "states": states,
    "links": links,
}


def seeds() -> list[bytes]:
    """What to start from: each sample as it is, and decisions of every length."""
    drawn = random.Random(0)  # the same in each run
    untouched = [bytes([0, 0, number]) for number in range(len(UPDATES))]
    return [b"", *untouched, *(drawn.randbytes(2**power) for power in range(1, 11))]
