"""What the rows of a broadcast are called.

The names have the five parts of the key of a person in a chat, so that ``erase`` finds them by
their last one: a broadcast is removed by parts of so many people, and its head at the end. Each
recipient is a row of its own, which bears the person's name besides, and goes when they go.
"""

from __future__ import annotations

from flows.conversation import partition_of
from flows.messages.broadcasts import CHANNEL

INDEX = f"{CHANNEL}:index"
"""The scope that names all broadcasts."""

INDEX_PART = 0
"""The partition that it is filed under."""

TOGETHER = 2000
"""Recipients that are removed together when a broadcast is swept."""


def head_key(broadcast: str) -> str:
    """The scope that says what a broadcast is and how far; what its orders are in order with."""
    return f"{CHANNEL}/{broadcast}/head//{broadcast}"


def recipient_key(broadcast: str, number: int) -> str:
    """The scope of one of its recipients, and the conversation of the message to them.

    Args:
        number: the place among the recipients, from 0.
    """
    return f"{CHANNEL}/{broadcast}/{number}//{broadcast}.{number // TOGETHER}"


def broadcast_in(key: str | None) -> str | None:
    """The broadcast that a key is of; None: it is none of a broadcast."""
    if key is None or not key.startswith(f"{CHANNEL}/"):
        return None
    return key.split("/")[1]


def partition_of_broadcast(broadcast: str) -> int:
    """The partition whose holder does what is to be done about it."""
    return partition_of(CHANNEL, broadcast)


def erased_as(broadcast: str, total: int) -> list[str]:
    """The names that ``erase`` removes the broadcast by, its head last.

    Args:
        total: how many recipients it has.
    """
    parts = range((total + TOGETHER - 1) // TOGETHER)
    return [f"{CHANNEL}/{broadcast}.{part}" for part in parts] + [f"{CHANNEL}/{broadcast}"]
