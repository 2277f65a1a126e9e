"""Flows that several people of a chat talk with: who may answer, and who answered already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.channels.console.lines import content_of
from engine.testing import Chat, VirtualClock
from engine.testing.chat import SOURCE
from flows import (
    Action,
    Address,
    Choice,
    Flow,
    FlowBuilder,
    MultiChoice,
    Person,
    Text,
    Turn,
)
from flows.keys import Key
from flows.updates import TextMessage, Update
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]
GROUP = "-100"
FOREIGN = "This button is for somebody else."
FOR_SOMEBODY_ELSE = "That question is for somebody else."
ANSWERED = "You have answered already."
MINUTE = timedelta(minutes=1)


def shared(step: Any, name: str = "ours", key: Key = "chat", **more: Any) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names, key=key, **more).step(One.ONLY, step)
    made: Flow[One, Names] = builder.build(initial=One.ONLY)
    return made


class Group:
    """A chat of several people."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    async def say(self, text: str, by: str) -> tuple[str, ...]:
        return await self.chat.say(text, by=by, chat=GROUP)

    async def press(self, label: str, by: str) -> str | None:
        """The notice that the person gets."""
        await self.chat.press(label, by=by, chat=GROUP)
        return self.chat.notices[-1][1]

    @property
    def said(self) -> tuple[str, ...]:
        return self.chat.replies(GROUP)


# --- one of several -------------------------------------------------------------------------


async def colour(turn: OneTurn) -> Action[One]:
    taken = await turn.ask("Colour?", Choice(["red", "blue"]), from_="8")
    turn.reply(f"8 took {taken}")
    return turn.complete()


async def test_only_the_one_who_is_asked_may_press() -> None:
    async with Chat(app_of(shared(colour))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert await group.press("red", "7") == FOR_SOMEBODY_ELSE
        assert len(chat.deliveries) == 1
        assert await group.press("blue", "8") is None
        assert group.said == ("8 took blue",)


async def test_only_the_one_who_is_asked_may_type() -> None:
    async with Chat(app_of(shared(colour))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert "8 took red" not in await group.say("red", "7")
        assert await group.say("red", "8") == ("8 took red",)


async def test_several_may_be_asked_of_whom_one_answers() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        turn.reply(await turn.ask("Who?", from_=[Person(id="8"), "9"]))
        return turn.complete()

    async with Chat(app_of(shared(step))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert "me" not in await group.say("me", "7")
        assert await group.say("me", "9") == ("me",)


async def test_a_wait_is_for_somebody_too() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is None:
            return turn.wait(Choice(["red", "blue"]), prompt="Colour?", from_="8")
        turn.reply(f"8 took {turn.input}")
        return turn.complete()

    async with Chat(app_of(shared(step))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert await group.press("red", "7") == FOR_SOMEBODY_ELSE
        assert await group.press("red", "8") is None
        assert group.said == ("8 took red",)


async def test_the_button_of_a_persons_own_flow_is_nobody_elses_in_the_group() -> None:
    builder = FlowBuilder("mine", One, Names)
    builder.ask(One.ONLY, "Colour?", Choice(["red", "blue"]), into="first")
    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert await group.press("red", "8") == FOREIGN
        assert group.said == (FOREIGN,)
        assert await group.press("red", "7") is None


# --- handing over ---------------------------------------------------------------------------


async def test_a_flow_that_is_handed_over_listens_to_that_person() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Anybody?")
        turn.assign("8")
        first = await turn.ask("You?")
        turn.assign("7")
        turn.reply(f"{first}, {await turn.ask('And you?')}")
        return turn.complete()

    storage, app = MemoryStorage(), app_of(shared(step))
    async with Chat(app, storage=storage) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert await group.say("me", "9") == ("You?",)
    async with Chat(app, storage=storage) as chat:
        group = Group(chat)
        assert "And you?" not in await group.say("no", "9")
        assert await group.say("yes", "8") == ("And you?",)
        assert await group.say("too", "7") == ("yes, too",)


@pytest.mark.parametrize("how", ["assign", "from_", "ask_each"])
async def test_in_a_flow_of_one_person_nobody_else_can_be_asked(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It would wait for ever."""

    async def step(turn: OneTurn) -> Action[One]:
        if how == "assign":
            turn.assign("8")
        if how == "ask_each":
            await turn.ask_each(["1", "8"], "Name?", Text())
        await turn.ask("Name?", from_="8" if how == "from_" else None)
        return turn.complete()

    async with Chat(app_of(shared(step, key="user_in_chat"))) as chat:
        (said,) = await chat.say("/start")
        assert "something went wrong" in said
    assert "only person 1 talks with this flow, and 8 could never answer" in caplog.text


async def test_in_a_flow_of_one_person_that_person_may_be_named() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        turn.assign(turn.user)
        turn.reply(await turn.ask("Name?", from_=turn.user))
        return turn.complete()

    async with Chat(app_of(shared(step, key="user_in_chat"))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("Ada",)


# --- all or some of several -----------------------------------------------------------------


def poll(people: list[str] | None, need: Any = "all", **more: Any) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        answers = await turn.ask_each(people, "Pizza?", Choice(["yes", "no"]), need=need, **more)
        turn.reply(", ".join(f"{person} {answer}" for person, answer in answers.items()))
        return turn.complete()

    return shared(step)


async def test_all_of_several_answer_in_any_order_across_restarts() -> None:
    storage, app = MemoryStorage(), app_of(poll(["7", "8", "9"]), rerun_every_step=True)
    async with Chat(app, storage=storage) as chat:
        assert await Group(chat).say("/start", "7") == ("Pizza?",)
        yes, no = chat.button("yes", chat=GROUP), chat.button("no", chat=GROUP)
        await chat.send(no.press(), by="9", chat=GROUP)
        assert chat.notices[-1][1] == "Thank you. 1 of 3 have answered."
    async with Chat(app, storage=storage) as chat:
        assert await Group(chat).say("yes", "7") == ("Thank you. 2 of 3 have answered.",)
        assert await chat.send(yes.press(), by="8", chat=GROUP) == ("9 no, 7 yes, 8 yes",)


@pytest.mark.parametrize("people", [["7", "8", "9"], None], ids=["of named ones", "of all"])
async def test_as_many_as_are_needed_are_enough(people: list[str] | None) -> None:
    async with Chat(app_of(poll(people, 2))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        await group.press("yes", "9")
        assert await group.press("no", "8") is None
        assert group.said == ("9 yes, 8 no",)


async def test_a_second_answer_is_refused_and_the_first_one_counts() -> None:
    async with Chat(app_of(poll(["7", "8"]))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        await group.press("yes", "7")
        assert await group.press("no", "7") == ANSWERED
        assert "7 no" not in " ".join(await group.say("no", "7"))
        await group.press("no", "8")
        assert group.said == ("7 yes, 8 no",)


async def test_somebody_who_is_not_asked_is_refused_politely() -> None:
    async with Chat(app_of(poll(["7", "8"]))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        assert await group.press("yes", "9") == FOR_SOMEBODY_ELSE
        assert group.said == (FOR_SOMEBODY_ELSE,)


async def test_somebody_who_is_named_twice_is_asked_once() -> None:
    async with Chat(app_of(poll(["7", "7", "8"]))) as chat:
        group = Group(chat)
        await group.say("/start", "7")
        await group.press("yes", "7")
        await group.press("no", "8")
        assert group.said == ("7 yes, 8 no",)


@pytest.mark.parametrize(("people", "need"), [(None, "all"), (["7"], 2), (["7"], 0), (None, -1)])
async def test_a_number_of_answers_that_cannot_come_is_an_error(
    people: list[str] | None, need: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with Chat(app_of(poll(people, need))) as chat:
        (said,) = await Group(chat).say("/start", "7")
        assert "something went wrong" in said
    assert "turn.ask_each: need=" in caplog.text


@pytest.mark.parametrize("people", [[], [""], "78"])
async def test_nobody_is_not_everybody(people: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with Chat(app_of(poll(people, 1))) as chat:
        (said,) = await Group(chat).say("/start", "7")
        assert "something went wrong" in said
    assert "names nobody" in caplog.text or "give it a list" in caplog.text


async def test_ids_may_be_numbers() -> None:
    async with Chat(app_of(poll([7, 8]))) as chat:  # type: ignore[list-item] # as on Telegram
        group = Group(chat)
        await group.say("/start", "7")
        await group.press("yes", "7")
        await group.press("no", "8")
        assert group.said == ("7 yes, 8 no",)


async def test_what_takes_several_presses_cannot_be_asked_of_several_people(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask_each(["7", "8"], "Which?", MultiChoice(["a", "b"]))
        return turn.complete()

    async with Chat(app_of(shared(step))) as chat:
        await Group(chat).say("/start", "7")
    assert "MultiChoice takes several presses" in caplog.text


async def test_the_time_of_a_poll_is_not_moved_by_its_answers() -> None:
    flow = poll(["7", "8"], timeout=MINUTE)
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(flow), clock=clock, storage=storage) as chat:
        await Group(chat).say("/start", "7")
        await chat.advance(50)
        await Group(chat).press("yes", "7")
        assert await chat.advance(9, chat=GROUP) == ()
        (said,) = await chat.advance(1, chat=GROUP)
        assert said.startswith("That took too long")


# --- time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["chat", "topic"])
async def test_the_time_of_a_groups_flow_outlives_a_restart_and_speaks_in_the_group(
    key: Key,
) -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Who comes?", timeout=2 * MINUTE, remind=MINUTE)
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(shared(step, key=key))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await Group(chat).say("/start", "7")
    async with Chat(app, clock=clock, storage=storage) as chat:
        assert await chat.advance(59, chat=GROUP) == ()
        assert await chat.advance(1, chat=GROUP) == ("This is a reminder.", "Who comes?")
        (said,) = await chat.advance(MINUTE, chat=GROUP)
        assert said.startswith("That took too long")
        assert {sent.chat for sent in chat.deliveries} == {GROUP}


async def test_what_one_says_after_the_time_of_the_group_is_up_comes_too_late() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        turn.reply(await turn.ask("Who comes?", timeout=MINUTE))
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(shared(step))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await Group(chat).say("/start", "7")
        await chat.crash()
        await chat.advance(2 * MINUTE)
        await chat.hand_in([chat.update(TextMessage("me"), by="8", chat=GROUP)])
        await chat.restart()
        assert "me" not in group_texts(chat)


def group_texts(chat: Chat) -> list[str]:
    return [sent.text for sent in chat.deliveries if sent.chat == GROUP]


# --- several scopes at once -----------------------------------------------------------------


async def naming(turn: OneTurn) -> Action[One]:
    turn.reply(f"{turn.data.first}{await turn.ask('Name?')}")
    return turn.complete()


async def test_a_groups_flow_and_a_persons_own_go_on_side_by_side() -> None:
    storage = MemoryStorage()
    app = app_of(shared(poll_step), shared(naming, "mine", "user_in_chat"))
    async with Chat(app, storage=storage) as chat:
        group = Group(chat)
        await group.say("/ours", "7")
        assert await group.say("/mine", "8") == ("Name?",)
    async with Chat(app, storage=storage) as chat:
        group = Group(chat)
        assert await group.say("yes", "7") == ("7 yes",)
        assert await group.say("Ada", "8") == ("Ada",)


async def poll_step(turn: OneTurn) -> Action[One]:
    answer = await turn.ask("Pizza?", Choice(["yes", "no"]), from_="7")
    turn.reply(f"7 {answer}")
    return turn.complete()


async def test_topics_of_a_chat_have_their_own_people_and_their_own_time() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Who comes?", timeout=MINUTE, from_=turn.user)
        return turn.complete()

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(shared(step, key="topic")), clock=clock, storage=storage) as chat:
        await chat.deliver(in_topic(chat, "/start", "1", by="7"))
        await chat.advance(30)
        await chat.deliver(in_topic(chat, "/start", "2", by="8"))
        await chat.advance(30, chat=GROUP)
        assert len(group_texts(chat)) == 3
        await chat.advance(30, chat=GROUP)
        assert len(group_texts(chat)) == 4


def in_topic(chat: Chat, text: str, topic: str, *, by: str) -> Update:
    update = chat.update(content_of(text), by=by, chat=GROUP)
    return replace(update, address=Address(SOURCE, GROUP, topic))
