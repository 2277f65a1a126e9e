"""Moves in, out of and between the branches of forks: back, goto, detour, next."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import Any

import pytest
from pydantic import BaseModel

from engine.testing import Chat, VirtualClock
from flows import Action, Choice, Email, Flow, FlowBuilder, Integer, Text, Turn
from tests.integration.conftest import Talk
from tests.support import app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."
AT_START = "This is the start, there is no question before it."


class Step(Enum):
    NAME = auto()
    EMAIL = auto()
    CODE = auto()
    AGE = auto()
    REVIEW = auto()
    OTHER = auto()


class Details(BaseModel):
    name: str = ""
    email: str = ""
    code: str = ""
    age: int = 0
    seen: str = ""


S = Step
Here = Turn[Step, Details]


def kyc(moves: Any = None, **more: Any) -> Flow[Step, Details]:
    """A name; an e-mail with its code and an age, in any order; a summary.

    Args:
        moves: a step to its handler, in place of the question that it asks.
    """
    flow = FlowBuilder("kyc", Step, Details)
    flow.parallel(
        **{"from_": S.NAME, "steps": [(S.EMAIL, S.CODE), S.AGE], "join": S.REVIEW, **more}
    )
    handlers = moves or {}
    for step, handler in handlers.items():
        flow.step(step, handler)
    if S.NAME not in handlers:
        flow.ask(S.NAME, "Name?", Text(), into="name")
    if S.EMAIL not in handlers:
        flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    if S.CODE not in handlers:
        flow.ask(S.CODE, "Code?", Text(), into="code")
    if S.AGE not in handlers:
        flow.ask(S.AGE, "Age?", Integer(), into="age")
    if S.REVIEW not in handlers:
        flow.ask(S.REVIEW, "Seen?", Text(), into="seen")
    flow.ask(S.OTHER, "Other?", Text(), into="seen")
    return flow.build(initial=S.NAME)


async def at_hub(chat: Chat) -> None:
    await chat.say("/start")
    await chat.say("Ada")


async def joined(chat: Chat) -> tuple[str, ...]:
    await at_hub(chat)
    await chat.say("30")
    await chat.say("a@b.org")
    return await chat.say("77")


# --- back -------------------------------------------------------------------------------


async def test_back_stays_inside_a_branch_then_unfocuses_then_leaves_the_fork(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        assert await chat.say("/back") == ("E-mail?",)
        assert await chat.say("/back") == ("0/2",)
        assert await chat.say("/back") == ("Name?",)
        assert await chat.say("/back") == (AT_START, "Name?")


async def test_progress_is_kept_when_a_fork_is_left_and_entered_again(talk: Talk) -> None:
    """Lesson 16: going back to the fork does not wipe the progress."""
    async with talk(kyc()) as chat:
        await at_hub(chat)
        await chat.say("30")
        await chat.say("a@b.org")
        for _ in range(3):
            await chat.say("/back")
        assert await chat.press("Keep: Ada") == ("1/2\n\u2713 Age",)
        assert await chat.press("Email") == ("E-mail?",)


async def test_a_held_second_question_is_shown_after_re_entry(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        await chat.press("Age")
        assert await chat.say("/back") == ("0/2",)
        assert await chat.say("/back") == ("Name?",)
        await chat.say("Bob")
        assert await chat.press("Email") == ("Code?",)


async def test_old_hub_buttons_expire_when_a_fork_is_entered_again(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await at_hub(chat)
        old = chat.button("Age")
        await chat.say("/back")
        await chat.say("Bob")
        assert await chat.send(old.press()) == ("This button has expired.", "0/2")


async def test_back_from_the_join_reopens_the_hub_with_continue(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        assert (await joined(chat))[-1] == "Seen?"
        assert await chat.say("/back") == ("2/2\n\u2713 Email\n\u2713 Age",)
        assert chat.buttons() == ("\u2713 Email", "\u2713 Age", "Continue")
        assert (await chat.press("Continue"))[-1] == "Seen?"


async def test_back_from_the_join_then_a_branch_is_done_again(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await joined(chat)
        await chat.say("/back")
        assert await chat.press("\u2713 Age") == ("1/2\n\u2713 Email", "Age?")
        assert "Continue" not in chat.labels()
        assert (await chat.say("31"))[-1] == "Seen?"


async def test_back_from_a_reopened_hub_leaves_the_fork_and_keeps_all(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await joined(chat)
        await chat.say("/back")
        assert await chat.say("/back") == ("Name?",)
        assert (await chat.say("Bob"))[-1] == "2/2\n\u2713 Email\n\u2713 Age"
        assert (await chat.press("Continue"))[-1] == "Seen?"


async def test_an_abandoned_branch_can_be_begun_after_back_from_the_join(talk: Talk) -> None:
    async with talk(kyc(need="any")) as chat:
        await at_hub(chat)
        assert (await chat.say("30"))[-1] == "Seen?"
        assert await chat.say("/back") == ("1/1\n\u2713 Age",)
        assert (await chat.press("Email"))[-1] == "E-mail?"


async def test_restore_at_the_join_keeps_what_the_branches_have_said(talk: Talk) -> None:
    async def review(turn: Here) -> Action[Step]:
        if await turn.ask(f"{turn.data.email} {turn.data.age}?") == "back":
            return turn.back(restore=True)
        return turn.next()

    async with talk(kyc({S.REVIEW: review})) as chat:
        assert (await joined(chat))[-1] == "a@b.org 30?"
        assert await chat.say("back") == ("2/2\n\u2713 Email\n\u2713 Age",)
        assert (await chat.press("Continue"))[-1] == "a@b.org 30?"


async def test_restore_in_a_branch_takes_its_result_back_and_nothing_else(talk: Talk) -> None:
    async def code(turn: Here) -> Action[Step]:
        if await turn.ask("Code?") == "back":
            return turn.back(restore=True)
        return turn.done()

    async def age(turn: Here) -> Action[Step]:
        turn.data.seen = f"<{turn.data.email}>"
        await turn.ask("Age?", Integer())
        changed = turn.parallel[S.EMAIL].changed
        turn.reply(f"{turn.data.seen} {sorted(changed)}")
        return turn.done()

    async with talk(kyc({S.CODE: code, S.AGE: age})) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        assert await chat.say("back") == ("E-mail?",)
        assert "Keep: a@b.org" not in chat.labels()
        assert (await chat.say("30"))[0] == "<> []"


async def test_a_step_entered_meanwhile_keeps_its_entry_values_over_a_restore(talk: Talk) -> None:
    async def code(turn: Here) -> Action[Step]:
        if await turn.ask("Code?") == "back":
            return turn.back(restore=True)
        return turn.done()

    async def age(turn: Here) -> Action[Step]:
        await turn.ask("Age?", Integer())
        turn.reply(f"at entry {turn.data.email!r}")
        return turn.done()

    async with talk(kyc({S.CODE: code, S.AGE: age})) as chat:
        await at_hub(chat)
        await chat.say("30")
        await chat.say("a@b.org")
        await chat.press("\u2713 Age")
        await chat.press("Email")
        await chat.say("back")
        await chat.press("Age")
        assert (await chat.say("31"))[0] == "at entry 'a@b.org'"


async def test_a_step_that_returns_back_at_its_first_question_shows_the_hub(talk: Talk) -> None:
    async def age(turn: Here) -> Action[Step]:
        if await turn.ask("Age?", Choice(["1", "back"])) == "back":
            return turn.back()
        return turn.next()

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        await chat.press("Age")
        assert await chat.press("back") == ("0/2",)
        assert await chat.press("Age") == ("Age?",)
        assert await chat.press("1") == ("1/2\n\u2713 Age",)


async def waiting(turn: Here) -> Action[Step]:
    """An explicit step whose question is a message before."""
    match turn.input:
        case None:
            turn.reply("Which age?")
            return turn.wait(Choice(["1", "back", "other"]))
        case "back":
            return turn.back()
        case "other":
            return turn.goto(S.EMAIL)
        case _:
            return turn.next()


async def test_an_explicit_step_may_go_back_to_the_hub(talk: Talk) -> None:
    async with talk(kyc({S.AGE: waiting})) as chat:
        await at_hub(chat)
        assert (await chat.press("back"))[-1] == "0/2"
        await chat.press("Age")
        assert await chat.press("1") == ("1/2\n\u2713 Age",)


async def test_an_explicit_step_may_send_to_its_sibling(talk: Talk) -> None:
    async with talk(kyc({S.AGE: waiting})) as chat:
        await at_hub(chat)
        assert (await chat.press("other"))[-1] == "E-mail?"
        await chat.press("Age")
        assert await chat.press("1") == ("1/2\n\u2713 Age",)


# --- goto, next and detour --------------------------------------------------------------


async def test_goto_into_a_branch_opens_the_fork_there(talk: Talk) -> None:
    async def name(turn: Here) -> Action[Step]:
        if await turn.ask("Name?") == "code":
            return turn.goto(S.CODE)
        return turn.next()

    async with talk(kyc({S.NAME: name})) as chat:
        await chat.say("/start")
        assert await chat.say("code") == ("0/2", "Code?")
        assert await chat.say("77") == ("1/2\n\u2713 Email",)
        assert (await chat.say("30"))[-1] == "Seen?"


async def test_back_after_a_goto_into_a_branch_unfocuses_and_then_returns(talk: Talk) -> None:
    async def name(turn: Here) -> Action[Step]:
        if await turn.ask("Name?") == "code":
            return turn.goto(S.CODE)
        return turn.next()

    async with talk(kyc({S.NAME: name})) as chat:
        await chat.say("/start")
        await chat.say("code")
        assert await chat.say("/back") == ("0/2",)
        assert await chat.say("/back") == ("Name?",)


async def test_goto_out_of_a_branch_abandons_the_fork(talk: Talk) -> None:
    async def age(turn: Here) -> Action[Step]:
        await turn.ask("Age?", Integer())
        turn.data.age = 5
        return turn.goto(S.OTHER)

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        assert await chat.say("/back") == ("E-mail?",)
        assert await chat.say("30") == ("Other?",)
        assert await chat.say("/back") == ("Name?",)


async def test_an_abandoned_fork_opens_afresh(talk: Talk) -> None:
    async def age(turn: Here) -> Action[Step]:
        await turn.ask("Age?", Integer())
        return turn.goto(S.NAME)

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        await chat.say("77")
        await chat.say("30")
        assert await chat.say("Bob") == ("0/2",)


async def test_goto_within_a_branch_stays_in_it(talk: Talk) -> None:
    async def email(turn: Here) -> Action[Step]:
        if await turn.ask("E-mail?", Email()) == "a@b.org":
            return turn.goto(S.CODE)
        return turn.next()

    async with talk(kyc({S.EMAIL: email})) as chat:
        await at_hub(chat)
        assert await chat.say("a@b.org") == ("Code?",)
        assert await chat.say("/back") == ("E-mail?",)


def switching(target: Step, left: list[str]) -> Flow[Step, Details]:
    """The age, given as 1, sends to a step of the sibling; ``left`` takes the steps left."""

    async def age(turn: Here) -> Action[Step]:
        if await turn.ask("Age?", Integer()) == 1:
            return turn.goto(target)
        return turn.next()

    async def leave(turn: Here) -> None:
        left.append(turn.step.name)

    flow = FlowBuilder("kyc", Step, Details)
    flow.parallel(from_=S.NAME, steps=[(S.EMAIL, S.CODE), S.AGE], join=S.REVIEW)
    flow.ask(S.NAME, "Name?", Text(), into="name")
    flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    flow.ask(S.CODE, "Code?", Text(), into="code")
    flow.step(S.AGE, age)
    for step in (S.EMAIL, S.CODE, S.AGE):
        flow.on_leave(step, leave)
    flow.say(S.REVIEW, "Thanks.")
    flow.say(S.OTHER, "Bye.")
    return flow.build(initial=S.NAME)


async def test_goto_a_sibling_moves_the_focus_and_the_step_waits_on(talk: Talk) -> None:
    left: list[str] = []
    async with talk(switching(S.EMAIL, left)) as chat:
        await at_hub(chat)
        assert await chat.say("1") == ("E-mail?",)
        assert await chat.say("30") == ("1/2\n\u2713 Age",)
        assert left == ["AGE"]


async def test_goto_another_step_of_a_sibling_jumps_there(talk: Talk) -> None:
    left: list[str] = []
    async with talk(switching(S.CODE, left)) as chat:
        await at_hub(chat)
        assert (await chat.say("1"))[-1] == "Code?"
        assert left == ["EMAIL"]
        assert await chat.say("/back") == ("E-mail?",)


async def test_goto_a_sibling_that_is_done_opens_it_again(talk: Talk) -> None:
    async with talk(switching(S.EMAIL, [])) as chat:
        await at_hub(chat)
        await chat.say("a@b.org")
        await chat.say("77")
        assert await chat.say("1") == ("0/2", "E-mail?")
        assert await chat.say("/back") == ("0/2",)


async def test_next_with_the_head_of_a_sibling_is_done_and_focuses_it(talk: Talk) -> None:
    async def age(turn: Here) -> Action[Step]:
        await turn.ask("Age?", Integer())
        return turn.next(S.EMAIL)

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        assert await chat.say("30") == ("1/2\n\u2713 Age", "E-mail?")
        assert await chat.say("a@b.org") == ("Code?",)


@pytest.mark.parametrize("way", ["join", "done", "next"])
async def test_a_branch_ends_by_done_next_and_the_join(talk: Talk, way: str) -> None:
    async def age(turn: Here) -> Action[Step]:
        await turn.ask("Age?", Integer())
        if way == "join":
            return turn.next(S.REVIEW)
        return turn.done() if way == "done" else turn.next()

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        assert await chat.say("30") == ("1/2\n\u2713 Age",)


async def test_a_detour_inside_a_branch_comes_back(talk: Talk) -> None:
    async def age(turn: Here) -> Action[Step]:
        if await turn.ask(f"Age of {turn.data.name}?", Integer()) == 0:
            return turn.detour(S.NAME)
        return turn.next()

    async with talk(kyc({S.AGE: age})) as chat:
        await at_hub(chat)
        assert await chat.say("0") == ("Name?",)
        assert await chat.say("Bob") == ("Age of Bob?",)
        assert await chat.say("30") == ("1/2\n\u2713 Age",)


async def test_a_detour_into_a_branch_opens_no_fork(talk: Talk) -> None:
    async def review(turn: Here) -> Action[Step]:
        if await turn.ask(f"Age {turn.data.age}?") == "wrong":
            return turn.detour(S.AGE)
        return turn.next()

    async with talk(kyc({S.REVIEW: review})) as chat:
        assert (await joined(chat))[-1] == "Age 30?"
        assert await chat.say("wrong") == ("Age?",)
        assert await chat.say("31") == ("Age 31?",)


async def test_cancel_at_a_hub_leaves_every_branch(talk: Talk) -> None:
    left: list[str] = []
    async with talk(switching(S.EMAIL, left)) as chat:
        await at_hub(chat)
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert left == ["EMAIL", "AGE"]


async def test_cancel_leaves_the_branches_of_a_fork_that_was_gone_back_out_of(talk: Talk) -> None:
    left: list[str] = []
    async with talk(switching(S.EMAIL, left)) as chat:
        await at_hub(chat)
        assert await chat.say("/back") == ("Name?",)
        assert left == []
        await chat.say("/cancel")
        assert left == ["EMAIL", "AGE"]


async def test_on_error_may_send_to_a_sibling_and_the_failed_question_waits_on(
    talk: Talk,
) -> None:
    async def age(turn: Here) -> Action[Step]:
        if await turn.ask("Age?", Integer()) == 1:
            raise RuntimeError("boom")
        return turn.next()

    flow = FlowBuilder("kyc", Step, Details)
    flow.parallel(from_=S.NAME, steps=[(S.EMAIL, S.CODE), S.AGE], join=S.REVIEW)
    flow.ask(S.NAME, "Name?", Text(), into="name")
    flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    flow.ask(S.CODE, "Code?", Text(), into="code")
    flow.step(S.AGE, age)
    flow.say(S.REVIEW, "Thanks.")
    flow.say(S.OTHER, "Bye.")

    @flow.on_error
    async def failed(turn: Here, error: Exception) -> Action[Step]:
        return turn.goto(S.EMAIL)

    async with talk(flow.build(initial=S.NAME)) as chat:
        await at_hub(chat)
        assert await chat.say("1") == ("E-mail?",)
        assert await chat.say("30") == ("1/2\n\u2713 Age",)


async def test_branches_that_send_to_each_other_for_ever_are_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def email(turn: Here) -> Action[Step]:
        return turn.goto(S.AGE)

    async def age(turn: Here) -> Action[Step]:
        return turn.goto(S.EMAIL)

    async with Chat(app_of(kyc({S.EMAIL: email, S.AGE: age}))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == (APOLOGY,)
    assert "TransitionLoop" in caplog.text
    assert "EMAIL" in caplog.text


async def test_an_explicit_step_whose_time_is_up_may_send_to_its_sibling() -> None:
    flow = FlowBuilder("kyc", Step, Details)
    flow.parallel(from_=S.NAME, steps=[(S.EMAIL, S.CODE), S.AGE], join=S.REVIEW)
    flow.ask(S.NAME, "Name?", Text(), into="name")
    flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    flow.ask(S.CODE, "Code?", Text(), into="code")
    flow.step(
        S.AGE, waiting, timeout=timedelta(minutes=1), on_timeout=lambda turn: turn.goto(S.EMAIL)
    )
    flow.say(S.REVIEW, "Thanks.")
    flow.say(S.OTHER, "Bye.")
    async with Chat(app_of(flow.build(initial=S.NAME)), clock=VirtualClock()) as chat:
        await at_hub(chat)
        assert await chat.advance(61) == ("Which age?", "E-mail?")
        await chat.press("Age")
        assert await chat.press("1") == ("1/2\n\u2713 Age",)
