"""Telegram's sending limits, kept from our side so that it need not refuse us."""

from __future__ import annotations

from dataclasses import dataclass

from engine.channels.telegram.recent import Recent
from flows.ports import Clock, Pause

_CHATS = 4096
"""Chats whose buckets are kept. So many others have been sent to since one is dropped that its
bucket has long run dry: forgetting it lets nothing more through.
"""

_SENDS = 30.0
"""Sends a second overall, whatever the second."""

_BURST = 10.0
"""Of those, so many at once."""


@dataclass(slots=True)
class Bucket:
    """A leaky bucket: each send fills it by one, and it runs out steadily.

    In any time it lets through what it holds and what runs out in that time, and no more.

    Attributes:
        size: how much it holds: so many sends at once.
        leak: how much runs out in a second.
        level: how full it was at ``at`` (seconds of the clock). Below 0: it has been empty for a
            while, as it has to be before more is put in than it holds.
        floor: how far below 0 that may go.
        before: the level before the last send.
    """

    size: float
    leak: float
    level: float = 0.0
    at: float = 0.0
    floor: float = 0.0
    before: float = 0.0

    def wait(self, now: float, sends: int = 1) -> float:
        """Seconds until so many more sends fit in at once; 0: they do now."""
        self.level = max(self.level - (now - self.at) * self.leak, self.floor)
        self.at = now
        level = self.level if sends > self.size else max(self.level, 0.0)
        over = level + sends - self.size
        return over / self.leak if over > _ROUNDING else 0.0

    def fill(self, sends: int = 1) -> None:
        """So many more sends at once."""
        self.before = self.level
        self.level = max(self.level, 0.0) + sends

    def take_back(self) -> None:
        """The last send was none."""
        self.level = self.before


_ROUNDING = 1e-6
"""What sums of parts of seconds may be off: nobody is to wait for a time that is no time."""


class SendLimits:
    """At most 30 sends a second overall, 20 a minute in a group, 1 a second in a chat.

    Overall and in groups, what goes at once and what follows together make the limit: 10 + 20 in
    any second, 5 + 15 in any minute. In a chat, where Telegram lets short bursts pass, three
    messages go at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._overall = Bucket(_BURST, _SENDS - _BURST)
        self._chats: Recent[str, Bucket] = Recent(_CHATS)
        self._groups: Recent[str, Bucket] = Recent(_CHATS)

    def allot(self, share: float) -> None:
        """Keeps to this share of what the bot may send overall. A chat and a group have one
        sender each, and so all of theirs.

        What was sent before goes on counting: however often the share changes, no burst comes of
        it. A bucket holds one send at least, whatever the share, so what runs out is less then.
        """
        overall = self._overall
        overall.wait(self._clock.monotonic())  # until now it ran out as fast as before
        overall.size = max(_BURST * share, 1.0)
        overall.leak = max(_SENDS * share - overall.size, _SENDS * share / 2)

    def admit(self, chat: str) -> Pause | None:
        """Whether one more message may go to this chat; if so, it counts."""
        now = self._clock.monotonic()
        buckets = [self._chats.get_or_put(chat, _chat)]
        if chat.startswith("-"):
            buckets.append(self._groups.get_or_put(chat, _group))
        if seconds := max(bucket.wait(now) for bucket in buckets):
            return Pause(seconds)
        if seconds := self._overall.wait(now):
            return Pause(seconds, everybody=True)
        for bucket in (*buckets, self._overall):
            bucket.fill()
        return None

    def admit_together(self, chat: str, sends: int) -> Pause | None:
        """One send was let through, and it is an album of so many, which cannot wait for each
        other. In a group all of them have to fit in, lest it is refused; elsewhere they count, and
        what comes after them waits. Nothing is counted in the group where there is a pause.
        """
        if chat.startswith("-"):
            group = self._groups.get_or_put(chat, _group)
            group.take_back()
            if seconds := group.wait(self._clock.monotonic(), sends):
                return Pause(seconds)
            group.fill(sends)
        self._chats.get_or_put(chat, _chat).level += sends - 1
        self._overall.level += sends - 1
        return None


def _group() -> Bucket:
    # as if it had been empty for long: an album of 10 fits in
    return Bucket(size=5, leak=0.25, level=-5, floor=-5)


def _chat() -> Bucket:
    return Bucket(size=3, leak=1)
