"""Who is to have an update, where another library receives for its own handlers besides ours.

It is asked before the update is accepted, and changes nothing. What is asked about has to come in
the order in which people have sent it: see ``engine.adapters.hosted``.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum
from typing import Literal

from engine.bot import Bot
from engine.intake.aliases import Aliases
from engine.routes.routing import Decision, Plain, Routing, route
from engine.state.conversation import Conversation, sort_out
from engine.state.machines import PersonMachine
from engine.state.snapshots import Loaded
from engine.turns.conversations import Conversations
from engine.turns.scopes import order_key, scopes_of
from engine.turns.speech import speaking_to
from engine.turns.ticks import Turns
from flows.conversation import partition_of
from flows.updates import AlbumMessage, ChatMigrated, FileMessage, Update

Leftovers = Literal["host", "flows"]
"""Who is offered what a running flow does not take: the host's handlers first, or nobody else."""

_log = logging.getLogger("handrail.engine")


class Claim(Enum):
    """Who is to have an update; the host is the other library.

    ``FLOWS``: they alone. ``BOTH``: they, and the host's handlers. ``HOST``: its handlers alone.
    ``HOST_FIRST``: its handlers, and the flows where none of these takes it.
    """

    FLOWS = "flows"
    BOTH = "both"
    HOST = "host"
    HOST_FIRST = "host first"


_COMMANDS = (Plain.CANCEL, Plain.BACK, Plain.HELP)
_UNANSWERED = (Plain.ASK_AGAIN, Plain.ESCALATED)


class Claims:
    """Tells of an update who is to have it."""

    def __init__(self, bot: Bot, turns: Turns, aliases: Aliases) -> None:
        self._bot = bot
        self._turns = turns
        self._aliases = aliases

    def order(self, update: Update) -> str | None:
        """What the update must be in order with; None: nothing."""
        return order_key(update, self._bot.registry.keys)

    async def of(self, update: Update, *, leftovers: Leftovers) -> Claim:
        """Who is to have it, once everything before it that the flows have taken is committed.

        What cannot be told, because a state cannot be read, or a key or a filter fails, is the
        flows': there it is handled as always.
        """
        if isinstance(update.content, ChatMigrated):
            return Claim.BOTH
        (update,) = await self._aliases.all_received((update,))
        order, address = self.order(update), update.address
        if self._turns.gathers(order, update.album):
            return Claim.FLOWS  # the parts before are theirs, and wait for this one
        part = partition_of(update.source, "") if address is None else address.partition
        await self._turns.at_rest(part, order)
        try:
            keys = [scope.key for scope in scopes_of(update, self._bot.registry.keys)]
            conversations = _decoded(keys, await self._turns.committed(keys))
            known = Conversations(conversations, update)
            with speaking_to(self._bot, known, update):
                return self._among(known, update, leftovers)
        except Exception as error:  # whatever a key or a filter raises, or a state that is damaged
            _log.warning("the flows have update %s, for want of knowing who wants it: %s",
                         update.ext, error)  # fmt: skip
            return Claim.FLOWS

    def _among(self, conversations: Conversations, update: Update, leftovers: Leftovers) -> Claim:
        bot = self._bot
        flows = bot.flows
        for conversation in conversations.by_key.values():
            sort_out(conversation, flows)
        machine = PersonMachine(bot.fsm, conversations, update)
        routing = Routing(conversations, flows, bot.router, bot.texts, lambda: machine.current)
        runs = conversations.foremost(flows) is not None
        falls_back = bot.router.fallback_handler is not None
        found = [
            _claim(route(routing, one), runs, leftovers, falls_back) for one in _readings(update)
        ]
        return Claim.FLOWS if Claim.FLOWS in found else found[0]


def _readings(update: Update) -> list[Update]:
    """What the update may turn out to be: the first part of an album, or all there is of it."""
    content = update.content
    if update.album is None or not isinstance(content, FileMessage):
        return [update]
    return [update, replace(update, content=AlbumMessage((content,), content.caption))]


def _decoded(keys: list[str], loaded: Loaded) -> dict[str, Conversation]:
    """The conversations, to be read and thrown away. Raises CorruptState."""
    for error in loaded.corrupt.values():
        raise error
    if not keys:
        return {"": Conversation()}  # it belongs to nobody, so nothing waits for it
    return {
        key: Conversation.decode(key, loaded.known[key].state)
        if key in loaded.known
        else Conversation()
        for key in keys
    }


def _claim(decision: Decision, runs: bool, leftovers: Leftovers, falls_back: bool) -> Claim:
    if decision is Plain.NOTHING:
        return Claim.HOST
    if decision is Plain.FALLBACK:
        return Claim.HOST_FIRST if falls_back else Claim.HOST
    if decision in _COMMANDS and not runs:
        return Claim.HOST_FIRST
    if decision in _UNANSWERED and leftovers == "host":
        return Claim.HOST_FIRST
    return Claim.FLOWS
