"""Handling what is due: reminders, lost time, and the end of what was left alone."""

from __future__ import annotations

from engine import moves, showing
from engine.conversations import Conversations
from engine.timers import Due, Kind, first_due
from engine.walk import Walk
from flows.instance import Status
from flows.journal import TIMED_OUT
from flows.visit import Answer

FIRED_LIMIT = 100
"""Due things that one turn handles; the alarm brings the rest."""


async def handle_due(walk: Walk, conversations: Conversations, *, until: int) -> bool:
    """Lets everything happen that was due by then, in order; answers whether anything was.

    What is due in a conversation is never before its alarm: most turns have nothing to look at.

    Raises:
        StepFailed: a step failed over it, and ``on_error`` did not help.
    """
    alarmed = [
        one for one in conversations.by_key.values() if one.alarm is not None and one.alarm <= until
    ]
    if not alarmed:
        return False
    happened = False
    for _ in range(FIRED_LIMIT):
        found = [
            due
            for conversation in alarmed
            if (due := first_due(conversation, walk.stage.flows)) is not None
        ]
        first = min(found, key=lambda due: due.order, default=None)
        if first is None or first.at > until:
            break
        await _happen(walk, first)
        conversations.uncover()
        happened = True
    return happened


async def _happen(walk: Walk, due: Due) -> None:
    match due.kind:
        case Kind.REMINDER:
            _remind(walk, due)
        case Kind.TIMEOUT:
            await _time_is_up(walk, due)
        case Kind.SILENCE | Kind.AGE:
            walk.stage.say(walk.stage.texts.expired)
            cause = "expired" if due.place.parent is not None else due.kind.name.lower()
            await walk.go(await moves.end(walk, due.place, Status.EXPIRED, cause=cause))


def _remind(walk: Walk, due: Due) -> None:
    waiting = due.place.visit.waiting
    if waiting is None:
        return
    rung = waiting.rungs.pop(0)
    walk.stage.say(rung.text or walk.stage.texts.reminder)
    showing.show_question(walk.stage, due.place)


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
    await walk.go(moves.Then(due.place, fresh=True, replay=True))
