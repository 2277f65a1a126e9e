"""Which questions let nobody pass, and which flows go round and round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.testing.exploration import END
from engine.testing.transcript import Exchange
from engine.testing.waiting import Place, Question
from engine.testing.watch import Watch

MANY = 20
"""Answers after which a question that took none is a dead end."""

ROUNDS = 30
"""Answers without a new state, after which a flow that has never been completed goes round."""

GAVE_UP = "too many tries"
"""The cause in the log when an instance ends because its question let nobody pass."""


@dataclass(slots=True)
class _Tried:
    answers: list[str] = field(default_factory=list)
    passed: bool = False


@dataclass(slots=True)
class _Course:
    """What one instance has been through."""

    flow: str
    seen: set[str] = field(default_factory=set)
    stale: int = 0
    round: set[Question] = field(default_factory=set)


class Tries:
    """Takes note of answers and of what they have changed."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._tried: dict[Question, _Tried] = {}
        self._courses: dict[str, _Course] = {}

    def answered(self, before: Place, exchange: Exchange, after: Sequence[Place]) -> None:
        """An answer that the question should take was given."""
        moved = all((one.instance, one.state) != (before.instance, before.state) for one in after)
        tried = self._tried.setdefault(before.question, _Tried())
        tried.answers.append(exchange.written)
        tried.passed = tried.passed or (moved and not self._gave_up(before.instance))
        if moved:
            self._follow(before, after)

    def dead_ends(self) -> Iterator[tuple[Question, str]]:
        """Questions that many answers did not pass, and what was tried."""
        for question, tried in self._tried.items():
            if not tried.passed and len(tried.answers) >= MANY:
                examples = ", ".join(repr(one) for one in list(dict.fromkeys(tried.answers))[:3])
                yield question, f"{len(tried.answers)} answers, such as {examples}"

    def rounds(self) -> Iterator[tuple[str, list[Question]]]:
        """Flows that go round without an end, and the questions of the round."""
        done = {row.flow for row in self._watch.instances.values() if row.status == END}
        for course in self._courses.values():
            if course.stale >= ROUNDS and course.flow not in done:
                yield course.flow, sorted(course.round, key=str)

    def _gave_up(self, instance: str) -> bool:
        return any(move.cause == GAVE_UP for move in self._watch.moves if move.instance == instance)

    def _follow(self, before: Place, after: Sequence[Place]) -> None:
        now = next((one for one in after if one.instance == before.instance), None)
        course = self._courses.setdefault(before.instance, _Course(before.question.flow))
        if now is None:
            return
        if now.state in course.seen:
            course.stale += 1
            course.round.add(now.question)
        else:
            course.seen.add(now.state)
            course.stale = 0
            course.round.clear()
