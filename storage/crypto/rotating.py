"""Bringing everything that is stored under the first key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flows.ports import FlowStorage
from storage.crypto import marks
from storage.crypto.keys import CannotOpen, Keyring

PASSES = 3
"""How often it is gone through; the last time is to find nothing left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What came of it.

    Attributes:
        rows: how many rows were written anew.
        retired: ids of the keys that nothing is encrypted with any more.
        unread: how many texts under which keys were left, because nobody has the key.
        busy: somebody goes on writing with another key, or with none.
    """

    rows: int
    retired: tuple[str, ...] = ()
    unread: dict[str, int] = field(default_factory=dict)
    busy: bool = False


async def rotate(
    storage: FlowStorage, keys: Keyring, *, looked: Callable[[], None] = lambda: None
) -> Rotated:
    """Encrypts everything with the first key, also what was never encrypted.

    Bots may run meanwhile, if they encrypt with that key already. It may be stopped at any time
    and begun again.

    Args:
        storage: an open storage, without encryption of its own.
        looked: is called for each text.
    """
    await marks.use(storage, keys.primary)
    rows = 0
    for _ in range(PASSES):
        unread: dict[str, int] = {}
        changed = await storage.recode(_resealing(keys, unread, looked))
        rows += changed
        if not changed:
            return Rotated(rows=rows, retired=await _retire(storage, keys, unread), unread=unread)
    return Rotated(rows=rows, busy=True)


def _resealing(
    keys: Keyring, unread: dict[str, int], looked: Callable[[], None]
) -> Callable[[str], str]:
    def change(text: str) -> str:
        looked()
        try:
            return keys.reseal(text)
        except CannotOpen as error:  # what nobody can read is left as it is
            unread[error.key] = unread.get(error.key, 0) + 1
            return text

    return change


async def _retire(storage: FlowStorage, keys: Keyring, unread: dict[str, int]) -> tuple[str, ...]:
    used = await marks.in_use(storage)
    done = tuple(
        key for key in used if key != keys.primary and key in keys.ids and key not in unread
    )
    for key in done:
        await marks.retire(storage, key)
    return done
