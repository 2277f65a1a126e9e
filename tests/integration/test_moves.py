"""Moves: next, goto, back, repeat, detour, complete, cancel, and the commands for them."""

from __future__ import annotations

from enum import Enum

import pytest
from pydantic import BaseModel, Field

from engine.testing.chat import Chat
from flows import (
    END,
    Action,
    Choice,
    Context,
    Email,
    Flow,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Router,
    Text,
    Turn,
    call_flow,
)
from flows.ports import Query
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


def three(name: str = "three") -> FlowBuilder[Three, Names]:
    builder = FlowBuilder(name, Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    return builder


def linear(name: str = "three") -> Flow[Three, Names]:
    builder = three(name)

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("Third?")
        turn.reply(f"{turn.data.first} {turn.data.second}")
        return turn.next()

    return builder.build(initial=Three.FIRST)


async def test_next_goes_along_the_enum_and_the_last_member_completes() -> None:
    async with Chat(app_of(linear())) as chat:
        assert await chat.say("/start") == ("First?",)
        assert await chat.say("a") == ("Second?",)
        assert await chat.say("b") == ("Third?",)
        assert await chat.say("c") == ("a b",)
        assert "I did not understand that. Try /start" in (await chat.say("d"))[0]


async def test_an_answer_is_consumed_by_one_step() -> None:
    """Lesson 4: the answer of one step is never that of the next."""
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.say("x")
        assert await chat.say("y") == ("Ada x",)


async def test_people_of_a_group_have_each_their_own_run_of_a_flow() -> None:
    async with Chat(app_of(linear())) as chat:
        for by in ("1", "2"):
            assert await chat.say("/start", by=by, chat="-5") == ("First?",)
        for words in ("a", "b"):
            await chat.say(f"{words}1", by="1", chat="-5")
            await chat.say(f"{words}2", by="2", chat="-5")
        assert await chat.say("c", by="1", chat="-5") == ("a1 b1",)
        assert await chat.say("c", by="2", chat="-5") == ("a2 b2",)


async def test_back_from_the_second_step_shows_the_first_with_the_answer_to_keep() -> None:
    """Lesson 1: back from the second step shows the first."""
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/back") == ("First?",)
        assert await chat.press("Keep: Ada") == ("Second?",)


async def test_back_at_the_start_says_so_and_asks_again() -> None:
    """Lesson 1: with nothing behind, back says so and asks again."""
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        said = await chat.say("/back")
        assert said == ("This is the start, there is no question before it.", "First?")


async def test_back_inside_a_step_undoes_the_last_answer() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.reply("Welcome.")
        first = await turn.ask("A?")
        second = await turn.ask("B?")
        turn.reply(first + second)
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert await chat.say("wrong") == ("B?",)
        assert await chat.say("/back") == ("A?",)
        await chat.say("right")
        assert await chat.say("!") == ("right!",)


async def test_back_inside_a_step_drops_the_once_results_after_the_answer() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.once("before", lambda: calls.append("before"))
        await turn.ask("A?")
        await turn.once("after", lambda: calls.append("after"))
        await turn.ask("B?")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        await chat.say("x")
        await chat.say("/back")
        await chat.say("y")
    assert calls == ["before", "after", "after"]


async def test_back_passes_over_steps_that_only_say_something() -> None:
    """Lesson 2: automatic steps are skipped by back."""
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.say(Three.SECOND, "Interlude.")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("Interlude.", "Third?")
        assert await chat.say("/back") == ("First?",)


async def test_back_with_restore_takes_the_data_back() -> None:
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        if await turn.ask(f"{turn.data.first}/{turn.data.second}?") == "undo":
            return turn.back(restore=True)
        return turn.next()

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.say("undo") == ("Second?",)
        with pytest.raises(LookupError):
            chat.button("Keep: b")
        assert await chat.say("c") == ("a/c?",)


async def test_a_step_that_returns_back_goes_to_the_step_before() -> None:
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        if await turn.ask("Third?", Choice(["Back", "Done"])) == "Back":
            return turn.back()
        return turn.next()

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.press("Back") == ("Second?",)


async def test_the_history_is_capped() -> None:
    """Lesson 7: the history does not grow without bound."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count += 1
        await turn.ask(f"{turn.data.count}?")
        return turn.goto(One.ONLY)

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    storage = MemoryStorage()
    async with Chat(app_of(flow), storage=storage) as chat:
        await chat.say("/start")
        for _ in range(60):
            await chat.say("x")
        for _ in range(50):
            assert await chat.say("/back") != ()
        said = await chat.say("/back")
    assert said[0].startswith("This is the start")


async def test_goto_jumps_anywhere_and_back_returns() -> None:
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        answer = await turn.ask("Third?")
        return turn.goto(Three.FIRST) if answer == "again" else turn.next()

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.say("again") == ("First?",)
        assert await chat.say("/back") == ("Third?",)


async def test_repeat_discards_the_changes_says_why_and_asks_again() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count += 1
        answer = await turn.ask("Even?", Integer())
        if answer % 2:
            return turn.repeat("That is odd.")
        turn.reply(f"count {turn.data.count}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert await chat.say("3") == ("That is odd.", "Even?")
        assert await chat.say("4") == ("count 1",)


def with_summary() -> Flow[Three, Names]:
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        data = turn.data
        choice = await turn.ask(f"{data.first}/{data.second}?", Choice(["OK", "First", "Second"]))
        match choice:
            case "First":
                return turn.detour(Three.FIRST)
            case "Second":
                return turn.detour(Three.SECOND)
        turn.reply("done")
        return turn.next()

    return builder.build(initial=Three.FIRST)


async def test_a_detour_edits_one_answer_and_comes_back() -> None:
    async with Chat(app_of(with_summary())) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.press("First") == ("First?",)
        assert await chat.say("A") == ("A/b?",)
        assert await chat.press("OK") == ("done",)


async def test_back_at_the_first_question_of_a_detour_returns_to_where_it_began() -> None:
    async with Chat(app_of(with_summary())) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        await chat.press("Second")
        assert await chat.say("/back") == ("a/b?",)
        assert await chat.say("/back") == ("Second?",)


async def test_a_detour_survives_a_restart() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(with_summary()), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        await chat.press("First")
    async with Chat(app_of(with_summary()), storage=storage) as chat:
        assert await chat.say("A") == ("A/b?",)


async def test_cancel_ends_the_flow_and_says_so() -> None:
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert await chat.say("/cancel") == ("There is nothing to cancel.",)
        assert await chat.say("/back") == ("There is nothing to go back to.",)


async def test_help_lists_the_commands_and_shows_the_question_again() -> None:
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        commands, question = await chat.say("/help")
        assert "/start" in commands
        assert "/cancel" in commands
        assert question == "First?"


async def test_starting_a_running_flow_shows_its_question_again() -> None:
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.say("/start") == ("Second?",)


async def test_a_second_flow_parks_the_first_which_comes_back_at_its_end() -> None:
    async with Chat(app_of(linear("one"), linear("two"))) as chat:
        await chat.say("/one")
        assert await chat.say("/two") == ("First?",)
        await chat.say("x")
        assert await chat.say("/cancel") == ("Cancelled.", "First?")
        assert await chat.say("a") == ("Second?",)


async def test_a_parked_flow_rises_with_its_own_button() -> None:
    def asking(name: str) -> Flow[One, Names]:
        builder = FlowBuilder(name, One, Names)
        builder.ask(One.ONLY, f"{name}?", Choice(["red", "blue"]), into="first")
        return builder.build(initial=One.ONLY)

    async with Chat(app_of(asking("one"), asking("two"))) as chat:
        await chat.say("/one")
        first = chat.button("red")
        await chat.say("/two")
        assert await chat.send(first.press()) == ("two?",)


async def test_a_loop_of_automatic_moves_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    """Lesson 6: a turn has a bound on automatic moves, and the error names the steps."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        return turn.goto(One.ONLY)

    flow = FlowBuilder("loop", One, Names).step(One.ONLY, step, to=[END]).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "more than 100 moves in one turn without a question: ONLY -> ONLY" in caplog.text


async def test_a_failing_step_leaves_the_state_as_it_was() -> None:
    """Lesson 25: one apology, and the flow can go on."""
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        turn.reply("never seen")
        if turn.data.second == "bad":
            raise RuntimeError("boom")
        await turn.ask("Third?")
        return turn.next()

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.say("bad") == (APOLOGY,)
        assert await chat.say("good") == ("never seen", "Third?")


async def test_on_error_runs_the_step_again_with_the_same_answer() -> None:
    failures = [1, 1]
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        answer = await turn.ask("Third?")
        if failures:
            failures.pop()
            raise ConnectionError("the shop is away")
        turn.reply(f"bought {answer}")
        return turn.next()

    @builder.on_error
    async def recover(turn: Turn[Three, Names], error: Exception) -> Action[Three]:
        return turn.retry()

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.say("tea") == ("bought tea",)


async def test_on_error_retries_at_most_three_times() -> None:
    runs: list[int] = []
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def only(turn: Turn[One, Names]) -> Action[One]:
        runs.append(1)
        raise ConnectionError("always")

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.retry()

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert len(runs) == 4


async def test_on_error_goes_to_a_fallback_step_with_the_data_as_of_entry() -> None:
    builder = three()

    @builder.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        turn.data.first = "spoilt"
        raise ValueError("boom")

    @builder.on_error
    async def recover(turn: Turn[Three, Names], error: Exception) -> Action[Three]:
        turn.reply(f"{type(error).__name__}: let us start again, {turn.data.first}.")
        return turn.goto(Three.FIRST)

    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        said = await chat.say("b")
        assert said == ("ValueError: let us start again, a.", "First?")


async def test_on_error_may_cancel() -> None:
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def only(turn: Turn[One, Names]) -> Action[One]:
        raise ValueError("boom")

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        turn.reply("We stop here.")
        return turn.cancel("broken")

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        assert await chat.say("/start") == ("We stop here.",)
        assert "did not understand" in (await chat.say("x"))[0]


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (lambda turn: "next", "the handler returned str, which is no action"),
        (lambda turn: None, "the handler returned NoneType, which is no action"),
        (lambda turn: turn.next(Three.THIRD), "it may not move to THIRD"),
        (lambda turn: turn.next(One.ONLY), "it may not move to <One.ONLY: 1>"),
        (lambda turn: turn.goto("THIRD"), "it may not move to 'THIRD'"),
        (lambda turn: turn.retry(), "turn.retry() is for on_error"),
    ],
)
async def test_decisions_that_cannot_be_carried_out_fail_the_turn(
    decide: object, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    builder = FlowBuilder("three", Three, Names)

    @builder.step(Three.FIRST)
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        return decide(turn)  # type: ignore[operator,no-any-return]  # what careless code may do

    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert message in caplog.text
    assert "flow 'three', step FIRST" in caplog.text


async def test_next_without_a_target_is_ambiguous_where_several_edges_leave(
    caplog: pytest.LogCaptureFixture,
) -> None:
    builder = FlowBuilder("three", Three, Names)

    @builder.step(Three.FIRST, to=[Three.SECOND, Three.THIRD])
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        on = turn.next  # said so that the source does not tell
        return on()

    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
    assert "next() has several ways to go (SECOND, THIRD)" in caplog.text


class Bounded(BaseModel):
    count: int = Field(default=0, le=3)
    when: object = None


@pytest.mark.parametrize(("field", "value"), [("count", 7), ("count", "many")])
async def test_data_that_does_not_validate_is_never_stored(
    field: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def step(turn: Turn[One, Bounded]) -> Action[One]:
        if await turn.ask("Break it?", Choice(["yes", "no"])) == "yes":
            setattr(turn.data, field, value)
        turn.reply(f"count {turn.data.count}")
        return turn.complete()

    flow = FlowBuilder("one", One, Bounded).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert await chat.press("yes") == (APOLOGY,)
        assert await chat.press("no") == ("count 0",)
    assert f"the data cannot be stored, field '{field}'" in caplog.text


async def test_data_that_is_no_json_is_never_stored(caplog: pytest.LogCaptureFixture) -> None:
    async def step(turn: Turn[One, Bounded]) -> Action[One]:
        turn.data.when = object()
        return turn.complete()

    flow = FlowBuilder("one", One, Bounded).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "the data cannot be stored" in caplog.text


class Needy(BaseModel):
    user_id: int
    note: str = ""


def needy_flow() -> Flow[One, Needy]:
    async def step(turn: Turn[One, Needy]) -> Action[One]:
        await turn.ask(f"Hello {turn.data.user_id}, pay?")
        return turn.complete()

    return FlowBuilder("checkout", One, Needy).step(One.ONLY, step).build(initial=One.ONLY)


async def test_call_flow_starts_a_flow_after_the_handler_in_the_same_turn() -> None:
    registry = FlowRegistry()
    registry.register_callable(needy_flow())
    router = Router("shop")
    registry.apply_to_router(router)

    @router.command("buy")
    async def buy(ctx: Context) -> None:
        await call_flow(ctx, registry, "checkout", {"user_id": 123})
        ctx.reply("Let us see.")

    from engine import App

    async with Chat(App(router)) as chat:
        assert await chat.say("/buy") == ("Let us see.", "Hello 123, pay?")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("chekout", {"user_id": 1}, "there is no flow 'chekout'. Did you mean 'checkout'?"),
        ("checkout", {}, "flow 'checkout' cannot start: its field 'user_id': Field required"),
        ("checkout", {"user_id": "x"}, "its field 'user_id'"),
        ("checkout", {"user_id": 1, "nope": 2}, "its field 'nope': Needy has no such field"),
    ],
)
async def test_call_flow_refuses_what_cannot_start(
    name: str, data: dict[str, object], message: str
) -> None:
    """Lesson 20: a flow that is not registered is an error, with the near matches."""
    registry = FlowRegistry()
    registry.register_callable(needy_flow())
    router = Router("shop")
    registry.apply_to_router(router)

    @router.command("buy")
    async def buy(ctx: Context) -> None:
        try:
            await call_flow(ctx, registry, name, data)
        except (LookupError, ValueError) as error:
            ctx.reply(str(error))

    from engine import App

    async with Chat(App(router)) as chat:
        assert message in (await chat.say("/buy"))[0]


async def test_the_payload_of_a_command_reaches_the_flow() -> None:
    """Lesson 21: a deep link reaches the flow."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask(f"Invited by {turn.payload}?")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow)
    router = Router("deep")
    registry.apply_to_router(router)
    from engine import App

    async with Chat(App(router)) as chat:
        assert await chat.say("/start friend-42") == ("Invited by friend-42?",)


async def test_a_photo_where_a_text_is_wanted_asks_again_and_loses_nothing() -> None:
    async with Chat(app_of(linear())) as chat:
        await chat.say("/start")
        said = await chat.send_file("photo")
        assert said[-1].endswith("First?")
        assert await chat.say("a") == ("Second?",)


async def test_what_a_wait_does_not_accept_goes_on_to_the_router() -> None:
    """Lesson 14: nothing is swallowed because a conversation waits."""
    registry = FlowRegistry()
    builder = FlowBuilder("one", One, Names)
    builder.ask(One.ONLY, "E-mail?", Email(), into="first")
    registry.register(OnCommand("start"), builder.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)

    @router.kind("photo")
    async def photo(ctx: Context) -> None:
        ctx.reply("Nice photo.")

    from engine import App

    async with Chat(App(router)) as chat:
        await chat.say("/start")
        assert await chat.send_file("photo") == ("Nice photo.",)
        assert (await chat.say("nonsense"))[0] != "E-mail?"


class Tally(BaseModel):
    messages: int = 0
    seen: int = 0


async def test_the_session_counts_across_flows_and_a_step_sees_it_as_of_entry() -> None:
    registry = FlowRegistry()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.session.seen = turn.session.messages
        await turn.ask(f"{turn.session.messages}?")
        turn.reply(f"{turn.session.messages} at entry")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry.register(OnCommand("start"), flow)
    router = Router("bot")
    registry.apply_to_router(router)

    @router.middleware
    async def count(ctx: Context[Tally], call_next) -> None:  # type: ignore[no-untyped-def]
        ctx.session.messages += 1
        await call_next()

    @router.command("whoami")
    async def whoami(ctx: Context[Tally]) -> None:
        ctx.reply(f"{ctx.session.messages} messages, {ctx.session.seen} seen")

    from engine import App

    async with Chat(App(router, session=Tally)) as chat:
        assert await chat.say("/start") == ("1?",)
        assert await chat.say("x") == ("1 at entry",)
        assert await chat.say("/whoami") == ("3 messages, 1 seen",)


async def test_quarantine_keeps_an_instance_that_fits_no_code_and_takes_it_back() -> None:
    class Two(Enum):
        FIRST = 1
        OTHER = 2

    shorter = FlowBuilder("three", Two, Names)
    shorter.ask(Two.FIRST, "First, anew?", Text(), into="first")
    shorter.ask(Two.OTHER, "Other?", Text(), into="second")
    storage = MemoryStorage()
    async with Chat(app_of(linear()), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("a")
    async with Chat(app_of(shorter.build(initial=Two.FIRST)), storage=storage) as chat:
        said = await chat.say("b")
        assert "cannot go on right now" in said[0]
        assert await chat.say("/start") == ("First, anew?",)
        await chat.say("/cancel")
    async with Chat(app_of(linear()), storage=storage) as chat:
        assert (await chat.say("/help"))[-1] == "Second?"
        await chat.say("b")
        assert await chat.say("c") == ("a b",)


async def test_back_does_not_take_from_an_operator_what_they_look_at() -> None:
    builder = FlowBuilder("claim", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")

    @builder.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.escalate("look at it")

    builder.say(Three.THIRD, "Done.")
    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ()
        assert await chat.say("/back") == ("A person is looking at it. Please wait.",)
        assert await chat.say("hello") == ("A person is looking at it. Please wait.",)


async def test_a_flow_that_is_over_in_the_turn_of_its_start_is_listed() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    storage = MemoryStorage()
    async with Chat(app_of(flow), storage=storage) as chat:
        await chat.say("/start")
        (row,) = (await storage.inspect(Query(what="instances"))).rows
    assert (row["flow"], row["status"]) == ("one", "completed")
