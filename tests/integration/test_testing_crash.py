"""The testing toolkit: a process dies at a chosen point, and another one takes over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from engine.testing import Chat, CrashPoint, VirtualClock
from engine.testing.faults import Boundary
from flows import Action, Flow, FlowBuilder, TextMessage, Turn
from flows.ports import FlowStorage
from storage import MemoryStorage, open_storage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


async def count_up(turn: Turn[One, Names]) -> Action[One]:
    turn.data.count += 1
    turn.reply(f"count {turn.data.count}")
    return turn.wait()


def counter(ttl: timedelta | None = None) -> Flow[One, Names]:
    builder = FlowBuilder("counter", One, Names, ttl=ttl)
    return builder.step(One.ONLY, count_up).build(initial=One.ONLY)


def storage_in(folder: Path, kind: str) -> FlowStorage:
    if kind == "memory":
        return MemoryStorage()
    return open_storage(f"sqlite+aiosqlite:///{folder / 'test.db'}")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", ["accept", "commit", "send", "sent"])
async def test_a_crash_at_any_point_loses_nothing_and_counts_nothing_twice(
    at: Boundary, after: bool, kind: str, tmp_path: Path
) -> None:
    async with Chat(app_of(counter()), storage=storage_in(tmp_path, kind)) as chat:
        await chat.say("/start")
        chat.crash_at(CrashPoint(at, after=after))
        await chat.say("one")
        assert chat.crashed
        await chat.restart()
        assert chat.replies()[-1] == "count 2"
        assert await chat.say("two") == ("count 3",)
    said = [sent.text for sent in chat.deliveries]
    twice = (at, after) in (("send", True), ("sent", False))
    assert said == ["count 1", "count 2", *(["count 2"] if twice else []), "count 3"]


async def test_a_process_may_die_at_a_later_one_of_the_calls() -> None:
    async with Chat(app_of(counter())) as chat:
        chat.crash_at(CrashPoint("commit", skip=2))
        for expected in (("count 1",), ("count 2",), ()):
            assert await chat.say("/start" if expected == ("count 1",) else "more") == expected
        assert chat.crashed


async def test_a_process_may_die_while_it_starts() -> None:
    async with Chat(app_of(counter())) as chat:
        await chat.say("/start")
        await chat.crash()
        chat.crash_at(CrashPoint("lease", after=True))
        await chat.restart()
        assert chat.crashed
        await chat.restart()
        assert await chat.say("more") == ("count 2",)


async def test_a_process_may_die_while_it_stops() -> None:
    release = asyncio.Event()

    async def slow(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go on.")
        await release.wait()
        turn.reply("done")
        return turn.complete()

    flow = FlowBuilder("slow", One, Names).step(One.ONLY, slow).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        chat.crash_at(CrashPoint("commit"))
        await chat.hand_in([chat.update(TextMessage("x"))])
        asyncio.get_running_loop().call_soon(release.set)
        await chat.restart()
        assert chat.crashed or chat.replies()[-1] == "done"
        await chat.restart()
        assert chat.replies()[-1] == "done"


async def test_what_is_said_while_no_process_runs_waits_for_the_next_one() -> None:
    async with Chat(app_of(counter())) as chat:
        await chat.say("/start")
        await chat.crash()
        assert await chat.say("one") == ()
        assert await chat.say("two") == ()
        await chat.restart()
        assert chat.replies() == ("count 2", "count 3")


async def test_a_handler_that_is_running_when_the_process_dies_is_cut_off() -> None:
    begun, ends = asyncio.Event(), list[str]()

    async def slow(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go on.")
        begun.set()
        if not ends:
            ends.append("began")
            await asyncio.Event().wait()
        turn.reply("done")
        return turn.complete()

    flow = FlowBuilder("slow", One, Names).step(One.ONLY, slow).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("x"))])
        await begun.wait()
        await chat.crash()
        assert [task for task in asyncio.all_tasks() if "Turns" in repr(task)] == []
        await chat.restart()
        assert chat.replies() == ("Go on.", "done")


async def test_a_restart_in_good_order_finishes_the_turn_and_keeps_the_screen() -> None:
    async with Chat(app_of(counter())) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("x"))])
        await chat.restart()
        assert chat.replies() == ("count 1", "count 2")
        assert not chat.crashed


async def test_a_timer_that_was_due_while_no_process_ran_fires_after_the_restart() -> None:
    async with Chat(app_of(counter(timedelta(hours=1))), clock=VirtualClock()) as chat:
        await chat.say("/start")
        await chat.crash()
        assert await chat.advance(timedelta(hours=2)) == ()
        await chat.restart()
        await chat.advance(1)
        assert [sent.text for sent in chat.deliveries][1:] == ["This conversation has expired."]


def test_a_point_that_no_process_can_die_at_is_refused() -> None:
    with pytest.raises(ValueError, match=r"die at 'comit'\. The calls are lease"):
        CrashPoint("comit")  # type: ignore[arg-type]  # a misspelling is what is tested
    with pytest.raises(ValueError, match="skip is -1"):
        CrashPoint("commit", skip=-1)
    assert "send" in get_args(Boundary)
