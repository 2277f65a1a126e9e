"""How people, times and spans are written for operators."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.operate.homes import home_of
from flows.errors import UnknownConversation


def who(key: str) -> str:
    """Whose conversation it is, for people."""
    try:
        home = home_of(key)
    except UnknownConversation:
        return key
    place = home.address
    if home.user is None:
        return key
    if place.topic is not None:
        return f"{home.user.id} in {place.chat}, topic {place.topic}"
    return home.user.id if place.chat == home.user.id else f"{home.user.id} in {place.chat}"


def span(milliseconds: int) -> str:
    """A time in its largest unit: 5s, 3m, 2h, 4d."""
    seconds = max(milliseconds, 0) // 1000
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def moment(at: int) -> str:
    """A time for people: UTC, to the second."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "seconds").replace("+00:00", "Z")
