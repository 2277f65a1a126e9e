"""Hooks, middleware, times, versions and rules: kept in the flow, and mistakes refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from flows import Action, DefinitionError, Flow, FlowBuilder, FlowRegistry, Text, Turn
from flows.turns.timing import Reminder
from tests.support import Names, One, Three

Builder = FlowBuilder[Three, Names]

MINUTE = timedelta(minutes=1)


async def go_on(turn: Turn[Any, Any]) -> Action[Any]:
    """Leaves along the only edge."""
    return turn.next()


async def hook(turn: Turn[Any, Any]) -> None:
    """A hook."""


async def around(turn: Turn[Any, Any], call_next: Callable[[], Any]) -> Action[Any]:
    """A middleware."""
    action: Action[Any] = await call_next()
    return action


def three(*but: Three, **more: Any) -> Builder:
    """Every step apart from those in ``but`` has a handler."""
    builder = FlowBuilder("three", Three, Names, **more)
    for step in Three:
        if step not in but:
            builder.step(step, go_on)
    return builder


def refused(act: Callable[[], object], words: str, *, step: str | None = None) -> None:
    """``act`` must be refused in these words."""
    with pytest.raises(DefinitionError) as caught:
        act()
    assert words in str(caught.value)
    assert (caught.value.flow, caught.value.step) == ("three", step)


# --- hooks ------------------------------------------------------------------------------


def test_hooks_of_the_flow_are_kept_and_answered_as_they_are() -> None:
    builder = three()
    for register in (
        *(builder.on_enter, builder.on_exit, builder.on_complete, builder.on_cancel),
        builder.on_blocked,
    ):
        assert register(hook) is hook
    hooks = builder.build(initial=Three.FIRST).hooks
    assert (hooks.enter, hooks.exit, hooks.complete, hooks.cancel, hooks.blocked) == (hook,) * 5


def test_a_second_hook_of_a_closed_chat_and_what_is_no_hook_are_refused() -> None:
    builder = three()
    builder.on_blocked(hook)
    refused(lambda: builder.on_blocked(hook), "it has an on_blocked hook already")
    refused(lambda: three().on_blocked(len), "its on_blocked hook")  # type: ignore[arg-type]


def test_hooks_of_a_step_are_kept_before_and_after_its_handler_is_given() -> None:
    builder = three(Three.SECOND)
    assert builder.on_enter(Three.SECOND)(hook) is hook
    builder.step(Three.SECOND, go_on)
    assert builder.on_leave(Three.SECOND, hook) is builder
    code = builder.build(initial=Three.FIRST).code
    assert (code["SECOND"].on_enter, code["SECOND"].on_leave) == (hook, hook)
    assert (code["FIRST"].on_enter, code["FIRST"].on_leave) == (None, None)


def test_hooks_and_middleware_of_a_step_may_stand_with_its_handler() -> None:
    builder = three(Three.FIRST)
    builder.step(Three.FIRST, go_on, on_enter=hook, on_leave=hook, middleware=[around])
    code = builder.build(initial=Three.FIRST).code["FIRST"]
    assert (code.on_enter, code.on_leave, code.middlewares) == (hook, hook, (around,))


@pytest.mark.parametrize("word", ["on_enter", "on_exit", "on_complete", "on_cancel"])
def test_a_second_hook_of_one_kind_is_refused(word: str) -> None:
    builder = three()
    getattr(builder, word)(hook)
    refused(lambda: getattr(builder, word)(hook), f"it has an {word} hook already")


@pytest.mark.parametrize("word", ["on_enter", "on_leave"])
def test_a_second_hook_of_a_step_is_refused(word: str) -> None:
    builder = three(Three.FIRST).step(Three.FIRST, go_on, on_enter=hook, on_leave=hook)
    refused(
        lambda: getattr(builder, word)(Three.FIRST, hook),
        f"it has an {word} hook already",
        step="FIRST",
    )


def _not_async(turn: Turn[Any, Any]) -> None:
    raise AssertionError


@pytest.mark.parametrize("wrong", [_not_async, "hook", Names, around])
@pytest.mark.parametrize("word", ["on_enter", "on_exit", "on_complete", "on_cancel"])
def test_a_hook_that_is_no_async_function_of_a_turn_is_refused(word: str, wrong: Any) -> None:
    refused(lambda: getattr(three(), word)(wrong), f"its {word} hook")


def test_a_hook_of_a_step_of_another_flow_is_refused() -> None:
    other: Any = One.ONLY
    refused(lambda: three().on_enter(other, hook), "is no member of Three")
    refused(lambda: three().on_leave(other), "is no member of Three")


# --- middleware and what decides --------------------------------------------------------


def test_middleware_is_kept_in_the_order_of_its_registration() -> None:
    async def inner(turn: Turn[Any, Any], call_next: Callable[[], Any]) -> Action[Any]:
        return await around(turn, call_next)

    builder = three()
    assert builder.middleware(around) is around
    builder.middleware(inner)
    assert builder.build(initial=Three.FIRST).middlewares == (around, inner)


def test_a_middleware_that_takes_no_call_next_is_refused() -> None:
    wrong: Any = go_on
    refused(lambda: three().middleware(wrong), "must be 'async def (turn, call_next)'")
    refused(
        lambda: three(Three.FIRST).step(Three.FIRST, go_on, middleware=[wrong]),
        "must be 'async def (turn, call_next)'",
        step="FIRST",
    )


def test_an_on_timeout_may_be_async_or_not_and_stands_once() -> None:
    for outcome in (go_on, lambda turn: turn.cancel()):
        builder = three()
        assert builder.on_timeout(outcome) is outcome
        assert builder.build(initial=Three.FIRST).on_timeout is outcome
    refused(lambda: builder.on_timeout(go_on), "it has an on_timeout function already")


@pytest.mark.parametrize("wrong", [3, "cancel", lambda: None])
def test_an_on_timeout_that_is_no_function_of_a_turn_is_refused(wrong: Any) -> None:
    refused(lambda: three().on_timeout(wrong), "its on_timeout function")
    refused(
        lambda: three(Three.FIRST).step(Three.FIRST, go_on, on_timeout=wrong),
        "its on_timeout function",
        step="FIRST",
    )


def test_a_rare_move_in_an_on_timeout_must_be_declared_too() -> None:
    async def skip(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next(Three.THIRD)

    builder = three(Three.FIRST).step(Three.FIRST, go_on, timeout=MINUTE, on_timeout=skip)
    refused(
        lambda: builder.build(initial=Three.FIRST), "turn.next(Three.THIRD), to which", step="FIRST"
    )


# --- times and rules --------------------------------------------------------------------


def test_the_times_of_a_step_are_kept_and_its_reminders_in_order() -> None:
    builder = three(Three.FIRST)
    builder.ask(
        Three.FIRST, "?", Text(), into="first",
        timeout=3 * MINUTE, remind=[2 * MINUTE, Reminder(MINUTE, "Still there?")],
    )  # fmt: skip
    code = builder.build(initial=Three.FIRST).code["FIRST"]
    assert code.timeout == 3 * MINUTE
    assert code.remind == (Reminder(MINUTE, "Still there?"), Reminder(2 * MINUTE))


@pytest.mark.parametrize("wrong", [{"timeout": timedelta(0)}, {"timeout": 3}, {"remind": 60}])
def test_times_that_are_none_are_refused_with_their_step(wrong: Any) -> None:
    builder = three(Three.FIRST)
    refused(lambda: builder.step(Three.FIRST, go_on, **wrong), "", step="FIRST")


def test_the_rules_of_a_flow_are_kept() -> None:
    builder = three(max_age=MINUTE, again="restart", interrupt="refuse")
    flow = builder.build(initial=Three.FIRST)
    assert (flow.max_age, flow.again, flow.interrupt) == (MINUTE, "restart", "refuse")


@pytest.mark.parametrize(("wrong", "words"), [
    ({"max_age": timedelta(0)}, "the max_age must be a timedelta"),
    ({"again": "maybe"}, "again= is one of resume, restart, refuse, confirm"),
    ({"interrupt": None}, "interrupt= is one of stack, replace, refuse"),
])  # fmt: skip
def test_rules_that_are_none_are_refused(wrong: Any, words: str) -> None:
    refused(lambda: three(**wrong), words)


# --- versions ---------------------------------------------------------------------------


def test_migrations_are_kept_by_the_version_that_they_start_from() -> None:
    builder = three(version=4).migrate(from_=3, renamed={"MIDDLE": Three.SECOND})
    flow = builder.migrate(from_=1, renamed={"OLD": "MIDDLE"}, data=dict).build(initial=Three.FIRST)
    assert flow.migrations[1].renamed == {"OLD": "MIDDLE"}
    assert flow.migrations[3].renamed == {"MIDDLE": "SECOND"}
    assert flow.migrations[1].data is dict


@pytest.mark.parametrize(("migrations", "words"), [
    ([(2, {})], "it migrates from version 2, and is of version 2 itself"),
    ([(1, {"OLD": "FORTH"})], "renames OLD to FORTH, which is no step of this version"),
])  # fmt: skip
def test_a_migration_that_leads_nowhere_is_refused(migrations: Any, words: str) -> None:
    builder = three(version=2)
    for from_, renamed in migrations:
        builder.migrate(from_=from_, renamed=renamed)
    refused(lambda: builder.build(initial=Three.FIRST), words)


def test_a_migration_that_cannot_be_is_refused_at_once() -> None:
    builder = three(version=2).migrate(from_=1)
    other: Any = One.ONLY
    takes_nothing: Any = lambda: {"first": ""}  # noqa: E731 - the mistake under test
    refused(lambda: builder.migrate(from_=1), "a migration from version 1 already")
    refused(lambda: builder.migrate(from_=0), "takes a version, 1 or more")
    refused(lambda: builder.migrate(from_=2, renamed={"A": other}), "is no member of Three")
    refused(lambda: builder.migrate(from_=2, data=takes_nothing), "must be 'def (data)'")


# --- results and children ---------------------------------------------------------------


def test_the_result_of_a_flow_is_its_data_unless_said() -> None:
    data = Names(first="Ada")
    assert three().build(initial=Three.FIRST).result(data) is data
    flow = three().build(initial=Three.FIRST, result=lambda given: given.first)
    assert flow.result(data) == "Ada"


def child(name: str = "child") -> Flow[One, Names]:
    """A flow to call."""
    return FlowBuilder(name, One, Names).say(One.ONLY, "Hm.").build(initial=One.ONLY)


at_hand = child("at-hand")


class Shelf:
    """Where a flow may lie."""

    flow = child("on-a-shelf")


def test_the_flows_that_steps_call_are_children() -> None:
    inner = child()

    async def calls(turn: Any) -> Any:
        await turn.call(inner if turn.data.first else at_hand)
        await turn.call(Shelf.flow, {"first": "x"}, key="shelf")
        return turn.next()

    async def calls_again(turn: Any) -> Any:
        return turn.next() if await turn.call(at_hand) else turn.cancel()

    builder = three(Three.FIRST, Three.SECOND)
    builder.step(Three.FIRST, calls).step(Three.SECOND, calls_again)
    assert builder.build(initial=Three.FIRST).children == (inner, at_hand, Shelf.flow)


def test_a_flow_is_registered_with_its_children_and_theirs() -> None:
    inner = child()

    async def calls_inner(turn: Any) -> Any:
        await turn.call(inner)
        return turn.next()

    middle = FlowBuilder("middle", One, Names).step(One.ONLY, calls_inner).build(initial=One.ONLY)

    async def calls_middle(turn: Any) -> Any:
        await turn.call(middle)
        return turn.next()

    registry = FlowRegistry()
    outer = three(Three.FIRST).step(Three.FIRST, calls_middle).build(initial=Three.FIRST)
    registry.register_callable(outer)
    assert list(registry.flows) == ["three", "middle", "child"]


def test_a_child_with_the_name_of_another_flow_is_refused() -> None:
    inner = child()

    async def calls(turn: Any) -> Any:
        await turn.call(inner)
        return turn.next()

    registry = FlowRegistry()
    registry.register_callable(child())
    outer = three(Three.FIRST).step(Three.FIRST, calls).build(initial=Three.FIRST)
    with pytest.raises(DefinitionError, match="another flow of this name is registered"):
        registry.register_callable(outer)


def test_a_flow_that_will_only_be_there_later_is_no_child_yet() -> None:
    async def calls(turn: Any) -> Any:
        await turn.call(later)
        return turn.next()

    builder = three(Three.FIRST).step(Three.FIRST, calls)
    flow = builder.build(initial=Three.FIRST)
    later = flow
    assert flow.children == ()
    assert later is flow


def test_a_step_whose_name_starts_with_a_bracket_is_refused() -> None:
    Steps = Enum("Steps", ["(done)"])  # noqa: N806 - a class
    with pytest.raises(DefinitionError, match="starts with no bracket"):
        FlowBuilder("three", Steps, Names)
