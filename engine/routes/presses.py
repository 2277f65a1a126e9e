"""Answering button presses: by their turn, else by the engine within two seconds.

Where one worker takes a press in and another runs its turn, the one that runs it answers, with
or without a notice. Only if nobody has picked it up by the time, the one that took it in does:
that it was picked up is durable in its row, so that they agree.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any

from engine.intake.mailboxes import Item
from engine.turns.eager import eager
from engine.turns.either import either
from engine.workers.partitions import Partitions
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Channel, Clock, FlowStorage, Query
from flows.updates import Press, Update

DEADLINE = 2.0
"""Seconds after which a press is answered, whatever its turn does."""

DOUBT = 0.25
"""Seconds by which the clocks of two workers may differ."""

REMEMBERED = 10_000
"""Presses that were answered before their turn was over and are remembered."""

_log = logging.getLogger("handrail.engine")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A press whose turn is not done; the rest is what is known of its inbox row."""

    press: str
    source: str
    seq: int
    part: int
    conv: str | None
    tries: int


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """``order`` tells apart what is due at the same time."""

    at: float
    order: int
    press: str


class Presses:
    """Every press is answered once.

    ``_open`` holds the presses whose turns are not done and whose time is not up;
    ``_answered`` those that are answered although their turns are not done.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        storage: FlowStorage,
        partitions: Partitions,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._since = clock.now()
        self._open: dict[str, _Waiting] = {}
        self._answered: OrderedDict[str, None] = OrderedDict()
        self._dues: list[_Due] = []
        self._numbers = count()
        self._earlier = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def accepted(self, item: Item) -> None:
        """An update came in here; if it is a press, its time starts."""
        if (waiting := _waiting(item)) is not None:
            self._begin(waiting, DEADLINE)

    def picked_up(self, item: Item) -> None:
        """An update was read from the inbox; if it is a press, this worker is the one to answer
        it, but if another one has done so for certain.
        """
        waiting = _waiting(item)
        if waiting is None or waiting.press in self._open or waiting.press in self._answered:
            return
        age = max(self._clock.now() - item.update.at, 0) / 1000
        if self._late(item, age):
            self._remember(waiting.press)
        else:
            self._begin(waiting, DEADLINE - age if age < DEADLINE else DEADLINE)

    def settled(self, update: Update, notice: str | None) -> None:
        """The turn of an update is done; if it is a press, it is answered, unless that was done.

        One that is not known came in before this process: nobody has answered it yet.
        """
        if not isinstance(update.content, Press):
            return
        press = update.content.id
        self._open.pop(press, None)
        if press in self._answered:
            del self._answered[press]
        else:
            self._spawn(self._answer(update.source, press, notice))

    async def run(self) -> None:
        """Answers for ever those whose time is up."""
        while True:
            self._earlier.clear()
            while self._dues and self._dues[0].press not in self._open:
                heappop(self._dues)
            if not self._dues:
                await self._earlier.wait()
                continue
            left = self._dues[0].at - self._clock.monotonic()
            if left > 0:
                await either(self._clock.sleep(left), self._earlier.wait())
            else:
                self._too_long(self._open.pop(heappop(self._dues).press))

    async def close(self) -> None:
        """Returns when the answers under way have gone out."""
        self._open.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, waiting: _Waiting, seconds: float) -> None:
        due = _Due(self._clock.monotonic() + seconds, next(self._numbers), waiting.press)
        self._open[waiting.press] = waiting
        heappush(self._dues, due)
        if self._dues[0] is due:
            self._earlier.set()

    def _late(self, item: Item, age: float) -> bool:
        """Whether the worker that has taken it in has answered by now: nobody had picked it up
        before, and it is no press of a time when other processes ran.
        """
        return item.tries == 1 and age >= DEADLINE + DOUBT and item.update.at >= self._since

    def _too_long(self, waiting: _Waiting) -> None:
        """The turn has not ended in time: the person sees that the press was noticed."""
        if self._partitions.may_act(waiting.part):
            self._answer_early(waiting)
        elif waiting.tries == 0:
            self._spawn(self._look_after(waiting))

    async def _look_after(self, waiting: _Waiting) -> None:
        """What becomes of a press that came in here is another worker's concern; but if none has
        picked it up, it is answered here.
        """
        try:
            ours = waiting.conv is None or await self._is_untouched(waiting.seq, waiting.conv)
        except (StorageDown, OutcomeUnknown):
            ours = True
        if ours:
            self._answer_early(waiting)

    async def _is_untouched(self, seq: int, conv: str) -> bool:
        page = await self._storage.inspect(Query(what="inbox", conv=conv, limit=1000))
        if page.next is not None:  # behind a thousand others
            return True
        return any(row["seq"] == seq and row["tries"] == 0 for row in page.rows)

    def _answer_early(self, waiting: _Waiting) -> None:
        self._remember(waiting.press)
        self._spawn(self._answer(waiting.source, waiting.press, None))

    def _remember(self, press: str) -> None:
        self._answered[press] = None
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = eager(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, source: str, press: str, notice: str | None) -> None:
        channel = self._channels.get(source)
        if channel is None:
            return
        try:
            await channel.answer(press, notice)
        except Exception:  # an unanswered press must not take the engine down
            _log.exception("a button press could not be answered")


def _waiting(item: Item) -> _Waiting | None:
    """The press that the item is, if it is one."""
    content = item.update.content
    if not isinstance(content, Press):
        return None
    return _Waiting(content.id, item.update.source, item.seq, item.part, item.conv, item.tries)
