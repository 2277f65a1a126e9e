"""Doing what a plain handler has answered."""

from __future__ import annotations

from typing import Any

from flows.definition.naming import shown
from flows.fsm import KEEP, Stay, Transition
from flows.plain.context import Context


def follow(outcome: object, context: Context[Any, Any], handler: object) -> None:
    """Moves the state machine where the handler has decided so.

    Args:
        context: what the handler was given; it may answer it.

    Raises:
        TypeError: the answer is none.
        NoState, InvalidStateData: see ``flows.fsm.Machine``.
    """
    match outcome:
        case None:
            return
        case Transition(state=state, data=data):
            context.fsm.set_state(state, data)
        case Stay(data=data):
            if data is not KEEP:
                context.fsm.set_data(data)
        case _ if outcome is not context:
            raise TypeError(
                f"the handler {shown(handler)} answered {outcome!r}. A handler answers nothing, "
                "its context, transition(...) or stay(...)."
            )
