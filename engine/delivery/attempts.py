"""One try to send a message, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from engine.delivery.chats import Queue
from engine.delivery.composing import delivered, lapses
from engine.delivery.letters import Letter, Row, result
from engine.delivery.reports import Reports
from engine.delivery.veiling import veiled
from engine.intake.aliases import Aliases
from engine.turns.cancelling import being_cancelled
from engine.workers.partitions import MARGIN, Partitions
from flows.errors import (
    ChannelError,
    ChannelStopped,
    ChatMoved,
    OutcomeUnknown,
    SendLater,
    SendRefused,
    SendUncertain,
    StorageDown,
)
from flows.messages.replies import Edit, Reply, Send, send_from_json
from flows.ports import Channel, Clock, FlowStorage, SendResult

SEND_SECONDS = MARGIN - 1.0
"""How long one send may take: it is over while the lease still holds that it was begun under. One
that says that it goes on, and still may, has so long again.
"""

UNCERTAIN_LIMIT = 5
"""After so many cut answers a message is given up."""

LONGEST_BACKOFF = 64
"""Seconds between tries that were cut, at the most."""

_log = logging.getLogger("handrail.delivery")


class Attempts:
    """Tries to send.

    Args:
        fresh: references of messages that are not recorded yet, by (conv, slot).
        confided: what messages say is kept out of the reasons for which they were refused.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        aliases: Aliases,
        fresh: Mapping[tuple[str, str], str],
        confided: bool = False,
    ) -> None:
        self._storage = storage
        self._partitions = partitions
        self._channels = channels
        self._clock = clock
        self._aliases = aliases
        self._fresh = fresh
        self._confided = confided
        self._reports = Reports(storage, clock)

    async def once(self, queue: Queue, letter: Letter) -> SendResult | None:
        """One try with the first message of a chat. None: nothing was sent, and it is to be tried
        again in a moment.

        Raises:
            ChannelStopped: the channel cannot go on.
        """
        row, send = letter
        try:
            if queue.closed is not None:
                return await self._refused(queue, row, SendRefused(queue.closed, blocked=True))
            return await self._sent(queue, row, send or _read(row))
        except ChannelStopped:
            raise
        except SendLater as error:
            due = self._clock.now() + int(error.seconds * 1000)
            return result(row, "later", self._reason(error), due=due)
        except SendRefused as error:
            refusal = SendRefused(self._reason(error), blocked=error.blocked)
            return await self._patiently_refused(queue, row, refusal)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("delivery waits for the storage: %s", error)
            return None
        except SendUncertain as error:
            reason = self._reason(error)
            _log.warning("the answer to a message to %s was cut: %s", row.chat, reason)
            return self.cut(queue, row, reason)
        except (Exception, asyncio.CancelledError) as error:
            # a bug in a channel must not stop the other chats
            if being_cancelled():
                raise
            _log.exception("a message to %s could not be sent", row.chat)
            return self.cut(queue, row, repr(error))

    def cut(self, queue: Queue, row: Row, reason: str) -> SendResult:
        """The message may have arrived: once more for each cut answer, up to a limit."""
        queue.cuts += 1
        if queue.cuts >= UNCERTAIN_LIMIT:
            _log.error("a message to %s is given up: %s", row.chat, reason)
            told = self._reports.to_broadcast(row, SendRefused(reason, blocked=False))
            return result(row, "dead", reason, inform=told)
        seconds = min(2**queue.cuts, LONGEST_BACKOFF)
        return result(row, "later", reason, due=self._clock.now() + seconds * 1000)

    def _reason(self, error: ChannelError) -> str:
        return veiled(str(error)) if self._confided else str(error)

    # --- sending ------------------------------------------------------------------------

    async def _sent(
        self, queue: Queue, row: Row, send: Send, *, moved: bool = False
    ) -> SendResult | None:
        edit = reply_to = None
        if not isinstance(send, Reply):
            edit = send.ref or await self._reference(row.conv, send.slot)
            if edit is None and lapses(send):
                return _sent(row, None, None)
        elif send.options is not None and send.options.reply_to is not None:
            answered = send.options.reply_to
            reply_to = answered.ref or await self._reference(row.conv, answered.slot)
        # It was ours when this was decided; but the look-up takes its time, a task may begin
        # later than it was made, and the process may have been stopped meanwhile.
        if not self._partitions.may_act(queue.part):
            return None
        address = queue.address
        queue.begun = True
        try:
            ref = await self._channels[address.source].send(
                delivered(
                    send,
                    chat=self._aliases.reached_at(address),
                    topic=address.topic,
                    edit=edit,
                    reply_to=reply_to,
                    id=f"{row.turn}.{row.n}.{row.conv}",
                    go_on=partial(self._go_on, queue) if send.attachment is not None else None,
                )
            )
        except ChatMoved as error:
            return await self._moved(queue, row, send, error, before=moved)
        slot = row.slot
        if isinstance(send, Edit) and ref != edit:
            slot = send.slot or None  # the message was gone and is another one now
        return _sent(row, slot, ref)

    def _go_on(self, queue: Queue) -> bool:
        """Whether a send that takes long may take longer; if so, it has all of its time again."""
        if queue.late or not self._partitions.may_act(queue.part):
            return False
        queue.allow(SEND_SECONDS)
        return True

    async def _moved(
        self, queue: Queue, row: Row, send: Send, error: ChatMoved, *, before: bool
    ) -> SendResult | None:
        """The chat has another id now: once more, to that one."""
        queue.begun = False
        address = queue.address
        if before or error.to == self._aliases.reached_at(address):
            raise SendRefused(str(error)) from error
        await self._aliases.moved(address.source, address.chat, error.to)
        return await self._sent(queue, row, send, moved=True)

    async def _reference(self, conv: str, slot: str) -> str | None:
        fresh = self._fresh.get((conv, slot))
        if fresh is not None:
            return fresh
        return (await self._storage.refs(conv, [slot])).get(slot)

    # --- refusals -----------------------------------------------------------------------

    async def _patiently_refused(
        self, queue: Queue, row: Row, error: SendRefused
    ) -> SendResult | None:
        try:
            return await self._refused(queue, row, error)
        except (StorageDown, OutcomeUnknown) as down:
            _log.warning("delivery waits for the storage: %s", down)
            return None

    async def _refused(self, queue: Queue, row: Row, error: SendRefused) -> SendResult:
        """The message is given up. What else waits for a chat that is closed to us has the same
        end; each of its conversations is told once.
        """
        _log.warning("a message to %s will never arrive: %s", row.chat, error)
        told = queue.told if queue.told is not None else set()
        report = None
        if row.conv not in told or not error.blocked:
            report = await self._reports.of(queue.address, row, error)
        if error.blocked:
            queue.closed, queue.told = error.reason, {*told, row.conv}
        return result(row, "dead", str(error), inform=report)


def _sent(row: Row, slot: str | None, ref: str | None) -> SendResult:
    return SendResult(conv=row.conv, turn=row.turn, n=row.n, state="sent", slot=slot, ref=ref)


def _read(row: Row) -> Send:
    try:
        return send_from_json(row.body)
    except ValueError as error:
        raise SendRefused(f"what was to be sent cannot be read: {error}") from error
