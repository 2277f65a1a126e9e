"""The explorer finds what was planted and says how to get there; else it finds nothing."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum, auto

import pytest

from engine import App
from engine.testing import Chat, Exploration, Finding, VirtualClock, explore, parse_transcript, play
from examples.signup import app as signup
from flows import (
    END,
    Action,
    Choice,
    Confirm,
    Context,
    Email,
    FlowBuilder,
    Integer,
    OnCommand,
    Pattern,
    Payment,
    Router,
    Text,
    Turn,
)
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

SEED = 7


class Maze(Enum):
    """The steps of a flow in which something is wrong."""

    DOOR = auto()
    STAIRS = auto()
    CELLAR = auto()


class Four(Enum):
    """The steps of a flow with a fork."""

    HELLO = auto()
    COLOUR = auto()
    COUNT = auto()
    SUBMIT = auto()


Step = Callable[[Turn[Maze, Names]], Awaitable[Action[Maze]]]


def of(kind: str, exploration: Exploration) -> Finding:
    """The only finding of that kind."""
    (found,) = (finding for finding in exploration.findings if finding.kind == kind)
    return found


def maze(**steps: Step) -> App:
    """A bot with one flow of three steps, of which the test writes some."""
    flow = FlowBuilder("maze", Maze, Names)
    flow.ask(Maze.DOOR, "Which door?", Choice(["left", "right", "middle"]), into="first")
    for name, step in steps.items():
        flow.step(Maze[name], step)
    for left in (one for one in (Maze.STAIRS, Maze.CELLAR) if one.name not in steps):
        flow.ask(left, f"{left.name}?", Integer(ge=0, le=9), into="count")
    return app_of(flow.build(initial=Maze.DOOR))


async def falls(turn: Turn[Maze, Names]) -> Action[Maze]:
    steps = await turn.ask("How many steps down?", Integer(ge=0, le=9))
    if turn.data.first == "middle" and steps == 9:
        raise RuntimeError("the ninth step is missing")
    return turn.next()


async def test_a_step_that_raises_for_one_answer_is_found_with_the_way_there() -> None:
    exploration = await explore(maze(STAIRS=falls), turns=500, seed=SEED)
    crash = of("crash", exploration)
    assert "RuntimeError: the ninth step is missing (raised in flow 'maze', step STAIRS)" in (
        crash.what
    )
    assert len(crash.transcript.splitlines()) <= 4
    assert "middle" in crash.transcript
    assert "9" in crash.transcript


async def test_the_transcript_of_a_crash_can_be_played_and_crashes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = maze(STAIRS=falls)
    crash = of("crash", await explore(app, turns=500, seed=SEED))
    await play(app, parse_transcript(crash.transcript))
    assert "the ninth step is missing" in caplog.text


async def test_an_endless_automatic_loop_is_found() -> None:
    async def up(turn: Turn[Maze, Names]) -> Action[Maze]:
        return turn.goto(Maze.CELLAR)

    async def down(turn: Turn[Maze, Names]) -> Action[Maze]:
        return turn.goto(Maze.STAIRS)

    loop = of("loop", await explore(maze(STAIRS=up, CELLAR=down), turns=60, seed=SEED))
    assert loop.what.startswith("TransitionLoop")
    assert len(loop.transcript.splitlines()) == 2
    assert loop.transcript.startswith("> /")


async def test_a_step_that_nothing_passes_is_a_dead_end() -> None:
    async def locked(turn: Turn[Maze, Names]) -> Action[Maze]:
        await turn.ask("The password?", Text(max_length=20))
        return turn.repeat("Wrong.")

    found = await explore(maze(CELLAR=locked), turns=400, seed=SEED)
    dead_end = of("dead end", found)
    assert dead_end.what.startswith("flow 'maze', step CELLAR: nothing passes it, not one of ")
    assert len(dead_end.transcript.splitlines()) == 3
    (flow,) = found.flows
    assert (flow.steps, flow.missed, flow.unused) == (3, (), (("CELLAR", "completed"),))


async def test_a_password_that_is_given_to_it_opens_the_dead_end() -> None:
    async def locked(turn: Turn[Maze, Names]) -> Action[Maze]:
        said = await turn.ask("The password?", Text(max_length=20))
        return turn.next() if said == "xyzzy" else turn.repeat("Wrong.")

    app = maze(CELLAR=locked)
    assert (await explore(app, turns=400, seed=SEED)).findings != ()
    assert (await explore(app, turns=400, seed=SEED, texts=["xyzzy"])).findings == ()


async def test_a_question_that_gives_up_on_everybody_is_a_dead_end() -> None:
    async def strict(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Your code?", Pattern("[A-Z]{3}-[0-9]{4}", tries=2))
        return turn.complete()

    flow = FlowBuilder("strict", One, Names).step(One.ONLY, strict).build(initial=One.ONLY)
    found = await explore(app_of(flow), turns=300, seed=SEED)
    assert [finding.kind for finding in found.findings] == ["dead end"]
    assert (await explore(app_of(flow), turns=300, seed=SEED, texts=["ABC-1234"])).findings == ()


async def test_a_flow_that_goes_round_without_an_end_is_a_loop() -> None:
    async def again(turn: Turn[Maze, Names]) -> Action[Maze]:
        await turn.ask("Once more?", Confirm())
        return turn.goto(Maze.STAIRS)

    flow = FlowBuilder("round", Maze, Names)
    flow.ask(Maze.DOOR, "In?", Confirm(), save=lambda data, _: None)
    flow.ask(Maze.STAIRS, "Up?", Confirm(), save=lambda data, _: None)
    flow.step(Maze.CELLAR, again)
    loop = of("loop", await explore(app_of(flow.build(initial=Maze.DOOR)), turns=500, seed=SEED))
    assert loop.what == "flow 'round' goes round CELLAR, STAIRS and has never come to an end"


async def test_the_branches_of_a_fork_are_gone_through_in_any_order() -> None:
    async def submit(turn: Turn[Four, Names]) -> Action[Four]:
        if turn.data.second == "red" and await turn.ask("Submit?", Confirm()):
            raise RuntimeError("red is sold out")
        return turn.complete()

    flow = FlowBuilder("fork", Four, Names)
    flow.say(Four.HELLO, "Hello.")
    flow.ask(Four.COLOUR, "Colour?", Choice(["red", "blue"]), into="second")
    flow.ask(Four.COUNT, "How many?", Integer(ge=1, le=5), into="count")
    flow.step(Four.SUBMIT, submit, to=[END])
    flow.parallel(from_=Four.HELLO, steps=[Four.COLOUR, Four.COUNT], join=Four.SUBMIT)
    found = await explore(app_of(flow.build(initial=Four.HELLO)), turns=150, seed=SEED)
    assert "red is sold out" in of("crash", found).what
    assert [one.missed for one in found.flows] == [()]


async def test_what_an_operator_or_an_outside_event_takes_on_is_no_dead_end() -> None:
    async def pay(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.outside(turn.ticket(), prompt="Please pay.", timeout=timedelta(hours=1))
        return turn.next()

    async def look(turn: Turn[Three, Names]) -> Action[Three]:
        return turn.escalate("look at it") if turn.input is None else turn.next()

    flow = FlowBuilder("order", Three, Names)
    flow.ask(Three.FIRST, "What?", Choice(["Pay", "Look"]), into="first")
    cases = [(lambda data: data.first == "Pay", Three.SECOND)]
    flow.branch(Three.FIRST, cases, otherwise=Three.THIRD)
    flow.step(Three.SECOND, pay, to=[END]).step(Three.THIRD, look)
    found = await explore(app_of(flow.build(initial=Three.FIRST)), turns=300, seed=SEED)
    assert found.findings == ()
    assert [one.missed for one in found.flows] == [()]


async def test_the_end_of_a_called_flow_counts_as_taken() -> None:
    child = FlowBuilder("child", One, Names).ask(One.ONLY, "Name?", Text(), into="first")
    called = child.build(initial=One.ONLY)

    async def call(turn: Turn[One, Names]) -> Action[One]:
        await turn.call(called)
        return turn.complete()

    flow = FlowBuilder("caller", One, Names).step(One.ONLY, call).build(initial=One.ONLY)
    found = await explore(app_of(flow), turns=60, seed=SEED)
    assert [(one.flow, one.unused) for one in found.flows] == [("caller", ()), ("child", ())]


async def test_a_handler_without_a_flow_that_raises_is_found() -> None:
    router = Router("plain")

    @router.on(OnCommand("boom"))
    async def boom(ctx: Context) -> None:
        raise KeyError("boom")

    crash = of("crash", await explore(App(router), turns=60, seed=SEED))
    assert "KeyError: 'boom'" in crash.what
    assert "test_explorer.py" in crash.what
    assert crash.transcript == "> /boom"


async def test_a_command_and_a_payment_that_are_waited_for_are_no_dead_ends() -> None:
    router, paid = Router("till"), list[str]()

    @router.command("buy")
    async def buy(ctx: Context) -> None:
        await ctx.wait_command("done", prompt="Say /done.")
        await ctx.ask("Please pay.", Payment(payload="order-1"))

        paid.append("order-1")

    assert (await explore(App(router), turns=300, seed=SEED)).findings == ()
    assert paid


async def test_nothing_is_found_where_nothing_is_wrong() -> None:
    exploration = await explore(signup, turns=400, seed=SEED)
    assert exploration.findings == ()
    assert [flow.missed for flow in exploration.flows] == [()]
    assert str(exploration).startswith(
        "400 turns with seed 7: nothing was found\nflow signup: 4 of"
    )


async def test_the_same_seed_gives_the_same_exploration_and_another_one_another() -> None:
    app = maze(STAIRS=falls)
    first = await explore(app, turns=300, seed=3)
    assert first == await explore(app, turns=300, seed=3)
    assert str(first) != str(await explore(app, turns=300, seed=4)).replace("seed 4", "seed 3")


async def test_many_kinds_of_input_are_answered() -> None:
    flow = FlowBuilder("kinds", Three, Names)
    flow.ask(Three.FIRST, "E-mail?", Email(), into="first")
    flow.ask(Three.SECOND, "Number?", Integer(ge=-3, le=-2), into="count")
    flow.ask(Three.THIRD, "Text?", Text(min_length=30, max_length=40), into="third")
    found = await explore(app_of(flow.build(initial=Three.FIRST)), turns=500, seed=SEED)
    assert found.findings == ()
    assert [flow.unused for flow in found.flows] == [()]


async def test_what_the_bot_logs_is_not_shown_and_logging_is_as_it_was() -> None:
    log = logging.getLogger("handrail")
    before = (log.level, log.propagate, list(log.handlers))
    await explore(maze(STAIRS=falls), turns=50, seed=SEED)
    assert (log.level, log.propagate, log.handlers) == before


async def test_there_must_be_turns() -> None:
    with pytest.raises(ValueError, match="turns is 0"):
        await explore(signup, turns=0)


async def test_a_chat_can_go_where_the_explorer_was() -> None:
    """The transcript of a dead end is played by hand."""
    app = maze(STAIRS=falls)
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.press("middle")
        assert await chat.say("9") == ("Sorry, something went wrong. Please try that again.",)
