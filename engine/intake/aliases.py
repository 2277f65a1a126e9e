"""Chats that changed their id: a group that became a supergroup keeps its conversations.

Nothing is re-keyed. Updates of the new chat are taken for those of the canonical one, which the
rows bear; messages to the canonical chat go to the newest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from flows.conversation import Address
from flows.ports import FlowStorage
from flows.updates import ChatMigrated, Update

_log = logging.getLogger("handrail.engine")


class Aliases:
    """The chats that go by another id than their conversations."""

    def __init__(self, storage: FlowStorage) -> None:
        self._storage = storage
        self._canonical: dict[tuple[str, str], str] = {}
        self._newest: dict[tuple[str, str], str] = {}

    async def load(self) -> None:
        """Reads what is known already."""
        for (source, chat), canonical in (await self._storage.aliases()).items():
            self._know(source, chat, canonical)

    async def moved(self, source: str, chat: str, to: str) -> None:
        """``chat`` (or the chat that it is an alias of) is ``to`` from now on, durably."""
        canonical = self._canonical.get((source, chat), chat)
        if to == canonical or self._canonical.get((source, to)) == canonical:
            return
        await self._storage.alias(source, to, canonical)
        self._know(source, to, canonical)
        _log.info("chat %s of %s goes by the id %s now", canonical, source, to)

    async def all_received(self, updates: Sequence[Update]) -> Sequence[Update]:
        """The updates as those of canonical chats. Most bots know no other ones."""
        if not self._canonical and not any(
            isinstance(one.content, ChatMigrated) for one in updates
        ):
            return updates
        return [await self.received(update) for update in updates]

    async def received(self, update: Update) -> Update:
        """The update as one of the canonical chat. A note that the chat moves is taken in."""
        address = update.address
        if address is None:
            return update
        if isinstance(update.content, ChatMigrated):
            await self.moved(address.source, address.chat, update.content.to)
        canonical = self._canonical.get((address.source, address.chat))
        if canonical is None:
            return update
        return replace(update, address=replace(address, chat=canonical))

    def reached_at(self, address: Address) -> str:
        """The id under which the service knows the chat now."""
        return self._newest.get((address.source, address.chat), address.chat)

    def _know(self, source: str, chat: str, canonical: str) -> None:
        self._canonical[source, chat] = canonical
        self._newest[source, canonical] = chat
