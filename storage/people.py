"""Which rows belong to a person: what ``erase`` goes by where no scope tells."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote

from flows.messages.broadcasts import CHANNEL as BROADCAST

ERASED = "erased"
"""What stands in the audit in place of whom it was about."""

KEY_SLASHES = 4
"""How many slashes a conversation key has: channel, bot, chat, topic, user."""


def belongs(conv: str, person: str) -> bool:
    """Whether a conversation key is one of the person's, in whatever chat and topic."""
    if conv.count("/") != KEY_SLASHES:
        return False
    channel, *_, user = conv.split("/")
    return f"{channel}/{user}" == person


def is_conversation(key: str) -> bool:
    """Whether a scope is more than the note that somebody is a recipient of a broadcast."""
    return not key.startswith(f"{BROADCAST}/")


def private_chat(conv: str) -> str | None:
    """The address of the conversation's chat when nobody else is in it, else None.

    Channels give a private chat the id of its person.
    """
    if conv.count("/") != KEY_SLASHES:
        return None
    chat, _, user = conv.rpartition("/")
    return chat if chat.split("/")[2] == user else None


def prefix_of(source: str) -> str:
    """What the keys of a bot's conversations begin with."""
    channel, _, bot = source.partition(":")
    return f"{quote(channel, safe='')}/{quote(bot, safe='')}/"


def new_chats_of(keys: Iterable[str], after: str | None) -> list[str]:
    """The channel's ids of the private chats among sorted conversation keys, each once, without
    that of ``after``, which came before them: a chat with topics has several keys.
    """
    before = None if after is None else _chat_of(after)
    found = dict.fromkeys(chat for key in keys if (chat := _chat_of(key)) is not None)
    return [unquote(chat) for chat in found if chat != before]


def _chat_of(key: str) -> str | None:
    return key.split("/")[2] if private_chat(key) is not None else None
