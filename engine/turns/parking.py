"""Parked conversations: nobody can be reached there until the person writes again.

A conversation is parked when its chat has turned out to be closed to the bot: the person has
blocked it, left, or thrown it out of the group. Its flows stay where they are. Time goes on, but
nothing is said that nobody has asked for; reminders are held.
"""

from __future__ import annotations

import logging

from engine.state.conversation import Conversation
from engine.state.timers import pass_over_reminders
from engine.steps import hooks
from engine.steps.endings import last_visit
from engine.steps.places import Flows, every, top
from engine.steps.walk import Walk
from engine.turns.conversations import Conversations, root_id
from flows.messages.replies import Reply
from flows.turns.effects import Effects, Emission
from flows.turns.instance import FlowInstance
from flows.updates import ChatMigrated, Order, SendFailed, TimerFired, Update, is_silent

_log = logging.getLogger("handrail.engine")


def by_a_person(update: Update) -> bool:
    """Whether somebody has written, pressed or sent something, who can be reached then."""
    content = update.content
    if isinstance(content, TimerFired | Order | SendFailed | ChatMigrated):
        return False
    return not is_silent(content)


def take_back(conversations: Conversations, flows: Flows, now: int) -> bool:
    """Somebody has written: nothing here is parked any more, and what there was to be reminded of
    meanwhile is over. Answers whether something was parked in which a flow runs.
    """
    parked = [one for one in conversations.by_key.values() if one.parked]
    for conversation in parked:
        conversation.parked = False
        for root in conversation.stack:
            pass_over_reminders(root, flows, now)
    return any(conversation.stack for conversation in parked)


async def park(walk: Walk, conversations: Conversations, failed: SendFailed) -> None:
    """The chat is closed to us. The hooks of what runs there are told once."""
    conversation = conversations.by_key.get(failed.scope, conversations.own)
    if conversation.parked:
        return
    conversation.parked = True
    _log.warning("a conversation is parked until its person writes again: %s", failed.reason)
    for root in reversed(conversation.stack):
        await _tell(walk, root)


def withhold(conversations: Conversations, effects: Effects, update: Update) -> None:
    """Takes out what is not to be sent: all that is said to parked conversations by a turn that
    nobody there has caused, and all that a report of a failed send leads to, lest that fails too.
    """
    if isinstance(update.content, SendFailed):
        if effects.emissions:
            _log.info("%d messages are not sent: another did not arrive", len(effects.emissions))
        effects.emissions.clear()
        return
    if any(one.parked for one in conversations.by_key.values()):
        effects.emissions[:] = [
            emission
            for emission in effects.emissions
            if not _speaks_in(conversations, emission).parked
        ]


def _speaks_in(conversations: Conversations, emission: Emission) -> Conversation:
    """The conversation of the instance that says it, or whose called flow does."""
    slot = emission.slot if isinstance(emission.send, Reply) else emission.send.slot
    home = conversations.home_of(root_id((slot or "").partition(".")[0]))
    return conversations.by_key.get(home or "", conversations.own)


async def _tell(walk: Walk, root: FlowInstance) -> None:
    """Runs the hooks of an instance and of those that it has called, the innermost first."""
    flows = walk.stage.flows
    places = {place.instance.id: place for place in every(top(root, flows), flows)}
    for place in reversed(list(places.values())):
        hook = place.flow.hooks.blocked
        await hooks.run_contained(
            walk.stage, place.main(), hook, last_visit(place),
            name="on_blocked", then="the conversation is parked",
        )  # fmt: skip
