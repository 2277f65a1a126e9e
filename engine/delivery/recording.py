"""Recording what became of messages, all that have come together in one commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.workers.partitions import Partitions
from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.ports import Clock, FlowStorage, InboxRow, Outcome, SendResult
from flows.updates import SendFailed, Update

AT_ONCE = 32
"""Sends in flight or not yet recorded: what a crash may send twice."""

UNSTORABLE = "(its reason could not be stored)"

_log = logging.getLogger("handrail.delivery")

Mark = tuple[int, SendResult]
"""What became of a message, and its partition."""


class Recorder:
    """Records results, and knows how many sends may be begun until then.

    Attributes:
        free: how many more sends may be begun; whoever begins one takes one.
        fresh: references of messages that are not recorded yet, by (conv, slot).

    Args:
        settled: is called when sends may be begun again.
        informed: is told when the recording has put something into the inbox.
        stale: is told of partitions that are not ours any more, or of which something is gone.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        clock: Clock,
        *,
        settled: Callable[[], None],
        informed: Callable[[], None],
        stale: Callable[[set[int]], None],
    ) -> None:
        self.free = AT_ONCE
        self.fresh: dict[tuple[str, str], str] = {}
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._settled = settled
        self._informed = informed
        self._stale = stale
        self._marks: list[Mark] = []
        self._marked = asyncio.Event()
        self._flushing = asyncio.Lock()

    @property
    def quiet(self) -> bool:
        """Everything is recorded."""
        return not self._marks and not self._flushing.locked()

    def mark(self, part: int, result: SendResult) -> None:
        """Has a result recorded soon; with that its send is over."""
        if result.slot is not None and result.ref is not None:
            self.fresh[result.conv, result.slot] = result.ref
        if not self._marks:
            self._marked.set()
        self._marks.append((part, result))

    async def record(self) -> None:
        """Records results for ever."""
        while True:
            await self._marked.wait()
            await self.flush()

    async def flush(self) -> None:
        """Returns when all results so far are recorded."""
        async with self._flushing:
            while self._marks:
                marks, self._marks = self._marks, []
                await self._commit(marks)
            self._marked.clear()
        self._settled()

    async def _commit(self, marks: list[Mark]) -> None:
        try:
            outcomes = await self._storage.sent(
                self._partitions.fence, [result for _, result in marks]
            )
        except BadRow as error:
            part, result = marks[error.index]
            marks[error.index] = (part, _bare(result, error))
            self._marks = marks + self._marks
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("sent messages cannot be recorded yet: %s", error)
            self._marks = marks + self._marks
            await self._clock.sleep(0.5)
        except BaseException:  # the worker stops: a last try may follow
            self._marks = marks + self._marks
            raise
        else:
            self._settle(marks, outcomes)

    def _settle(self, marks: Sequence[Mark], outcomes: Sequence[Outcome]) -> None:
        self.free += len(marks)
        informing = False
        for _, result in marks:
            informing = informing or result.inform is not None
            if result.slot is not None and self.fresh.get((result.conv, result.slot)) == result.ref:
                self.fresh.pop((result.conv, result.slot), None)
        if informing:
            self._informed()
        # what is gone, another process has erased: more of it may be in memory
        stale = {
            part
            for (part, _), outcome in zip(marks, outcomes, strict=True)
            if outcome is not Outcome.DONE
        }
        if stale:
            self._stale(stale)
        self._settled()


def _bare(result: SendResult, error: BadRow) -> SendResult:
    """The result without what the storage does not take of it; at last without its report."""
    _log.error(
        "what became of message %d.%d cannot be kept: %s", result.turn, result.n, error.reason
    )
    inform = result.inform if result.error != UNSTORABLE else None
    told = _without_reason(inform) if inform is not None else None
    return replace(result, ref=None, error=UNSTORABLE, inform=told)


def _without_reason(inform: InboxRow) -> InboxRow | None:
    update = Update.from_json(inform.body)
    if not isinstance(update.content, SendFailed):
        return None
    content = replace(update.content, reason=UNSTORABLE)
    return replace(inform, body=replace(update, content=content).to_json())
