"""Steps that are handed over to an operator, who answers, moves or ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import App
from engine.testing import Chat, VirtualClock
from flows import (
    END,
    Action,
    Context,
    Email,
    Flow,
    FlowBuilder,
    Integer,
    OnCommand,
    PayloadRefused,
    Text,
    Turn,
)
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

LOOKING = "A person is looking at it. Please wait."

Here = Turn[Three, Names]


async def only_instance(app: App) -> str:
    (row,) = (await app.running.instances(live=True)).rows
    return row.id


async def second(turn: Here) -> Action[Three]:
    """Hands over, and says what the operator has answered."""
    match turn.input:
        case None:
            turn.data.count += 1
            turn.reply("I am asking a colleague.")
            return turn.escalate("hard question", accept=Integer())
        case answer:
            turn.reply(f"The answer is {answer}, asked {turn.data.count} times.")
            return turn.next()


def three(**more: timedelta) -> Flow[Three, Names]:
    flow = FlowBuilder("three", Three, Names, **more)  # type: ignore[arg-type]  # only times
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.step(Three.SECOND, second)
    flow.ask(Three.THIRD, "Third?", Text(), into="third")
    return flow.build(initial=Three.FIRST)


async def test_an_escalated_step_goes_on_with_the_operators_answer_after_a_restart() -> None:
    app = app_of(three())
    async with Chat(app) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("I am asking a colleague.",)
        await chat.restart()
        assert await chat.say("hello?") == (LOOKING,)
        await app.decide(await only_instance(app), 42)
        await chat.settle()
        assert chat.replies()[-2:] == ("The answer is 42, asked 1 times.", "Third?")
        assert await chat.say("c") == ()


async def test_what_another_code_had_set_aside_took_no_answer_until_somebody_wrote() -> None:
    storage, app = MemoryStorage(), app_of(three())
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
        await chat.say("x")
        instance = await only_instance(app)
    flow = FlowBuilder("other", One, Names).ask(One.ONLY, "Which?", Text(), into="first")
    async with Chat(app_of(flow.build(initial=One.ONLY)), storage=storage) as chat:
        await chat.say("y")
    async with Chat(app, storage=storage) as chat:
        await app.decide(instance, 42)
        await chat.settle()
        assert chat.replies()[-2:] == ("The answer is 42, asked 1 times.", "Third?")


async def test_while_it_is_escalated_inputs_go_to_the_router() -> None:
    app = app_of(three())

    @app.router.on(OnCommand("time"))
    async def time(ctx: Context) -> None:
        ctx.reply("Noon.")

    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.say("/time") == ("Noon.",)
        assert await chat.say("/start") == (LOOKING,)


async def test_an_answer_of_the_wrong_kind_changes_nothing() -> None:
    app = app_of(three())
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("a")
        instance = await only_instance(app)
        with pytest.raises(PayloadRefused):
            await app.decide(instance, "no idea")
        await app.decide(instance, 42)
        await chat.settle()
        assert chat.replies()[-1] == "Third?"


async def test_an_escalated_flow_does_not_expire() -> None:
    app = app_of(three(ttl=timedelta(hours=1), max_age=timedelta(hours=2)))
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.advance(timedelta(days=2)) == ()
        assert await chat.say("hello?") == (LOOKING,)


async def test_an_operator_moves_or_ends_an_escalated_flow() -> None:
    app = app_of(three())
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("a")
        await app.goto(await only_instance(app), Three.THIRD)
        await chat.settle()
        assert chat.replies()[-1] == "Third?"
        await app.cancel(await only_instance(app))
        await chat.settle()
        assert "did not understand" in (await chat.say("c"))[0]


async def test_a_failed_step_that_is_escalated_runs_again_over_its_journal() -> None:
    fails = True

    async def only(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Name?")
        if fails:
            raise RuntimeError("boom")
        turn.reply(f"Hello {name}.")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, only)

    @flow.on_error
    async def failed(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.escalate(str(error))

    app = app_of(flow.build(initial=One.ONLY))
    async with Chat(app) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ()
        fails = False
        await chat.restart()
        await app.decide(await only_instance(app), None)
        await chat.settle()
        assert chat.replies()[-1] == "Hello Ada."


async def test_the_other_branches_go_on_while_one_is_escalated() -> None:
    async def number(turn: Here) -> Action[Three]:
        if turn.input is None:
            return turn.escalate("which number?", accept=Integer())
        turn.data.count = int(str(turn.input))
        return turn.next()

    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.step(Three.SECOND, number)
    flow.ask(Three.THIRD, "E-mail?", Email(), into="third")

    @flow.on_complete
    async def over(turn: Here) -> None:
        turn.reply(f"{turn.data.third} {turn.data.count}")

    app = app_of(flow.build(initial=Three.FIRST))
    async with Chat(app) as chat:
        assert await chat.say("/start") == ("0/2",)
        assert await chat.press("Second") == (LOOKING,)
        assert await chat.say("a@b.org") == ("1/2\n\u2713 Third",)
        await chat.restart()
        await app.decide(await only_instance(app), 7)
        await chat.settle()
        assert chat.replies()[-1] == "a@b.org 7"


async def test_a_called_flow_may_be_escalated() -> None:
    child = three()

    async def only(turn: Turn[One, Names]) -> Action[One]:
        turn.reply(f"Third was {(await turn.call(child)).third}.")
        return turn.complete()

    parent = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    app = app_of(parent)
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.restart()
        await app.decide(await only_instance(app), 42)
        await chat.settle()
        assert await chat.say("c") == ("Third was c.",)
