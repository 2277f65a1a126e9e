"""Broadcasts from outside: begun, looked at, paused, resumed and cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from secrets import token_hex
from typing import Literal
from uuid import uuid4

from engine.broadcast.head import Head, State
from engine.broadcast.keys import INDEX, head_key
from engine.broadcast.orders import orders_of, row_of
from engine.broadcast.turns import named_in
from engine.broadcast.views import BroadcastView, view
from engine.operate.receipts import Receipt
from flows.errors import BroadcastRefused, OutcomeUnknown, UnknownBroadcast
from flows.messages.broadcasts import ID_CHARS, RATE, Broadcast, chats_named
from flows.messages.replies import Reply
from flows.messages.texts import Format
from flows.ports import Clock, FlowStorage, InboxRow
from flows.updates import BroadcastOrder

PAGE = 1000
"""Conversations that are looked at together when people are counted."""

Accept = Callable[[Sequence[InboxRow]], Awaitable[Sequence[int | None]]]
"""Keeps rows in the inbox, all of them or none."""


class Broadcasts:
    """The broadcasts of a bot, in whichever process the bot runs.

    A call returns when what it asks for is durable. It is carried out by the process that the bot
    runs in, or will run in: at once, or when it runs next.

    Args:
        storage: an open storage.
        source: tells which bot is meant where it is not said, and whether it runs here.
        accept: how rows get into the inbox; None: straight into the storage.
    """

    def __init__(
        self,
        storage: FlowStorage,
        clock: Clock,
        *,
        source: Callable[[str | None], str],
        accept: Accept | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._source = source
        self._accept = accept or storage.accept

    async def send(
        self,
        message: str | Reply,
        *,
        to: Iterable[str | int] | None = None,
        format: Format = "plain",
        source: str | None = None,
        rate: int = RATE,
        report_to: str | int | None = None,
    ) -> str:
        """Begins a broadcast. Answers its id.

        Args:
            message: a text, or any message as ``flows.prompt`` makes one, with a photo or buttons.
            to: the channel's ids of the chats, each of which gets it once; None: everybody who has
                a private chat with the bot, as far as it knows.
            format: how a text is to be read: ``plain``, ``html`` or ``markdown``.
            source: channel and bot, such as ``telegram:110201543``; None: the one that runs.
            rate: messages a second, at the most.
            report_to: a chat that is shown how far it is, in a message that is kept up to date.

        Raises:
            BroadcastRefused: there is nothing to be sent, or nobody to send it to.
            DefinitionError: no channel could send the message.
            BadAddress: there is no such bot.
            BadRow: the message is longer than what can be stored.
        """
        reply = message if isinstance(message, Reply) else Reply(text=message, format=format)
        bot = self._source(source)
        broadcast = Broadcast(
            id=token_hex(ID_CHARS // 2),
            source=bot,
            reply=reply,
            chats=None if to is None else await self._canonical(bot, chats_named(to)),
            rate=rate,
            report_to=None if report_to is None else chats_named([report_to])[0],
        )
        await self._put(broadcast)
        return broadcast.id

    async def reach(self, source: str | None = None) -> int:
        """How many people a broadcast to everybody would go to."""
        bot, count, after = self._source(source), 0, None
        while True:
            page = await self._storage.private_chats(bot, after, PAGE)
            count += len(page.chats)
            after = page.next
            if after is None:
                return count

    async def status(self, broadcast: str) -> BroadcastView:
        """How far one is.

        Raises:
            UnknownBroadcast: there is none of that id.
        """
        _, shown = await self._view(broadcast)
        return shown

    async def list(self) -> list[BroadcastView]:
        """All of them that are not swept yet, the newest first."""
        found: list[BroadcastView] = []
        for name in reversed(await self._names()):
            try:
                found.append((await view(self._storage, name))[1])
            except UnknownBroadcast:  # the index still names some that were swept
                continue
        return found

    async def pause(self, broadcast: str) -> Receipt:
        """Sends no more for now; what is on its way, a second's worth, still goes.

        Raises:
            UnknownBroadcast: there is none of that id.
            BroadcastRefused: it is over.
        """
        return await self._order(broadcast, "pause")

    async def resume(self, broadcast: str) -> Receipt:
        """Goes on where it was. Raises as ``pause`` does."""
        return await self._order(broadcast, "resume")

    async def cancel(self, broadcast: str) -> Receipt:
        """Ends it, for good. Raises as ``pause`` does."""
        return await self._order(broadcast, "cancel")

    async def _order(self, broadcast: str, what: Literal["pause", "resume", "cancel"]) -> Receipt:
        head, _ = await self._view(broadcast)
        if refusal := _refusal(head, what):
            raise BroadcastRefused(refusal)
        row = row_of(broadcast, BroadcastOrder(order=what), ext=uuid4().hex, at=self._clock.now())
        (seq,) = await self._accept([row])
        return Receipt(seq or 0, head_key(broadcast))

    async def _put(self, broadcast: Broadcast) -> None:
        """Keeps all of it at once: it begins whole, or not at all."""
        now = self._clock.now()
        rows = [
            row_of(broadcast.id, order, ext=f"{broadcast.id}.{place}", at=now)
            for place, order in enumerate(orders_of(broadcast))
        ]
        try:
            await self._accept(rows)
        except OutcomeUnknown:
            await self._accept(rows)  # what was kept the first time is not kept again

    async def _canonical(self, source: str, chats: tuple[str, ...]) -> tuple[str, ...]:
        """The chats under the ids that they are kept by, each once."""
        aliases = await self._storage.aliases()
        return tuple(dict.fromkeys(aliases.get((source, chat), chat) for chat in chats))

    async def _view(self, broadcast: str) -> tuple[Head, BroadcastView]:
        try:
            return await view(self._storage, broadcast)
        except UnknownBroadcast:
            raise UnknownBroadcast(broadcast, await self._names()) from None

    async def _names(self) -> Sequence[str]:
        return named_in((await self._storage.load([INDEX])).get(INDEX))


def _refusal(head: Head, what: str) -> str:
    if head.over:
        return f"the broadcast {head.id} is over ({head.state}). Send a new one."
    if what == "pause" and head.state is State.PAUSED:
        return f"the broadcast {head.id} is paused already. Resume it, or cancel it."
    return ""
