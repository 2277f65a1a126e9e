"""Entering steps, and where a walk goes on."""

from __future__ import annotations

from engine.steps.places import Place
from engine.turns.stage import Moved, Stage
from flows.records import record


@record(frozen=True, slots=True)
class Then:
    """Where the walk goes on.

    Attributes:
        fresh: the journal's last answer has just come in.
        replay: what the step says before its live question, it has said before.
    """

    place: Place
    fresh: bool = False
    replay: bool = False


def enter(stage: Stage, place: Place, step: str, *, cause: str, origin: str | None = None) -> Then:
    """Enters a step on the line of the place."""
    instance, line = place.instance, place.line
    left = line.visit.step if line.visit is not None else None
    stage.moves.append(Moved(instance, left, step, cause))
    instance.version = place.flow.version
    instance.enter(step, line=line, origin=origin).new = True
    return Then(place, False, False)
