"""Running hooks: they say, read and write as a step does, and never ask."""

from __future__ import annotations

import logging
from typing import Any

from engine.steps.places import Place
from engine.steps.running import StepFailed, run_hook
from engine.steps.settling import settle
from engine.turns.stage import Stage
from engine.turns.tracebacks import from_handler
from flows.flow import Hook
from flows.turns.visit import Visit

_log = logging.getLogger("handrail.engine")


async def run(
    stage: Stage, place: Place, hook: Hook[Any, Any, Any] | None, visit: Visit
) -> dict[str, Any]:
    """Runs a hook, and writes what it changed; answers the values that the data had there.

    Raises:
        StepFailed: it failed, or asked.
    """
    if hook is None:
        return {}
    left = await run_hook(place, hook, visit, stage=stage)
    try:
        return settle(stage, place, visit, data=left.data, session=left.session, as_of_entry=False)
    except Exception as error:  # what cannot be stored is the hook's failure
        raise StepFailed(error) from error


async def run_contained(
    stage: Stage,
    place: Place,
    hook: Hook[Any, Any, Any] | None,
    visit: Visit,
    *,
    name: str,
    then: str = "the flow ends",
) -> None:
    """As ``run``, where nothing may stop what is going on: a failure is logged.

    Args:
        then: what is going on, for the log.
    """
    said = stage.effects.mark()
    try:
        await run(stage, place, hook, visit)
    except StepFailed as failure:
        stage.effects.undo(said)
        _log.error(
            "flow %r, instance %s: its %s hook failed; %s all the same",
            place.flow.name, place.instance.id, name, then, exc_info=from_handler(failure.cause),
        )  # fmt: skip
