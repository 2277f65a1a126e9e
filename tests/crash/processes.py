"""Processes of the bot: they are started, killed, frozen, and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from engine.testing.faults import CrashPoint
from tests.crash.entry import text_of
from tests.crash.journal import Message, unmarked

ROOT = Path(__file__).parents[2]

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a process is started.

    Attributes:
        at: where it dies, counted from its start.
        on_signal: where it dies once it is told to.
        lease: milliseconds of a lease, its margin and its renewal; empty: as they are.
    """

    name: str
    folder: Path
    service: str
    database: str
    at: CrashPoint | None = None
    on_signal: CrashPoint | None = None
    lease: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What the process finds."""
        return {
            **os.environ,
            "HANDRAIL_DATABASE_URL": self.database,
            "HANDRAIL_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
            "CRASH_NAME": self.name,
            "CRASH_FOLDER": str(self.folder),
            "CRASH_SERVICE": self.service,
            "CRASH_AT": text_of(self.at) if self.at else "",
            "CRASH_ON_SIGNAL": text_of(self.on_signal) if self.on_signal else "",
            "CRASH_LEASE": self.lease,
        }


class BotProcess:
    """One process, from its start to its end.

    Attributes:
        frozen: from when to when it was stopped, by the monotonic clock.
    """

    def __init__(self, order: Order, process: asyncio.subprocess.Process) -> None:
        self.name = order.name
        self.order = order
        self.started = time.monotonic()
        self.ended = 0.0
        self.frozen: list[tuple[float, float]] = []
        self._process = process

    @classmethod
    async def start(cls, order: Order) -> BotProcess:
        """Starts it. SIGUSR1 has a meaning for it once it has called the world."""
        with (order.folder / f"{order.name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.crash.entry",
                cwd=ROOT, env=order.environment, stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        return cls(order, process)

    @property
    def journal(self) -> Path:
        """What it has written down."""
        return self.order.folder / f"{self.name}.journal"

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.order.folder / f"{self.name}.log").read_text(errors="replace")

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The system's number of it."""
        return self._process.pid

    def unmarked(self) -> frozenset[Message]:
        """The messages that are in flight or not marked, as far as it has got."""
        return unmarked(self.journal)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if it lives."""
        if self.alive:
            self._process.send_signal(number)

    async def over(self) -> int:
        """Waits for its end; answers its exit code, negative for a signal."""
        code = await self._process.wait()
        self.ended = self.ended or time.monotonic()
        return code

    async def stop(self, seconds: float) -> int | None:
        """Asks it to end; answers its exit code, or None where it had to be killed."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                return await self.over()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.over()
            return None
