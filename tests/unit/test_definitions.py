"""Mistakes in the definition of a flow are refused when it is built, with flow and step named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum, StrEnum
from functools import partial
from typing import Any

import pytest

from flows import (
    END,
    Action,
    DefinitionError,
    Email,
    Flow,
    FlowBuilder,
    Reply,
    Text,
    Turn,
    UnknownStep,
)
from tests.support import Names, One, Three

Builder = FlowBuilder[Three, Names]


class Other(Enum):
    """The steps of another flow."""

    SECOND = 2


class Colour(StrEnum):
    """Steps that are texts."""

    RED = "red"
    BLUE = "blue"


class Mood(StrEnum):
    """Steps of another flow, of which one compares equal to one of Colour's."""

    BLUE = "blue"


async def go_on(turn: Turn[Any, Any]) -> Action[Any]:
    """Leaves along the only edge."""
    return turn.next()


def three(name: str = "three") -> Builder:
    """A builder of a flow of three steps, none of which has a handler yet."""
    return FlowBuilder(name, Three, Names)


def complete(builder: Builder, *but: Three) -> Builder:
    """Gives every step a handler, apart from those in ``but``."""
    for step in Three:
        if step not in but:
            builder.step(step, go_on)
    return builder


def refused(
    act: Callable[[], object], words: str, *, flow: str | None = "three", step: str | None = None
) -> DefinitionError:
    """The refusal of ``act``, which must say ``words`` and name flow and step."""
    with pytest.raises(DefinitionError) as caught:
        act()
    error = caught.value
    assert words in str(error)
    assert (error.flow, error.step) == (flow, step)
    for name in filter(None, (flow, step)):
        assert name in str(error)
    return error


# --- the head ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Signup", "1st", "with space", "a" * 65, "naïve", "a\n"])
def test_a_name_that_is_not_usable_is_refused(name: str) -> None:
    refused(lambda: three(name), "not usable", flow=None)


def test_a_name_of_64_characters_is_taken() -> None:
    assert complete(three("a" * 64)).build(initial=Three.FIRST).name == "a" * 64


@pytest.mark.parametrize("steps", [Three.FIRST, "steps", dict, None])
def test_steps_that_are_no_enum_are_refused(steps: Any) -> None:
    refused(lambda: FlowBuilder("three", steps, Names), "must be an Enum class")


@pytest.mark.parametrize("data", [Names(), dict, int])
def test_data_that_is_no_model_is_refused(data: Any) -> None:
    refused(lambda: FlowBuilder("three", Three, data), "must be a pydantic model class")


def test_an_enum_without_members_is_refused() -> None:
    class Empty(Enum):
        pass

    refused(lambda: FlowBuilder("three", Empty, Names), "the enum Empty has no members")


def test_an_alias_among_the_steps_is_refused() -> None:
    class Steps(Enum):
        FIRST = 1
        AGAIN = 1  # noqa: PIE796 - the mistake under test

    refused(lambda: FlowBuilder("three", Steps, Names), "an alias of FIRST", step="AGAIN")


def test_a_step_with_the_name_of_the_end_is_refused() -> None:
    class Steps(Enum):
        FIRST = 1
        completed = 2

    refused(lambda: FlowBuilder("three", Steps, Names), "the name of the end", step="completed")


@pytest.mark.parametrize("version", [0, -1, "2"])
def test_a_version_below_one_is_refused(version: Any) -> None:
    refused(lambda: FlowBuilder("three", Three, Names, version=version), "must be 1 or more")


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), 3600])
def test_a_ttl_that_is_no_duration_is_refused(ttl: Any) -> None:
    refused(lambda: FlowBuilder("three", Three, Names, ttl=ttl), "the ttl must be a timedelta")


# --- steps ------------------------------------------------------------------------------


def test_a_step_of_another_enum_is_refused() -> None:
    other: Any = Other.SECOND
    refused(lambda: three().step(other, go_on), "is no member of Three")


def test_a_step_that_only_compares_equal_is_refused() -> None:
    blue: Any = Mood.BLUE
    assert blue == Colour.BLUE
    builder = FlowBuilder("three", Colour, Names)
    refused(lambda: builder.step(blue, go_on), "is no member of Colour")


def test_a_second_handler_of_a_step_is_refused() -> None:
    """Lesson 10: what is defined twice fails when it is defined, with the step named."""
    builder = complete(three())
    refused(
        lambda: builder.ask(Three.SECOND, "?", Text(), into="second"),
        "it has a handler already",
        step="SECOND",
    )


def test_a_handler_that_is_not_async_is_refused() -> None:
    def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next()

    handler: Any = step
    refused(lambda: three().step(Three.FIRST, handler), "it is not async", step="FIRST")


def test_a_decorated_handler_that_is_not_async_is_refused() -> None:
    def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next()

    handler: Any = step
    refused(lambda: three().step(Three.FIRST)(handler), "it is not async", step="FIRST")


async def _takes_nothing() -> Action[Three]:
    raise AssertionError


async def _takes_two(turn: Turn[Three, Names], more: int) -> Action[Three]:
    raise AssertionError


class _Callable:
    async def __call__(self, turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next()


@pytest.mark.parametrize("handler", [_takes_nothing, _takes_two, _Callable, "name", 3])
def test_a_handler_that_cannot_be_called_with_a_turn_is_refused(handler: Any) -> None:
    refused(lambda: three().step(Three.FIRST, handler), "must be 'async def (turn)'", step="FIRST")


@pytest.mark.parametrize("handler", [_Callable(), partial(_takes_two, more=1)])
def test_a_callable_object_and_a_partial_are_handlers(handler: Any) -> None:
    builder = complete(three(), Three.FIRST).step(Three.FIRST, handler)
    assert builder.build(initial=Three.FIRST).table["FIRST"] == ("SECOND",)


def test_the_decorator_answers_the_function_and_the_call_the_builder() -> None:
    builder = three()
    assert builder.step(Three.FIRST)(go_on) is go_on
    assert builder.step(Three.SECOND, go_on) is builder


def test_both_forms_mix() -> None:
    builder = three()

    @builder.step(Three.FIRST)
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next()

    flow = builder.say(Three.SECOND, "Hm.").ask(Three.THIRD, "?", Text(), into="third")
    assert flow.build(initial=Three.FIRST).table == {
        "FIRST": ("SECOND",),
        "SECOND": ("THIRD",),
        "THIRD": ("completed",),
    }


# --- flow.ask and flow.say --------------------------------------------------------------


def test_into_that_names_no_field_is_refused_with_the_fields() -> None:
    refused(
        lambda: three().ask(Three.FIRST, "?", Text(), into="frist"),
        "into='frist' names no field of Names. Its fields are first, second, third, count.",
        step="FIRST",
    )


def test_an_answer_that_goes_nowhere_is_refused() -> None:
    builder: Any = three()
    refused(lambda: builder.ask(Three.FIRST, "?", Text()), "Give flow.ask one of", step="FIRST")


def test_an_answer_that_goes_two_ways_is_refused() -> None:
    builder: Any = three()
    refused(
        lambda: builder.ask(Three.FIRST, "?", Text(), into="first", save=print),
        "Give flow.ask one of",
        step="FIRST",
    )


@pytest.mark.parametrize(("accept", "advice"), [(Email, "Email()"), ("text", "Text()")])
def test_an_ask_for_what_is_no_input_is_refused(accept: Any, advice: str) -> None:
    refused(
        lambda: three().ask(Three.FIRST, "?", accept, into="first"),
        f"which is no input. Write one such as {advice}",
        step="FIRST",
    )


@pytest.mark.parametrize("prompt", ["", " \n", Reply(text=""), None])
def test_an_empty_prompt_is_refused(prompt: Any) -> None:
    refused(
        lambda: three().ask(Three.FIRST, prompt, Text(), into="first"),
        "which no channel can send",
        step="FIRST",
    )


def test_an_empty_message_is_refused() -> None:
    refused(lambda: three().say(Three.FIRST, ""), "which no channel can send", step="FIRST")


def test_a_second_on_error_is_refused() -> None:
    async def recover(turn: Turn[Three, Names], error: Exception) -> Action[Three]:
        return turn.repeat()

    builder = three()
    builder.on_error(recover)
    refused(lambda: builder.on_error(recover), "it has an on_error handler already")


def test_an_on_error_that_does_not_take_the_error_is_refused() -> None:
    recover: Any = go_on
    refused(lambda: three().on_error(recover), "must be 'async def (turn, error)'")


# --- the graph --------------------------------------------------------------------------


def test_a_flow_without_initial_step_is_refused() -> None:
    refused(complete(three()).build, "it has no initial step. Say build(initial=Step.X)")


def test_an_initial_step_of_another_enum_is_refused() -> None:
    other: Any = Other.SECOND
    refused(lambda: complete(three()).build(initial=other), "is no member of Three")


def test_a_member_without_handler_is_refused() -> None:
    builder = complete(three(), Three.SECOND)
    refused(lambda: builder.build(initial=Three.FIRST), "it has no handler", step="SECOND")


def test_a_step_that_nothing_leads_to_is_refused() -> None:
    builder = complete(three(), Three.FIRST).step(Three.FIRST, go_on, to=[Three.THIRD])
    refused(
        lambda: builder.build(initial=Three.FIRST),
        "no edge leads to it from the initial step FIRST",
        step="SECOND",
    )


def test_steps_before_the_initial_one_are_refused() -> None:
    refused(
        lambda: complete(three()).build(initial=Three.SECOND), "no edge leads to it", step="FIRST"
    )


def test_a_step_from_which_no_way_leads_to_the_end_is_refused() -> None:
    async def either(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next(Three.SECOND) if turn.data.first else turn.next(Three.THIRD)

    builder = complete(three(), Three.FIRST, Three.SECOND)
    builder.step(Three.FIRST, either, to=[Three.SECOND, Three.THIRD])
    builder.step(Three.SECOND, go_on, to=[Three.SECOND])
    refused(lambda: builder.build(initial=Three.FIRST), "it is a dead end", step="SECOND")


def test_a_flow_that_only_goes_round_is_refused() -> None:
    builder = complete(three(), Three.THIRD).step(Three.THIRD, go_on, to=[Three.FIRST])
    refused(lambda: builder.build(initial=Three.FIRST), "it is a dead end", step="FIRST")


def test_an_edge_to_a_member_of_another_enum_is_refused() -> None:
    other: Any = Other.SECOND
    builder = complete(three(), Three.FIRST).step(Three.FIRST, go_on, to=[other])
    refused(
        lambda: builder.build(initial=Three.FIRST),
        "its edge leads to <Other.SECOND: 2>, which is no member of Three",
        step="FIRST",
    )


def test_an_edge_to_a_member_that_only_compares_equal_is_refused() -> None:
    blue: Any = Mood.BLUE
    builder = FlowBuilder("three", Colour, Names)
    builder.step(Colour.RED, go_on, to=[blue]).step(Colour.BLUE, go_on)
    refused(lambda: builder.build(initial=Colour.RED), "which is no member of Colour", step="RED")


@pytest.mark.parametrize("to", [Three.SECOND, END, "SECOND"])
def test_edges_that_are_no_list_are_refused(to: Any) -> None:
    refused(lambda: three().step(Three.FIRST, go_on, to=to), "to= takes a list", step="FIRST")


# --- what the source of a handler says --------------------------------------------------


def built(step: Any, *, to: list[Any] | None = None) -> Flow[Three, Names]:
    """A flow whose first step is ``step``."""
    builder = complete(three(), Three.FIRST)
    builder.step(Three.FIRST, handler=step, to=to)
    return builder.build(initial=Three.FIRST)


def test_a_literal_next_to_which_no_edge_leads_is_refused() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        if turn.data.first == "rare":
            return turn.next(Three.THIRD)
        return turn.next(Three.SECOND)

    refused(
        lambda: built(step),
        "its handler says turn.next(Three.THIRD), to which no edge leads. "
        "Declare it: to=[..., Three.THIRD]",
        step="FIRST",
    )


def test_a_literal_next_in_a_conditional_expression_is_read() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.next(Three.SECOND if turn.data.first else Three.THIRD)

    refused(lambda: built(step), "turn.next(Three.THIRD)", step="FIRST")


def test_a_literal_next_by_keyword_is_read() -> None:
    async def step(t: Turn[Three, Names]) -> Action[Three]:
        return t.next(step=Three.THIRD)

    refused(lambda: built(step), "turn.next(Three.THIRD)", step="FIRST")


def test_a_literal_next_of_another_enum_is_refused() -> None:
    async def step(turn: Turn[Any, Names]) -> Action[Any]:
        return turn.next(Other.SECOND)

    refused(lambda: built(step), "which is no member of Three", step="FIRST")


@pytest.mark.parametrize("jump", ["goto", "detour"])
def test_a_literal_jump_to_a_member_of_another_enum_is_refused(jump: str) -> None:
    async def goes(turn: Turn[Any, Names]) -> Action[Any]:
        return turn.goto(Other.SECOND)

    async def detours(turn: Turn[Any, Names]) -> Action[Any]:
        return turn.detour(Other.SECOND)

    step = goes if jump == "goto" else detours
    refused(lambda: built(step), "which is no member of Three", step="FIRST")


def test_a_literal_jump_is_no_edge() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.goto(Three.THIRD)

    assert built(step).table["FIRST"] == ("SECOND",)


def test_a_next_without_a_step_where_several_edges_leave_is_refused() -> None:
    refused(
        lambda: built(go_on, to=[Three.SECOND, Three.THIRD]),
        "says turn.next() without a step, and several ways leave: SECOND, THIRD",
        step="FIRST",
    )


def test_a_complete_is_no_way_for_a_next_without_a_step() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.complete() if turn.data.first else turn.next()

    assert built(step).table["FIRST"] == ("SECOND", "completed")


def test_a_question_in_one_line_cannot_branch() -> None:
    builder = complete(three(), Three.FIRST)
    builder.ask(Three.FIRST, "?", Text(), into="first", to=[Three.SECOND, Three.THIRD])
    refused(lambda: builder.build(initial=Three.FIRST), "several ways leave", step="FIRST")


def test_a_complete_in_the_source_is_an_edge_to_the_end() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.complete() if turn.data.first else turn.next(Three.SECOND)

    assert built(step).table["FIRST"] == ("SECOND", "completed")


def test_a_handler_without_source_is_taken_as_declared() -> None:
    space: dict[str, Any] = {}
    exec("async def step(turn): return turn.next(None)", space)  # noqa: S102 - code without source
    assert built(space["step"]).table["FIRST"] == ("SECOND",)


# --- the built flow ---------------------------------------------------------------------


def test_the_last_step_completes_and_an_empty_list_of_edges_too() -> None:
    builder = FlowBuilder("one", One, Names).step(One.ONLY, go_on)
    assert builder.build(initial=One.ONLY).table == {"ONLY": ("completed",)}
    builder = FlowBuilder("one", One, Names).step(One.ONLY, go_on, to=[])
    assert builder.build(initial=One.ONLY).table == {"ONLY": ("completed",)}


def test_edges_keep_the_order_of_their_declaration() -> None:
    async def step(turn: Turn[Three, Names]) -> Action[Three]:
        raise AssertionError

    flow = built(step, to=[Three.THIRD, END, Three.SECOND, Three.THIRD])
    assert flow.table["FIRST"] == ("THIRD", "completed", "SECOND")


def test_a_step_name_that_the_flow_does_not_have_is_said_with_those_that_it_has() -> None:
    flow = complete(three()).build(initial=Three.FIRST)
    with pytest.raises(UnknownStep, match=r"has no step 'FOURTH'\. Its steps are FIRST, SECOND"):
        flow.step("FOURTH")


def test_a_built_flow_cannot_be_changed() -> None:
    flow: Any = complete(three()).build(initial=Three.FIRST)
    with pytest.raises(AttributeError):
        flow.initial = Three.SECOND


def test_a_builder_can_build_twice() -> None:
    builder = complete(three())
    assert builder.build(initial=Three.FIRST).table == builder.build(initial=Three.FIRST).table


def test_members_with_names_of_the_state_machine_are_steps_like_others() -> None:
    Steps = Enum("Steps", "send states model configuration s_send to_send finish START")  # noqa: N806 - a class
    builder = FlowBuilder("three", Steps, Names)
    for step in Steps:
        builder.step(step, go_on)
    flow = builder.build(initial=Steps.send)
    assert list(flow.table) == [step.name for step in Steps]
    assert flow.table["to_send"] == ("finish",)
