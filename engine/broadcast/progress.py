"""How far a broadcast is, for people: in a chat as a message, elsewhere as a line."""

from __future__ import annotations

from collections.abc import Mapping

from engine.broadcast.head import Head, State
from flows.messages.speaking import Translator
from flows.messages.translations import Translatable, gettext

WIDTH = 20
"""Blocks of the bar."""

SLOT = "progress"
"""The name of the message that shows it."""

STANDS: Mapping[State, Translatable] = {
    State.QUEUED: gettext("Broadcast {id}: queued"),
    State.RUNNING: gettext("Broadcast {id}: running"),
    State.PAUSED: gettext("Broadcast {id}: paused"),
    State.CANCELLED: gettext("Broadcast {id}: cancelled"),
    State.DONE: gettext("Broadcast {id}: done"),
}
"""How it stands, in words."""


def bar(part: int, whole: int) -> str:
    """A bar of blocks."""
    full = WIDTH if part >= whole else part * WIDTH // whole
    return "▓" * full + "░" * (WIDTH - full)


def remaining(head: Head) -> float | None:
    """Seconds that it takes at the least until the last message goes; None: it does not go on."""
    if head.state is not State.RUNNING or not head.listed:
        return None
    return (head.total - head.position) / head.rate


def shown(head: Head, words: Translator | None) -> str:
    """The message that shows how far it is.

    Args:
        words: those that say it; None: the original ones.
    """
    lines = [_stand(head).said(words)]
    if head.total:
        percent = _written(head.settled * 100 // head.total, words)
        lines.append(f"{bar(head.settled, head.total)} {percent} %")
    lines.append(_counts(head, words).said(words))
    left = remaining(head)
    if left:
        lines.append(gettext("about {time} left", time=duration(left)).said(words))
    return "\n".join(lines)


def duration(seconds: float) -> Translatable:
    """A length of time in its two largest units."""
    whole = max(round(seconds), 1)
    minutes, hours = whole // 60, whole // 3600
    if hours:
        return gettext("{hours} h {minutes} min", hours=hours, minutes=minutes % 60)
    if minutes:
        return gettext("{minutes} min {seconds} s", minutes=minutes, seconds=whole % 60)
    return gettext("{seconds} s", seconds=whole)


def _stand(head: Head) -> Translatable:
    if head.state is State.RUNNING and not head.listed:
        return gettext("Broadcast {id}: looking up whom it goes to", id=head.id)
    return STANDS[head.state].with_values({"id": head.id})


def _counts(head: Head, words: Translator | None) -> Translatable:
    """What has become of the messages so far."""
    text = gettext("{settled} of {total}, {sent} sent, {blocked} blocked, {failed} failed")
    if head.gone:
        text = gettext(
            "{settled} of {total}, {sent} sent, {blocked} blocked, {failed} failed, {gone} erased"
        )
    counted = {
        "settled": head.settled,
        "total": head.total,
        "sent": head.sent,
        "blocked": head.blocked,
        "failed": head.failed,
        "gone": head.gone,
    }
    return text.with_values({name: _written(count, words) for name, count in counted.items()})


def _written(number: int, words: Translator | None) -> str:
    """A number in groups of three digits, as people of the locale write them."""
    return f"{number:,}" if words is None else words.written(number)
