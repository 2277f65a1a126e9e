"""Orders from outside: start, resume, goto, cancel; and those for what is gone."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import pytest
from pydantic import BaseModel

from engine.testing import Chat
from flows import (
    Action,
    ChildCancelled,
    Choice,
    Confirm,
    Context,
    Flow,
    FlowBuilder,
    Integer,
    Text,
    Turn,
)
from flows.inputs import Input
from flows.ports import Query
from flows.updates import Order
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]
CANCELLED = "Cancelled."


class Payment(BaseModel):
    """What an outside event brings."""

    amount: int


def flow_of(step: Any, name: str = "one", **more: Any) -> Flow[One, Names]:
    made: Flow[One, Names] = (
        FlowBuilder(name, One, Names, **more).step(One.ONLY, step).build(initial=One.ONLY)
    )
    return made


def three(name: str = "three") -> Flow[Three, Names]:
    builder = FlowBuilder(name, Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    return builder.build(initial=Three.FIRST)


async def running(storage: MemoryStorage) -> str:
    """The id of the one instance that runs."""
    page = await storage.inspect(Query(what="instances"))
    (row,) = [one for one in page.rows if one["status"] in ("active", "escalated")]
    return str(row["id"])


async def statuses(storage: MemoryStorage) -> list[str]:
    return [row["status"] for row in (await storage.inspect(Query(what="instances"))).rows]


# --- start ----------------------------------------------------------------------------------


async def test_a_flow_is_started_with_its_data() -> None:
    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask(f"{turn.data.first}?")
        return turn.complete()

    async with Chat(app_of(flow_of(step))) as chat:
        order = Order(order="start", flow="one", data={"first": "Ada"})
        assert await chat.send(order) == ("Ada?",)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (Order(order="start", flow="gone"), "gone"),
        (Order(order="start", flow="three", data={"wrong": 1}), "wrong"),
    ],
    ids=["flow", "field"],
)
async def test_what_cannot_be_started_is_logged_and_nobody_is_told(
    order: Order, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Chat(app_of(three())) as chat:
        assert await chat.send(order) == ()
        assert await chat.say("/three") == ("First?",)
    assert "order 'start' cannot be carried out" in caplog.text
    assert reason in caplog.text


# --- resume: outside events -----------------------------------------------------------------


def paying(tickets: list[str]) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        ticket = turn.ticket()
        tickets.append(ticket)
        turn.reply("Please pay.")
        payment = await turn.outside(ticket, Payment)
        turn.reply(f"Paid {payment.amount}.")
        await turn.ask("Anything else?")
        return turn.complete()

    return flow_of(step, "pay")


def event(ticket: str, payload: Any) -> Order:
    return Order(order="resume", instance=ticket.partition(".")[0], token=ticket, payload=payload)


async def test_a_ticket_works_once_and_is_the_same_in_every_run() -> None:
    """Lesson 12: tokens are random, compared and used once."""
    tickets: list[str] = []
    async with Chat(app_of(paying(tickets), rerun_every_step=True)) as chat:
        await chat.say("/pay")
        paid = event(tickets[0], {"amount": 5})
        assert await chat.send(paid) == ("Paid 5.", "Anything else?")
        assert await chat.send(paid) == ()
        assert await chat.say("no") == ()
        assert await chat.send(paid) == ()
    assert len(set(tickets)) == 1


@pytest.mark.parametrize("changed", ["", "x", "another"])
async def test_a_ticket_that_is_not_right_changes_nothing(changed: str) -> None:
    tickets: list[str] = []
    async with Chat(app_of(paying(tickets))) as chat:
        await chat.say("/pay")
        instance = tickets[0].partition(".")[0]
        wrong = Order(
            order="resume", instance=instance, token=changed and f"{instance}.{changed}",
            payload={"amount": 5},
        )  # fmt: skip
        assert await chat.send(wrong) == ()
        assert (await chat.send(event(tickets[0], {"amount": 5})))[0] == "Paid 5."


async def test_a_ticket_of_one_run_is_none_of_another() -> None:
    tickets: list[str] = []
    async with Chat(app_of(paying(tickets))) as chat:
        await chat.say("/pay")
        await chat.say("/pay", by="2")
        assert await chat.send(event(tickets[0], {"amount": 1}), by="2") == ()
        mixed = event(tickets[1].partition(".")[0] + "." + tickets[0].partition(".")[2], {})
        assert await chat.send(mixed, by="2") == ()


@pytest.mark.parametrize("payload", [None, "five", {"amount": "many"}, {}, [1]])
async def test_a_wrong_payload_is_waited_on(payload: Any) -> None:
    tickets: list[str] = []
    async with Chat(app_of(paying(tickets))) as chat:
        await chat.say("/pay")
        assert await chat.send(event(tickets[0], payload)) == ()
        assert (await chat.send(event(tickets[0], {"amount": 7})))[0] == "Paid 7."


async def test_an_event_after_a_restart_reaches_a_flow_that_is_parked() -> None:
    tickets: list[str] = []
    storage, app = MemoryStorage(), app_of(paying(tickets), three())
    async with Chat(app, storage=storage) as chat:
        await chat.say("/pay")
        await chat.say("/three")
    async with Chat(app, storage=storage) as chat:
        assert await chat.send(event(tickets[0], {"amount": 5})) == ("Paid 5.", "Anything else?")
        assert await chat.say("no") == ("First?",)


async def test_an_event_reaches_a_called_flow() -> None:
    tickets: list[str] = []
    child = paying(tickets)

    async def step(turn: OneTurn) -> Action[One]:
        await turn.call(child)
        turn.reply("back")
        return turn.complete()

    async with Chat(app_of(flow_of(step))) as chat:
        await chat.say("/start")
        assert (await chat.send(event(tickets[0], {"amount": 5})))[0] == "Paid 5."
        assert await chat.say("no") == ("back",)


async def test_what_a_person_says_is_no_outside_event() -> None:
    tickets: list[str] = []
    async with Chat(app_of(paying(tickets))) as chat:
        await chat.say("/pay")
        (said,) = await chat.say(tickets[0])
        assert "waiting for something else" in said


# --- resume: an operator --------------------------------------------------------------------


def escalating(accept: Input[Any] | None = None) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        if turn.input is None:
            turn.data.first = await turn.ask("Name?")
            return turn.escalate("check the name", accept=accept)
        turn.reply(f"{turn.data.first}: {turn.input!r}")
        return turn.complete()

    return flow_of(step)


@pytest.mark.parametrize(
    ("accept", "payload", "read"),
    [
        (None, {"ok": [1]}, {"ok": [1]}),
        (None, "fine", "fine"),
        (Text(), "fine", "fine"),
        (Integer(), 5, 5),
        (Integer(), "5", 5),
        (Choice(["yes", "no"]), "yes", "yes"),
        (Confirm(), True, True),
        (Confirm(), "No", False),
    ],
)
async def test_an_operators_answer_is_read_as_the_step_wants_it(
    accept: Input[Any] | None, payload: Any, read: Any
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(escalating(accept)), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        order = Order(order="resume", instance=await running(storage), payload=payload)
        assert await chat.send(order) == (f"Ada: {read!r}",)


async def test_an_operators_answer_that_does_not_fit_is_logged_and_waited_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(escalating(Integer())), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        instance = await running(storage)
        assert await chat.send(Order(order="resume", instance=instance, payload="many")) == ()
        assert await statuses(storage) == ["escalated"]
        assert "cannot be carried out" in caplog.text
        assert await chat.send(Order(order="resume", instance=instance, payload=3)) == ("Ada: 3",)


async def test_while_escalated_the_router_answers_else_a_person_is_looking_at_it() -> None:
    bot = app_of(escalating())

    @bot.router.command("hi")
    async def greet(ctx: Context[Any, Any]) -> None:
        ctx.reply("Hi.")

    async with Chat(bot) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/hi") == ("Hi.",)
        assert await chat.say("hello?") == ("A person is looking at it. Please wait.",)
        assert await chat.say("/cancel") == (CANCELLED,)


async def test_resuming_what_waits_for_nobody_does_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        await chat.say("/three")
        order = Order(order="resume", instance=await running(storage), payload="x")
        assert await chat.send(order) == ()
        assert "waits for that any more" in caplog.text
        assert await chat.say("a") == ("Second?",)


# --- goto -----------------------------------------------------------------------------------


async def test_goto_moves_and_back_leads_to_where_it_was() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        await chat.say("/three")
        order = Order(order="goto", instance=await running(storage), step="THIRD")
        assert await chat.send(order) == ("Third?",)
        assert await chat.say("/back") == ("First?",)


async def test_goto_to_no_step_is_logged_and_nothing_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        await chat.say("/three")
        order = Order(order="goto", instance=await running(storage), step="THIRT")
        assert await chat.send(order) == ()
        assert "THIRT" in caplog.text
        assert await chat.say("a") == ("Second?",)


async def test_goto_out_of_a_called_flow_cancels_it_with_its_hooks() -> None:
    seen: list[str] = []
    inner = FlowBuilder("inner", One, Names)
    inner.ask(One.ONLY, "Inner?", Text(), into="first")

    @inner.on_cancel
    async def cancelled(turn: OneTurn) -> None:
        seen.append("inner cancelled")

    child = inner.build(initial=One.ONLY)
    builder = FlowBuilder("outer", Three, Names)

    async def calls(turn: Turn[Three, Names]) -> Action[Three]:
        try:
            await turn.call(child)
        except ChildCancelled:
            seen.append("told the caller")
        return turn.next()

    builder.step(Three.FIRST, calls)
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    storage = MemoryStorage()
    async with Chat(app_of(builder.build(initial=Three.FIRST)), storage=storage) as chat:
        assert await chat.say("/start") == ("Inner?",)
        order = Order(order="goto", instance=await running(storage), step="THIRD")
        assert await chat.send(order) == ("Third?",)
    assert seen == ["inner cancelled"]


class Fork(Enum):
    START = auto()
    LEFT = auto()
    RIGHT = auto()
    JOIN = auto()


def forked(seen: list[str]) -> Flow[Fork, Names]:
    builder = FlowBuilder("forked", Fork, Names)
    builder.ask(Fork.LEFT, "Left?", Text(), into="first")
    builder.ask(Fork.RIGHT, "Right?", Integer(), into="count")
    builder.ask(Fork.JOIN, "Join?", Text(), into="third")
    builder.parallel(from_=Fork.START, steps=[Fork.LEFT, Fork.RIGHT], join=Fork.JOIN)

    async def left(turn: Turn[Fork, Names]) -> None:
        seen.append(turn.step.name)

    builder.on_leave(Fork.LEFT, left).on_leave(Fork.RIGHT, left)
    return builder.build(initial=Fork.START)


async def test_goto_out_of_a_fork_abandons_it_with_its_hooks() -> None:
    seen: list[str] = []
    storage = MemoryStorage()
    async with Chat(app_of(forked(seen)), storage=storage) as chat:
        await chat.say("/start")
        order = Order(order="goto", instance=await running(storage), step="JOIN")
        assert await chat.send(order) == ("Join?",)
        assert await chat.say("x") == ()
    assert sorted(seen) == ["LEFT", "RIGHT"]


async def test_goto_into_a_branch_talks_about_it() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(forked([])), storage=storage) as chat:
        await chat.say("/start")
        order = Order(order="goto", instance=await running(storage), step="RIGHT")
        assert (await chat.send(order))[-1] == "Right?"
        assert "1/2" in (await chat.say("7"))[0]


async def test_goto_ends_an_escalation() -> None:
    builder = FlowBuilder("flow", Three, Names)

    async def hand_over(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.escalate("look")

    builder.step(Three.FIRST, hand_over)
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    storage = MemoryStorage()
    async with Chat(app_of(builder.build(initial=Three.FIRST)), storage=storage) as chat:
        await chat.say("/start")
        order = Order(order="goto", instance=await running(storage), step="THIRD")
        assert await chat.send(order) == ("Third?",)
        assert await statuses(storage) == ["active"]


# --- cancel ---------------------------------------------------------------------------------


def ending(name: str, seen: list[str]) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names)
    builder.ask(One.ONLY, f"{name}?", Text(), into="first")

    @builder.on_cancel
    async def cancelled(turn: OneTurn) -> None:
        seen.append(f"{name} cancelled")

    @builder.on_exit
    async def left(turn: OneTurn) -> None:
        seen.append(f"{name} left")

    return builder.build(initial=One.ONLY)


async def test_cancelling_from_outside_runs_the_hooks_and_shows_what_was_beneath() -> None:
    """Lesson 24: hooks run everywhere."""
    seen: list[str] = []
    storage = MemoryStorage()
    async with Chat(app_of(ending("one", seen), three()), storage=storage) as chat:
        await chat.say("/one")
        instance = await running(storage)
        await chat.say("/three")
        order = Order(order="cancel", instance=instance, reason="closed")
        assert await chat.send(order) == (CANCELLED, "First?")
        assert sorted(await statuses(storage)) == ["active", "cancelled"]
    assert seen == ["one cancelled", "one left"]


async def test_a_hook_that_fails_does_not_keep_a_cancelled_flow_alive(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lesson 24: an ended flow is ended."""
    builder = FlowBuilder("one", One, Names)
    builder.ask(One.ONLY, "One?", Text(), into="first")

    @builder.on_exit
    async def left(turn: OneTurn) -> None:
        raise RuntimeError("the hook failed")

    storage = MemoryStorage()
    async with Chat(app_of(builder.build(initial=One.ONLY)), storage=storage) as chat:
        await chat.say("/start")
        order = Order(order="cancel", instance=await running(storage))
        assert await chat.send(order) == (CANCELLED,)
        assert await statuses(storage) == ["cancelled"]
    assert "the hook failed" in caplog.text


async def test_all_flows_of_a_conversation_are_cancelled_the_upper_ones_first() -> None:
    seen: list[str] = []
    storage = MemoryStorage()
    bot = app_of(ending("one", seen), ending("two", seen))
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/one")
        await chat.say("/two")
        assert await chat.send(Order(order="cancel_all")) == (CANCELLED,)
        assert await chat.send(Order(order="cancel_all")) == ()
    assert seen == ["two cancelled", "two left", "one cancelled", "one left"]


# --- races ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["resume", "goto", "cancel"])
async def test_an_order_for_what_is_gone_meanwhile_changes_nothing(
    order: Any, caplog: pytest.LogCaptureFixture
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        await chat.say("/three")
        late = Order(order=order, instance=await running(storage), step="THIRD")
        await chat.say("/cancel")
        await chat.say("/three")
        assert await chat.send(late) == ()
        assert await chat.say("a") == ("Second?",)
    assert "is not running any more" in caplog.text


async def test_an_order_that_is_delivered_twice_is_done_once() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        assert await chat.send(Order(order="start", flow="three")) == ("First?",)
        assert await chat.again() == ()
        assert await statuses(storage) == ["active"]


async def test_an_order_over_which_a_step_fails_changes_nothing() -> None:
    builder = FlowBuilder("flow", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(Three.SECOND, "Second?", Text(), into="second")

    async def broken(turn: Turn[Three, Names]) -> Action[Three]:
        raise RuntimeError("broken")

    builder.step(Three.THIRD, broken)
    storage = MemoryStorage()
    async with Chat(app_of(builder.build(initial=Three.FIRST)), storage=storage) as chat:
        await chat.say("/start")
        order = Order(order="goto", instance=await running(storage), step="THIRD")
        assert "went wrong" in (await chat.send(order))[0]
        assert await chat.say("a") == ("Second?",)
