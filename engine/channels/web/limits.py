"""How much all pages of a chat may take together.

Cookies are free, so limits for each person alone would limit nobody.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.channels.web.pace import Pace
from flows.errors import HandrailError
from flows.ports import Clock

DAY = 24 * 3600.0

log = logging.getLogger("handrail.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLimits:
    """What is too much for a web chat.

    Attributes:
        pages: that may be open at the same time.
        pages_of_address: the same, from one address of the network.
        hello: seconds that a page may take to say that it is one.
        uploads: bytes that may be uploaded in a day by all people together.
        uploads_of_person: the same, by one person.
    """

    pages: int = 4096
    pages_of_address: int = 256
    hello: float = 10.0
    uploads: int = 8 << 30
    uploads_of_person: int = 256 << 20


class TooManyPages(HandrailError):
    """No more pages can be open; ``code`` is what the connection is closed with."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class Doors:
    """Counts the pages that are open."""

    def __init__(self, limits: WebLimits) -> None:
        self._limits = limits
        self._addresses: Counter[str] = Counter()

    @contextmanager
    def opened(self, address: str) -> Iterator[None]:
        """A page is open while the block runs; ``address`` is empty where it is not known.

        Raises:
            TooManyPages: as many are open as may be.
        """
        if self._addresses.total() >= self._limits.pages:
            log.warning("%d pages are open, and no more may be: see WebLimits", self._limits.pages)
            raise TooManyPages(4503, "too many pages are open")
        if address and self._addresses[address] >= self._limits.pages_of_address:
            log.warning(
                "%d pages are open from %s, and no more may be. If that is a proxy, name it in "
                "FORWARDED_ALLOW_IPS, so that it is asked where they come from",
                self._limits.pages_of_address,
                address,
            )
            raise TooManyPages(4430, "too many pages are open from your address")
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]


class TooMuchUploaded(HandrailError):
    """A day's worth of uploads is used up. ``hours`` are how long it takes until this much may be
    uploaded again; ``limit`` is the person's own, or 0 where it is that of all people.
    """

    def __init__(self, hours: int, limit: int) -> None:
        self.hours = hours
        self.limit = limit
        super().__init__(f"too much was uploaded; try again in {hours} h")


class Quota:
    """Counts the bytes that are uploaded; what is used comes back over a day."""

    def __init__(self, limits: WebLimits, clock: Clock) -> None:
        self._limits = limits
        self._each = Pace(
            clock, burst=limits.uploads_of_person, rate=limits.uploads_of_person / DAY
        )
        self._all = Pace(clock, burst=limits.uploads, rate=limits.uploads / DAY)

    def take(self, person: str, size: int) -> None:
        """Counts bytes of a person.

        Raises:
            TooMuchUploaded: they may not be uploaded now; they are not kept.
        """
        if seconds := self._each.wait(person, size):
            raise TooMuchUploaded(_hours(seconds), self._limits.uploads_of_person)
        if seconds := self._all.wait("", size):
            self._each.give_back(person, size)
            log.warning("%d bytes were uploaded in a day: see WebLimits", self._limits.uploads)
            raise TooMuchUploaded(_hours(seconds), 0)


def _hours(seconds: float) -> int:
    return max(1, round(seconds / 3600))
