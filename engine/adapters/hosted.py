"""Flows inside a bot of another library: the host, which receives, and whose client sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine, Sequence
from typing import Any, Self, TypeVar

from engine.adapters.order import InOrder
from engine.app import App
from engine.backoff import Backoff
from engine.channels.telegram import TelegramChannel
from engine.channels.telegram.api import Api
from engine.routes.claims import Claim, Leftovers
from engine.turns.either import first
from flows.errors import DefinitionError, NotRunning, OutcomeUnknown, StorageDown
from flows.menus import Menu
from flows.ports import Clock, FlowStorage, Intake
from flows.records import record
from flows.updates import Update

log = logging.getLogger("handrail.telegram")

HAND_OVER = 10.0
"""Seconds that updates get at the end to be kept, of those that were received before it."""

T = TypeVar("T")


@record(frozen=True, slots=True)
class Offered:
    """An update that the flows were offered; ``update`` is None where they cannot read it."""

    claim: Claim
    update: Update | None = None


class HostedChannel(TelegramChannel):
    """Telegram, spoken by the host's client and fed by the host.

    The host tells Telegram its commands, or does not; so this leaves the menu as it is.
    """

    def __init__(self, api: Api, *, limits: bool, clock: Clock) -> None:
        super().__init__(api, limits=limits, clock=clock)
        self.ready = asyncio.Event()
        self._intake: Intake | None = None

    @property
    def shared(self) -> bool:
        """The order of a chat's updates is kept in the memory of this process."""
        return False

    @property
    def intake(self) -> Intake | None:
        """What takes updates; None: nothing does, now."""
        return self._intake

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Learns who we are; waits until Telegram can be reached.

        Raises:
            ChannelStopped: the token is refused, or there is no Bot API at the host's URL.
        """
        await super().open((), kinds)

    async def show_menus(self, menus: Sequence[Menu]) -> None:
        """The menus are the host's."""

    async def receive(self, intake: Intake) -> None:
        """Lends the intake until it is cancelled."""
        self._intake = intake
        self.ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ready.clear()
            self._intake = None

    def read(self, raw: dict[str, Any]) -> Update | None:
        """The update as ours; None: it is malformed, or a command for another bot."""
        return self._reader.read(raw, now=self._clock.now())


class HostedFlows:
    """Runs an App beside a host's handlers; what the adapters have in common.

    Start it before the host receives, and stop it before the host's client is closed.

    Args:
        app: the flows.
        api: the host's client.
        storage: where conversations are kept; None: what HANDRAIL_DATABASE_URL names.
        leftovers: who gets what a running flow asks about in vain: ``"host"`` offers it to the
            host's handlers first, and the flow asks again where none of them takes it;
            ``"flows"`` lets the flow ask again at once.
        patience: seconds that an update may wait to be kept before StorageDown is raised; None:
            it waits as long as it takes.
        limits: whether what flows say keeps to Telegram's sending limits.

    Raises:
        DefinitionError: ``leftovers`` or ``patience`` is none of these.
    """

    def __init__(
        self,
        app: App,
        api: Api,
        *,
        storage: FlowStorage | None = None,
        leftovers: Leftovers = "host",
        patience: float | None = None,
        limits: bool = True,
    ) -> None:
        if leftovers not in ("host", "flows"):
            raise DefinitionError(f"leftovers must be 'host' or 'flows', not {leftovers!r}")
        if patience is not None and patience <= 0:
            raise DefinitionError(f"patience must be above 0 seconds, or None, not {patience!r}")
        self._app = app
        self._api = api
        self._storage = storage
        self._leftovers: Leftovers = leftovers
        self._patience = patience
        self._limits = limits
        self._order = InOrder()
        self._channel: HostedChannel | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._offers: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the App, and returns when it takes updates. Does nothing if it runs.

        Raises:
            Exception: what ``App.run`` raises, such as AlreadyOwned where another process works
                on this storage.
        """
        if self._running is not None:
            return
        self._stop = asyncio.Event()
        channel = HostedChannel(self._api, limits=self._limits, clock=self._app.clock)
        run = self._app.run(channel=channel, storage=self._storage, stop=self._stop)
        running = asyncio.create_task(run, name=f"handrail {self._app.name}")
        ready = asyncio.create_task(channel.ready.wait())
        try:
            await first(running, ready)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.wait((running,))
            raise
        finally:
            ready.cancel()
        if running.done():
            running.result()
            raise NotRunning(self._app.name)
        self._channel, self._running = channel, running
        running.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Finishes the turns and sends in flight and gives everything back. May be called twice.

        What the host has handed in is kept first, if that takes no more than 10 seconds.
        """
        running = self._running
        if running is None:
            return
        if self._offers:
            await asyncio.wait(self._offers, timeout=HAND_OVER)
        self._stop.set()
        await asyncio.wait((running,))
        self._channel = self._running = None

    async def offer(self, raw: dict[str, Any]) -> Offered:
        """Offers the flows an update, as Telegram has sent it, and answers who is to have it. If
        it is theirs, it is durably kept when this returns.

        Call it in the order of the updates. Those of one conversation are decided one after the
        other, each once what came before it is committed; conversations do not wait for each
        other.

        Raises:
            StorageDown: it was not kept in time.
            NotRunning: the App does not run.
        """
        update = self._live.read(raw)
        if update is None:
            return Offered(Claim.HOST)
        return await self._while_it_runs(self._decide(update))

    async def take(self, offered: Offered) -> None:
        """Keeps an update for the flows that none of the host's handlers has taken. Raises what
        ``offer`` does.
        """
        if offered.update is not None:
            await self._while_it_runs(self._keep(offered.update))

    # --- one update ---------------------------------------------------------------------

    @property
    def _live(self) -> HostedChannel:
        if self._channel is None:
            raise NotRunning(self._app.name)
        return self._channel

    async def _decide(self, update: Update) -> Offered:
        claims = self._app.claims
        async with self._order.turn(claims.order(update)):
            claim = await claims.of(update, leftovers=self._leftovers)
            if claim in (Claim.FLOWS, Claim.BOTH):
                await self._accept(update)
            return Offered(claim, update)

    async def _keep(self, update: Update) -> None:
        async with self._order.turn(self._app.claims.order(update)):
            await self._accept(update)

    async def _accept(self, update: Update) -> None:
        backoff = Backoff(base=0.5, cap=30)
        while True:
            intake = self._live.intake
            if intake is None:
                raise NotRunning(self._app.name)
            try:
                await intake.accept((update,))
            except (StorageDown, OutcomeUnknown) as error:
                seconds = backoff.next()
                log.warning("update %s was not kept (%s); trying again in %.1f s",
                            update.ext, error, seconds)  # fmt: skip
                await self._app.clock.sleep(seconds)
            else:
                return

    async def _while_it_runs(self, work: Coroutine[Any, Any, T]) -> T:
        """Does the work, unless the App ends before or the patience does."""
        running = self._running
        if running is None or running.done():
            work.close()
            raise NotRunning(self._app.name)
        task = asyncio.create_task(work)
        self._offers.add(task)
        task.add_done_callback(self._offers.discard)
        try:
            async with asyncio.timeout(self._patience):
                await first(task, running)
        except TimeoutError:
            raise StorageDown(
                f"an update was not kept within {self._patience:g} seconds. If it came by a "
                "webhook that answers after its handlers, Telegram sends it again."
            ) from None
        finally:
            done = task.done()
            task.cancel()
        if not done:
            raise NotRunning(self._app.name)
        return task.result()

    def _ended(self, running: asyncio.Task[None]) -> None:
        if running.cancelled():
            return
        error = running.exception()
        if error is not None:
            log.critical(
                "the flows of %r have stopped, and updates are refused: %s. Start the process "
                "again once that is mended.", self._app.name, error, exc_info=error,
            )  # fmt: skip
