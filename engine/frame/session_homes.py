"""Where the session of a turn is kept: with which conversation, or under which key elsewhere."""

from __future__ import annotations

from typing import Any

from engine.state.conversation import Conversation
from engine.state.sessions import SessionCell
from engine.turns.conversations import Conversations
from engine.turns.scopes import own_key, scope_key
from flows.keys import USER_IN_CHAT, Key
from flows.sessions import Sessions, SessionStorage
from flows.updates import SendFailed, Update


class SessionHome:
    """Takes the session of an update out, and puts it back. An update that has nothing of what
    sessions are keyed by begins with an empty one, which is not kept.

    Args:
        storage: what keeps the sessions, if not the conversations do.

    Attributes:
        cell: the session while the turn runs.
    """

    def __init__(
        self,
        sessions: Sessions[Any],
        storage: SessionStorage | None,
        conversations: Conversations,
        update: Update,
    ) -> None:
        self._storage = storage
        self._key = _key_of(sessions.key, update)
        self._conversation: Conversation | None = None
        if storage is None and self._key is not None:
            self._conversation = conversations.by_key.get(self._key)
        self._loaded = self._conversation.session if self._conversation is not None else {}
        is_shared = storage is not None or sessions.key != USER_IN_CHAT
        self.cell = SessionCell(sessions.model, self._loaded, sessions.default, is_shared)

    async def fetch(self) -> None:
        """Loads a session that is kept elsewhere."""
        if self._storage is not None and self._key is not None:
            self._loaded = self.cell.value = dict(await self._storage.get(self._key) or {})

    async def keep(self) -> None:
        """Puts the session back."""
        value = self.cell.value
        if self._conversation is not None:
            self._conversation.session = value
        elif self._storage is not None and self._key is not None and value != self._loaded:
            await self._storage.persist(self._key, value)
            self._loaded = value


def _key_of(key: Key, update: Update) -> str | None:
    if key == USER_IN_CHAT:
        return own_key(update)
    if callable(key) and isinstance(update.content, SendFailed):
        return None  # key functions are made for what people send
    return scope_key(key, update)
