"""Going through an App by a list of inputs, and noticing what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.testing.chat import Chat, NoSuchButton, NothingToRepeat
from engine.testing.clock import VirtualClock
from engine.testing.failures import Failure, failure_of, watched_failures
from engine.testing.transcript import Exchange, perform
from engine.testing.waiting import Place, Question, places
from engine.testing.watch import Watch
from flows.keys import Key
from flows.ports import FlowStorage
from flows.updates import Opened

if TYPE_CHECKING:
    from engine.app import App


@dataclass(slots=True)
class Trip:
    """A trip under way.

    Attributes:
        done: the inputs so far; those that were not possible are not among them.
        failures: what went wrong so far, by name.
        reached: the questions that were come to.
        stopped: the App has ended: an error of the engine.
    """

    chat: Chat
    watch: Watch
    done: list[Exchange]
    failures: dict[str, Failure]
    reached: set[Question]
    stopped: bool
    _storage: FlowStorage
    _keys: Collection[Key]
    _heard: list[Failure]

    async def where(self, exchange: Exchange) -> list[Place]:
        """Where the conversations stand that the exchange belongs to."""
        update = self.chat.update(Opened(), by=exchange.by, chat=exchange.chat)
        return await places(self._storage, update, self._keys)

    async def go(self, exchange: Exchange) -> list[Failure]:
        """Performs an input; answers what went wrong by it."""
        try:
            await perform(self.chat, exchange)
        except (NoSuchButton, NothingToRepeat):
            return []
        except Exception as error:  # the App has ended: nothing can be done with it any more
            self.stopped = True
            self._heard.append(failure_of(error))
        self.done.append(exchange)
        heard = list(self._heard)
        self._heard.clear()
        self.failures.update({one.name: one for one in heard})
        if not self.stopped:
            self.reached.update(place.question for place in await self.where(exchange))
        return heard


@asynccontextmanager
async def trip(app: App) -> AsyncIterator[Trip]:
    """A trip through the App, in memory and on a clock of its own."""
    from storage import MemoryStorage

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    watch = Watch(clock, held=True)
    with watched_failures() as heard:
        chat = Chat(app, clock=clock, storage=watch.storage(storage))
        await chat.__aenter__()
        under_way = Trip(chat, watch, [], {}, set(), False, storage, app.registry.keys, heard)
        try:
            yield under_way
        finally:
            if not under_way.stopped:
                await chat.crash()


async def trip_until(
    app: App, exchanges: Sequence[Exchange], reached: Callable[[Trip], bool]
) -> list[Exchange] | None:
    """Goes by the inputs until that is reached; answers those that were done, or None."""
    async with trip(app) as under_way:
        for exchange in exchanges:
            await under_way.go(exchange)
            if reached(under_way):
                return under_way.done
            if under_way.stopped:
                break
    return None
