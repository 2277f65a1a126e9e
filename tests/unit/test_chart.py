"""The statechart and the table that the engine follows say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed

from engine.steps.places import top
from engine.steps.transitions import Enter, Finish, resolve
from flows import Action, DefinitionError, Flow, FlowBuilder, Turn
from flows.definition.chart import (
    COMPLETED,
    ChartRefused,
    compile_chart,
    event_to,
    transition_table,
)
from flows.definition.graph import dot, mermaid, text
from flows.definition.reach import check_edges
from flows.errors import AmbiguousNext, UndeclaredMove
from flows.turns.actions import END, Complete, Next
from flows.turns.instance import FlowInstance
from tests.support import Names, Three

Edges = Mapping[str, Sequence[str]]

FORK: Edges = {"A": ("B", "C"), "B": ("C", COMPLETED), "C": ("A", "C", COMPLETED)}


async def undecided(turn: Turn[Any, Any]) -> Action[Any]:
    """A handler that is never run."""
    raise AssertionError


def built(edges: Edges) -> Flow[Any, Names]:
    """The flow of these edges; the first step is the initial one."""
    steps: Any = Enum("Steps", list(edges))  # type: ignore[misc]  # made from data
    builder: FlowBuilder[Any, Names] = FlowBuilder("random", steps, Names)
    for name, targets in edges.items():
        to = [END if target == COMPLETED else steps[target] for target in targets]
        builder.step(steps[name], undecided, to=to)
    return builder.build(initial=next(iter(steps)))


def configuration(chart: StateChart[Any]) -> str:
    """The name of the state that a chart is in."""
    (state,) = chart.configuration
    return str(state.value)


# --- the compiled chart -----------------------------------------------------------------


def test_the_table_is_what_was_declared_in_its_order() -> None:
    assert transition_table(compile_chart("f", initial="A", edges=FORK)) == FORK


def test_a_chart_starts_at_the_initial_step() -> None:
    assert configuration(compile_chart("f", initial="B", edges=FORK)()) == "B"


def test_a_step_is_a_state_and_an_edge_an_event() -> None:
    chart = compile_chart("f", initial="A", edges=FORK)
    assert {state.id for state in chart.states} == {"s_A", "s_B", "s_C", COMPLETED}
    assert {event.id for event in chart().events} == {"to_A", "to_B", "to_C", "finish"}


def test_the_end_is_final_and_nothing_leaves_it() -> None:
    chart = compile_chart("f", initial="A", edges=FORK)()
    chart.send("to_C")
    chart.send("finish")
    assert chart.is_terminated
    assert configuration(chart) == COMPLETED


def test_a_move_that_is_not_declared_is_refused_by_the_chart() -> None:
    chart = compile_chart("f", initial="A", edges=FORK)()
    with pytest.raises(TransitionNotAllowed):
        chart.send("finish")
    assert configuration(chart) == "A"


def test_jumps_back_and_cancel_are_not_in_the_chart() -> None:
    async def jumps(turn: Turn[Three, Names]) -> Action[Three]:
        if turn.data.first:
            return turn.goto(Three.THIRD)
        return turn.cancel() if turn.data.second else turn.back()

    builder = FlowBuilder("three", Three, Names).step(Three.FIRST, jumps)
    builder.say(Three.SECOND, "2").say(Three.THIRD, "3")
    assert builder.build(initial=Three.FIRST).table == {
        "FIRST": ("SECOND",),
        "SECOND": ("THIRD",),
        "THIRD": (COMPLETED,),
    }


def test_a_chart_that_our_checks_would_have_refused_is_a_bug_of_ours() -> None:
    with pytest.raises(ChartRefused, match="the chart of flow 'f'"):
        compile_chart("f", initial="A", edges={"A": (COMPLETED,), "B": (COMPLETED,)})


# --- pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [mermaid, dot])
def test_a_picture_has_every_edge_of_the_table_and_no_other(draw: Any) -> None:
    drawn = draw(built(FORK))
    arrows = {tuple(line.strip(" ;").split(f" {arrow} ")) for line in drawn.splitlines()
              for arrow in ("-->", "->") if f" {arrow} " in line}  # fmt: skip
    start, end = ("[*]", "[*]") if draw is mermaid else ("start", "end")
    named = {
        (f"s_{source}", end if target == COMPLETED else f"s_{target}")
        for source, targets in FORK.items()
        for target in targets
    }
    assert arrows == named | {(start, "s_A")}


def test_the_text_names_the_ways_of_every_step() -> None:
    assert "  * A  -> B, C\n    B  -> C, completed\n    C  -> A, C, completed\n" in text(
        built(FORK)
    )


# --- any definition ---------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Any edges between up to six steps; many of them make no flow."""
    names = [f"S{number}" for number in range(draw(st.integers(1, 6)))]
    targets = st.lists(st.sampled_from([*names, COMPLETED]), min_size=1, max_size=4, unique=True)
    return {name: tuple(draw(targets)) for name in names}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Edges that make a flow: a chain through all steps to the end, and any others."""
    edges = draw(graphs())
    chain = [*edges, COMPLETED]
    return {
        name: tuple(dict.fromkeys((*edges[name], chain[place + 1])))
        for place, name in enumerate(edges)
    }


@given(edges=graphs())
@settings(max_examples=60)
def test_what_our_checks_pass_the_chart_takes_and_what_it_refuses_they_refuse(
    edges: dict[str, tuple[str, ...]],
) -> None:
    if passes(edges):
        assert transition_table(compile_chart("f", initial="S0", edges=edges)) == edges
        return
    with pytest.raises(ChartRefused):
        compile_chart("f", initial="S0", edges=edges)


def passes(edges: Edges) -> bool:
    """Whether our own checks have nothing against these edges."""
    try:
        check_edges("f", initial="S0", edges=edges)
    except DefinitionError:
        return False
    return True


@dataclass(frozen=True)
class _Moved:
    """What came of a move: where to, or the refusal."""

    to: str | None


def by_table(flow: Flow[Any, Any], step: str, action: Action[Any]) -> _Moved:
    """What the engine makes of a decision."""
    instance = FlowInstance(id="i", flow=flow.name, version=1, secret="", data={}, started=0)
    instance.enter(step)
    try:
        move = resolve(top(instance, {flow.name: flow}), action, None)
    except UndeclaredMove:
        return _Moved(None)
    if isinstance(move, Finish):
        return _Moved(COMPLETED)
    assert isinstance(move, Enter)
    return _Moved(move.step)


def by_chart(chart: StateChart[Any], target: str) -> _Moved:
    """What the chart makes of the event of the same move."""
    try:
        chart.send(event_to(target))
    except TransitionNotAllowed:
        return _Moved(None)
    return _Moved(configuration(chart))


class LocalMoves(RuleBasedStateMachine):
    """Drives random local moves through the chart and through the table, and compares."""

    flow: Flow[Any, Any]
    chart: StateChart[Any]
    step: str

    @initialize(edges=definitions())
    def start(self, edges: dict[str, tuple[str, ...]]) -> None:
        self.flow = built(edges)
        self.begin()

    def begin(self) -> None:
        self.chart = self.flow.chart()
        self.step = self.flow.initial.name

    def go(self, target: str) -> None:
        """One move on both."""
        action: Action[Any] = Complete() if target == COMPLETED else Next(self.flow.step(target))
        expected = by_table(self.flow, self.step, action)
        assert by_chart(self.chart, target) == expected
        self.step = expected.to or self.step

    @precondition(lambda self: self.step != COMPLETED)
    @rule(pick=st.integers(0, 5))
    def move_along_an_edge(self, pick: int) -> None:
        targets = self.flow.table[self.step]
        self.go(targets[pick % len(targets)])

    @precondition(lambda self: self.step != COMPLETED)
    @rule(pick=st.integers(0, 6))
    def try_any_move(self, pick: int) -> None:
        names = [*self.flow.table, COMPLETED]
        self.go(names[pick % len(names)])

    @precondition(lambda self: self.step != COMPLETED)
    @rule()
    def move_without_saying_where(self) -> None:
        targets = self.flow.table[self.step]
        steps = [target for target in targets if target != COMPLETED]
        if len(steps) > 1:
            with pytest.raises(AmbiguousNext):
                by_table(self.flow, self.step, Next())
            return
        way = steps[0] if steps else COMPLETED
        assert by_table(self.flow, self.step, Next()) == _Moved(way)
        self.go(way)

    @precondition(lambda self: self.step == COMPLETED)
    @rule()
    def start_again(self) -> None:
        assert self.chart.is_terminated
        self.begin()

    @invariant()
    def both_are_at_the_same_step(self) -> None:
        if hasattr(self, "chart"):
            assert configuration(self.chart) == self.step
            allowed = {event.id for event in self.chart.allowed_events}
            declared = self.flow.table.get(self.step, ())
            assert allowed == {event_to(target) for target in declared}


TestLocalMoves = LocalMoves.TestCase
TestLocalMoves.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
