"""Who Telegram says that somebody is."""

from __future__ import annotations

from engine.channels.telegram.shapes import Chat, User
from flows.updates import Person


def person(user: User) -> Person:
    """A user."""
    return Person(
        id=str(user.id),
        name=f"{user.first_name} {user.last_name}".strip(),
        username=user.username,
        language=user.language_code,
    )


def chat_person(chat: Chat) -> Person:
    """A chat in whose name somebody acts: a channel, or a group's anonymous admin."""
    return Person(id=str(chat.id), name=chat.title, username=chat.username)
