"""How far a broadcast is, for people: in a chat as a message, elsewhere as a line."""

from __future__ import annotations

from engine.broadcast.head import Head, State

WIDTH = 20
"""Blocks of the bar."""

SLOT = "progress"
"""The name of the message that shows it."""


def bar(part: int, whole: int) -> str:
    """A bar of blocks."""
    full = WIDTH if part >= whole else part * WIDTH // whole
    return "▓" * full + "░" * (WIDTH - full)


def remaining(head: Head) -> float | None:
    """Seconds that it takes at the least until the last message goes; None: it does not go on."""
    if head.state is not State.RUNNING or not head.listed:
        return None
    return (head.total - head.position) / head.rate


def shown(head: Head) -> str:
    """The message that shows how far it is."""
    lines = [f"Broadcast {head.id}: {_stand(head)}"]
    if head.total:
        lines.append(f"{bar(head.settled, head.total)} {head.settled * 100 // head.total} %")
    lines.append(counts(head))
    left = remaining(head)
    if left:
        lines.append(f"about {duration(left)} left")
    return "\n".join(lines)


def counts(head: Head) -> str:
    """What has become of the messages so far."""
    parts = [f"{head.settled:,} of {head.total:,}", f"{head.sent:,} sent"]
    parts.append(f"{head.blocked:,} blocked")
    parts.append(f"{head.failed:,} failed")
    if head.gone:
        parts.append(f"{head.gone:,} erased")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(round(seconds), 1)
    minutes, hours = whole // 60, whole // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min {whole % 60} s"
    return f"{whole} s"


def _stand(head: Head) -> str:
    if head.state is State.RUNNING and not head.listed:
        return "looking up whom it goes to"
    return head.state.value
