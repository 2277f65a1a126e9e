"""How a worker stands, for health checks and metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an App stands in this process; as it is made without arguments: it does not run.

    Attributes:
        running: it was started.
        open: its channel is open, and it has asked for its share of the chats.
        draining: it takes nothing in any more.
        leased: the lease of its share holds, by the clock of this process.
        held: the partitions that it holds, of 64.
        arriving: those of them in which no turn may begin yet.
        workers: how many workers there are, itself included.
        turns_in_flight: turns that have begun and are not committed.
        updates_waiting: accepted updates that wait in memory.
        sends_waiting: messages that wait in memory.
    """

    running: bool = False
    open: bool = False
    draining: bool = False
    leased: bool = False
    held: int = 0
    arriving: int = 0
    workers: int = 0
    turns_in_flight: int = 0
    updates_waiting: int = 0
    sends_waiting: int = 0

    @property
    def trouble(self) -> str | None:
        """Why no updates should be expected to be handled here; None: they are. One that holds
        nothing, because others hold it all, is ready to take over.
        """
        if not self.running:
            return "the bot does not run in this process"
        if self.draining:
            return "the bot is being drained: it takes nothing in any more"
        if not self.open:
            return "the bot is starting: its channel is not open yet"
        if not self.leased:
            return "the lease of its chats is over: the storage does not answer, or not in time"
        if self.held == 0 and self.workers < 2:
            return "it holds none of the chats, although no other worker is there"
        return None
