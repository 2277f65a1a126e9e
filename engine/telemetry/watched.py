"""Running turns, steps and sends under the eyes of observers."""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter
from typing import TYPE_CHECKING

from engine.intake.mailboxes import Item
from engine.steps.places import Place
from engine.steps.running import Called, Misfit, Rest, StepFailed, Suspended
from engine.telemetry.observer import StepBegun, StepEnded, StepOutcome
from engine.telemetry.observing import Observing
from engine.turns.scopes import message_key
from engine.turns.stage import Stage

if TYPE_CHECKING:
    from engine.turns.turn import Finished


async def watched_turn(observing: Observing, item: Item, run: Awaitable[Finished]) -> Finished:
    """Runs a turn."""
    observing.turn_begun(item)
    try:
        return await run
    finally:
        observing.turn_ran(item.seq)


async def watched_step(
    observing: Observing, place: Place, stage: Stage, run: Awaitable[Rest]
) -> Rest:
    """Runs a step handler. Raises StepFailed as it does."""
    flow, step = place.flow.name, place.visit.step
    begun = observing.step_begun(
        StepBegun(
            turn=stage.turn,
            conversation=message_key(stage.around.update),
            flow=flow,
            step=step,
            instance=place.instance.id,
        )
    )
    outcome: StepOutcome = "failed"
    error: str | None = None
    try:
        rest = await run
        outcome = _outcome(rest)
        return rest
    except StepFailed as failed:
        error = type(failed.cause).__name__
        raise
    finally:
        observing.step_ended(
            StepEnded(
                turn=stage.turn,
                flow=flow,
                step=step,
                outcome=outcome,
                seconds=perf_counter() - begun,
                error=error,
            )
        )


def _outcome(rest: Rest) -> StepOutcome:
    match rest:
        case Suspended():
            return "asked"
        case Called():
            return "called"
        case Misfit():
            return "misfit"
        case _:
            return "decided"
