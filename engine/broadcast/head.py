"""The state of a broadcast, and of one of its recipients, as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import orjson
from pydantic import TypeAdapter, ValidationError

from flows.errors import CorruptState
from flows.updates import BroadcastOrder


class State(StrEnum):
    """How a broadcast stands.

    ``QUEUED`` is never stored: no bot has begun it yet.
    """

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A broadcast, and how far it is.

    Attributes:
        body: the message, as the outbox keeps it.
        rate: messages a second, at the most; and how many may wait in the outbox.
        began, ended: milliseconds since the epoch.
        everybody: the recipients are all private chats of the bot, and not all are listed yet.
        place: where the listing of them goes on.
        lists: how many lists of recipients are still to come.
        total: how many recipients are listed.
        position: the number of the recipient who is next.
        out: messages that may be on their way: number of the recipient, and turn.
        sent, blocked, failed: how many messages have arrived, cannot because the chat is closed to
            the bot, or cannot for another reason.
        gone: how many recipients were erased before it was their turn.
        tick: which order to feed is heeded.
        closing: nothing is out any more; what has failed last may not be told yet.
        locale: that in which it is shown how far it is; None: the App's default one.
        report: the turn that has shown last how far it is; None: none has.
    """

    id: str
    source: str
    body: str
    rate: int
    began: int
    state: State = State.RUNNING
    ended: int | None = None
    everybody: bool = False
    place: str | None = None
    lists: int = 0
    total: int = 0
    position: int = 0
    out: tuple[tuple[int, int], ...] = ()
    sent: int = 0
    blocked: int = 0
    failed: int = 0
    gone: int = 0
    tick: int = 0
    closing: bool = False
    report_to: str | None = None
    locale: str | None = None
    report: int | None = None
    reported: int = 0

    @property
    def listed(self) -> bool:
        """Whether all recipients are known."""
        return not self.everybody and not self.lists

    @property
    def over(self) -> bool:
        """Whether it sends nothing any more, for good."""
        return self.state in (State.CANCELLED, State.DONE)

    @property
    def settled(self) -> int:
        """How many recipients it is over for."""
        return self.sent + self.blocked + self.failed + self.gone

    @classmethod
    def begun(cls, broadcast: str, order: BroadcastOrder, at: int) -> Head:
        """A new broadcast.

        Args:
            at: when it begins, milliseconds since the epoch.
        """
        return cls(
            id=broadcast,
            source=order.source,
            body=order.body,
            rate=order.rate,
            began=at,
            everybody=order.everybody,
            lists=order.lists,
            report_to=order.report_to,
            locale=order.locale,
        )

    def encode(self) -> str:
        """The JSON text."""
        return orjson.dumps(self).decode()

    @classmethod
    def decode(cls, key: str, text: str) -> Head:
        """The broadcast of its JSON text.

        Raises:
            CorruptState: the text is none of ours.
        """
        try:
            return _HEAD.validate_json(text)
        except ValidationError as error:
            raise CorruptState(key, str(error)) from error


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient.

    Attributes:
        chat: the channel's id of the chat.
        outcome: why the message did not arrive, ``blocked`` or ``failed``; None: as far as is
            known, it did, or will.
    """

    chat: str
    outcome: str | None = None

    def encode(self) -> str:
        """The JSON text."""
        return orjson.dumps(self).decode()

    @classmethod
    def decode(cls, key: str, text: str) -> Recipient:
        """The recipient of their JSON text.

        Raises:
            CorruptState: the text is none of ours.
        """
        try:
            return _RECIPIENT.validate_json(text)
        except ValidationError as error:
            raise CorruptState(key, str(error)) from error


_HEAD: TypeAdapter[Head] = TypeAdapter(Head)
_RECIPIENT: TypeAdapter[Recipient] = TypeAdapter(Recipient)
