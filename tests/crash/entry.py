"""A process of the bot: ``python -m tests.crash.entry``, told what it is by its environment.

    CRASH_NAME       its name, which it says with every call
    CRASH_FOLDER     where its journal goes
    CRASH_SERVICE    the URL of the Bot API
    CRASH_AT         where it dies: the call, before or after, and how many go through before,
                     such as ``commit:after:17``; empty: nowhere
    CRASH_ON_SIGNAL  the same, counted from when SIGUSR1 comes
    CRASH_LEASE      milliseconds of a lease, its margin and its renewal, such as ``3000:800:700``

Only this script reads them. What dies is a real process, at a call of the storage or of the
channel: the wrappers of ``engine.testing`` with a real end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import httpx

from engine.channels.telegram import TelegramChannel
from engine.cli import logs
from engine.composition import storage_of
from engine.settings import Settings
from engine.testing.faults import Boundary, CrashPoint, Faults
from engine.workers import partitions, sharing
from flows.conversation import Address
from flows.errors import HandrailError
from flows.messages.replies import send_from_json
from flows.ports import (
    Committed,
    Delivery,
    Fence,
    FlowStorage,
    OutboxRow,
    Outcome,
    OutgoingRow,
    SendResult,
    TurnCommit,
)
from tests.crash.bot import ledger
from tests.crash.journal import Journal, Message
from tests.crash.service import PROCESS, TOKEN


class Mortal(Faults):
    """The process itself dies, as it does when the kernel ends it: nothing is finished."""

    async def strike(self, error: Exception | None) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class JournaledStorage:
    """Writes down what was committed and what was marked as sent."""

    def __init__(self, inner: FlowStorage, journal: Journal) -> None:
        self._inner = inner
        self._journal = journal
        self._messages: dict[tuple[str, int, int], Message] = {}
        self._parts: dict[int, int] = {}
        self._epochs: Mapping[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        fence = await self._inner.lease(worker, want, ttl)
        for chat, text in tuple(self._journal.begun):
            part = self._parts[chat]
            if fence.epochs.get(part) != self._epochs.get(part):
                self._journal.write("lost", chat=chat, text=text)
        self._epochs = fence.epochs
        self._journal.write("lease", count=len(fence.epochs))
        return fence

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        for turn in turns:
            self._know(turn.outbox)
        self._journal.write("commit", count=len(turns))
        results = await self._inner.commit(fence, turns)
        done = sum(result.outcome is Outcome.DONE for result in results)
        self._journal.write("committed", count=done)
        return results

    async def outgoing(self, *args: Any, **named: Any) -> Sequence[OutgoingRow]:
        rows = await self._inner.outgoing(*args, **named)
        self._know(rows)
        return rows

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        outcomes = await self._inner.sent(fence, results)
        for result, outcome in zip(results, outcomes, strict=True):
            if result.state == "sent" and outcome is not Outcome.FENCED:
                chat, text = self._messages[result.conv, result.turn, result.n]
                self._journal.write("marked", chat=chat, text=text)
        return outcomes

    def _know(self, rows: Sequence[OutboxRow] | Sequence[OutgoingRow]) -> None:
        for row in rows:
            chat = int(Address.parse(row.chat).chat)
            self._parts[chat] = row.part
            self._messages[row.conv, row.turn, row.n] = chat, send_from_json(row.body).text


class JournaledChannel(TelegramChannel):
    """Writes down which sends begin."""

    def __init__(self, name: str, service: str, journal: Journal, faults: Faults) -> None:
        client = httpx.AsyncClient(
            headers={PROCESS: name}, limits=httpx.Limits(max_connections=100), trust_env=False
        )
        super().__init__(TOKEN, api_url=service, limits=False, client=client)
        self._client = client
        self._journal = journal
        self._faults = faults

    @property
    def catch_up(self) -> float:
        """The people are silent while a timer runs: it may fire soon after a start."""
        return 0.2

    async def send(self, delivery: Delivery) -> str | None:
        """Sends, unless it dies."""

        async def sending() -> str | None:
            self._journal.write("send", chat=int(delivery.chat), text=delivery.text)
            return await super(JournaledChannel, self).send(delivery)

        return await self._faults.through("send", sending)

    async def close(self) -> None:
        """Closes the connections, which are this channel's own."""
        await super().close()
        await self._client.aclose()


def point_of(text: str) -> CrashPoint:
    """The point that a variable names. Raises ValueError when it names none."""
    call, when, skip = text.split(":")
    if when not in ("before", "after"):
        raise ValueError(f"{when!r} is neither 'before' nor 'after'")
    return CrashPoint(cast(Boundary, call), after=when == "after", skip=int(skip))


def text_of(point: CrashPoint) -> str:
    """What ``point_of`` reads."""
    return f"{point.at}:{'after' if point.after else 'before'}:{point.skip}"


async def run() -> None:
    """Runs until SIGTERM."""
    environment = os.environ
    name, folder = environment["CRASH_NAME"], Path(environment["CRASH_FOLDER"])
    faults, journal, stop = Mortal(), Journal(folder / f"{name}.journal"), asyncio.Event()
    if at := environment.get("CRASH_AT"):
        faults.crash_at(point_of(at))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if on_signal := environment.get("CRASH_ON_SIGNAL"):
        point = point_of(on_signal)
        loop.add_signal_handler(signal.SIGUSR1, lambda: faults.crash_at(point))
    if lease := environment.get("CRASH_LEASE"):
        ttl, margin, renewal = map(int, lease.split(":"))
        partitions.LEASE_TTL, partitions.MARGIN = ttl, margin / 1000
        sharing.RENEWAL = renewal / 1000
    storage = faults.faulty_storage(storage_of(Settings.from_environment().database_url))
    await ledger().run(
        channel=JournaledChannel(name, environment["CRASH_SERVICE"], journal, faults),
        storage=cast(FlowStorage, JournaledStorage(storage, journal)),
        stop=stop,
    )


def main() -> None:
    """Runs, and says in a sentence why it could not."""
    logs.set_up(level=Settings.from_environment().log_level or "WARNING", format="text")
    try:
        asyncio.run(run())
    except HandrailError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
