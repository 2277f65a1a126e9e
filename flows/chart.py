"""A flow's local moves as a python-statemachine StateChart, and its transition table.

The chart holds what ``next`` may do: one state a step, one event an edge. Jumps, back,
detours and cancelling are the engine's own and never in it: a jump from anywhere would hide
unreachable steps, a cancel edge would hide dead ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import new_class
from typing import Any

from statemachine import State, StateChart
from statemachine.exceptions import InvalidDefinition

from flows.errors import HandrailError

COMPLETED = "completed"
"""The final state, and what the table calls the end. No step may bear this name."""

DONE = "(done)"
"""What the table calls the end of a branch; no name of a step can be this."""

FORK = "(fork)"
"""What the table calls the fork that follows a step."""

FINISH = "finish"
"""The event that leads there."""


class ChartRefused(HandrailError):
    """The library refuses a chart that our own checks have passed: a bug of ours, please report."""


def compile_chart(
    name: str, *, initial: str, edges: Mapping[str, Sequence[str]]
) -> type[StateChart[Any]]:
    """The chart of a flow whose definition was checked already.

    Args:
        edges: step name to the names of its targets, COMPLETED for the end.
    """
    states = {step: State(step, value=step, initial=step == initial) for step in edges}
    states[COMPLETED] = State(COMPLETED, value=COMPLETED, final=True)
    attributes: dict[str, Any] = {
        (COMPLETED if step == COMPLETED else f"s_{step}"): state for step, state in states.items()
    }
    for source, targets in edges.items():
        for target in targets:
            event = event_to(target)
            transition = states[source].to(states[target])
            known = attributes.get(event)
            attributes[event] = transition if known is None else known | transition
    # an error in a callback must surface, and an unknown move must not pass in silence
    attributes["catch_errors_as_events"] = False
    attributes["allow_event_without_transition"] = False
    try:
        chart: type[StateChart[Any]] = new_class(
            f"{name}_chart", (StateChart,), exec_body=lambda space: space.update(attributes)
        )
        return chart
    except InvalidDefinition as error:
        raise ChartRefused(f"the chart of flow {name!r}: {error}") from error


def event_to(target: str) -> str:
    """The event of the edges that lead to a step, or to the end."""
    return FINISH if target == COMPLETED else f"to_{target}"


def transition_table(chart: type[StateChart[Any]]) -> dict[str, tuple[str, ...]]:
    """Step name to the names of its targets, walked off the chart in declared order."""
    return {
        source: tuple(
            str(transition.target.value) for transition in state.transitions if transition.target
        )
        for source, state in chart.states_map.items()
        if source != COMPLETED
    }


def ways_on(targets: Sequence[str]) -> Sequence[str]:
    """Where ``next()`` without a step may go: the end is meant only where nothing else is."""
    return [target for target in targets if target != COMPLETED] or targets
