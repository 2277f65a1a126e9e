"""The explorer: it talks with an App at random and reports what should not be.

Nothing leaves the process: conversations are kept in memory, and the clock is a virtual one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from engine.testing.choosing import Choosing
from engine.testing.exploration import Exploration, Finding, Kind, coverage, transcript_of
from engine.testing.failures import Failure
from engine.testing.shrinking import shortest
from engine.testing.transcript import Exchange
from engine.testing.tries import Tries
from engine.testing.trip import Trip, trip
from engine.testing.waiting import Place, Question

if TYPE_CHECKING:
    from engine.app import App


@dataclass(frozen=True, slots=True)
class _Suspect:
    """Something that was found, and how to tell that one has come to it again."""

    kind: Kind
    what: str
    turn: int
    reached: Callable[[Trip], bool]


async def explore(
    app: App, *, turns: int = 1000, seed: int = 0, texts: Sequence[str] = ()
) -> Exploration:
    """Sends the app so many inputs, and reports crashes, dead ends and loops, each with a short
    transcript of the way there.

    The inputs are the same for the same app and seed. What is random in the bot itself may
    differ from one exploration to the next.

    Args:
        texts: answers that nobody could guess: a promotion code, a password.

    Raises:
        ValueError: there are no turns.
    """
    if turns < 1:
        raise ValueError(f"turns is {turns}; at least 1 is needed")
    async with trip(app) as under_way:
        explorer = _Explorer(app, under_way, seed, texts)
        done = await explorer.run(turns)
        flows = tuple(coverage(flow, under_way.watch) for flow in app.registry.flows.values())
        suspects, way = explorer.suspects(), tuple(under_way.done)
    findings = [await _finding(app, suspect, way) for suspect in suspects]
    return Exploration(done, seed, flows, tuple(findings))


class _Explorer:
    def __init__(self, app: App, under_way: Trip, seed: int, texts: Sequence[str]) -> None:
        commands = [name for name, _ in app.router.commands()]
        self._choosing = Choosing(seed, commands, texts)
        self._trip = under_way
        self._tries = Tries(under_way.watch)
        self._first: dict[Question, int] = {}
        self._found: dict[str, _Suspect] = {}
        self._turn = 0

    async def run(self, turns: int) -> int:
        """Makes the turns; answers how many there were."""
        while self._turn < turns and not self._trip.stopped:
            self._turn += 1
            await self._step()
        return self._turn

    async def _step(self) -> None:
        who = self._choosing.somebody()
        before = await self._trip.where(who)
        choice = self._choosing.next(who, before, self._trip.chat)
        for failure in await self._trip.go(choice.exchange):
            self._suspect_failure(failure)
        if self._trip.stopped:
            return
        after = await self._trip.where(who)
        for place in after:
            self._first.setdefault(place.question, self._turn)
            if not place.waits:
                self._suspect_standstill(place)
        if choice.answers is not None and choice.answers.answerable:
            self._tries.answered(choice.answers, choice.exchange, after)

    def suspects(self) -> list[_Suspect]:
        """What was found, in the order of its turns."""
        for question, tried in self._tries.dead_ends():
            what = f"{question}: nothing passes it, not one of {tried}"
            self._suspect("dead end", what, question)
        for flow, questions in self._tries.rounds():
            steps = ", ".join(dict.fromkeys(one.step for one in questions))
            what = f"flow {flow!r} goes round {steps} and has never come to an end"
            self._suspect("loop", what, questions[0])
        return sorted(self._found.values(), key=lambda one: one.turn)

    def _suspect_failure(self, failure: Failure) -> None:
        kind: Kind = "loop" if failure.loop else "crash"
        reached = partial(_has_failed, name=failure.name)
        self._found.setdefault(failure.name, _Suspect(kind, failure.what, self._turn, reached))

    def _suspect_standstill(self, place: Place) -> None:
        what = f"{place.question}: it runs and waits for nothing"
        self._suspect("dead end", what, place.question)

    def _suspect(self, kind: Kind, what: str, question: Question) -> None:
        turn = self._first.get(question, self._turn)
        reached = partial(_has_reached, question=question)
        self._found.setdefault(f"{kind} {question}", _Suspect(kind, what, turn, reached))


def _has_failed(under_way: Trip, *, name: str) -> bool:
    return name in under_way.failures


def _has_reached(under_way: Trip, *, question: Question) -> bool:
    return question in under_way.reached


async def _finding(app: App, suspect: _Suspect, way: Sequence[Exchange]) -> Finding:
    short = await shortest(app, way, suspect.reached)
    return Finding(suspect.kind, suspect.what, suspect.turn, transcript_of(short or ()))
