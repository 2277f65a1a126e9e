"""Accepted updates that wait in memory: a queue an order key, handed out round-robin."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice

from engine.turns.stage import OnceNotes
from flows.records import record
from flows.updates import Update

CAPACITY = 5_000
"""Updates that are kept in memory; the rest waits in the database."""

ALONE_AT = 3
"""From this try on, an update that a dead process left behind runs alone in the process."""

DEAD_AT = 5
"""At this try it is given up: a dead letter."""


MALFORMED = "malformed"
"""The kind of an inbox row that came in as no update: it is there to become a dead letter."""

NO_UPDATE = "it came in as no update that can be read"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was found in place of an update, and why it is none."""

    body: str
    reason: str


@record(slots=True)
class Item:
    """An accepted update that is not done.

    Attributes:
        part: the partition of its chat.
        conv: its order key: its conversation or its chat; None where there is none.
        tries: how often a process read it back from the database; 0 for a fresh one.
        notes: results of ``turn.once`` that it has stored.
        unreadable: the row could not be read; ``update`` only stands in for it.
        box: what it must be in order with: its order key, or itself where there is none.
    """

    seq: int
    part: int
    conv: str | None
    update: Update
    tries: int = 0
    notes: OnceNotes = field(default_factory=dict)
    unreadable: Unreadable | None = None
    box: str = field(init=False)

    def __post_init__(self) -> None:
        self.box = self.conv if self.conv is not None else f"#{self.seq}"


class Mailboxes:
    """One queue a conversation; at most one update of each is out at a time."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.behind = False
        self._capacity = capacity
        self._boxes: dict[str, deque[Item]] = {}
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._seqs: set[int] = set()
        self._ended: set[int] | None = None
        self._missed = False

    @property
    def seqs(self) -> Collection[int]:
        """The seqs that are in memory, those that are out included."""
        return self._seqs

    @property
    def empty(self) -> bool:
        """Nothing waits and nothing is out."""
        return not self._seqs and not self.behind

    def has(self, box: str) -> bool:
        """Whether something that must be in order with this waits or is out."""
        return box in self._boxes

    def gathers(self, box: str, album: str) -> bool:
        """Whether parts of the album are here."""
        return any(item.update.album == album for item in self._boxes.get(box, ()))

    @property
    def out(self) -> int:
        """How many are out: taken, and not done."""
        return len(self._boxes) - len(self._ready)

    @property
    def waiting(self) -> int:
        """How many updates wait in memory."""
        return len(self._seqs) - self.out

    @property
    def ready(self) -> bool:
        """Something can be taken."""
        return bool(self._ready)

    def put(self, items: Iterable[Item]) -> bool:
        """Takes fresh items in their order. Once one does not fit, all wait in the database until
        ``catch_up``, so that none overtakes another; then ``behind`` is True. Answers whether
        all were taken.
        """
        for item in items:
            if self.behind or len(self._seqs) >= self._capacity:
                self.fall_behind()
                return False
            if item.seq not in self._seqs:
                self._add(item)
        return True

    def fall_behind(self) -> None:
        """The database holds items that are not here; also such as a reading under way may not
        have seen.
        """
        self.behind = self._missed = True

    def reading(self) -> None:
        """Rows are about to be read from the database: what ends meanwhile is remembered."""
        self._ended = set()
        self._missed = False

    def catch_up(self, items: Collection[Item], *, more: bool) -> None:
        """Takes items that were read since ``reading``, but those that have ended meanwhile;
        ``more``: the database may hold further ones.
        """
        ended, self._ended = self._ended or (), None
        for item in items:
            if item.seq not in self._seqs and item.seq not in ended:
                self._add(item)
        self.behind = more or self._missed

    @property
    def room(self) -> int:
        """How many more items may be read back."""
        return max(self._capacity - len(self._seqs), 0)

    def take(self, limit: int) -> list[Item]:
        """The oldest item of up to ``limit`` conversations that have none out."""
        if len(self._ready) <= limit:
            boxes = list(self._ready)
            self._ready.clear()
        else:
            boxes = [self._ready.popitem(last=False)[0] for _ in range(limit)]
        return [self._boxes[box][0] for box in boxes]

    def done(self, item: Item) -> None:
        """The item is finished; the next one of its conversation is ready."""
        box = self._boxes.get(item.box)
        if self._ended is not None:
            self._ended.add(item.seq)
        if not box or box[0] is not item:
            return  # it was forgotten; another process, or this one, has begun it anew
        self._seqs.discard(item.seq)
        box.popleft()
        if box:
            self._ready[item.box] = None
        else:
            del self._boxes[item.box]

    def from_on(self, item: Item) -> list[Item]:
        """The item and what waits behind it, in order; nothing where it was forgotten."""
        box = self._boxes.get(item.box)
        return list(box) if box and box[0] is item else []

    def again(self, item: Item) -> None:
        """The item is to be taken once more, before all later ones of its conversation."""
        box = self._boxes.get(item.box)
        if box and box[0] is item:
            self._ready[item.box] = None

    def forget(self, gone: Collection[int]) -> None:
        """Drops what belongs to partitions that went to somebody else."""
        for name, box in list(self._boxes.items()):
            if box[0].part in gone:
                self._seqs.difference_update(item.seq for item in box)
                del self._boxes[name]
                self._ready.pop(name, None)

    def set_aside(self, parts: Collection[int]) -> None:
        """Drops what waits of these partitions; what is out stays until it is done."""
        for name, box in list(self._boxes.items()):
            if box[0].part in parts:
                out = [] if name in self._ready else [box[0]]
                self._seqs.difference_update(item.seq for item in islice(box, len(out), None))
                self._ready.pop(name, None)
                if out:
                    self._boxes[name] = deque(out)
                else:
                    del self._boxes[name]

    def holds(self, parts: Collection[int]) -> bool:
        """Whether anything of these partitions is here."""
        return any(box[0].part in parts for box in self._boxes.values())

    def forget_some(self, which: Callable[[Item], bool]) -> bool:
        """Drops those that are not out, and answers whether there were any. What of it is in the
        database is read again.
        """
        dropped: list[Item] = []
        for name, box in list(self._boxes.items()):
            out = 0 if name in self._ready else 1
            gone = [item for place, item in enumerate(box) if place >= out and which(item)]
            if not gone:
                continue
            dropped.extend(gone)
            kept = [item for item in box if all(item is not one for one in gone)]
            if kept:
                self._boxes[name] = deque(kept)
            else:
                del self._boxes[name]
                self._ready.pop(name, None)
        self._seqs.difference_update(item.seq for item in dropped)
        return bool(dropped)

    def _add(self, item: Item) -> None:
        self._seqs.add(item.seq)
        box = self._boxes.get(item.box)
        if box is None:
            self._boxes[item.box] = deque((item,))
            self._ready[item.box] = None
            return
        # an older one that is read late goes before the newer ones that are not out yet
        out = 0 if item.box in self._ready else 1
        place = len(box)
        while place > out and box[place - 1].seq > item.seq:
            place -= 1
        box.insert(place, item)
