"""What goes wrong on demand: calls that fail, and processes that die in the middle of one."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, get_args

from flows.messages.bot import Api
from flows.ports import Channel, Delivery, Fence, FlowStorage, Intake, Pause

T = TypeVar("T")

Boundary = Literal[
    "lease", "accept", "pending", "note", "load", "commit", "fire", "outgoing", "sent", "refs",
    "send",
]  # fmt: skip
"""The calls that a process can die at: ``send`` is the channel's, the others are the storage's.

``accept`` makes updates durable, ``commit`` ends turns, ``note`` stores what ``turn.once`` gave,
``fire`` lets due timers become updates, ``sent`` records what was delivered.
"""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """Where the process dies: at a call that it never hears of again.

    Attributes:
        at: the call.
        after: the call has done its work; else it has done nothing.
        skip: so many of these calls go through before.
    """

    at: Boundary
    after: bool = False
    skip: int = 0

    def __post_init__(self) -> None:
        if self.at not in get_args(Boundary):
            known = ", ".join(get_args(Boundary))
            raise ValueError(f"no process can die at {self.at!r}. The calls are {known}.")
        if self.skip < 0:
            raise ValueError(f"skip is {self.skip}; at least 0 is possible")


@dataclass(frozen=True, slots=True)
class _Fault:
    """``error`` None: the process dies."""

    error: Exception | None
    after: bool


class Faults:
    """A plan of what is to go wrong, and the storage and channel that it goes wrong with.

    A dead process hears of nothing: from then on no call does anything or comes back.

    Attributes:
        dead: set when the process has died.
        calls: how often each call was made, by name.
    """

    def __init__(self) -> None:
        self.dead = asyncio.Event()
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._planned: defaultdict[str, deque[_Fault | None]] = defaultdict(deque)

    def fail(self, call: str, *errors: Exception, after: bool = False, skip: int = 0) -> None:
        """Lets the next of these calls raise ``errors``, one each.

        Args:
            after: the call has done its work before it raises.
            skip: so many calls go through before.
        """
        self._planned[call].extend([None] * skip)
        self._planned[call].extend(_Fault(error, after) for error in errors)

    def crash_at(self, point: CrashPoint) -> None:
        """Lets the process die there, behind what is planned for that call already."""
        self._planned[point.at].extend([None] * point.skip)
        self._planned[point.at].append(_Fault(None, point.after))

    def faulty_storage(self, inner: FlowStorage) -> FlowStorage:
        """The storage with which it goes wrong."""
        return cast(FlowStorage, _FaultyStorage(self, inner))

    def faulty_channel(self, inner: Channel) -> Channel:
        """The channel with which it goes wrong."""
        return _FaultyChannel(self, inner)

    async def through(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Makes the call, as far as the plan lets it."""
        if self.dead.is_set():
            await self.perish()
        self.calls[name] += 1
        fault = self._planned[name].popleft() if self._planned[name] else None
        if fault is not None and not fault.after:
            await self.strike(fault.error)
        answer = await call()
        if fault is not None:
            await self.strike(fault.error)
        if self.dead.is_set():
            await self.perish()
        return answer

    async def strike(self, error: Exception | None) -> None:
        """The fault happens."""
        if error is not None:
            raise error
        self.dead.set()
        await self.perish()

    async def perish(self) -> None:
        """What becomes of a call of a dead process: it does not return."""
        await asyncio.get_running_loop().create_future()


class _FaultyStorage:
    def __init__(self, faults: Faults, inner: FlowStorage) -> None:
        self._faults = faults
        self._inner = inner
        self._workers: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in ("wakes", "open", "release"):
            return method  # the system gives these back when a process dies

        async def call(*args: Any, **named: Any) -> Any:
            return await self._faults.through(name, lambda: method(*args, **named))

        return call

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        self._workers.add(worker)
        return await self._faults.through("lease", lambda: self._inner.lease(worker, want, ttl))

    async def close(self) -> None:
        """What a dead process held is free at once: no test has to wait until its lease is over."""
        if self._faults.dead.is_set():
            for worker in self._workers:
                await self._inner.release(worker)
        self._workers.clear()
        await self._inner.close()


class _FaultyChannel:
    def __init__(self, faults: Faults, inner: Channel) -> None:
        self._faults = faults
        self._inner = inner

    @property
    def api(self) -> Api | None:
        return getattr(self._inner, "api", None)

    @property
    def source(self) -> str:
        return self._inner.source

    @property
    def shared(self) -> bool:
        return self._inner.shared

    @property
    def everywhere(self) -> bool:
        return self._inner.everywhere

    @property
    def catch_up(self) -> float:
        return self._inner.catch_up

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        await self._inner.open(commands, kinds)

    async def receive(self, intake: Intake) -> None:
        await self._inner.receive(intake)

    def admit(self, chat: str) -> Pause | None:
        return self._inner.admit(chat)

    def allot(self, share: float) -> None:
        self._inner.allot(share)

    async def send(self, delivery: Delivery) -> str | None:
        return await self._faults.through("send", lambda: self._inner.send(delivery))

    async def answer(self, press: str, notice: str | None) -> None:
        if not self._faults.dead.is_set():  # the worker waits for its answers when it ends
            await self._inner.answer(press, notice)

    async def close(self) -> None:
        await self._inner.close()
