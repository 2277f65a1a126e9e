"""What the suite asks of a backend under test, and the base of its classes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

import pytest

from flows.ports import Fence, FlowStorage, Limits

TTL = 15_000
"""How long the suite leases partitions, in milliseconds."""

EVERYTHING = 64
"""All partitions."""

HALF = EVERYTHING // 2


class Ability(StrEnum):
    """What not every backend can show. Tests that need what is missing are skipped."""

    SHARED = "shared"
    """Several workers at once, each by a handle of its own."""
    DAMAGE = "damage"
    """``damage`` works."""
    TRACES = "traces"
    """``traces`` works."""
    LOST_ANSWERS = "lost answers"
    """``lose_answer`` works."""
    HELD = "held calls"
    """``hold`` works."""
    LATE = "late rows"
    """While a call of ``accept`` is held, its rows have numbers that nobody sees yet."""
    CUTS = "cuts"
    """``cut`` works."""


class Backend(Protocol):
    """One database, empty at first, and a clock that the test moves."""

    @property
    def abilities(self) -> Collection[Ability]:
        """What this backend can show."""
        ...

    @property
    def limits(self) -> Limits:
        """What the last ``open`` answered."""
        ...

    async def open(self) -> FlowStorage:
        """A new handle on the database, opened."""
        ...

    async def crash(self, storage: FlowStorage) -> None:
        """Ends a handle as a killed process ends: nothing is given back or written."""
        ...

    def now(self) -> int:
        """The database's clock, in milliseconds."""
        ...

    def advance(self, milliseconds: int) -> None:
        """Moves the database's clock."""
        ...

    async def damage(self, key: str) -> None:
        """Makes the stored state of a conversation unreadable."""
        ...

    async def traces(self, text: str) -> Collection[str]:
        """Where in all that the database keeps, raw files included, a text is to be found."""
        ...

    def lose_answer(self, storage: FlowStorage, *, applied: bool) -> None:
        """Loses the answer to the handle's next commit, before or after it is ``applied``."""
        ...

    def hold(self, storage: FlowStorage) -> AbstractAsyncContextManager[asyncio.Event]:
        """Holds up the handle's next ``commit``, and with ``LATE`` its next ``accept``, as close
        before its end as can be: in a database with transactions when COMMIT is all that it
        lacks, elsewhere on its way there. It goes on when the context ends. The event is set
        when it has come so far.
        """
        ...

    async def cut(self, storage: FlowStorage) -> None:
        """Cuts the handle's connections, as a restarted server or a lost network does."""
        ...


class ManualClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now

    def __call__(self) -> int:
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Moves it, also backwards."""
        self._now += milliseconds


class Contract:
    """The base of the test classes."""

    pytestmark = pytest.mark.anyio

    def need(self, backend: Backend, ability: Ability) -> None:
        """Skips the test where the backend cannot show it."""
        if ability not in backend.abilities:
            pytest.skip(f"this backend cannot show: {ability}")

    async def start(self, backend: Backend) -> tuple[FlowStorage, Fence]:
        """A handle that holds all partitions."""
        storage = await backend.open()
        return storage, await storage.lease("first", EVERYTHING, TTL)

    async def pair(self, backend: Backend) -> tuple[tuple[FlowStorage, Fence], ...]:
        """Two workers, each by a handle of its own and with half of the partitions."""
        self.need(backend, Ability.SHARED)
        first, second = await backend.open(), await backend.open()
        return (
            (first, await first.lease("first", HALF, TTL)),
            (second, await second.lease("second", HALF, TTL)),
        )

    async def succeed(self, backend: Backend, storage: FlowStorage) -> tuple[FlowStorage, Fence]:
        """Another worker takes everything over: from a frozen one, or from a dead one."""
        if Ability.SHARED in backend.abilities:
            backend.advance(TTL + 1)
        else:
            await backend.crash(storage)
        other = await backend.open()
        return other, await other.lease("second", EVERYTHING, TTL)
