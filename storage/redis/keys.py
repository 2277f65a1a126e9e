"""The keys of a database, and how numbers are written so that their texts sort as they do.

All keys share one hash tag, so that they are in one slot of a cluster: a commit spans
partitions, and one script can only change keys of one slot.
"""

from __future__ import annotations

from typing import Final

HASH, SORTED = "h", "z"

KEYS: Final[dict[str, str]] = {
    # format, and the last number of each kind that was given out
    "meta": HASH,
    # partition: epoch and worker; partition: until when; worker: until when it is known
    "parts": HASH,
    "leases": HASH,
    "workers": SORTED,
    # source and ext: number; causes by number; what undone ones have besides
    "accepted": HASH,
    "inbox": HASH,
    "notes": HASH,
    "tries": HASH,
    # undone causes by partition; done ones by time
    "todo": SORTED,
    "done": SORTED,
    # version, cause, person and state
    "scopes": HASH,
    # every row by owner, conversation and kind
    "rows": SORTED,
    # instances; by flow, status, whether they live, and time; those that live; by end; by id
    "instances": HASH,
    "order": SORTED,
    "live": SORTED,
    "ended": SORTED,
    "ids": SORTED,
    # how many rows each list within `order` and `log` has
    "classes": HASH,
    # the log; by flow
    "transitions": HASH,
    "log": SORTED,
    # messages by name; unsent ones by number; what tries have left of them
    "outbox": HASH,
    "texts": HASH,
    "marks": HASH,
    # unsent messages by chat; all of them; the first of each chat by partition
    "queue": SORTED,
    "unsent": SORTED,
    "fronts": SORTED,
    # messages to a chat that their conversation does not name; settled ones by time
    "posted": SORTED,
    "settled": SORTED,
    # references of sent messages; by time
    "refs": HASH,
    "kept": SORTED,
    # timers; by partition and time
    "timers": HASH,
    "due": SORTED,
    # dead letters; in order
    "dead": HASH,
    "letters": SORTED,
    # what channels record: lines by conversation, track and place; their places by name; by time
    "lines": HASH,
    "line_names": HASH,
    "told": SORTED,
    # what operators did; in order
    "audit": HASH,
    "audited": SORTED,
    "aliases": HASH,
}
"""Every key without its prefix, and its type."""

WAKES: Final = "wakes"
"""The channel of hints; a channel is no key."""

_SHIFT = 1 << 63


def full_name(prefix: str, name: str) -> str:
    """The key as the server knows it."""
    return f"{{{prefix}}}:{name}"


def ordered(number: int) -> str:
    """The number as 16 hexadecimal digits whose order is that of 64-bit numbers."""
    return f"{number + _SHIFT:016x}"


def number_of(text: str | bytes) -> int:
    """The number that ``ordered`` has written."""
    return int(text, 16) - _SHIFT


def part_name(part: int) -> str:
    """A partition in keys and values: two hexadecimal digits."""
    return f"{part:02x}"
