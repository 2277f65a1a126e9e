"""What goes wrong on demand: storages that fail, and a clock that a test moves."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import pytest

from engine.testing.chat import Chat
from flows.errors import StorageError
from flows.ports import FlowStorage

TURNS_OF_THE_LOOP = 30
"""How often the event loop goes round after each step of a held clock."""


class Crash(StorageError):
    """The process is dead from here on."""


@dataclass(frozen=True, slots=True)
class _Fault:
    error: Exception
    after: bool


class Fragile:
    """A storage that fails where a test wants it; without that it is the ``inner`` one.

    Attributes:
        storage: what to hand to an App.
        dead: set at the first Crash; every later call raises it, too.
        calls: what was called so far, by method.
    """

    def __init__(self, inner: FlowStorage) -> None:
        self.dead = asyncio.Event()
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._inner = inner
        self._faults: defaultdict[str, deque[_Fault | None]] = defaultdict(deque)

    @property
    def storage(self) -> FlowStorage:
        """This object, as what it stands for."""
        return cast(FlowStorage, self)

    def fail(self, method: str, *errors: Exception, after: bool = False, skip: int = 0) -> None:
        """Lets the next calls of ``method`` raise ``errors``, one each.

        Args:
            after: the call has done its work before it raises.
            skip: so many calls go through before.
        """
        self._faults[method].extend([None] * skip)
        self._faults[method].extend(_Fault(error, after) for error in errors)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in ("wakes", "open", "close", "release"):
            return method  # the system gives these back when a process dies

        async def call(*args: Any, **named: Any) -> Any:
            return await self._through(name, lambda: method(*args, **named))

        return call

    async def _through(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self.dead.is_set():
            raise Crash("dead")
        self.calls[name] += 1
        fault = self._faults[name].popleft() if self._faults[name] else None
        if fault is not None and not fault.after:
            self._strike(fault)
        answer = await call()
        if fault is not None:
            self._strike(fault)
        return answer

    def _strike(self, fault: _Fault) -> None:
        if isinstance(fault.error, Crash):
            self.dead.set()
        raise fault.error


@asynccontextmanager
async def doomed(chat: Chat, fragile: Fragile) -> AsyncIterator[None]:
    """A Chat whose App is gone at the end, as by a kill."""
    try:
        async with chat:
            yield
            await fragile.dead.wait()
    except Crash:
        return
    pytest.fail("the App has outlived its storage")


class HeldClock:
    """A Clock that stands still until a test moves it."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._now = now
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        """Returns when the clock was moved so far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + max(round(seconds * 1000), 1)
        heapq.heappush(self._sleepers, (due, next(self._order), woken))
        await woken

    def skip(self, seconds: float) -> None:
        """Time passes while nothing runs."""
        self._now += round(seconds * 1000)

    async def advance(self, seconds: float) -> None:
        """Moves on; everybody who wakes on the way does so in order, at their own time."""
        end = self._now + round(seconds * 1000)
        await self._go_round()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not woken.done():
                woken.set_result(None)
                await self._go_round()
        self._now = end
        await self._go_round()

    async def _go_round(self) -> None:
        for _ in range(TURNS_OF_THE_LOOP):
            await asyncio.sleep(0)
