"""Reminders: a ladder of them, each once and in order; held while another flow is talked about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.testing import Chat, CrashPoint, VirtualClock
from engine.testing.faults import Boundary
from flows import Action, Choice, Flow, FlowBuilder, Reminder, Text, Turn
from flows.turns.timing import Remind
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LADDER = [Reminder(MINUTE, "one"), Reminder(2 * MINUTE, "two"), Reminder(5 * MINUTE, "three")]

OneTurn = Turn[One, Names]


def reminding(
    remind: Remind = LADDER, name: str = "one", *, timeout: timedelta | None = None
) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        turn.reply(await turn.ask(f"{name}?", remind=remind, timeout=timeout))
        return turn.complete()

    return FlowBuilder(name, One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def plain(name: str, ttl: timedelta | None = None) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names, ttl=ttl)
    builder.ask(One.ONLY, f"{name}?", Choice(["yes", "no"]), into="first")
    return builder.build(initial=One.ONLY)


async def test_each_comes_at_its_time_counted_from_the_question_with_the_question_again() -> None:
    async with Chat(app_of(reminding()), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(59.999) == ()
        assert await chat.advance(0.001) == ("one", "one?")
        assert await chat.advance(59.999) == ()
        assert await chat.advance(0.001) == ("two", "one?")
        assert await chat.advance(3 * MINUTE) == ("three", "one?")
        assert await chat.advance(HOUR) == ()
        assert await chat.say("x") == ("x",)


async def test_one_without_words_has_those_of_the_engine() -> None:
    async with Chat(app_of(reminding(MINUTE)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(HOUR) == ("This is a reminder.", "one?")


async def test_a_ladder_is_climbed_in_order_of_time_however_it_is_written() -> None:
    async with Chat(app_of(reminding(list(reversed(LADDER)))), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(HOUR) == ("one", "one?", "two", "one?", "three", "one?")


async def test_an_answer_ends_them() -> None:
    async with Chat(app_of(reminding()), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(MINUTE)
        assert await chat.say("x") == ("x",)
        assert await chat.advance(HOUR) == ()


@pytest.mark.parametrize("clean", [True, False])
async def test_what_was_due_while_nothing_ran_comes_in_order_and_once(clean: bool) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(reminding()), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        await chat.crash()
        clock.skip(3 * MINUTE)
        await chat.restart()
        if clean:
            await chat.restart()
        texts = [sent.text for sent in chat.deliveries]
        assert texts == ["one?", "one", "one?", "two", "one?"]
        assert await chat.advance(1.9 * MINUTE) == ()
        assert await chat.advance(0.1 * MINUTE) == ("three", "one?")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", ["fire", "commit"])
async def test_a_crash_at_a_reminder_neither_loses_nor_repeats_it(
    call: Boundary, after: bool
) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(reminding()), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        chat.crash_at(CrashPoint(call, after=after))
        await chat.advance(90)
        assert chat.crashed
        await chat.restart()
        await chat.advance(5 * MINUTE)
        texts = [sent.text for sent in chat.deliveries if sent.text != "one?"]
        assert texts == ["one", "two", "three"]


async def test_reminders_do_not_move_the_end_of_the_time() -> None:
    flow = reminding(MINUTE, timeout=2 * MINUTE)
    async with Chat(app_of(flow), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("This is a reminder.", "one?")
        assert await chat.advance(59) == ()
        (said,) = await chat.advance(1)
        assert said.startswith("That took too long")


async def test_the_answer_may_press_the_button_of_the_question_or_of_any_reminder() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        answer = await turn.ask("Sure?", Choice(["yes", "no"]), remind=LADDER)
        turn.reply(answer)
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    for which in ("question", "reminder"):
        async with Chat(app_of(flow), clock=VirtualClock()) as chat:
            await chat.say("/start")
            button = chat.button("yes")
            assert await chat.advance(MINUTE) == ("one", "Sure?")
            button = button if which == "question" else chat.button("yes")
            assert await chat.send(button.press()) == ("yes",)


async def test_an_explicit_wait_reminds_too() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is None:
            return turn.wait(Text(), prompt="Name?", remind=LADDER)
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(2 * MINUTE) == ("one", "Name?", "two", "Name?")


async def test_a_steps_reminders_are_those_of_each_of_its_questions() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("First?")
        await turn.ask("Second?", remind=Reminder(HOUR, "late"))
        return turn.complete()

    builder = FlowBuilder("one", One, Names).step(One.ONLY, step, remind=Reminder(MINUTE, "soon"))
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("soon", "First?")
        await chat.say("a")
        assert await chat.advance(59 * MINUTE) == ()
        assert await chat.advance(MINUTE) == ("late", "Second?")


async def test_a_flow_in_one_line_may_remind() -> None:
    builder = FlowBuilder("one", One, Names)
    builder.ask(One.ONLY, "Name?", Text(), into="first", remind=[MINUTE, Reminder(HOUR, "last")])
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(HOUR) == ("This is a reminder.", "Name?", "last", "Name?")


# --- while another flow is talked about -----------------------------------------------------


async def test_a_parked_flow_reminds_nobody_and_goes_on_where_it_is_in_time() -> None:
    """Held while it was parked, and dropped when its question is shown again."""
    bot = app_of(reminding(), plain("other"))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/one")
        await chat.say("/other")
        assert await chat.advance(90) == ()
        assert await chat.press("yes") == ("one?",)
        assert await chat.advance(29) == ()
        assert await chat.advance(1) == ("two", "one?")


async def test_a_parked_flow_that_is_started_again_drops_what_was_held() -> None:
    bot = app_of(reminding(), plain("other"))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/one")
        await chat.say("/other")
        await chat.advance(90)
        assert await chat.say("/one") == ("one?",)
        assert await chat.advance(29) == ()
        assert await chat.advance(1) == ("two", "one?")


async def test_held_reminders_are_dropped_when_the_flow_above_expires() -> None:
    bot = app_of(reminding(), plain("other", ttl=90 * timedelta(seconds=1)))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/one")
        await chat.say("/other")
        assert await chat.advance(90) == ("This conversation has expired.", "one?")
        assert await chat.advance(30) == ("two", "one?")


async def test_held_reminders_are_dropped_when_the_time_of_the_flow_above_is_up() -> None:
    """The one at two minutes, too: it is due at that very moment."""
    bot = app_of(reminding(), reminding(HOUR, "other", timeout=2 * MINUTE))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/one")
        await chat.say("/other")
        too_long = "That took too long, so I have stopped here."
        assert await chat.advance(2 * MINUTE) == (too_long, "one?")
        assert await chat.advance(3 * MINUTE) == ("three", "one?")


async def test_after_downtime_only_what_was_due_beneath_another_flow_is_dropped() -> None:
    bot = app_of(reminding(), plain("other", ttl=90 * timedelta(seconds=1)))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/one")
        await chat.say("/other")
        await chat.crash()
        await chat.advance(3 * MINUTE)
        await chat.restart()
        assert chat.replies() == ("This conversation has expired.", "two", "one?")


async def test_a_parked_flow_whose_button_is_pressed_answers_and_reminds_no_more() -> None:
    builder = FlowBuilder("asks", One, Names)
    builder.ask(One.ONLY, "asks?", Choice(["on"]), into="first", remind=LADDER)
    bot = app_of(builder.build(initial=One.ONLY), plain("other"))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/asks")
        on = chat.button("on")
        await chat.say("/other")
        await chat.advance(90)
        assert await chat.send(on.press()) == ("other?",)
        assert await chat.advance(HOUR) == ()


# --- branches and called flows --------------------------------------------------------------


async def test_a_called_flow_reminds() -> None:
    child = reminding(name="child")

    async def step(turn: OneTurn) -> Action[One]:
        await turn.call(child)
        return turn.complete()

    flow = FlowBuilder("caller", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow), clock=clock, storage=storage) as chat:
        assert await chat.say("/start") == ("child?",)
    async with Chat(app_of(flow), clock=clock, storage=storage) as chat:
        assert await chat.advance(MINUTE) == ("one", "child?")
        assert await chat.say("x") == ("x",)
        assert await chat.advance(HOUR) == ()


async def test_a_reminder_of_an_outside_event_is_said_alone() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        ticket = turn.ticket()
        turn.reply("Please pay.")
        await turn.outside(ticket, int, remind=Reminder(MINUTE, "Have you paid?"))
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(HOUR) == ("Have you paid?",)
