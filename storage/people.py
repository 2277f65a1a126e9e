"""Which rows belong to a person: what ``erase`` goes by where no scope tells."""

from __future__ import annotations


def belongs(conv: str, person: str) -> bool:
    """Whether a conversation key is one of the person's, in whatever chat and topic."""
    channel, *_, user = conv.split("/") if conv.count("/") == 4 else (conv, "")
    return f"{channel}/{user}" == person


def private_chat(conv: str) -> str | None:
    """The address of the conversation's chat when nobody else is in it, else None.

    Channels give a private chat the id of its person.
    """
    if conv.count("/") != 4:
        return None
    chat, _, user = conv.rpartition("/")
    return chat if chat.split("/")[2] == user else None
