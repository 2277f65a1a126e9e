"""Time runs out: of a question, of an explicit wait, of a flow; never early, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from engine.testing import Chat, CrashPoint, VirtualClock
from engine.testing.faults import Boundary
from flows import (
    Action,
    AskTimeout,
    ChildCancelled,
    Flow,
    FlowBuilder,
    Integer,
    Text,
    TextMessage,
    Turn,
)
from flows.ports import Query
from flows.turns.instance import Status
from flows.updates import Order, TimerFired
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TOO_LONG = "That took too long, so I have stopped here."
EXPIRED = "This conversation has expired."
APOLOGY = "Sorry, something went wrong. Please try that again."

OneTurn = Turn[One, Names]
Outcome = Callable[[OneTurn], Action[One]]


def flow_of(step: object, name: str = "one", **more: object) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names, **more)  # type: ignore[arg-type]  # passed through
    return builder.step(One.ONLY, step).build(initial=One.ONLY)  # type: ignore[call-overload,no-any-return]  # as above


async def asking(turn: OneTurn) -> Action[One]:
    name = await turn.ask("Name?", timeout=MINUTE)
    turn.reply(f"Hello {name}.")
    return turn.complete()


async def status(storage: MemoryStorage) -> str:
    (row,) = (await storage.inspect(Query(what="instances"))).rows
    return str(row["status"])


# --- a question -----------------------------------------------------------------------------


async def test_without_a_word_about_it_the_flow_is_cancelled_never_early_and_once() -> None:
    """Lesson 23: a timer fires by itself, and nobody has to write for it."""
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow_of(asking)), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        assert await chat.advance(59.999) == ()
        assert await chat.advance(0.001) == (TOO_LONG,)
        assert await chat.advance(HOUR) == ()
        assert await status(storage) == "cancelled"


async def test_the_handler_may_catch_it_and_the_journal_knows_it() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        try:
            name = await turn.ask("Name?", timeout=MINUTE)
        except AskTimeout:
            name = "nobody"
        size = await turn.ask(f"Size, {name}?")
        turn.reply(f"{name}: {size}")
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(flow_of(step), rerun_every_step=True)
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("Size, nobody?",)
    async with Chat(app, clock=clock, storage=storage) as chat:
        assert await chat.advance(HOUR) == ()
        assert await chat.say("large") == ("nobody: large",)


async def test_an_answer_in_time_ends_the_clock() -> None:
    clock = VirtualClock()
    async with Chat(app_of(flow_of(asking)), clock=clock) as chat:
        await chat.say("/start")
        await chat.advance(59)
        assert await chat.say("Ada") == ("Hello Ada.",)
        assert await chat.advance(HOUR) == ()


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (lambda turn: turn.remind(), ("This is a reminder.", "Name?")),
        (lambda turn: turn.remind("Still there?"), ("Still there?", "Name?")),
        (lambda turn: turn.repeat("Once more."), ("Once more.", "Name?")),
        (lambda turn: turn.complete(), ()),
        (lambda turn: turn.cancel(), ()),
        (lambda turn: turn.goto(One.ONLY), ("Name?",)),
        (lambda turn: turn.escalate("silent"), ()),
    ],
    ids=["remind", "remind in words", "repeat", "complete", "cancel", "goto", "escalate"],
)
async def test_what_is_to_happen_may_be_said_at_the_question(
    outcome: Outcome, said: tuple[str, ...]
) -> None:
    """A timeout can do more than end the conversation."""

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Name?", timeout=MINUTE, on_timeout=outcome)
        return turn.complete()

    async with Chat(app_of(flow_of(step)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == said


@pytest.mark.parametrize(
    ("outcome", "ended"),
    [
        (lambda turn: turn.complete(), "completed"),
        (lambda turn: turn.cancel(), "cancelled"),
        (lambda turn: turn.escalate("silent"), "escalated"),
        (lambda turn: turn.remind(), "active"),
    ],
    ids=["complete", "cancel", "escalate", "remind"],
)
async def test_the_outcome_stands_in_the_state(outcome: Outcome, ended: str) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Name?", timeout=MINUTE, on_timeout=outcome)
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow_of(step)), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        await chat.advance(MINUTE)
        assert await status(storage) == ended


async def test_the_question_goes_before_the_step_and_the_step_before_the_flow() -> None:
    builder = FlowBuilder("one", Three, Names)

    def saying(text: str) -> Callable[[Turn[Three, Names]], Action[Three]]:
        def outcome(turn: Turn[Three, Names]) -> Action[Three]:
            turn.reply(text)
            return turn.next()

        return outcome

    async def own(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("First?", timeout=MINUTE, on_timeout=saying("the question"))
        return turn.next()

    builder.step(Three.FIRST, own, on_timeout=saying("the step"))
    builder.ask(
        Three.SECOND, "Second?", Text(), into="second",
        timeout=MINUTE, on_timeout=saying("the step"),
    )  # fmt: skip
    builder.ask(Three.THIRD, "Third?", Text(), into="third", timeout=MINUTE)
    builder.on_timeout(saying("the flow"))
    async with Chat(app_of(builder.build(initial=Three.FIRST)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("the question", "Second?")
        assert await chat.advance(MINUTE) == ("the step", "Third?")
        assert await chat.advance(MINUTE) == ("the flow",)


async def test_a_steps_time_is_that_of_each_of_its_questions() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Short?")
        await turn.ask("Long?", timeout=HOUR)
        return turn.complete()

    builder = FlowBuilder("one", One, Names).step(One.ONLY, step, timeout=MINUTE)
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(50)
        assert await chat.say("a") == ("Long?",)
        assert await chat.advance(3599) == ()
        assert await chat.advance(1) == (TOO_LONG,)


async def test_an_outcome_may_be_async_and_write_into_the_data() -> None:
    builder = FlowBuilder("one", Three, Names)

    async def late(turn: Turn[Three, Names]) -> Action[Three]:
        turn.data.first = "late"
        return turn.goto(Three.THIRD)

    async def last(turn: Turn[Three, Names]) -> Action[Three]:
        turn.reply(f"first: {turn.data.first}")
        return turn.complete()

    builder.ask(Three.FIRST, "First?", Text(), into="first", timeout=MINUTE, on_timeout=late).ask(
        Three.SECOND, "Second?", Text(), into="second"
    )
    builder.step(Three.THIRD, last)
    async with Chat(app_of(builder.build(initial=Three.FIRST)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("first: late",)


async def test_a_refused_answer_does_not_start_the_clock_anew() -> None:
    def small(value: int) -> str | None:
        return "Smaller, please." if value > 9 else None

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Number?", Integer(), check=small, timeout=MINUTE)
        return turn.complete()

    async with Chat(app_of(flow_of(step)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(30)
        assert await chat.say("none") != ()
        await chat.advance(15)
        assert await chat.say("10") == ("Smaller, please.",)
        assert await chat.advance(14) == ()
        assert await chat.advance(1) == (TOO_LONG,)


@pytest.mark.parametrize("again", ["repeat", "/back", "remind"])
async def test_asking_again_starts_the_clock_anew(again: str) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        first = await turn.ask("First?")
        await turn.ask("Second?", timeout=MINUTE)
        return turn.repeat() if first == "repeat" else turn.complete()

    async with Chat(app_of(flow_of(step)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.say("repeat")
        await chat.advance(50)
        await chat.say("/back" if again == "/back" else "x")
        assert chat.replies() == ("First?",)
        assert await chat.advance(HOUR) == ()
        assert await chat.say("on") == ("Second?",)
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == (TOO_LONG,)


async def test_reminded_the_person_has_the_same_time_anew() -> None:
    def outcome(turn: OneTurn) -> Action[One]:
        return turn.remind("Still there?")

    async def step(turn: OneTurn) -> Action[One]:
        turn.reply(await turn.ask("Name?", timeout=MINUTE, on_timeout=outcome))
        return turn.complete()

    async with Chat(app_of(flow_of(step)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("Still there?", "Name?")
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == ("Still there?", "Name?")
        assert await chat.say("Ada") == ("Ada",)


async def test_what_is_written_while_the_time_is_asked_for_help_starts_nothing() -> None:
    async with Chat(app_of(flow_of(asking)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(50)
        assert (await chat.say("/help"))[-1] == "Name?"
        assert await chat.advance(10) == (TOO_LONG,)


# --- an explicit wait -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, (TOO_LONG,)),
        (lambda turn: turn.remind("Still there?"), ("Still there?", "Name?")),
        (lambda turn: turn.repeat("Once more."), ("Once more.", "Name?")),
        (lambda turn: turn.complete(), ()),
        (lambda turn: turn.goto(One.ONLY), ("Name?",)),
        (lambda turn: turn.escalate("silent"), ()),
    ],
    ids=["nothing", "remind", "repeat", "complete", "goto", "escalate"],
)
async def test_a_wait_ends_as_its_step_says(outcome: Outcome | None, said: tuple[str, ...]) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is None:
            turn.reply("Name?")
            return turn.wait(Text(), timeout=MINUTE)
        return turn.complete()

    builder = FlowBuilder("one", One, Names).step(One.ONLY, step, on_timeout=outcome)
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == said


async def test_a_wait_that_was_reminded_has_the_same_time_anew() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is not None:
            turn.reply(f"Hello {turn.input}.")
            return turn.complete()
        return turn.wait(Text(), prompt="Name?")

    builder = FlowBuilder("one", One, Names)
    builder.step(One.ONLY, step, timeout=MINUTE, on_timeout=lambda turn: turn.remind())
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("This is a reminder.", "Name?")
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == ("This is a reminder.", "Name?")
        assert await chat.say("Ada") == ("Hello Ada.",)


# --- errors in what time brings -------------------------------------------------------------


@pytest.mark.parametrize("explicit", [False, True])
async def test_an_outcome_that_fails_is_lost_once_and_the_flow_goes_on(
    explicit: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Lesson 25: the person gets one apology, and the conversation is not frozen."""

    def outcome(turn: OneTurn) -> Action[One]:
        raise RuntimeError("the outcome failed")

    async def step(turn: OneTurn) -> Action[One]:
        if not explicit:
            turn.reply(await turn.ask("Name?"))
            return turn.complete()
        if turn.input is None:
            return turn.wait(Text(), prompt="Name?")
        turn.reply(str(turn.input))
        return turn.complete()

    builder = FlowBuilder("one", One, Names, ttl=HOUR)
    builder.step(One.ONLY, step, timeout=MINUTE, on_timeout=outcome)
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == (APOLOGY,)
        assert "the outcome failed" in caplog.text
        assert await chat.advance(MINUTE) == ()
        assert await chat.say("Ada") == ("Ada",)


async def test_on_error_decides_about_an_outcome_that_fails() -> None:
    def outcome(turn: OneTurn) -> Action[One]:
        raise RuntimeError("the outcome failed")

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Name?", timeout=MINUTE, on_timeout=outcome)
        return turn.complete()

    builder = FlowBuilder("one", One, Names).step(One.ONLY, step)

    @builder.on_error
    async def recover(turn: OneTurn, error: Exception) -> Action[One]:
        return turn.repeat(f"{error}.")

    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == ("the outcome failed.", "Name?")


async def test_a_failed_outcome_does_not_stop_the_other_timers() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        try:
            await turn.ask("Name?", timeout=MINUTE)
        except AskTimeout:
            raise RuntimeError("in the handler") from None
        return turn.complete()

    async with Chat(app_of(flow_of(step, ttl=HOUR)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == (APOLOGY,)
        assert await chat.advance(HOUR) == (EXPIRED,)


async def test_an_outcome_that_fails_leaves_the_input_that_came_with_it_alone() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        try:
            turn.reply(await turn.ask("Name?", timeout=MINUTE))
        except AskTimeout:
            raise RuntimeError("in the handler") from None
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(flow_of(step))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("/start")
    clock.skip(HOUR)
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("Ada")
        assert [sent.text for sent in chat.deliveries] == [APOLOGY, "Ada"]


# --- both at once ---------------------------------------------------------------------------


async def test_an_answer_that_was_accepted_before_the_time_was_up_wins() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow_of(asking)), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        await chat.advance(59)
        chat.crash_at(CrashPoint("accept", after=True))
        await chat.say("Ada")
        assert chat.crashed
        await chat.advance(HOUR)
        await chat.restart()
        assert chat.replies() == ("Hello Ada.",)


async def test_an_answer_that_was_sent_after_the_time_was_up_loses() -> None:
    """Also where its turn comes before the alarm."""
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow_of(asking)), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        chat.crash_at(CrashPoint("accept", after=True))
        late = chat.update(TextMessage("Ada"))
        await chat.deliver(replace(late, at=late.at + 60_000))
        await chat.advance(HOUR)
        await chat.restart()
        timed_out, hint = chat.replies()
        assert timed_out == TOO_LONG
        assert "did not understand" in hint


async def test_an_alarm_that_comes_for_nothing_does_nothing() -> None:
    async with Chat(app_of(flow_of(asking)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        early = TimerFired("alarm", {"due": chat.clock.now(), "scope": "elsewhere"})
        assert await chat.send(early) == ()
        assert await chat.send(early, by="2") == ()
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == (TOO_LONG,)
        assert await chat.send(early) == ()


async def test_an_alarm_from_before_the_answer_finds_nothing_due() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("First?", timeout=MINUTE)
        await turn.ask("Second?", timeout=MINUTE)
        return turn.complete()

    async with Chat(app_of(flow_of(step)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(50)
        await chat.say("a")
        assert await chat.advance(59.999) == ()
        assert await chat.advance(0.001) == (TOO_LONG,)


# --- crashes --------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", ["fire", "commit", "send", "sent"])
async def test_a_crash_at_a_timer_neither_loses_nor_repeats_it(call: Boundary, after: bool) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow_of(asking)), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        chat.crash_at(CrashPoint(call, after=after))
        await chat.advance(MINUTE)
        assert chat.crashed
        await chat.restart()
        await chat.advance(MINUTE)
        texts = [sent.text for sent in chat.deliveries]
        assert texts in (["Name?", TOO_LONG], ["Name?", TOO_LONG, TOO_LONG])
        assert texts.count(TOO_LONG) == 1 or (call, after) in (("send", True), ("sent", False))
        assert await status(storage) == "cancelled"


async def test_what_was_due_while_nothing_ran_happens_after_the_start_and_once() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(flow_of(asking))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        await chat.crash()
        assert await chat.advance(HOUR) == ()
        await chat.restart()
        assert chat.replies() == (TOO_LONG,)
        assert await chat.advance(1) == ()
    async with Chat(app, clock=clock, storage=storage) as chat:
        assert await chat.advance(HOUR) == ()


# --- what an operator does with lost time ---------------------------------------------------


@pytest.mark.parametrize("explicit", [False, True])
async def test_resumed_after_lost_time_the_question_is_asked_again(explicit: bool) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        if not explicit:
            await turn.ask("First?")
            turn.reply(await turn.ask("Second?", timeout=MINUTE))
            return turn.complete()
        if turn.input is None:
            turn.reply("Second?")
            return turn.wait(Text(), timeout=MINUTE)
        turn.reply(str(turn.input))
        return turn.complete()

    builder = FlowBuilder("one", One, Names)
    builder.step(One.ONLY, step, on_timeout=lambda turn: turn.escalate("silent"))
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    bot = app_of(builder.build(initial=One.ONLY))
    async with Chat(bot, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        if not explicit:
            await chat.say("a")
        assert await chat.advance(MINUTE) == ()
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        order = Order(order="resume", instance=str(row["id"]))
        assert await chat.send(order) == ("Second?",)
        assert await chat.say("b") == ("b",)


@pytest.mark.parametrize("expiry", ["ttl", "max_age"])
async def test_while_an_operator_looks_at_it_no_flow_expires(expiry: str) -> None:
    """Nor at once when the operator has looked: the time that it took does not count."""

    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is None:
            return turn.escalate("look at it", accept=Text())
        await turn.ask(f"{turn.input}: go on?")
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    times: Any = {expiry: MINUTE}
    bot = app_of(flow_of(step, **times))
    async with Chat(bot, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        assert await chat.advance(HOUR) == ()
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        order = Order(order="resume", instance=str(row["id"]), payload="fine")
        assert await chat.send(order) == ("fine: go on?",)
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == (EXPIRED,)


# --- the flow -------------------------------------------------------------------------------


async def test_silence_counts_from_the_last_answer_that_was_taken() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Number?", Integer())
        await turn.ask("Name?")
        return turn.complete()

    async with Chat(app_of(flow_of(step, ttl=MINUTE)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(50)
        await chat.say("7")
        await chat.advance(50)
        assert (await chat.say("/help"))[-1] == "Name?"
        assert await chat.advance(9) == ()
        assert await chat.advance(1) == (EXPIRED,)


async def test_an_answer_that_was_refused_is_silence() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Number?", Integer())
        return turn.complete()

    async with Chat(app_of(flow_of(step, ttl=MINUTE)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(50)
        assert await chat.say("none") != ()
        assert await chat.advance(9) == ()
        assert await chat.advance(1) == (EXPIRED,)


async def test_the_age_counts_from_the_start_whatever_the_person_does() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask(f"{turn.data.count}?")
        turn.data.count += 1
        return turn.goto(One.ONLY)

    async with Chat(app_of(flow_of(step, max_age=MINUTE)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        for count in range(1, 6):
            assert await chat.advance(10) == ()
            assert await chat.say("x") == (f"{count}?",)
        assert await chat.advance(9.999) == ()
        assert await chat.advance(0.001) == (EXPIRED,)


async def test_expiry_runs_the_hooks_and_tells_them_so() -> None:
    seen: list[object] = []
    builder = FlowBuilder("one", One, Names, ttl=MINUTE)
    builder.ask(One.ONLY, "Name?", Text(), into="first")

    @builder.on_cancel
    async def cancelled(turn: OneTurn) -> None:
        seen.append(("cancel", turn.ending))

    @builder.on_exit
    async def left(turn: OneTurn) -> None:
        seen.append(("exit", turn.ending))

    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.advance(MINUTE)
    assert seen == [("cancel", Status.EXPIRED), ("exit", Status.EXPIRED)]


async def test_a_parked_flow_loses_its_time_too_and_the_upper_question_is_shown_again() -> None:
    async def upper(turn: OneTurn) -> Action[One]:
        turn.reply(await turn.ask("Upper?"))
        return turn.complete()

    bot = app_of(flow_of(asking, "lower"), flow_of(upper, "upper"))
    async with Chat(bot, clock=VirtualClock()) as chat:
        await chat.say("/lower")
        await chat.say("/upper")
        assert await chat.advance(MINUTE) == (TOO_LONG, "Upper?")
        assert await chat.say("x") == ("x",)


# --- called flows and branches --------------------------------------------------------------


def calling(child: Flow[One, Names], *, catches: bool) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        try:
            names = await turn.call(child)
        except ChildCancelled as error:
            if not catches:
                raise
            turn.reply(f"the child: {error.reason}")
            return turn.complete()
        turn.reply(f"child has {names.first}")
        return turn.complete()

    return flow_of(step, "caller")


@pytest.mark.parametrize(
    ("catches", "said"), [(True, (TOO_LONG, "the child: timed out")), (False, (TOO_LONG,))]
)
async def test_the_time_of_a_called_flow_is_its_own(catches: bool, said: tuple[str, ...]) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(calling(flow_of(asking, "child"), catches=catches))
    async with Chat(app, clock=clock, storage=storage) as chat:
        assert await chat.say("/start") == ("Name?",)
    async with Chat(app, clock=clock, storage=storage) as chat:
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == said
        assert await status(storage) == ("completed" if catches else "cancelled")


async def test_a_called_flow_expires_and_its_caller_is_told() -> None:
    child = flow_of(asking_for_ever, "child", ttl=MINUTE)
    async with Chat(app_of(calling(child, catches=True)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == (EXPIRED, "the child: expired")


async def asking_for_ever(turn: OneTurn) -> Action[One]:
    await turn.ask("Name?")
    return turn.complete()


async def test_the_callers_age_ends_what_it_has_called() -> None:
    child = flow_of(asking_for_ever, "child")

    async def step(turn: OneTurn) -> Action[One]:
        await turn.call(child)
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    bot = app_of(flow_of(step, "caller", max_age=MINUTE))
    async with Chat(bot, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        assert await chat.advance(MINUTE) == (EXPIRED,)
        assert await status(storage) == "expired"


class Fork(Enum):
    START = 1
    LEFT = 2
    RIGHT = 3
    JOIN = 4


def forked(**timing: Any) -> Flow[Fork, Names]:
    builder = FlowBuilder("forked", Fork, Names)
    builder.ask(Fork.LEFT, "Left?", Integer(), into="count", **timing)
    builder.ask(Fork.RIGHT, "Right?", Text(), into="first")
    builder.ask(Fork.JOIN, "Sure?", Text(), into="second")
    builder.parallel(from_=Fork.START, steps=[Fork.LEFT, Fork.RIGHT], join=Fork.JOIN)
    return builder.build(initial=Fork.START)


async def test_a_branch_may_end_when_its_time_is_up() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(forked(timeout=MINUTE, on_timeout=lambda turn: turn.done()))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("/start")
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.advance(59)
        assert chat.replies() == ()
        await chat.advance(1)
        assert any("1/2" in text for text in chat.replies())
        assert (await chat.say("r"))[-1] == "Sure?"


async def test_the_timer_of_a_branch_dies_with_it() -> None:
    app = app_of(forked(timeout=MINUTE))
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.say("7")
        assert await chat.advance(HOUR) == ()
        assert (await chat.say("r"))[-1] == "Sure?"
        assert await chat.advance(HOUR) == ()


async def test_without_a_word_about_it_the_time_of_a_branch_ends_the_flow() -> None:
    async with Chat(app_of(forked(timeout=MINUTE)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert (await chat.advance(MINUTE))[0] == TOO_LONG
        assert await chat.say("/cancel") == ("There is nothing to cancel.",)


async def test_a_flow_that_follows_its_person_speaks_where_they_talk_now() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("First?", timeout=HOUR)
        await turn.ask("Second?", timeout=HOUR)
        return turn.complete()

    async with Chat(app_of(flow_of(step, key="user")), clock=VirtualClock()) as chat:
        await chat.say("/start", by="1", chat="-100")
        await chat.advance(MINUTE)
        assert await chat.say("a", by="1", chat="-200") == ("Second?",)
        assert await chat.advance(HOUR, chat="-200") == (TOO_LONG,)
        assert [sent.text for sent in chat.deliveries if sent.chat == "-100"] == ["First?"]
