"""What is stored at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.composition import storage_of
from engine.state.conversation import Conversation
from flows.conversation import Address, ConversationKey
from flows.ports import Query
from tests.crash.world import World

SOURCE = "telegram:42"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a person."""

    numbers: Sequence[int] = ()
    count: int = 0
    stamps: Sequence[int] = ()
    naps: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of everybody, and how many rows of inbox and outbox are not done."""

    people: Mapping[int, Stored]
    undone: int


async def read(database: str, world: World) -> Found:
    """Reads it, beside the bots that work on it or after them."""
    storage = storage_of(database)
    await storage.open()
    try:
        keys = {user: _key(user) for user in world.people}
        snapshots = await storage.load(list(keys.values()))
        people = {
            user: _stored(key, snapshots[key].state)
            for user, key in keys.items()
            if key in snapshots
        }
        inbox = await storage.inspect(Query(what="inbox"))
        outbox = await storage.inspect(Query(what="outbox"))
        return Found(people, len(inbox.rows) + len(outbox.rows))
    finally:
        await storage.close()


def _stored(key: str, state: str) -> Stored:
    conversation = Conversation.decode(key, state)
    data = conversation.stack[0].data if conversation.stack else {}
    return Stored(
        data.get("numbers", ()),
        conversation.session.get("count", 0),
        data.get("stamps", ()),
        data.get("naps", 0),
    )


def _key(user: int) -> str:
    return str(ConversationKey(Address(SOURCE, str(user)), str(user)))
