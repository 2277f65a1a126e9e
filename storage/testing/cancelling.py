"""A call that is cancelled, at whatever await, has done all of its work or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import replace
from types import coroutine
from typing import Any

import pytest

from flows.ports import Fence, FlowStorage, Query
from storage.testing.backend import EVERYTHING, TTL, Backend, Contract
from storage.testing.rows import (
    NOWHERE,
    accepted,
    cause,
    conv,
    full_turn,
    message,
    pending,
    sent,
    timer,
    turn,
)

ALL_KINDS = {"scope", "instance", "transition", "message", "timer"}
"""What ``written`` finds of a full turn."""

MOST_AWAITS = 200

Call = Callable[[], Coroutine[Any, Any, object]]


class CancelContract(Contract):
    """Every call that writes."""

    async def test_a_cancelled_commit_is_whole_or_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)

        async def once(number: int) -> bool:
            user = f"user{number}"
            (seq,) = await accepted(storage, user)
            ended = await ends_before(number, lambda: storage.commit(fence, [full_turn(seq, user)]))
            found = await written(storage, fence, user)
            undone = seq in [row.seq for row in await pending(storage, fence, limit=1000)]
            assert found == (set() if undone else ALL_KINDS)
            assert not (ended and undone)
            return ended

        await at_each_await(once)

    async def test_a_cancelled_page_is_accepted_or_not(self, backend: Backend) -> None:
        storage, _ = await self.start(backend)

        async def once(number: int) -> bool:
            page = [cause(f"{number}-{place}") for place in range(3)]
            ended = await ends_before(number, lambda: storage.accept(page))
            known = [seq is None for seq in await storage.accept(page)]
            assert known in ([False] * 3, [True] * 3)
            assert known[0] or not ended
            return ended

        await at_each_await(once)

    async def test_a_cancelled_fire_keeps_each_timer_or_its_cause(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)

        async def once(number: int) -> bool:
            (seq,) = await accepted(storage, "zoe")
            rows = [timer("ada", due=backend.now(), name=f"t{place}") for place in range(3)]
            await storage.commit(fence, [replace(turn(seq), scopes=[], timers=rows)])
            ended = await ends_before(number, lambda: storage.fire(fence, 100))
            left, _ = await storage.fire(fence, 100)
            assert len(left) == 0 if ended else len(left) in (0, 3)
            causes = await pending(storage, fence)
            assert len(causes) == 3
            await storage.commit(fence, [replace(turn(row.seq), scopes=[]) for row in causes])
            return ended

        await at_each_await(once)

    async def test_a_cancelled_result_is_recorded_whole_or_not(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)

        async def once(number: int) -> bool:
            (seq,) = await accepted(storage, "ada")
            rows = [message(seq), message(seq, n=1)]
            await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=rows)])
            results = [sent(row) for row in rows]
            ended = await ends_before(number, lambda: storage.sent(fence, results))
            unsent = (await storage.inspect(Query(what="outbox"))).rows
            refs = await storage.refs(conv("ada"), [str(row.slot) for row in rows])
            assert (len(unsent), len(refs)) in ((2, 0), (0, 2))
            assert not (ended and unsent)
            await storage.sent(fence, results)
            return ended

        await at_each_await(once)

    async def test_a_cancelled_lease_leaves_a_storage_that_works(self, backend: Backend) -> None:
        storage = await backend.open()

        async def once(number: int) -> bool:
            ended = await ends_before(number, lambda: storage.lease("first", EVERYTHING, TTL))
            fence = await storage.lease("first", EVERYTHING, TTL)
            assert sorted(fence.epochs) == list(range(EVERYTHING))
            (seq,) = await accepted(storage, "ada")
            await storage.commit(fence, [replace(turn(seq), scopes=[])])
            await storage.release("first")
            return ended

        await at_each_await(once)

    async def test_a_cancelled_page_counts_its_tries_together(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await accepted(storage, "ada", "bob")

        async def once(number: int) -> bool:
            ended = await ends_before(number, lambda: pending(storage, fence))
            tries = [row.tries for row in await pending(storage, fence)]
            assert tries[0] == tries[1]
            return ended

        await at_each_await(once)


async def at_each_await(once: Callable[[int], Awaitable[bool]]) -> None:
    """Cancels a call at its first await, at its second, and so on until it ends before."""
    for number in range(MOST_AWAITS):
        if await once(number):
            return
    pytest.fail(f"the call has more than {MOST_AWAITS} awaits")


async def ends_before(number: int, call: Call) -> bool:
    """Runs a call and cancels it where it waits for the time ``number``, counted from 0.
    True when it ended before.
    """
    task = asyncio.ensure_future(_cancelled_at(number, call()))
    await asyncio.wait([task])
    return not task.cancelled() and task.result()


@coroutine
def _cancelled_at(number: int, call: Coroutine[Any, Any, object]) -> Generator[Any, Any, bool]:
    """Passes on what the call waits for, as ``await`` does, and counts."""
    task = asyncio.current_task()
    assert task is not None
    waits = 0
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            waited = call.send(value) if error is None else call.throw(error)
        except StopIteration:
            return waits <= number
        if waits == number:
            # Not before it waits: a task that is cancelled earlier is cancelled somewhere else.
            asyncio.get_running_loop().call_soon(task.cancel)
        waits += 1
        value, error = None, None
        try:
            value = yield waited
        except BaseException as thrown:
            error = thrown


async def written(storage: FlowStorage, fence: Fence, user: str) -> set[str]:
    """Which kinds of rows there are of a person."""
    kinds = set()
    if await storage.load([conv(user)]):
        kinds.add("scope")
    for kind, query in (
        ("instance", Query(what="instances", conv=conv(user))),
        ("transition", Query(what="transitions", conv=conv(user))),
        ("timer", Query(what="timers", conv=conv(user))),
    ):
        if (await storage.inspect(query)).rows:
            kinds.add(kind)
    if any(row.conv == conv(user) for row in await storage.outgoing(fence, NOWHERE, 1000)):
        kinds.add("message")
    return kinds
