"""Forks and conditional edges: python-statemachine's own steps against those of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed

from flows import END, Action, Flow, FlowBuilder, Turn
from flows.definition.chart import (
    COMPLETED,
    DONE,
    FORK,
    compile_chart,
    event_of_join,
    event_of_redo,
    event_to,
    transition_table,
)
from flows.definition.forks import Fork
from tests.support import Names


async def undecided(turn: Turn[Any, Any]) -> Action[Any]:
    """A handler that is never run."""
    raise AssertionError


def leaves(chart: StateChart[Any]) -> set[str]:
    """The steps and the ends of branches that a chart is in."""
    return {str(state.value) for state in chart.configuration if not state.states}


# --- by hand ----------------------------------------------------------------------------


def forked(need: int) -> StateChart[Any]:
    """At the fork after START: (EMAIL, EMAIL_OK) and PHONE, joined at REVIEW."""
    fork = Fork("START", (("EMAIL", "EMAIL_OK"), ("PHONE",)), "REVIEW", need, {})
    edges = {
        "START": (FORK,),
        "EMAIL": ("EMAIL_OK", DONE),
        "EMAIL_OK": (DONE,),
        "PHONE": (DONE,),
        "REVIEW": (COMPLETED,),
    }
    chart = compile_chart("kyc", initial="START", edges=edges, forks={"START": fork})
    table = transition_table(chart)
    assert {step: table[step] for step in edges} == edges
    running = chart()
    running.send(event_to(FORK, "START"))
    return running


def test_a_fork_opens_every_branch_at_its_head() -> None:
    assert leaves(forked(need=2)) == {"EMAIL", "PHONE"}


def test_the_library_joins_where_all_branches_are_needed() -> None:
    chart = forked(need=2)
    chart.send(event_to(DONE, "PHONE"))
    chart.send(event_to("EMAIL_OK"))
    assert leaves(chart) == {"EMAIL_OK", "(done) PHONE"}
    chart.send(event_to(DONE, "EMAIL"))
    assert leaves(chart) == {"REVIEW"}


def test_a_branch_is_done_again_without_touching_the_others() -> None:
    chart = forked(need=2)
    chart.send(event_to("EMAIL_OK"))
    chart.send(event_to(DONE, "PHONE"))
    chart.send(event_of_redo("PHONE"))
    assert leaves(chart) == {"EMAIL_OK", "PHONE"}


def test_where_one_branch_is_enough_the_engine_joins() -> None:
    chart = forked(need=1)
    chart.send(event_to(DONE, "PHONE"))
    assert leaves(chart) == {"EMAIL", "(done) PHONE"}
    chart.send("join_START")
    assert leaves(chart) == {"REVIEW"}


# --- any definition ---------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """A definition: a chain of steps, each of which has edges, cases, or a fork after it."""

    edges: Mapping[str, Sequence[str]]
    cases: Mapping[str, Sequence[str]]
    forks: Mapping[str, tuple[Sequence[Sequence[str]], int]]


@st.composite
def definitions(draw: st.DrawFn) -> Drawn:
    """Every step of the chain leads at least to the next one."""
    line = [f"L{number}" for number in range(draw(st.integers(1, 4)))]
    drawn: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {})
    edges, cases, forks = drawn
    for step, following in zip(line, [*line[1:], COMPLETED], strict=True):
        others = draw(st.lists(st.sampled_from([*line, COMPLETED]), max_size=2))
        kind = draw(st.sampled_from(["edges", "cases", "fork"]))
        if kind == "cases":
            cases[step] = [*others, following]
            continue
        edges[step] = others if kind == "fork" else [*others, following]
        if kind == "fork":
            branches = draw(_branches(step, edges))
            forks[step] = branches, draw(st.integers(1, len(branches)))
    return Drawn(*drawn)


@st.composite
def _branches(draw: st.DrawFn, after: str, edges: dict[str, Any]) -> list[list[str]]:
    """Up to three branches of up to three steps, whose edges are added to ``edges``."""
    branches = []
    for number in range(draw(st.integers(1, 3))):
        branch = [f"{after}_{number}{letter}" for letter in "abc"[: draw(st.integers(1, 3))]]
        for step, following in zip(branch, [*branch[1:], DONE], strict=True):
            more = draw(st.lists(st.sampled_from([*branch, DONE]), max_size=2))
            edges[step] = [*more, following]
        branches.append(branch)
    return branches


def built(drawn: Drawn) -> Flow[Any, Names]:
    """The flow, through the calls that people write."""
    names = sorted({*drawn.edges, *drawn.cases})
    steps: Any = Enum("Steps", names)  # type: ignore[misc]  # made from data
    line = [name for name in names if "_" not in name]
    joins = dict(zip(line, [*line[1:], COMPLETED], strict=True))

    def target(step: str, name: str) -> Any:
        there = joins[step.split("_")[0]] if name == DONE else name
        return END if there == COMPLETED else steps[there]

    builder: FlowBuilder[Any, Names] = FlowBuilder("random", steps, Names)
    for step, targets in drawn.edges.items():
        builder.step(steps[step], undecided, to=[target(step, name) for name in targets])
    for step, targets in drawn.cases.items():
        cases = [(_counts(place), target(step, name)) for place, name in enumerate(targets[:-1])]
        builder.branch(steps[step], cases or [(bool, target(step, targets[-1]))],
                       otherwise=target(step, targets[-1]))  # fmt: skip
    for after, (branches, need) in drawn.forks.items():
        heads = [tuple(steps[step] for step in branch) for branch in branches]
        builder.parallel(
            from_=steps[after], steps=heads, join=target(after, joins[after]), need=need
        )
    return builder.build(initial=steps["L0"])


def _counts(place: int) -> Any:
    return lambda data: data.count == place


@given(drawn=definitions())
@settings(max_examples=60, deadline=None)
def test_the_table_says_what_was_declared(drawn: Drawn) -> None:
    table = built(drawn).table
    for step, targets in {**drawn.edges, **drawn.cases}.items():
        declared = [*targets, *((FORK,) if step in drawn.forks else ())]
        assert table[step] == tuple(dict.fromkeys(declared))


@dataclass
class ByTable:
    """A run along the table: where it is, and the place in each branch while a fork is open."""

    flow: Flow[Any, Any]
    step: str
    fork: Fork | None = None
    branches: dict[str, str] = field(default_factory=dict)

    def leaves(self) -> set[str]:
        """The steps and the ends of branches that it is in, named as in the chart."""
        if self.fork is None:
            return {self.step}
        return {f"{DONE} {head}" if at == DONE else at for head, at in self.branches.items()}

    def events(self) -> dict[str, tuple[str, str]]:
        """The events that can be, each with its target and the head of its branch, or none."""
        places = self.branches.items() if self.fork else [("", self.step)]
        return {
            event_to(target, head or at): (head, target)
            for head, at in places
            for target in self.flow.table.get(at, ())
        }

    def go(self, head: str, target: str) -> None:
        """One move along the table."""
        if head:
            self.branches[head] = target
        elif target == FORK:
            self.fork = self.flow.forks[self.step]
            self.branches = {head: head for head in self.fork.heads}
        else:
            self.step = target

    def joins(self) -> Fork | None:
        """The fork, where enough of its branches are done; it is over then."""
        fork = self.fork
        if fork is None or list(self.branches.values()).count(DONE) < fork.need:
            return None
        self.fork, self.step = None, fork.join
        return fork


class Forks(RuleBasedStateMachine):
    """Drives random local moves through the chart and along the table, and compares."""

    flow: Flow[Any, Any]
    chart: StateChart[Any]
    run: ByTable

    @initialize(drawn=definitions())
    def start(self, drawn: Drawn) -> None:
        self.flow = built(drawn)
        self.begin()

    def begin(self) -> None:
        self.chart = self.flow.chart()
        self.run = ByTable(self.flow, self.flow.initial.name)

    def send(self, event: str, head: str, target: str) -> None:
        """One move on both, and the join where it is due."""
        self.chart.send(event)
        self.run.go(head, target)
        fork = self.run.joins()
        if fork is not None and not fork.needs_all:
            self.chart.send(event_of_join(fork))

    @precondition(lambda self: self.run.step != COMPLETED)
    @rule(pick=st.integers(0, 11))
    def move_along_an_edge(self, pick: int) -> None:
        events = sorted(self.run.events().items())
        event, (head, target) = events[pick % len(events)]
        self.send(event, head, target)

    @precondition(lambda self: self.run.fork is None and self.run.step in self.flow.branchings)
    @rule(count=st.integers(0, 3))
    def move_where_the_data_says(self, count: int) -> None:
        target = self.flow.branchings[self.run.step].choose(Names(count=count))
        self.send(event_to(target), "", target)

    @precondition(lambda self: self.run.fork is not None)
    @rule(pick=st.integers(0, 2))
    def do_a_branch_again(self, pick: int) -> None:
        heads = sorted(self.run.branches)
        head = heads[pick % len(heads)]
        self.send(event_of_redo(head), head, head)

    @rule(pick=st.integers(0, 30))
    def try_a_move_that_is_not_declared(self, pick: int) -> None:
        every = {event.id for event in self.flow.chart().events if event.id[:3] != "don"}
        never = sorted(every - self.allowed())
        if never:
            with pytest.raises(TransitionNotAllowed):
                self.chart.send(never[pick % len(never)])

    @precondition(lambda self: self.run.step == COMPLETED)
    @rule()
    def start_again(self) -> None:
        assert self.chart.is_terminated
        self.begin()

    def allowed(self) -> set[str]:
        """The events that the chart should allow, by the table."""
        fork = self.run.fork
        if fork is None:
            return set(self.run.events())
        return {*self.run.events(), event_of_join(fork), *map(event_of_redo, fork.heads)}

    @invariant()
    def both_are_at_the_same_steps(self) -> None:
        if hasattr(self, "chart"):
            assert leaves(self.chart) == self.run.leaves()
            # the library names the event of a join in a second way, too
            seen = {event.id for event in self.chart.allowed_events}
            assert {event for event in seen if not event.startswith("done.")} == self.allowed()


TestForks = Forks.TestCase
TestForks.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
