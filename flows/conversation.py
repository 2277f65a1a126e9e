"""Whose conversation it is: the unit of order, of locking and of storage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote
from zlib import crc32

PARTITIONS = 64
"""How many partitions the chats are shared out into. Fixed: stored rows carry the number."""

CACHED = 16_384
"""Chats whose texts are remembered: each turn needs them several times, and quoting is slow."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages go: a chat of one bot on one channel.

    Attributes:
        source: channel and bot, such as ``telegram:110201543`` or ``console:local``.
        chat: the channel's own id of the chat, as text.
        topic: the topic (thread) in the chat, or None.
    """

    source: str
    chat: str
    topic: str | None = None

    def __str__(self) -> str:
        return _address_text(self.source, self.chat, self.topic)

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that ``str()`` wrote. Raises ValueError when it is none."""
        channel, bot, chat, *rest = text.split("/")
        topic = unquote(rest[0]) if rest and rest[0] else None
        return cls(f"{unquote(channel)}:{unquote(bot)}", unquote(chat), topic)

    @property
    def partition(self) -> int:
        """The partition that owns this chat: 0 to 63. A chat's topics share it."""
        return partition_of(self.source, self.chat)


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """A conversation: a person in a chat. ``str()`` is the storage key (at most 191 characters)."""

    address: Address
    user: str

    def __str__(self) -> str:
        place = self.address
        return key_text(place.source, place.chat, place.topic, self.user)

    @property
    def person(self) -> str:
        """The person across chats, what ``erase`` takes: channel and user id."""
        return person_id(self.address.source, self.user)


@lru_cache(maxsize=CACHED)
def person_id(source: str, user: str) -> str:
    """A person across the chats and bots of one channel, such as ``telegram/4242``."""
    return f"{source.partition(':')[0]}/{quote(user, safe='')}"


@lru_cache(maxsize=CACHED)
def partition_of(source: str, chat: str) -> int:
    """The partition of a chat: ``crc32(channel, bot, chat) % 64``."""
    return crc32(f"{source}/{chat}".encode()) % PARTITIONS


@lru_cache(maxsize=CACHED)
def _address_text(source: str, chat: str, topic: str | None) -> str:
    channel, _, bot = source.partition(":")
    return "/".join(quote(part, safe="") for part in (channel, bot, chat, topic or ""))


@lru_cache(maxsize=CACHED)
def key_text(source: str, chat: str, topic: str | None, user: str) -> str:
    """The storage key of a person in a chat, what ``ConversationKey`` is as a text."""
    return f"{_address_text(source, chat, topic)}/{quote(user, safe='')}"
