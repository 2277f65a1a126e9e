"""Takes in what people do, once each, and acknowledges it when it is durable."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from engine.channels.web.files import Files
from engine.channels.web.incoming import (
    Act,
    CannotTake,
    SentFile,
    bubble_of,
    content_of,
    refusal_of,
)
from engine.channels.web.labels import Labels
from engine.channels.web.pace import Pace
from engine.channels.web.people import WebPerson
from engine.channels.web.records import Records
from engine.channels.web.rooms import Rooms
from flows.conversation import Address
from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.messages.translations import gettext
from flows.ports import Clock, Intake
from flows.updates import Content, Update

AGAIN = 1.0
"""Seconds after which a page tries again what could not be kept."""

UNREADABLE = gettext("This message cannot be read here.")
NOT_KEPT = gettext("This message cannot be kept.")

log = logging.getLogger("handrail.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """It is durable."""

    id: str
    t: str = "ack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It will never be taken; ``reason`` is for the person. ``id`` is empty where none was read."""

    id: str
    reason: str
    t: str = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """It was not taken, and is to be sent again after so many seconds."""

    id: str
    seconds: float
    t: str = "later"


class Desk:
    """Where the pages hand in what people do.

    Attributes:
        intake: what takes it; None: the bot does not run, or is about to stop.
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        records: Records,
        files: Files,
        rooms: Rooms,
        labels: Labels,
    ) -> None:
        self.intake: Intake | None = None
        self.pace = Pace(clock)
        self._source = source
        self._clock = clock
        self._records = records
        self._files = files
        self._rooms = rooms
        self._labels = labels

    def unreadable(self, person: WebPerson) -> Refused:
        """The answer to what is no frame of ours."""
        return Refused(id="", reason=self._labels.said(UNREADABLE, person.language))

    async def take(self, person: WebPerson, act: Act) -> Taken | Refused | Later:
        """Takes one thing in.

        The person's own bubble is recorded first, so that no answer stands above it; where the
        process dies in between, the page sends the same again, and both find what is there.
        """
        if self.intake is None:
            return Later(id=act.id, seconds=AGAIN)
        if seconds := self.pace.wait(person.id):
            return Later(id=act.id, seconds=seconds)
        try:
            about = None
            if isinstance(act, SentFile):
                about = await self._files.about(person.id, act.id)
            content = content_of(act, person, about)
            await self._keep(self.intake, person, act, content)
        except CannotTake as refusal:
            return Refused(id=act.id, reason=self._labels.said(refusal.reason, person.language))
        except BadRow as error:
            log.warning("what a person has sent cannot be stored: %s", error.reason)
            return Refused(id=act.id, reason=self._labels.said(NOT_KEPT, person.language))
        except (StorageDown, OutcomeUnknown) as error:
            log.warning("what a person has sent was not kept (%s); the page tries again", error)
            return Later(id=act.id, seconds=AGAIN)
        return Taken(id=act.id)

    async def _keep(self, intake: Intake, person: WebPerson, act: Act, content: Content) -> None:
        bubble = bubble_of(act, content)
        if bubble is not None and await self._records.add(person.id, bubble):
            self._rooms.stir(person.id)
        update = Update(
            source=self._source,
            ext=f"{person.id}/{act.id}",
            content=content,
            at=self._clock.now(),
            address=Address(self._source, person.id),
            user=person.person,
            message=None if bubble is None else act.id,
            reply_to=getattr(act, "reply_to", "") or None,
        )
        if not await intake.accept([update]):
            return
        reason = self._labels.said(NOT_KEPT, person.language)
        if bubble is not None and await self._records.add(person.id, refusal_of(act, reason)):
            self._rooms.stir(person.id)
        raise CannotTake(NOT_KEPT)
