"""Steps as straight-line code: suspension, its mark, the journal and its misfits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from engine.testing.chat import Chat
from flows import Action, Choice, Flow, FlowBuilder, Integer, Text, TooManyTries, Turn
from flows.inputs import base as inputs_base
from flows.inputs.base import StringInput
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

Step = Callable[[Turn[One, Names]], Awaitable[Action[One]]]


def one_step(step: Step, name: str = "one") -> Flow[One, Names]:
    return FlowBuilder(name, One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def two_questions(turn: Turn[One, Names]) -> Action[One]:
    turn.reply("Hello.")
    first = await turn.ask("First?")
    turn.reply(f"Got {first}.")
    second = await turn.ask("Second?")
    turn.reply(f"{first} and {second}")
    return turn.complete()


async def test_what_was_said_before_the_live_question_is_said_once() -> None:
    async with Chat(app_of(one_step(two_questions))) as chat:
        assert await chat.say("/start") == ("Hello.", "First?")
        assert await chat.say("a") == ("Got a.", "Second?")
        assert await chat.say("b") == ("a and b",)


async def test_a_restart_between_two_questions_of_a_step_loses_nothing() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(one_step(two_questions)), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("a")
    async with Chat(app_of(one_step(two_questions)), storage=storage) as chat:
        assert await chat.say("b") == ("a and b",)


async def test_data_that_a_suspended_step_changed_is_not_committed_twice() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count += 1
        await turn.ask("One?")
        turn.data.count += 1
        await turn.ask("Two?")
        turn.reply(f"count {turn.data.count}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("x")
        assert await chat.say("y") == ("count 2",)


async def test_a_loop_of_questions_collects_all_answers() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        names = [await turn.ask(f"Name {n}?") for n in range(3)]
        turn.reply(" ".join(names))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
        assert await chat.say("c") == ("a b c",)


async def test_a_prompt_with_a_counter_does_not_restart_the_step() -> None:
    runs: list[int] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        runs.append(1)
        first = await turn.ask(f"Seen {len(runs)} times. First?")
        second = await turn.ask(f"Seen {len(runs)} times. Second?")
        turn.reply(first + second)
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("Seen 2 times. Second?",)
        assert await chat.say("b") == ("ab",)


async def test_gathered_questions_are_refused_even_if_that_is_masked() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await asyncio.gather(turn.ask("A?"), turn.ask("B?"), return_exceptions=True)
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("Sorry, something went wrong. Please try that again.",)


async def test_gathered_questions_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await asyncio.gather(turn.ask("A?"), turn.ask("B?"))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
    assert "flow 'one', step ONLY: two questions were asked at once" in caplog.text


async def test_two_questions_in_a_task_group_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        async with asyncio.TaskGroup() as group:
            group.create_task(turn.ask("A?"))
            group.create_task(turn.ask("B?"))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
    assert "two questions were asked at once" in caplog.text


@pytest.mark.parametrize("wrap", ["task", "group", "timeout", "wait_for", "shield", "eager"])
async def test_one_question_may_be_asked_inside_anything(wrap: str) -> None:
    async def wrapped(turn: Turn[One, Names]) -> str:
        question = turn.ask("A?")
        match wrap:
            case "task":
                return await asyncio.create_task(question)
            case "group":
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(question)
                return task.result()
            case "timeout":
                async with asyncio.timeout(5):
                    return await question
            case "wait_for":
                return await asyncio.wait_for(question, 5)
            case "shield":
                return await asyncio.shield(question)
            case _:
                return await question

    async def step(turn: Turn[One, Names]) -> Action[One]:
        answer = await wrapped(turn)
        turn.reply(f"got {answer}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("A?",)
        assert await chat.say("x") == ("got x",)


async def test_finally_blocks_run_at_each_suspension() -> None:
    left: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("A?")
        finally:
            left.append("left")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert left == ["left"]
        await chat.say("x")
        assert left == ["left", "left"]


async def test_an_error_while_unwinding_is_a_step_error() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("A?")
        finally:
            raise ValueError("in the finally block")

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("Sorry, something went wrong. Please try that again.",)


async def test_the_mark_decides_when_the_cancellation_is_swallowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        answer = "none"
        try:
            answer = await turn.ask("A?")
        except asyncio.CancelledError:
            answer = "swallowed"
        if answer == "swallowed":
            return "ignored"  # type: ignore[return-value]  # what a careless handler may do
        turn.reply(f"got {answer}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("A?",)
        assert await chat.say("x") == ("got x",)
    warnings = [record for record in caplog.records if "is ignored" in record.getMessage()]
    assert len(warnings) == 1
    assert "test_journal.py:" in warnings[0].getMessage()


async def test_after_the_suspension_every_method_of_the_turn_raises_again() -> None:
    seen: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("A?")
        except asyncio.CancelledError:
            try:
                turn.reply("never said")
            except asyncio.CancelledError:
                seen.append("again")
                raise
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("A?",)
    assert seen == ["again"]


async def test_a_cancellation_without_the_mark_is_an_error_of_the_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        raise asyncio.CancelledError

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
    assert "what it awaited was cancelled" in caplog.text


async def test_once_is_called_once_a_visit() -> None:
    calls: list[str] = []

    def effect() -> dict[str, int]:
        calls.append("called")
        return {"number": 7}

    async def step(turn: Turn[One, Names]) -> Action[One]:
        found = await turn.once("effect", effect)
        await turn.ask("A?")
        await turn.ask("B?")
        turn.reply(str(found["number"]))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.say("b") == ("7",)
    assert calls == ["called"]


async def test_once_takes_async_functions_and_refuses_what_is_no_json() -> None:
    async def bad() -> object:
        return object()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.once("bad", bad)
        except TypeError as error:
            turn.reply(str(error))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        (said,) = await chat.say("/start")
    assert "turn.once('bad', ...) gave object, which is no JSON" in said


async def test_results_of_once_survive_a_step_error() -> None:
    calls: list[str] = []

    def pay() -> int:
        calls.append("paid")
        return len(calls)

    async def step(turn: Turn[One, Names]) -> Action[One]:
        answer = await turn.ask("A?")
        number = await turn.once("pay", pay)
        if answer == "bad":
            raise RuntimeError("after the payment")
        turn.reply(f"payment {number}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("bad")
        assert await chat.say("good") == ("payment 1",)
    assert calls == ["paid"]


async def test_the_idempotency_key_is_the_same_in_every_run_of_a_visit() -> None:
    keys: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        keys.append(turn.idempotency_key("pay"))
        await turn.ask("A?")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("/start")
    assert keys[0] == keys[1]
    assert keys[2] != keys[0]
    assert len(keys[0]) == 32


async def test_what_is_done_again_after_a_repeat_gets_a_new_idempotency_key() -> None:
    keys: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        card = await turn.ask("Card?")
        keys.append(turn.idempotency_key("pay"))
        return turn.repeat("Refused.") if card == "bad" else turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("bad")
        await chat.say("good")
    assert len(set(keys)) == 2


async def test_now_random_and_user_are_recorded_at_first_use() -> None:
    seen: list[tuple[Any, ...]] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        seen.append((turn.now, turn.random.random(), turn.user))
        await turn.ask("A?")
        await turn.ask("B?")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.say("b")
    assert seen[0] == seen[1] == seen[2]


async def test_changed_code_restarts_the_step_and_consumes_no_input() -> None:
    async def old(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Name?")
        await turn.ask("Town?")
        return turn.complete()

    async def new(turn: Turn[One, Names]) -> Action[One]:
        age = await turn.ask("Age?", Integer())
        turn.reply(f"age {age}")
        return turn.complete()

    storage = MemoryStorage()
    async with Chat(app_of(one_step(old)), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
    async with Chat(app_of(one_step(new)), storage=storage) as chat:
        assert (await chat.say("Paris"))[-1] == "Age?"
        assert await chat.say("36") == ("age 36",)


async def test_a_question_that_was_removed_restarts_the_step() -> None:
    async def new(turn: Turn[One, Names]) -> Action[One]:
        turn.reply(await turn.ask("Only?"))
        return turn.complete()

    storage = MemoryStorage()
    async with Chat(app_of(one_step(two_questions)), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("a")
    async with Chat(app_of(one_step(new)), storage=storage) as chat:
        assert (await chat.say("b"))[-1] == "Only?"
        assert await chat.say("c") == ("c",)


async def test_a_key_tells_questions_apart_that_changed_places() -> None:
    async def old(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Name?", key="name")
        await turn.ask("Town?", key="town")
        return turn.complete()

    async def new(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Town?", key="town")
        await turn.ask("Name?", key="name")
        return turn.complete()

    storage = MemoryStorage()
    async with Chat(app_of(one_step(old)), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
    async with Chat(app_of(one_step(new)), storage=storage) as chat:
        assert (await chat.say("Paris"))[-1] == "Town?"


async def test_a_second_misfit_under_the_same_code_is_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[int] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        runs.append(1)
        if len(runs) % 2:
            await turn.ask("Text?")
        else:
            await turn.ask("Number?", Integer())
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("1")
        await chat.say("2")
    assert "NondeterministicStep" in caplog.text


async def test_old_buttons_mean_nothing_after_a_misfit() -> None:
    async def old(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Colour?", Choice(["red", "blue"]))
        return turn.complete()

    async def new(turn: Turn[One, Names]) -> Action[One]:
        size = await turn.ask("Size?", Integer())
        turn.reply(str(size))
        return turn.complete()

    storage = MemoryStorage()
    async with Chat(app_of(one_step(old)), storage=storage) as chat:
        await chat.say("/start")
        button = chat.button("red")
    async with Chat(app_of(one_step(new)), storage=storage) as chat:
        assert (await chat.send(button.press()))[-1] == "Size?"
        assert "This button has expired." in await chat.send(button.press())
        assert await chat.say("4") == ("4",)


async def test_a_check_refuses_at_the_question_and_asks_again() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Name?", check=lambda name: "Taken." if name == "root" else None)
        turn.reply(f"hello {name}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("root") == ("Taken.",)
        assert await chat.say("ada") == ("hello ada",)


async def test_used_up_tries_raise_in_the_handler_and_stay_used_up() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("Age?", Integer(tries=2))
        except TooManyTries as error:
            name = await turn.ask(f"{error.tries} tries. Your name, then?")
            turn.reply(f"hello {name}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("x")
        assert await chat.say("y") == ("2 tries. Your name, then?",)
        assert await chat.say("Ada") == ("hello Ada",)


async def test_used_up_tries_end_the_flow_when_nothing_catches_them() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Age?", Integer(tries=1))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("x") == ("That did not work out, so I have stopped here.",)
        assert "I did not understand that." in (await chat.say("y"))[0]


async def test_more_than_200_answers_in_a_step_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        for n in range(1000):
            await turn.ask(f"{n}?")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        for n in range(200):
            await chat.say(str(n))
    assert "it has asked more than 200 questions. Split it into several steps." in caplog.text


async def test_a_message_of_an_earlier_run_can_be_edited_later() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("0 answers")
        await turn.ask("A?")
        turn.edit(board, "1 answer")
        await turn.ask("B?")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("a")
    sent = {delivery.text: delivery for delivery in chat.deliveries}
    assert sent["1 answer"].edit == "m1"


async def test_the_explicit_style_runs_the_handler_with_the_input() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        match turn.input:
            case None:
                turn.reply("Say something.")
                return turn.wait(Text())
            case str(text) if text != "stop":
                turn.data.count += 1
                turn.reply(f"{turn.data.count}: {text}")
                return turn.wait(Text())
            case _:
                return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("Say something.",)
        assert await chat.say("a") == ("1: a",)
        assert await chat.say("b") == ("2: b",)
        assert await chat.say("stop") == ()
        assert "I did not understand" in (await chat.say("c"))[0]


async def test_scene_data_is_kept_by_wait_and_gone_after_the_step() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.scene["seen"] = turn.scene.get("seen", 0) + 1
        if turn.scene["seen"] < 3:
            turn.reply(str(turn.scene["seen"]))
            return turn.wait()
        turn.reply("done")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("1",)
        assert await chat.say("x") == ("2",)
        assert await chat.say("x") == ("done",)
        assert await chat.say("/start") == ("1",)


async def test_late_work_of_a_finished_step_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    release = asyncio.Event()
    late: list[asyncio.Task[str]] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        async def later() -> str:
            await release.wait()
            return await turn.ask("Too late?")

        late.append(asyncio.create_task(later()))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        release.set()
        await asyncio.wait(late)
    assert late[0].cancelled()
    assert "something of it went on after the step had ended" in caplog.text


async def test_a_step_that_asks_by_chance_is_found_by_running_every_step_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[int] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        runs.append(1)
        await turn.ask("Text or number?", Text() if len(runs) % 2 else Integer())
        return turn.complete()

    async with Chat(app_of(one_step(step), rerun_every_step=True)) as chat:
        await chat.say("/start")
    assert "NondeterministicStep" in caplog.text


async def test_an_honest_step_says_nothing_twice_when_every_step_is_run_again() -> None:
    async with Chat(app_of(one_step(two_questions), rerun_every_step=True)) as chat:
        assert await chat.say("/start") == ("Hello.", "First?")
        assert await chat.say("a") == ("Got a.", "Second?")
        assert await chat.say("b") == ("a and b",)


async def test_a_repeat_forgets_the_results_of_once() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        town = await turn.ask("Town?")

        def look_up() -> str:
            calls.append(town)
            return town

        found = await turn.once("look up", look_up)
        if found == "nowhere":
            return turn.repeat("There is no such town.")
        turn.reply(f"{found} it is.")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("nowhere")
        assert await chat.say("Paris") == ("Paris it is.",)
    assert calls == ["nowhere", "Paris"]


async def test_back_from_within_a_step_forgets_the_results_of_once_after_the_answer() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        town = await turn.ask("Town?")
        found = await turn.once("look up", lambda: town)
        if await turn.ask(f"{found}?", Choice(["yes", "no"])) == "no":
            return turn.back()
        turn.reply(f"{found} it is.")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("Rome") == ("Rome?",)
        assert await chat.press("no") == ("Town?",)
        assert await chat.say("Paris") == ("Paris?",)
        assert await chat.press("yes") == ("Paris it is.",)


async def test_a_wait_forgets_the_results_of_once() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = str(turn.input)
        turn.reply(await turn.once("say", lambda: said))
        return turn.wait() if said != "stop" else turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("None",)
        assert await chat.say("a") == ("a",)
        assert await chat.say("stop") == ("stop",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shout(StringInput):
    """An input that a later deploy does not have."""

    kind: ClassVar[str] = "test shout"

    def parse_text(self, text: str) -> str:
        """In capitals."""
        return text.upper()


async def shouting(turn: Turn[One, Names]) -> Action[One]:
    shout = await turn.ask("Shout?", Shout())
    turn.reply(shout)
    return turn.complete()


async def shouting_first(turn: Turn[One, Names]) -> Action[One]:
    if turn.input is None:
        return turn.wait(Shout(), prompt="Shout?")
    turn.reply(f"{turn.input} {await turn.ask('And?')}")
    return turn.complete()


@pytest.mark.parametrize(("step", "before"), [(shouting, []), (shouting_first, ["hey"])])
async def test_a_kind_of_input_that_is_gone_starts_the_step_again(
    step: Step, before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(one_step(step)), storage=storage) as chat:
        await chat.say("/start")
        for said in before:
            await chat.say(said)
    monkeypatch.delitem(inputs_base._KINDS, "test shout")
    async with Chat(app_of(one_step(two_questions)), storage=storage) as chat:
        said_again = await chat.say("x")
        assert said_again == (
            "This question has changed. Let us start it again.",
            "Hello.",
            "First?",
        )
        assert await chat.say("a") == ("Got a.", "Second?")


async def test_what_on_error_says_is_not_taken_for_a_message_of_the_step() -> None:
    failures = [1]
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("board")
        await turn.ask("A?")
        if failures:
            failures.pop()
            raise ConnectionError("away")
        turn.edit(board, "board, edited")
        return turn.complete()

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        turn.reply("One moment.")
        return turn.retry()

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("One moment.", "board, edited")
    assert chat.deliveries[-1].edit == "m1"


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
