"""What comes of an answer: it goes into the journal, and the step goes on."""

from __future__ import annotations

from typing import Any

from engine.routes.candidates import Answered, Outdated, Refused
from engine.routes.routing import Drafted, HubPressed
from engine.state.expiry import restart_silence
from engine.steps import branches, hub, showing
from engine.steps.entering import Then
from engine.steps.places import Place
from engine.steps.walk import Walk
from flows.errors import HandrailError
from flows.inputs import input_from_json
from flows.messages.replies import edited
from flows.turns.journal import MISSED, TRIES_USED
from flows.turns.questions import question, wait_buttons
from flows.turns.visit import Answer, Given, Visit, Waiting


class Answers:
    """Handles what the routing has found to be for a question.

    Args:
        person: whose answer it is.
    """

    def __init__(self, walk: Walk, person: str) -> None:
        self._walk = walk
        self._stage = walk.stage
        self._person = person

    async def answered(self, answered: Answered) -> None:
        """Somebody has given an answer that parses."""
        place, visit, waiting = _asked(answered.place)
        self._heard(place)
        stored = waiting.inputs[answered.input]
        if waiting.poll is not None:
            value = self._counted(waiting, answered.value)
            if value is None:
                return
            visit.answers.append(Answer(f"each {stored['kind']}", waiting.key, value))
        elif waiting.explicit:
            visit.given = Given(stored, answered.value)
            visit.waiting = None
            await self._walk.go(Then(place))
            return
        else:
            visit.answers.append(Answer(str(stored["kind"]), waiting.key, answered.value))
        await self._walk.go(Then(place, True, True))

    def _counted(self, waiting: Waiting, value: Any) -> dict[str, Any] | None:
        """Takes one answer of several; all of them, when they are enough."""
        poll = waiting.poll
        if poll is None:
            return None
        poll.answers[self._person] = value
        if len(poll.answers) >= poll.need:
            return poll.answers
        self._stage.remark(self._stage.texts.counted(len(poll.answers), poll.need))
        return None

    async def refused(self, refused: Refused) -> None:
        """An answer was meant for the question, and does not parse."""
        place, visit, waiting = _asked(refused.place)
        place.take_focus()
        if waiting.otherwise == "":
            await self._tell(place, refused=True)
            return
        waiting.failures += 1
        tries = input_from_json(waiting.inputs[refused.input]).tries
        if tries is None or waiting.failures < tries:
            text = waiting.otherwise or refused.reason
            showing.ask(self._stage, place, visit, waiting, text=text)
            return
        if waiting.explicit:
            await self._walk.go(await self._walk.gave_up(place))
            return
        visit.answers.append(Answer(TRIES_USED, waiting.key, waiting.failures))
        await self._walk.go(Then(place, fresh=True, replay=True))

    async def missed(self, place: Place) -> bool:
        """Something came that nobody takes. Answers whether the question says what happens then."""
        visit = place.line.visit
        waiting = visit.waiting if visit is not None else None
        if visit is None or waiting is None or waiting.otherwise is None:
            return False
        if waiting.otherwise:
            showing.ask(self._stage, place, visit, waiting, text=waiting.otherwise)
        else:
            await self._tell(place, refused=False)
        return True

    async def _tell(self, place: Place, *, refused: bool) -> None:
        """Runs the handler again, so that it is told of what its question does not take."""
        visit, waiting = place.visit, place.visit.waiting
        visit.answers.append(Answer(MISSED, waiting.key if waiting is not None else None, refused))
        await self._walk.go(Then(place, fresh=True, replay=True))

    async def outdated(self, outdated: Outdated) -> None:
        """What the question wants cannot be read by this code: the step starts again."""
        await self._walk.go(self._walk.restart(outdated.place, outdated.reason))

    def drafted(self, drafted: Drafted) -> None:
        """A press has changed what an interactive input holds: its buttons are shown anew."""
        place, visit, waiting = _asked(drafted.place)
        self._heard(place)
        if waiting.drafts[drafted.input] == drafted.state:
            return
        waiting.drafts[drafted.input] = drafted.state
        kept = [button for button in waiting.buttons if button.kept]
        inputs = [input_from_json(stored) for stored in waiting.inputs]
        waiting.buttons = [*wait_buttons(inputs, waiting.drafts), *kept]
        shown = question(waiting, self._stage.mint(place, visit.number))
        self._stage.effects.emit(edited(waiting.slot, shown))

    async def hub_pressed(self, pressed: HubPressed) -> None:
        """A branch is to be talked about, done again, or the fork left behind."""
        place, fork = pressed.place, pressed.place.instance.fork
        if fork is None:
            return
        restart_silence(place, self._stage.now)
        place.take_focus()
        if pressed.value == hub.CONTINUE:
            await self._walk.go(await branches.join(self._walk, place))
            return
        branch = fork.branch(pressed.value)
        if branch is None:
            return
        if branch.visit is None:  # done, or abandoned at a join that the person has come back from
            await branches.redo(self._walk, place, branch)
            return
        fork.focus = branch.head
        showing.show(self._stage, place)

    def _heard(self, place: Place) -> None:
        """The person has said something that was wanted here."""
        place.take_focus()
        place.instance.inputs += 1
        restart_silence(place, self._stage.now)


class NothingAsked(HandrailError, LookupError):
    """The routing found a question where there is none: a bug of ours, please report."""


def _asked(place: Place) -> tuple[Place, Visit, Waiting]:
    visit = place.line.visit
    if visit is None or visit.waiting is None:
        raise NothingAsked(f"instance {place.instance.id} asks nothing there")
    return place, visit, visit.waiting
