"""Which keys a database is written with, so that a missing one is noticed at the start and not
when somebody's conversation cannot be read.

It stands among the chat aliases, under a source that no channel has: every storage keeps those,
for ever and outside of any turn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flows.errors import SecretKeyMissing
from flows.ports import FlowStorage

SOURCE = "handrail:key"
IN_USE = "in use"
RETIRED = "retired"

Aliases = Mapping[tuple[str, str], str]


def without(aliases: Aliases) -> Aliases:
    """The aliases of chats alone."""
    return {name: canonical for name, canonical in aliases.items() if name[0] != SOURCE}


async def in_use(storage: FlowStorage) -> Sequence[str]:
    """The ids of the keys that something in the database may be encrypted with."""
    known = await storage.aliases()
    return sorted(
        key for (source, key), state in known.items() if (source, state) == (SOURCE, IN_USE)
    )


async def check(storage: FlowStorage, held: Collection[str]) -> Sequence[str]:
    """Answers the keys in use.

    Raises:
        SecretKeyMissing: one of them is not among those that are held.
    """
    used = await in_use(storage)
    missing = [key for key in used if key not in held]
    if missing:
        raise SecretKeyMissing(_sentence(missing))
    return used


async def use(storage: FlowStorage, key: str) -> None:
    """From now on something may be encrypted with the key."""
    await storage.alias(SOURCE, key, IN_USE)


async def retire(storage: FlowStorage, key: str) -> None:
    """Nothing is encrypted with the key any more, or nobody has it any more."""
    await storage.alias(SOURCE, key, RETIRED)


def _sentence(missing: Sequence[str]) -> str:
    several = len(missing) > 1
    names = " and ".join(missing)
    return (
        f"the database is encrypted with the {'keys' if several else 'key'} {names}, which "
        f"HANDRAIL_SECRET_KEY does not hold. Add {'them' if several else 'it'}, with commas "
        "between the keys and the one to encrypt with in front. Where a key is lost for good, "
        f"'handrail key forget {missing[0]}' lets the bot start without what it has encrypted."
    )
