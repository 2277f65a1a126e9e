"""Log records of turns tell where they come from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine import App
from engine.telemetry import TurnIds
from engine.telemetry.ids import ids_of
from engine.testing import Chat
from engine.testing.channel import TestChannel
from flows import (
    Action,
    Command,
    Context,
    Continue,
    Flow,
    FlowBuilder,
    PreContext,
    Router,
    Text,
    Turn,
)
from flows.errors import SendRefused
from flows.ports import Delivery
from storage import MemoryStorage
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

log = logging.getLogger("mybot")


class Records(logging.Handler):
    """Keeps the ids of each record, by its message."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(TurnIds())
        self.ids: dict[str, dict[str, str | int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.ids[record.getMessage()] = ids_of(record)

    def of(self, words: str) -> dict[str, str | int]:
        """The ids of the record that begins with these words."""
        return next(ids for message, ids in self.ids.items() if message.startswith(words))


@pytest.fixture
def records() -> Iterator[Records]:
    handler, root = Records(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def talkative(*, failing: bool = False) -> Flow[Three, Names]:
    flow = FlowBuilder("talk", Three, Names)

    @flow.step(Three.FIRST)
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        log.info("first")
        turn.log("committed")
        await asyncio.to_thread(log.info, "in a thread")
        return turn.next()

    @flow.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        said = await turn.ask("Go on.", Text())
        log.info("second %s", said)
        if failing:
            raise LookupError("no luck")
        return turn.next()

    @flow.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("And?", Text())
        return turn.complete()

    return flow.build(initial=Three.FIRST)


def ids(step: str, turn: int, *, by: str = "1") -> dict[str, str | int]:
    return {
        "flow": "talk",
        "step": step,
        "instance": "1-0",
        "conversation": f"test/local/{by}//{by}",
        "turn": turn,
    }


async def test_each_step_of_a_turn_logs_under_its_own_name(records: Records) -> None:
    async with Chat(app_of(talkative())) as chat:
        await chat.say("/start")
        await chat.say("a")
    assert records.of("first") == ids("FIRST", 1)
    assert records.of("in a thread") == ids("FIRST", 1)
    assert records.of("second a") == ids("SECOND", 2)


async def test_a_line_that_is_written_after_the_commit_names_the_step_that_wrote_it(
    records: Records,
) -> None:
    async with Chat(app_of(talkative())) as chat:
        await chat.say("/start")
    assert records.of("committed") == ids("FIRST", 1)


async def test_a_turn_that_fails_is_logged_with_the_step_that_failed(records: Records) -> None:
    async with Chat(app_of(talkative(failing=True))) as chat:
        await chat.say("/start")
        await chat.say("a")
    assert records.of("a turn of conversation test/local/1//1 failed") == ids("SECOND", 2)


async def test_before_a_step_runs_the_person_is_where_they_were(records: Records) -> None:
    app = app_of(talkative())

    async def look(ctx: PreContext) -> Continue:
        log.info("looking at %s", ctx.update.ext)
        return Continue()

    app.router.pre_handler(look)
    async with Chat(app) as chat:
        await chat.say("/start")
        records.ids.clear()
        await chat.say("a")
    assert records.of("looking at") == ids("SECOND", 2)


async def test_a_handler_without_a_flow_has_a_conversation_and_a_turn(records: Records) -> None:
    router = Router("plain")

    @router.command("hours")
    async def hours(ctx: Context) -> None:
        log.info("asked for the hours")

    async with Chat(App(router)) as chat:
        await chat.say("/hours")
    assert records.of("asked for") == {"conversation": "test/local/1//1", "turn": 1}


async def test_turns_that_run_beside_each_other_do_not_mix(records: Records) -> None:
    router, entered, go = Router("plain"), asyncio.Event(), asyncio.Event()

    @router.command("slow")
    async def slow(ctx: Context) -> None:
        log.info("slow begins")
        entered.set()
        await go.wait()
        log.info("slow ends")

    @router.command("quick")
    async def quick(ctx: Context) -> None:
        log.info("quick")
        go.set()

    async with Chat(App(router)) as chat:
        await chat.hand_in([chat.update(Command("slow"))])
        await entered.wait()
        await chat.say("/quick", by="2")
        await chat.settle()
    assert records.of("slow begins") == {"conversation": "test/local/1//1", "turn": 1}
    assert records.of("quick") == {"conversation": "test/local/2//2", "turn": 2}
    assert records.of("slow ends") == records.of("slow begins")


async def test_after_a_turn_nothing_is_left_of_its_ids(records: Records) -> None:
    async with Chat(app_of(talkative())) as chat:
        await chat.say("/start")
        log.info("between turns")
    assert records.of("between turns") == {}
    assert records.of("draining") == {}


class Refusing(TestChannel):
    async def send(self, delivery: Delivery) -> str | None:
        raise SendRefused("no such chat")


async def test_a_message_that_is_refused_names_the_turn_that_has_sent_it(
    records: Records,
) -> None:
    async with Chat(app_of(talkative()), channel=Refusing) as chat:
        await chat.say("/start")
    told = records.of("a message to test/local/1/ will never arrive")
    assert told == {"conversation": "test/local/1//1", "turn": 1}


async def test_state_that_cannot_be_read_is_told_with_its_conversation(records: Records) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(talkative()), storage=storage) as chat:
        await chat.say("/start")
        await chat.crash()
        for scope in storage.database.scopes.values():
            scope.snapshot = replace(scope.snapshot, state='{"format": 1000000}')
        await chat.restart()
        await chat.say("a")
    (told,) = (ids for message, ids in records.ids.items() if "cannot be read" in message)
    assert told == {"conversation": "test/local/1//1", "turn": 2}
