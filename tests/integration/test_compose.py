"""Flows out of flows: run to their results, over restarts."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from engine.testing.chat import Chat
from flows import Action, Date, DefinitionError, Flow, FlowBuilder, FlowRegistry, Text, Turn
from flows.compose import choose, sequence, together
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


class Day(BaseModel):
    """A day that a person named."""

    day: date = date(2000, 1, 1)


def asks(name: str) -> Flow[One, Names, str]:
    """Asks for a text, which is its result."""
    builder = FlowBuilder(name, One, Names)
    builder.ask(One.ONLY, f"{name}?", Text(), into="first")
    return builder.build(initial=One.ONLY, result=lambda data: data.first)


def asks_a_day() -> Flow[One, Day, date]:
    """Asks for a day, which is its result."""
    builder = FlowBuilder("day", One, Day)
    builder.ask(One.ONLY, "day?", Date(), into="day")
    return builder.build(initial=One.ONLY, result=lambda data: data.day)


def telling(child: Flow[Any, Any, Any]) -> Flow[One, Names]:
    """Says what the child has come to."""
    builder = FlowBuilder("telling", One, Names)

    @builder.step(One.ONLY)
    async def tell(turn: Turn[One, Names]) -> Action[One]:
        turn.reply(repr(await turn.call(child)))
        return turn.next()

    return builder.build(initial=One.ONLY)


async def test_a_sequence_answers_the_results_of_its_parts_over_a_restart() -> None:
    storage = MemoryStorage()
    app = app_of(telling(sequence("both", asks("name"), asks_a_day())))
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("/start") == ("name?",)
        assert await chat.say("Ada") == ("day?",)
    app = app_of(telling(sequence("both", asks("name"), asks_a_day())))
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("2024-02-29") == ("('Ada', datetime.date(2024, 2, 29))",)


async def test_one_flow_may_be_two_parts() -> None:
    name = asks("name")
    async with Chat(app_of(telling(sequence("twice", name, name)))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("name?",)
        assert await chat.say("Bob") == ("('Ada', 'Bob')",)


async def test_a_choice_runs_the_chosen_flow_and_answers_its_result() -> None:
    one = choose("one", "Which?", {"A name": asks("name"), "A day": asks_a_day()})
    async with Chat(app_of(telling(one))) as chat:
        assert await chat.say("/start") == ("Which?",)
        assert await chat.press("A day") == ("day?",)
        assert await chat.say("2024-02-29") == ("datetime.date(2024, 2, 29)",)


async def test_flows_are_done_together_in_any_order() -> None:
    async with Chat(app_of(telling(together("all", asks("name"), asks("town"))))) as chat:
        await chat.say("/start")
        await chat.press("Town")
        await chat.say("Paris")
        await chat.press("Name")
        assert "('Ada', 'Paris')" in await chat.say("Ada")


async def test_the_result_of_a_flow_that_was_not_needed_is_none() -> None:
    some = together("some", asks("name"), asks("town"), need="any")
    async with Chat(app_of(telling(some))) as chat:
        await chat.say("/start")
        await chat.press("Town")
        assert "(None, 'Paris')" in await chat.say("Paris")


async def test_composed_flows_compose() -> None:
    inner = sequence("inner", asks("name"), asks("town"))
    async with Chat(app_of(telling(sequence("outer", inner, asks_a_day())))) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.say("Paris")
        said = await chat.say("2024-02-29")
        assert said == ("(('Ada', 'Paris'), datetime.date(2024, 2, 29))",)


def test_a_composed_flow_brings_its_parts_into_the_registry() -> None:
    registry = FlowRegistry()
    registry.register_callable(sequence("both", asks("name"), asks_a_day()))
    assert list(registry.flows) == ["both", "name", "day"]


def test_a_part_that_needs_arguments_is_an_argument_of_the_whole() -> None:
    class Needs(BaseModel):
        who: str

    builder = FlowBuilder("needs", One, Needs).ask(One.ONLY, "?", Text(), into="who")
    whole = sequence("whole", builder.build(initial=One.ONLY), asks("name"))
    assert whole.data.model_fields["part_needs"].is_required()
    assert not whole.data.model_fields["part_name"].is_required()


def test_a_choice_takes_pairs_and_refuses_what_is_none_or_says_the_same() -> None:
    pairs = choose("one", "Which?", ("A name", asks("name")), ("A day", asks_a_day()))
    assert list(pairs.table) == ["CHOOSE", "NAME", "DAY"]
    wrong: Any = asks("name")
    with pytest.raises(DefinitionError, match="is no option"):
        choose("one", "Which?", wrong)
    with pytest.raises(DefinitionError, match="two of its buttons say the same"):
        choose("one", "Which?", ("A", asks("name")), ("A", asks("town")))


@pytest.mark.parametrize("compose", [sequence, together])
def test_what_is_no_flow_and_nothing_at_all_cannot_be_composed(compose: Any) -> None:
    with pytest.raises(DefinitionError, match="is no flow, and cannot be a part"):
        compose("both", asks("name"), Enum)
    with pytest.raises(DefinitionError, match="composed of no flows"):
        compose("none")
