"""One at a time for each key."""

from __future__ import annotations

import asyncio

import pytest

from engine.adapters.order import InOrder

pytestmark = pytest.mark.anyio


async def test_those_of_a_key_pass_in_the_order_in_which_they_came() -> None:
    order, passed, gate = InOrder(), [], asyncio.Event()

    async def one(number: int) -> None:
        async with order.turn("a"):
            await gate.wait()
            passed.append(number)

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert passed == []
    gate.set()
    await asyncio.gather(*tasks)
    assert passed == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("key", ["b", None])
async def test_others_do_not_wait(key: str | None) -> None:
    order = InOrder()
    async with order.turn("a"), order.turn(key):
        pass


async def test_a_key_that_nobody_waits_for_takes_no_memory() -> None:
    order = InOrder()
    with pytest.raises(ZeroDivisionError):
        async with order.turn("a"):
            raise ZeroDivisionError
    assert (order._locks, order._users) == ({}, {})


async def test_one_that_gives_up_lets_the_next_one_pass() -> None:
    order, passed = InOrder(), asyncio.Event()

    async def one() -> None:
        async with order.turn("a"):
            passed.set()

    async with order.turn("a"):
        first, second = asyncio.create_task(one()), asyncio.create_task(one())
        await asyncio.sleep(0)
        first.cancel()
    await second
    assert passed.is_set()
    assert first.cancelled()
