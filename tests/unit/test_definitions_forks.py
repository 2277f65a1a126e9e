"""Forks and conditional edges: their defaults, and mistakes refused with flow and step named."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import pytest

from flows import END, Action, DefinitionError, FlowBuilder, Turn
from flows.definition.chart import transition_table
from tests.support import Names


class Step(Enum):
    """A fork after START, of EMAIL and EMAIL_OK, PHONE and DOCUMENT, that joins at REVIEW."""

    START = auto()
    EMAIL = auto()
    EMAIL_OK = auto()
    PHONE = auto()
    DOCUMENT = auto()
    REVIEW = auto()


Builder = FlowBuilder[Step, Names]

BRANCHES: Any = [(Step.EMAIL, Step.EMAIL_OK), Step.PHONE, Step.DOCUMENT]


async def go_on(turn: Turn[Any, Any]) -> Action[Any]:
    """Leaves along the only edge."""
    return turn.next()


def bare(*but: Step) -> Builder:
    """Every step apart from those in ``but`` has a handler; there is no fork yet."""
    builder = FlowBuilder("kyc", Step, Names)
    for step in Step:
        if step not in but:
            builder.step(step, go_on)
    return builder


def forked(*but: Step, **more: Any) -> Builder:
    """The same, with the fork."""
    fork: dict[str, Any] = {"from_": Step.START, "steps": BRANCHES, "join": Step.REVIEW}
    return bare(*but).parallel(**fork | more)


def refused(act: Callable[[], object], words: str, *, step: str | None = None) -> None:
    """``act`` must be refused in these words."""
    with pytest.raises(DefinitionError) as caught:
        act()
    assert words in str(caught.value)
    assert (caught.value.flow, caught.value.step) == ("kyc", step)


def refused_at_build(builder: Builder, words: str, *, step: str | None = None) -> None:
    """``build`` must refuse in these words."""
    refused(lambda: builder.build(initial=Step.START), words, step=step)


# --- the defaults -----------------------------------------------------------------------


def test_a_fork_needs_no_edges_where_the_steps_follow_the_enum() -> None:
    flow = forked().build(initial=Step.START)
    assert flow.table == {
        "START": ("(fork)",),
        "EMAIL": ("EMAIL_OK",),
        "EMAIL_OK": ("(done)",),
        "PHONE": ("(done)",),
        "DOCUMENT": ("(done)",),
        "REVIEW": ("completed",),
    }
    assert transition_table(flow.chart) == flow.table


def test_a_fork_says_its_branches_its_join_and_its_need() -> None:
    fork = forked().build(initial=Step.START).forks["START"]
    assert fork.branches == (("EMAIL", "EMAIL_OK"), ("PHONE",), ("DOCUMENT",))
    assert (fork.after, fork.join, fork.need) == ("START", "REVIEW", 3)
    assert fork.heads == ("EMAIL", "PHONE", "DOCUMENT")


def test_a_step_before_a_fork_needs_no_handler() -> None:
    flow = forked(Step.START).build(initial=Step.START)
    assert flow.table["START"] == ("(fork)",)
    assert flow.code["START"].step is Step.START


def test_a_step_before_a_fork_may_go_elsewhere_too() -> None:
    async def either(turn: Turn[Step, Names]) -> Action[Step]:
        return turn.next(Step.REVIEW) if turn.data.first else turn.next()

    builder = forked(Step.START).step(Step.START, either, to=[Step.REVIEW])
    assert builder.build(initial=Step.START).table["START"] == ("REVIEW", "(fork)")


def test_a_fork_may_join_at_the_end() -> None:
    class Two(Enum):
        LEFT = 1
        RIGHT = 2
        START = 3

    builder = FlowBuilder("two", Two, Names).step(Two.LEFT, go_on).step(Two.RIGHT, go_on)
    flow = builder.parallel(from_=Two.START, steps=[Two.LEFT, Two.RIGHT], join=END).build(
        initial=Two.START
    )
    assert flow.forks["START"].join == "completed"


def test_a_branch_is_labelled_in_words_unless_said() -> None:
    flow = forked(labels={Step.PHONE: "Call me"}).build(initial=Step.START)
    assert flow.forks["START"].labels == {
        "EMAIL": "Email",
        "PHONE": "Call me",
        "DOCUMENT": "Document",
    }


@pytest.mark.parametrize(("need", "number"), [("all", 3), ("any", 1), (2, 2)])
def test_need_is_counted(need: Any, number: int) -> None:
    assert forked(need=need).build(initial=Step.START).forks["START"].need == number


@pytest.mark.parametrize("to", [[Step.REVIEW], []])
def test_a_branch_step_that_leads_to_the_join_or_nowhere_ends_its_branch(to: Any) -> None:
    builder = forked(Step.PHONE).step(Step.PHONE, go_on, to=to)
    assert builder.build(initial=Step.START).table["PHONE"] == ("(done)",)


def test_moves_that_end_a_branch_early_need_no_edge() -> None:
    async def done(turn: Any) -> Any:
        return turn.done() if turn.data.first else turn.next()

    async def joins(turn: Turn[Any, Any]) -> Action[Any]:
        return turn.next(Step.REVIEW) if turn.data.first else turn.next(Step.EMAIL_OK)

    async def changes(turn: Turn[Any, Any]) -> Action[Any]:
        return turn.next(Step.PHONE) if turn.data.first else turn.next()

    for handler in (done, joins, changes):
        flow = forked(Step.EMAIL).step(Step.EMAIL, handler).build(initial=Step.START)
        assert flow.table["EMAIL"] == ("EMAIL_OK", "(done)")


def test_a_flow_may_have_several_forks_one_after_the_other() -> None:
    class Two(Enum):
        FIRST = auto()
        A = auto()
        B = auto()
        SECOND = auto()
        C = auto()
        D = auto()

    builder = FlowBuilder("two", Two, Names)
    for step in (Two.A, Two.B, Two.C, Two.D):
        builder.step(step, go_on)
    builder.parallel(from_=Two.FIRST, steps=[Two.A, Two.B], join=Two.SECOND)
    flow = builder.parallel(from_=Two.SECOND, steps=[Two.C, Two.D], join=END, need=1).build(
        initial=Two.FIRST
    )
    assert flow.table["FIRST"] == flow.table["SECOND"] == ("(fork)",)


# --- the arguments ----------------------------------------------------------------------


def test_a_second_fork_after_one_step_is_refused() -> None:
    builder = forked()
    refused(
        lambda: builder.parallel(from_=Step.START, steps=[Step.REVIEW], join=END),
        "a fork follows it already",
        step="START",
    )


@pytest.mark.parametrize(("steps", "words"), [
    ([], "its fork has no branches"),
    ([(), Step.PHONE], "a branch of its fork is empty"),
    (Step.PHONE, "takes a list of branches"),
    ([Step.START], "it cannot be in a branch of the fork that follows it"),
])  # fmt: skip
def test_branches_that_are_none_are_refused(steps: Any, words: str) -> None:
    refused(lambda: forked(steps=steps), words, step="START")


def test_a_step_in_two_branches_is_refused() -> None:
    both = [(Step.EMAIL, Step.PHONE), Step.PHONE]
    refused(lambda: forked(steps=both), "it is in two branches", step="PHONE")


@pytest.mark.parametrize("need", [0, 4, -1, True, "most", None, 1.5])
def test_a_need_that_cannot_be_met_is_refused(need: Any) -> None:
    refused(lambda: forked(need=need), 'is "all", "any" or a number from 1 to 3', step="START")


def test_a_label_for_what_is_no_head_is_refused() -> None:
    refused(
        lambda: forked(labels={Step.EMAIL_OK: "Right?"}),
        "a label is for EMAIL_OK, which is the head of no branch",
        step="START",
    )


def test_two_branches_with_one_label_are_refused() -> None:
    refused(lambda: forked(labels={Step.PHONE: "Email"}), "are labelled 'Email'", step="EMAIL")


def test_a_merge_of_what_is_no_field_is_refused() -> None:
    refused(lambda: forked(merge={"cuont": sum}), "names 'cuont', which is no field", step="START")


def test_builtin_functions_merge() -> None:
    flow = forked(merge={"count": sum, "first": max}).build(initial=Step.START)
    assert flow.forks["START"].merge["count"]([1, 2]) == 3


def test_a_merge_and_a_hub_that_cannot_be_called_are_refused() -> None:
    refused(lambda: forked(merge={"count": lambda: 1}), "must be 'def (values)'", step="START")
    refused(lambda: forked(hub="Three things"), "must be 'def (progress)'", step="START")


# --- the graph --------------------------------------------------------------------------


def test_an_edge_into_a_branch_is_refused() -> None:
    builder = forked(Step.REVIEW).step(Step.REVIEW, go_on, to=[Step.PHONE, END])
    refused_at_build(builder, "Only the fork enters its branches", step="REVIEW")


def test_an_edge_out_of_a_branch_to_another_step_is_refused() -> None:
    builder = forked(Step.PHONE).step(Step.PHONE, go_on, to=[Step.START])
    refused_at_build(builder, "A branch leads only to its join, REVIEW", step="PHONE")


def test_an_edge_from_a_branch_to_the_end_is_refused() -> None:
    builder = forked(Step.PHONE).step(Step.PHONE, go_on, to=[END])
    refused_at_build(builder, "its edge leads to END, out of its branch", step="PHONE")


def test_a_complete_in_a_branch_is_refused() -> None:
    async def completes(turn: Turn[Step, Names]) -> Action[Step]:
        return turn.complete()

    builder = forked(Step.PHONE).step(Step.PHONE, completes)
    refused_at_build(builder, "Say turn.done()", step="PHONE")


def test_a_done_outside_of_branches_is_refused() -> None:
    async def done(turn: Any) -> Any:
        return turn.done()

    builder = forked(Step.REVIEW).step(Step.REVIEW, done)
    refused_at_build(builder, "it is in no branch", step="REVIEW")


def test_a_fork_in_a_branch_is_refused() -> None:
    builder = bare().parallel(from_=Step.START, steps=[Step.EMAIL, Step.PHONE], join=Step.REVIEW)
    builder.parallel(from_=Step.PHONE, steps=[Step.DOCUMENT], join=Step.REVIEW)
    refused_at_build(builder, "Forks nest through child flows", step="PHONE")


def test_a_join_in_a_branch_is_refused() -> None:
    refused_at_build(forked(join=Step.PHONE), "joins at PHONE, which is in a branch", step="START")


def test_a_start_in_a_branch_is_refused() -> None:
    refused(lambda: forked().build(initial=Step.PHONE), "Start before the fork", step="PHONE")


def test_a_dead_end_in_a_branch_is_refused() -> None:
    builder = forked(Step.EMAIL_OK).step(Step.EMAIL_OK, go_on, to=[Step.EMAIL])
    refused_at_build(builder, "no way leads from it to the end of its branch", step="EMAIL")


def test_a_step_of_a_branch_that_nothing_leads_to_is_refused() -> None:
    builder = forked(Step.EMAIL).step(Step.EMAIL, go_on, to=[Step.REVIEW])
    refused_at_build(builder, "from the head of its branch, EMAIL", step="EMAIL_OK")


def test_a_fork_that_nothing_leads_to_is_refused() -> None:
    class Late(Enum):
        FIRST = auto()
        LAST = auto()
        FORK = auto()
        LEFT = auto()

    builder = FlowBuilder("kyc", Late, Names).step(Late.FIRST, go_on).step(Late.LEFT, go_on)
    builder.step(Late.LAST, go_on, to=[])
    builder.parallel(from_=Late.FORK, steps=[Late.LEFT], join=END)
    refused(lambda: builder.build(initial=Late.FIRST), "no edge leads to it", step="FORK")


def test_a_default_edge_that_would_enter_a_branch_is_refused() -> None:
    builder = bare().parallel(from_=Step.START, steps=[Step.PHONE, Step.DOCUMENT], join=Step.EMAIL)
    refused_at_build(builder, "Say where this step goes: to=[...]", step="EMAIL_OK")


# --- conditional edges ------------------------------------------------------------------


class Age(Enum):
    """Three ways to go after ASK."""

    ASK = auto()
    CHILD = auto()
    ADULT = auto()


def aged(*but: Age) -> FlowBuilder[Age, Names]:
    """Every step has a handler apart from those in ``but``."""
    builder = FlowBuilder("kyc", Age, Names)
    for step in Age:
        if step not in but:
            builder.step(step, go_on, to=[] if step is Age.CHILD else None)
    return builder


def test_conditional_edges_are_edges_and_the_step_needs_no_handler() -> None:
    builder = aged(Age.ASK).branch(
        Age.ASK, [(lambda data: data.count < 18, Age.CHILD)], otherwise=Age.ADULT
    )
    flow = builder.build(initial=Age.ASK)
    assert flow.table["ASK"] == ("CHILD", "ADULT")
    assert flow.branchings["ASK"].choose(Names(count=3)) == "CHILD"
    assert flow.branchings["ASK"].choose(Names(count=30)) == "ADULT"


def test_a_conditional_edge_may_lead_to_the_end() -> None:
    builder = FlowBuilder("kyc", Age, Names).step(Age.CHILD, go_on).step(Age.ADULT, go_on)
    builder.branch(Age.ASK, [(lambda data: data.count > 99, END)], otherwise=Age.CHILD)
    flow = builder.build(initial=Age.ASK)
    assert flow.table["ASK"] == ("completed", "CHILD")
    assert flow.branchings["ASK"].choose(Names(count=100)) == "completed"


def test_a_conditional_edge_in_a_branch_may_end_it() -> None:
    builder = forked().branch(
        Step.EMAIL, [(lambda data: data.first == "", Step.REVIEW)], otherwise=Step.EMAIL_OK
    )
    flow = builder.build(initial=Step.START)
    assert flow.table["EMAIL"] == ("(done)", "EMAIL_OK")
    assert flow.branchings["EMAIL"].choose(Names()) == "(done)"


def test_a_conditional_edge_out_of_a_branch_is_refused() -> None:
    builder = forked().branch(Step.PHONE, [(bool, Step.START)], otherwise=Step.REVIEW)
    refused_at_build(builder, "out of its branch", step="PHONE")


def test_a_step_with_conditional_edges_and_a_fork_is_refused() -> None:
    builder = forked().branch(Step.START, [(bool, Step.REVIEW)], otherwise=END)
    refused_at_build(builder, "conditional edges and a fork follow it", step="START")


def test_conditional_edges_without_cases_or_twice_are_refused() -> None:
    refused(lambda: aged().branch(Age.ASK, [], otherwise=END), "has no cases", step="ASK")
    builder = aged().branch(Age.ASK, [(bool, Age.CHILD)], otherwise=Age.ADULT)
    refused(
        lambda: builder.branch(Age.ASK, [(bool, END)], otherwise=END),
        "has conditional edges already",
        step="ASK",
    )


async def _later(data: Names) -> bool:
    raise AssertionError


@pytest.mark.parametrize("predicate", [True, None, _later, lambda: True, lambda a, b: True])
def test_a_predicate_that_is_no_function_of_the_data_is_refused(predicate: Any) -> None:
    refused(
        lambda: aged().branch(Age.ASK, [(predicate, END)], otherwise=Age.CHILD),
        "its predicate",
        step="ASK",
    )
