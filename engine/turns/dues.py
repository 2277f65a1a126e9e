"""Handling what is due: reminders, lost time, and the end of what was left alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

from engine.state.timers import Due, Kind, first_due, pass_over_reminders
from engine.steps import endings, showing
from engine.steps.entering import Then
from engine.steps.places import Flows, every, top
from engine.steps.walk import Walk
from engine.turns.conversations import Conversations
from engine.turns.tracebacks import from_handler
from flows.turns.instance import FlowInstance, Status
from flows.turns.journal import TIMED_OUT
from flows.turns.visit import Answer

FIRED_LIMIT = 100
"""Due things that one turn handles; the alarm brings the rest."""

_log = logging.getLogger("handrail.timers")


def any_alarm(conversations: Conversations) -> bool:
    """Whether anything will ever be due: in most conversations nothing is."""
    for conversation in conversations.by_key.values():  # noqa: SIM110 -- in every turn
        if conversation.alarm is not None:
            return True
    return False


def may_be_due(conversations: Conversations, *, until: int) -> bool:
    """Whether something may have been due by then: what is due in a conversation is never before
    its alarm, so that most turns have nothing to look at.
    """
    for conversation in conversations.by_key.values():
        if conversation.alarm is not None and conversation.alarm <= until:
            return True
    return False


async def handle_due(
    walk: Walk,
    conversations: Conversations,
    *,
    until: int,
    undone: Callable[[], AbstractContextManager[None]],
) -> FlowInstance | None:
    """Lets everything happen that was due by then, in order; answers the instance to which the
    last of it happened. What fails has left no trace but an apology, and does not come again:
    it would stand in the way of everything else.

    Args:
        undone: what happens inside is undone if it raises.
    """
    last: FlowInstance | None = None
    sorry = False
    for _ in range(FIRED_LIMIT):
        due = _next_due(conversations, walk.stage.flows)
        if due is None or due.at > until:
            break
        last = due.place.root
        try:
            with undone():
                await _happen(walk, due)
                _uncover(walk, conversations, at=due.at)
        except Exception as error:  # whatever a step raises
            _drop(_next_due(conversations, walk.stage.flows))
            for conversation in conversations.by_key.values():
                conversation.current = False  # a clock that was stopped is set anew
            _log.error(
                "what was due in flow %r, instance %s failed and is dropped: %s",
                last.flow, last.id, error, exc_info=from_handler(error),
            )  # fmt: skip
            sorry = True
    if sorry:
        walk.stage.say(walk.stage.texts.apology)
    return last


def _next_due(conversations: Conversations, flows: Flows) -> Due | None:
    found = (first_due(conversation, flows) for conversation in conversations.by_key.values())
    return min((due for due in found if due), key=lambda due: due.order, default=None)


def _uncover(walk: Walk, conversations: Conversations, *, at: int) -> None:
    """Takes off what has ended; what it hid is shown, so its held reminders are over.

    Args:
        at: when that was due, which may be long ago.
    """
    before = {one.id for one in conversations.tops()}
    if not conversations.uncover():
        return
    for one in conversations.tops():
        if one.id not in before:
            pass_over_reminders(one, walk.stage.flows, at)


def _drop(due: Due | None) -> None:
    """Lets go of something that cannot happen."""
    if due is None:
        return
    waiting = due.place.line.visit.waiting if due.place.line.visit is not None else None
    match due.kind:
        case Kind.SILENCE:
            due.place.instance.silent = None
        case Kind.AGE:
            due.place.instance.oldest = None
        case Kind.TIMEOUT if waiting is not None:
            waiting.deadline = None
        case Kind.REMINDER if waiting is not None:
            waiting.rungs.pop(0)


async def _happen(walk: Walk, due: Due) -> None:
    match due.kind:
        case Kind.REMINDER:
            _remind(walk, due)
        case Kind.TIMEOUT:
            await _time_is_up(walk, due)
        case Kind.SILENCE | Kind.AGE:
            walk.stage.say(walk.stage.texts.expired)
            cause = "expired" if due.place.parent is not None else due.kind.name.lower()
            await walk.go(await endings.end(walk, due.place, Status.EXPIRED, cause=cause))


def _remind(walk: Walk, due: Due) -> None:
    waiting = due.place.visit.waiting
    if waiting is None:
        return
    text = waiting.rungs.pop(0).text
    walk.stage.say(text or walk.stage.texts.reminder)
    if due.place.held:
        _remind_of_the_rest(walk, due, text)
    showing.show_question(walk.stage, due.place)


def _remind_of_the_rest(walk: Walk, due: Due, text: str) -> None:
    """Branches of which nobody talks are reminded of together, where it is time for several."""
    for place in every(top(due.place.root, walk.stage.flows), walk.stage.flows):
        visit = place.line.visit
        waiting = visit.waiting if visit is not None else None
        if waiting is None or not waiting.rungs or not place.held:
            continue
        if (waiting.rungs[0].due, waiting.rungs[0].text) == (due.at, text):
            waiting.rungs.pop(0)
            showing.show_question(walk.stage, place)


async def _time_is_up(walk: Walk, due: Due) -> None:
    visit = due.place.visit
    if visit.waiting is None:
        return
    visit.waiting.deadline = None
    visit.waiting.rungs = []
    if visit.waiting.explicit:
        await walk.go(await walk.lost_time(due.place))
        return
    visit.answers.append(Answer(TIMED_OUT, visit.waiting.key, None))
    await walk.go(Then(due.place, fresh=True, replay=True))
