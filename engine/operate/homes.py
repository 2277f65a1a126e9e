"""Where a conversation is to be reached: the chat that replies go to, and the person in it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from engine.turns.scopes import is_shared
from flows.conversation import Address, ConversationKey
from flows.errors import BadAddress, UnknownConversation
from flows.updates import Person

PARTS = 5
"""What the key of a person in a chat has: channel, bot, chat, topic, user."""


@dataclass(frozen=True, slots=True)
class Home:
    """A chat, and whose conversation in it is meant.

    Attributes:
        user: None where several people share it.
        scope: the storage key of what is kept of it.
    """

    address: Address
    user: Person | None
    scope: str


def home_of(key: str, chat: str | None = None) -> Home:
    """The home of what is stored under a key: read off the key of a person in a chat; of
    everything else, the chat in which it was last talked about.

    Args:
        chat: that chat, as the conversation's state has it.

    Raises:
        UnknownConversation: it is no key, or nobody has talked there yet.
    """
    parts = key.split("/")
    if is_shared(key):
        if chat is None:
            raise UnknownConversation(key, "it is not known in which chat it is")
        user = Person(id=unquote(parts[-1])) if key.startswith("user:") else None
        return Home(Address.parse(chat), user, key)
    if len(parts) != PARTS or not all((*parts[:3], parts[4])):
        raise UnknownConversation(key, "it is no key of a conversation")
    return Home(Address.parse(key), Person(id=unquote(parts[4])), key)


def home_at(
    source: str, *, user: str | int, chat: str | int | None, topic: str | int | None
) -> Home:
    """The home that the parts name; without a chat, the private one of the person.

    Raises:
        BadAddress: a part is empty, or no text that a key can hold.
    """
    channel, colon, bot = source.partition(":")
    if not (channel and colon and bot):
        raise BadAddress(f"{source!r} names no bot. Write channel:bot, such as telegram:110201543.")
    person, place = str(user), str(user if chat is None else chat)
    if not person or not place:
        raise BadAddress("the id of the person, or of the chat, is empty. Name both as text.")
    address = Address(source, place, None if topic is None else str(topic))
    try:
        return Home(address, Person(id=person), str(ConversationKey(address, person)))
    except UnicodeEncodeError:
        raise BadAddress("an id holds what is no Unicode text. Name the ids as text.") from None
