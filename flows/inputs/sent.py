"""What people send that is neither a text nor a file: stickers, polls, dice; and payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError

from flows.inputs.base import Input, Json, without_article
from flows.messages.translations import gettext, phrase
from flows.updates import (
    Content,
    DiceMessage,
    PaymentMessage,
    PollInfo,
    PollMessage,
    Receipt,
    StickerInfo,
    StickerMessage,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentInput(Input[T]):
    """The base of inputs whose value is a dataclass that a content is made of.

    Attributes:
        message: the content.
        value: the dataclass.
        form: its JSON form.
        wanted: its name in a sentence.
    """

    message: ClassVar[type[Any]]
    value: ClassVar[type[Any]]
    form: ClassVar[TypeAdapter[Any]]
    wanted: ClassVar[str]

    def fits(self, content: Content) -> bool:
        """Whether it is such a content."""
        return isinstance(content, self.message)

    def parse(self, content: Content) -> Json:
        """The value as a JSON object."""
        if not isinstance(content, self.message):
            raise self.refused(self.hint())
        return self._json(content)

    def load(self, value: Json) -> T:
        """The value of a JSON object."""
        try:
            loaded: T = self.form.validate_python(value)
        except ValidationError as error:
            raise ValueError(f"this is no {self.value.__name__}: {error}") from error
        return loaded

    def dump(self, value: T) -> Json:
        """The value as a JSON object."""
        if not isinstance(value, self.value):
            raise ValueError(f"{value!r} is no {self.value.__name__}")
        return self._json(value)

    def hint(self) -> str:
        """Asks for it."""
        return self.retry or phrase("Please send {wanted}.", wanted=self.wanted)

    def shown(self, value: Json) -> str:
        """What it is."""
        return without_article(self.wanted)

    def _json(self, value: object) -> Json:
        # a content is of a subclass, of which the form takes what it knows
        made: Json = self.form.dump_python(value, mode="json")
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticker(SentInput[StickerInfo]):
    """A sticker."""

    kind: ClassVar[str] = "sticker"
    message: ClassVar[type[Any]] = StickerMessage
    value: ClassVar[type[Any]] = StickerInfo
    form: ClassVar[TypeAdapter[Any]] = TypeAdapter(StickerInfo)
    wanted: ClassVar[str] = gettext("a sticker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll(SentInput[PollInfo]):
    """A poll that somebody sends; it has no votes of the bot's own polls."""

    kind: ClassVar[str] = "poll"
    message: ClassVar[type[Any]] = PollMessage
    value: ClassVar[type[Any]] = PollInfo
    form: ClassVar[TypeAdapter[Any]] = TypeAdapter(PollInfo)
    wanted: ClassVar[str] = gettext("a poll")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(SentInput[Receipt]):
    """The channel's word that an invoice was paid; nobody can make it up.

    Attributes:
        payload: takes only the payment of the invoice with this payload; None: of any.
    """

    kind: ClassVar[str] = "payment"
    message: ClassVar[type[Any]] = PaymentMessage
    value: ClassVar[type[Any]] = Receipt
    form: ClassVar[TypeAdapter[Any]] = TypeAdapter(Receipt)
    wanted: ClassVar[str] = gettext("the payment")

    payload: str | None = None

    def fits(self, content: Content) -> bool:
        """Whether it is a payment, of the invoice that is meant."""
        return isinstance(content, PaymentMessage) and self.payload in (None, content.payload)

    def hint(self) -> str:
        """Asks for it."""
        return self.retry or phrase("Please pay the invoice.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiceThrow(Input[int]):
    """A die that is thrown: what came up. The channel has thrown it, not the person.

    Attributes:
        emoji: the toy that is to be thrown; None: any.
    """

    kind: ClassVar[str] = "dice"

    emoji: str | None = None

    def fits(self, content: Content) -> bool:
        """Whether it is the toy that is meant."""
        return isinstance(content, DiceMessage) and self.emoji in (None, content.emoji)

    def parse(self, content: Content) -> Json:
        """The value."""
        if not isinstance(content, DiceMessage):
            raise self.refused(self.hint())
        return content.value

    def load(self, value: Json) -> int:
        """The value itself."""
        if type(value) is not int:
            raise ValueError(f"{value!r} is no whole number")
        return value

    def dump(self, value: int) -> Json:
        """The value itself."""
        return self.load(value)

    def hint(self) -> str:
        """Asks for a throw."""
        return self.retry or phrase("Please send {wanted}.", wanted=self.emoji or chr(0x1F3B2))
