"""Which rows belong to a person: what ``erase`` goes by where no scope tells."""

from __future__ import annotations

KEY_SLASHES = 4
"""How many slashes a conversation key has: channel, bot, chat, topic, user."""


def belongs(conv: str, person: str) -> bool:
    """Whether a conversation key is one of the person's, in whatever chat and topic."""
    if conv.count("/") != KEY_SLASHES:
        return False
    channel, *_, user = conv.split("/")
    return f"{channel}/{user}" == person


def private_chat(conv: str) -> str | None:
    """The address of the conversation's chat when nobody else is in it, else None.

    Channels give a private chat the id of its person.
    """
    if conv.count("/") != KEY_SLASHES:
        return None
    chat, _, user = conv.rpartition("/")
    return chat if chat.split("/")[2] == user else None
