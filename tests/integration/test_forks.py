"""Forks: branches in any order, the hub above them, who gets an answer, and the join."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import Any

import pytest
from pydantic import BaseModel, Field

from engine.testing import Chat, VirtualClock
from flows import (
    END,
    Action,
    Choice,
    Email,
    Flow,
    FlowBuilder,
    Integer,
    Progress,
    Text,
    TextMessage,
    Turn,
)
from storage import MemoryStorage
from tests.integration.conftest import Talk
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Step(Enum):
    START = auto()
    EMAIL = auto()
    CODE = auto()
    AGE = auto()
    NOTE = auto()
    REVIEW = auto()


class Details(BaseModel):
    email: str = ""
    code: str = ""
    age: int = 0
    note: str = ""
    total: int = 0


S = Step


def questions(**more: Any) -> FlowBuilder[Step, Details]:
    """An e-mail with its code, an age and a note, in any order."""
    flow = FlowBuilder("kyc", Step, Details)
    flow.say(S.START, "Hello.")
    steps = [(S.EMAIL, S.CODE), S.AGE, S.NOTE]
    flow.parallel(**{"from_": S.START, "steps": steps, "join": S.REVIEW, **more})
    flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    flow.ask(S.CODE, "Code?", Text(), into="code")
    flow.ask(S.AGE, "Age?", Integer(), into="age")
    flow.ask(S.NOTE, "Note?", Text(), into="note")
    return flow


def kyc(**more: Any) -> Flow[Step, Details]:
    flow = questions(**more)

    @flow.step(S.REVIEW)
    async def review(turn: Turn[Step, Details]) -> Action[Step]:
        data = turn.data
        await turn.ask(f"{data.email} {data.code} {data.age} {data.note}. Right?")
        turn.reply("Thanks.")
        return turn.next()

    return flow.build(initial=S.START)


async def test_at_a_fork_the_hub_is_shown_and_every_prompt_is_held(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        assert await chat.say("/start") == ("Hello.", "0/3")
        assert chat.buttons() == ("Email", "Age", "Note")


async def test_a_hub_button_shows_the_prompt_of_its_branch(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        assert await chat.press("Age") == ("Age?",)
        assert await chat.press("Note") == ("Note?",)


@pytest.mark.parametrize("order", ["Email Age Note", "Note Email Age", "Age Note Email"])
async def test_branches_are_done_in_any_order(talk: Talk, order: str) -> None:
    """Lesson 16: parallel branches are not done in list order."""
    answers = {"Email": ("a@example.org", "77"), "Age": ("30",), "Note": ("none",)}
    async with talk(kyc()) as chat:
        await chat.say("/start")
        for branch in order.split():
            await chat.press(branch)
            for answer in answers[branch]:
                said = await chat.say(answer)
        assert said[-1] == "a@example.org 77 30 none. Right?"
        assert await chat.say("yes") == ("Thanks.",)


async def test_an_answer_of_one_branch_is_not_consumed_by_the_next(talk: Talk) -> None:
    """Lesson 16: input is routed by branch."""
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.say("a@example.org")  # the e-mail asks its next question
        chat.expect("Code?")
        assert await chat.say("30") == ("1/3\n\u2713 Email",)  # its code, for it has the focus
        assert await chat.say("31") == ("2/3\n\u2713 Email\n\u2713 Age",)


async def test_without_focus_a_specific_input_comes_before_free_text(talk: Talk) -> None:
    async with talk(kyc(steps=[S.NOTE, (S.EMAIL, S.CODE), S.AGE])) as chat:
        await chat.say("/start")
        assert await chat.say("30") == ("1/3\n\u2713 Age",)
        assert await chat.say("a@example.org") == ("Code?",)


async def test_the_branch_in_focus_comes_first_if_it_parses(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.press("Note")
        assert await chat.say("30") == ("1/3\n\u2713 Note",)


async def test_another_specific_branch_takes_what_the_focus_cannot_parse(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.press("Email")
        assert await chat.say("30") == ("1/3\n\u2713 Age",)


async def test_the_focus_refuses_before_free_text_takes_it(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.press("Age")
        said = await chat.say("thirty")
        assert len(said) == 1
        assert "number" in said[0]
        assert (await chat.say("30"))[0] == "1/3\n\u2713 Age"


async def test_free_text_takes_what_nothing_specific_parses_without_focus(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        assert await chat.say("hello there") == ("1/3\n\u2713 Note",)


async def test_the_first_that_fits_by_kind_refuses_what_nothing_parses(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(), into="count")
    flow.ask(Three.THIRD, "Third?", Email(), into="third")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert "number" in (await chat.say("hello there"))[0]
        assert "number" in (await chat.say("hello there"))[0]  # it has the focus now


async def test_what_nothing_takes_shows_the_hub_again_with_a_hint(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        said = await chat.send_file("photo")
        assert "did not expect" in said[0]
        assert said[1] == "0/3"
        assert chat.buttons() == ("Email", "Age", "Note")


async def test_the_branch_that_was_prompted_last_comes_first_among_equals() -> None:
    flow = FlowBuilder("kyc", Step, Details)
    flow.parallel(from_=S.START, steps=[S.AGE, S.NOTE, S.EMAIL], join=S.REVIEW)
    flow.ask(S.AGE, "Age?", Integer(), into="age")
    flow.ask(S.NOTE, "Total?", Integer(), into="total")
    flow.ask(S.EMAIL, "E-mail?", Email(), into="email")
    flow.ask(S.CODE, "Code?", Text(), into="code", to=[])
    flow.say(S.REVIEW, "Thanks.", to=[S.CODE])
    clock = VirtualClock()
    async with Chat(app_of(flow.build(initial=S.START)), clock=clock) as chat:
        await chat.say("/start")
        await chat.press("Note")
        await chat.advance(1)
        await chat.press("Email")  # in focus, and takes no number
        assert await chat.say("7") == ("1/3\n\u2713 Note",)
        assert await chat.say("7") == ("2/3\n\u2713 Age\n\u2713 Note",)


async def test_a_reply_reaches_the_question_that_it_is_for(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.press("Note")
        question = f"m{len(chat.deliveries)}"
        await chat.press("Age")
        reply = replace(chat.update(TextMessage("30")), reply_to=question)
        assert await chat.deliver(reply) == ("1/3\n\u2713 Note",)


# --- the hub ----------------------------------------------------------------------------


async def test_the_hub_is_edited_in_its_place(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        hub = f"m{len(chat.deliveries)}"
        await chat.say("30")
        assert chat.deliveries[-1].edit == hub
        assert chat.buttons() == ("Email", "\u2713 Age", "Note")


async def test_the_hub_loses_its_buttons_at_the_join(talk: Talk) -> None:
    async with talk(kyc(need="any")) as chat:
        await chat.say("/start")
        said = await chat.say("30")
        assert said == ("1/1\n\u2713 Age", "  30 . Right?")
        assert chat.labels() == ()


async def test_a_branch_that_is_done_can_be_done_again_until_the_join(talk: Talk) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.say("30")
        assert await chat.press("\u2713 Age") == ("0/3", "Age?")
        assert chat.buttons() == ("Email", "Age", "Note", "Keep: 30")
        await chat.say("31")
        await chat.say("none")
        await chat.say("a@example.org")
        assert (await chat.say("77"))[-1] == "a@example.org 77 31 none. Right?"


async def test_a_redone_branch_goes_back_to_the_hub_and_not_into_its_first_pass(
    talk: Talk,
) -> None:
    async with talk(kyc()) as chat:
        await chat.say("/start")
        await chat.say("a@example.org")
        await chat.say("77")
        assert (await chat.press("\u2713 Email"))[-1] == "E-mail?"
        assert await chat.say("/back") == ("0/3",)
        assert chat.buttons() == ("Email", "Age", "Note")


async def test_a_flow_writes_its_own_hub_and_labels(talk: Talk) -> None:
    def hub(progress: Progress[Step, Details]) -> str:
        return f"{progress.done} of {progress.total}, {len(progress.pending)} to go"

    async with talk(kyc(hub=hub, labels={S.AGE: "How old"})) as chat:
        assert (await chat.say("/start"))[-1] == "0 of 3, 3 to go"
        assert chat.buttons() == ("Email", "How old", "Note")
        assert await chat.say("30") == ("1 of 3, 2 to go",)


@pytest.mark.parametrize("text", ["", "boom"])
async def test_in_place_of_a_hub_that_cannot_be_written_there_is_the_usual_one(text: str) -> None:
    wrong = False

    def hub(progress: Progress[Step, Details]) -> str:
        if wrong and text:
            raise RuntimeError(text)
        return text if wrong else f"{progress.done} done"

    async with Chat(app_of(kyc(hub=hub))) as chat:
        await chat.say("/start")
        wrong = True
        assert await chat.say("30") == ("1/3\n\u2713 Age",)


async def test_an_old_hub_button_expires_with_its_fork(talk: Talk) -> None:
    async with talk(kyc(need="any")) as chat:
        await chat.say("/start")
        old = chat.button("Note")
        await chat.say("30")
        assert await chat.send(old.press()) == ("This button has expired.", "  30 . Right?")


async def test_a_question_of_a_branch_that_is_done_has_expired(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Colour?", Choice(["Red", "Blue"]), into="second")
    flow.ask(Three.THIRD, "Size?", Choice(["Big", "Small"]), into="third")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.press("Second")
        old = chat.button("Blue")
        await chat.press("Red")
        said = await chat.send(old.press())
        assert said == ("This button has expired.", "1/2\n\u2713 Second")


async def test_a_hub_button_raises_a_parked_flow(talk: Talk) -> None:
    other = FlowBuilder("other", One, Names).ask(One.ONLY, "Other?", Text(), into="first")
    async with talk(kyc(), other.build(initial=One.ONLY)) as chat:
        await chat.say("/start")
        hub = chat.button("Age")
        assert await chat.say("/other") == ("Other?",)
        assert await chat.send(hub.press()) == ("Age?",)
        assert await chat.say("30") == ("1/3\n\u2713 Age",)


# --- the join ---------------------------------------------------------------------------


async def test_the_join_may_be_the_end(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Text(), into="second")
    flow.ask(Three.THIRD, "Third?", Text(), into="third")

    @flow.on_complete
    async def over(turn: Turn[Three, Names]) -> None:
        turn.reply(f"{turn.data.second} {turn.data.third}")

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert (await chat.say("b"))[-1] == "a b"
        assert "did not understand" in (await chat.say("c"))[0]


async def test_the_step_before_the_fork_runs_and_then_the_fork_opens(talk: Talk) -> None:
    """Lesson 3: a step that a fork follows still runs its own handler."""
    flow = FlowBuilder("two", Three, Names)
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Text(), into="second")
    flow.ask(Three.THIRD, "Third?", Text(), into="third")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        assert await chat.say("/start") == ("First?",)
        assert await chat.say("a") == ("0/2",)


@pytest.mark.parametrize(("need", "answers"), [("any", 1), (2, 2), ("all", 4)])
async def test_the_join_comes_when_enough_branches_are_done(
    talk: Talk, need: Any, answers: int
) -> None:
    texts = ("30", "none", "a@example.org", "77")
    async with talk(kyc(need=need)) as chat:
        await chat.say("/start")
        said = [await chat.say(text) for text in texts[:answers]]
        assert [one[-1].endswith("Right?") for one in said] == [False] * (answers - 1) + [True]


async def test_pending_branches_are_abandoned_with_their_hooks(talk: Talk) -> None:
    left: list[str] = []
    flow = questions(need=1)
    flow.say(S.REVIEW, "Thanks.")
    for step in Step:

        async def leave(turn: Turn[Step, Details]) -> None:
            left.append(turn.step.name)

        flow.on_leave(step, leave)
    async with talk(flow.build(initial=S.START)) as chat:
        await chat.say("/start")
        await chat.say("30")
        assert left == ["START", "AGE", "EMAIL", "NOTE", "REVIEW"]


async def test_branches_that_ask_nothing_are_done_at_once(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.say(Three.SECOND, "Second.")
    flow.say(Three.THIRD, "Third.")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        assert await chat.say("/start") == ("Second.", "Third.")
        assert "did not understand" in (await chat.say("c"))[0]


# --- data -------------------------------------------------------------------------------


class Sum(Enum):
    START = auto()
    ONE = auto()
    TWO = auto()
    SEE = auto()
    TOTAL = auto()


class Numbers(BaseModel):
    total: int = Field(default=0, le=100)
    seen: str = ""


class Visits(BaseModel):
    count: int = 0


Adding = Turn[Sum, Numbers]


async def add(turn: Adding) -> Action[Sum]:
    turn.data.total += await turn.ask(f"{turn.step.name}?", Integer())
    return turn.next()


def adding(**more: Any) -> Flow[Sum, Numbers]:
    """Two branches that add to one total, and a third that says what it sees."""
    flow = FlowBuilder("adding", Sum, Numbers)
    steps = [Sum.ONE, Sum.TWO, Sum.SEE]
    flow.parallel(from_=Sum.START, steps=steps, join=Sum.TOTAL, **more)
    flow.step(Sum.ONE, add).step(Sum.TWO, add)

    @flow.step(Sum.SEE)
    async def see(turn: Adding) -> Action[Sum]:
        first = turn.data.total
        await turn.ask("See?", Email())
        turn.data.seen = f"{first} {turn.data.total}"
        return turn.next()

    @flow.step(Sum.TOTAL)
    async def total(turn: Adding) -> Action[Sum]:
        one, two, see = turn.parallel
        turn.reply(f"{turn.data.total} {turn.data.seen}")
        turn.reply(f"{one.data.total} {two.data.total} {sorted(see.changed)}")
        return turn.next()

    return flow.build(initial=Sum.START)


async def fill(chat: Chat, *answers: str) -> tuple[str, ...]:
    """Presses a button and answers, for each pair."""
    await chat.say("/start")
    for branch, answer in zip(answers[::2], answers[1::2], strict=True):
        await chat.press(branch)
        said = await chat.say(answer)
    return said


async def test_of_two_branches_that_change_a_field_the_later_decision_wins(talk: Talk) -> None:
    async with talk(adding()) as chat:
        said = await fill(chat, "Two", "5", "One", "3", "See", "a@b.org")
        assert said[-2] == "3 0 0"


async def test_a_branch_sees_the_data_as_of_its_entry(talk: Talk) -> None:
    async with talk(adding()) as chat:
        said = await fill(chat, "One", "5", "See", "a@b.org", "Two", "1")
        assert said[-2:] == ("1 0 0", "5 1 ['seen']")


async def test_merge_puts_a_field_together_in_declared_order(talk: Talk) -> None:
    given: list[list[int]] = []

    def merge(values: list[int]) -> int:
        given.append(values)
        return sum(values)

    async with talk(adding(merge={"total": merge})) as chat:
        said = await fill(chat, "Two", "5", "One", "3", "See", "a@b.org")
        assert said[-2:] == ("8 0 0", "3 5 ['seen']")
    assert given == [[3, 5]]


async def test_a_merge_that_does_not_validate_fails_the_turn_and_loses_nothing() -> None:
    async with Chat(app_of(adding(merge={"total": sum}))) as chat:
        await fill(chat, "One", "60", "See", "a@b.org")
        await chat.press("Two")
        assert await chat.say("50") == (APOLOGY,)
        assert (await chat.say("40"))[-2] == "100 0 0"


async def test_a_branch_sees_the_session_as_of_its_entry(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)

    @flow.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        turn.session.count += await turn.ask("Plus?", Integer())
        return turn.next()

    @flow.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask(f"Seen {turn.session.count}?", Email())
        turn.reply(f"still {turn.session.count}")
        return turn.next()

    async with talk(flow.build(initial=Three.FIRST), session=Visits) as chat:
        await chat.say("/start")
        await chat.say("5")
        assert await chat.say("/help")
        assert (await chat.say("a@b.org"))[0] == "still 0"


async def test_progress_is_told_at_any_time(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(), save=lambda data, value: None)

    @flow.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("Third?", Email())
        progress = turn.parallel
        turn.reply(f"{progress.done}/{progress.total} {progress.pending[0].name}")
        turn.reply(str(progress[Three.SECOND].done))
        return turn.next()

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("5")
        assert (await chat.say("a@b.org"))[:2] == ("1/2 THIRD", "True")


# --- what belongs to a branch -----------------------------------------------------------


async def test_each_branch_has_its_own_tries(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(tries=2), into="count")
    flow.ask(Three.THIRD, "Third?", Email(tries=2), into="third")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        for branch in ("Second", "Third"):
            await chat.press(branch)
            assert "stopped" not in (await chat.say("wrong"))[0]
        await chat.press("Second")
        assert (await chat.say("wrong"))[0] == "That did not work out, so I have stopped here."


async def test_each_branch_has_its_own_scene(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)

    async def collect(turn: Turn[Three, Names]) -> Action[Three]:
        heard: list[str] = turn.scene.setdefault("heard", [])
        if turn.input is not None:
            heard.append(str(turn.input))
        if len(heard) == 2:
            turn.reply(f"{turn.step.name}: {' '.join(heard)}")
            return turn.next()
        return turn.wait(Text(), prompt=f"{turn.step.name}?")

    flow.step(Three.SECOND, collect).step(Three.THIRD, collect)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        for branch, text in (("Second", "a"), ("Third", "b"), ("Second", "c"), ("Third", "d")):
            await chat.press(branch)
            said = await chat.say(text)
            if text == "c":
                assert said[0] == "SECOND: a c"
        assert said[0] == "THIRD: b d"


async def test_once_is_called_once_in_a_branch_across_an_error(talk: Talk) -> None:
    calls: list[str] = []
    fails = True
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(), into="count")

    @flow.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("Third?", Email())
        await turn.once("pay", lambda: calls.append("paid"))
        if fails:
            raise RuntimeError("boom")
        return turn.next()

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("a@b.org") == (APOLOGY,)
        fails = False
        assert await chat.say("a@b.org") == ("1/2\n\u2713 Third",)
    assert calls == ["paid"]


async def test_once_at_the_head_of_a_branch_survives_the_failure_of_its_sibling(
    talk: Talk,
) -> None:
    calls: list[str] = []
    fails = True
    flow = FlowBuilder("two", Three, Names)
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)

    async def head(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.once("call", lambda: calls.append(turn.step.name))
        if fails and turn.step is Three.THIRD:
            raise RuntimeError("boom")
        await turn.ask("Well?")
        return turn.next()

    flow.step(Three.SECOND, head).step(Three.THIRD, head)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("x") == (APOLOGY,)
        fails = False
        assert await chat.say("x") == ("0/2",)
    assert calls == ["SECOND", "THIRD"]


async def test_a_misfit_in_a_branch_starts_its_step_again_and_no_other() -> None:
    storage = MemoryStorage()

    def flow(*prompts: Integer | Email) -> Flow[Three, Names]:
        flow = FlowBuilder("two", Three, Names)
        flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
        flow.ask(Three.SECOND, "Second?", Text(), into="second")

        @flow.step(Three.THIRD)
        async def third(turn: Turn[Three, Names]) -> Action[Three]:
            for number, accept in enumerate(prompts):
                await turn.ask(f"Third {number}?", accept)
            return turn.next()

        return flow.build(initial=Three.FIRST)

    async with Chat(app_of(flow(Integer(), Integer())), storage=storage) as chat:
        await chat.say("/start")
        assert await chat.say("1") == ("Third 1?",)
    async with Chat(app_of(flow(Email(), Integer())), storage=storage) as chat:
        said = await chat.say("2")
        assert said == ("This question has changed. Let us start it again.", "Third 0?")
        await chat.say("a@b.org")
        assert await chat.say("3") == ("1/2\n\u2713 Third",)
