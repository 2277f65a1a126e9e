"""What people do in a chat, files and payments aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text that is no command."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Command:
    """``/name args``. ``name`` is lower case, without slash and bot name; ``args`` may be empty."""

    name: str
    args: str = ""
    kind: Literal["command"] = "command"

    @property
    def text(self) -> str:
        """The command as it was typed, more or less."""
        return f"/{self.name} {self.args}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button was pressed.

    Attributes:
        id: what the channel needs to answer the press.
        data: the button's data: one of our tokens, or the user's own.
        message: reference of the message that holds the button; None when it is inaccessible.
    """

    id: str
    data: str
    message: str | None = None
    kind: Literal["press"] = "press"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on the earth.

    Attributes:
        latitude, longitude: degrees (WGS 84), north and east positive.
        accuracy: metres, the radius in which it lies, where known.
        title, address: of a venue; else empty.

    Raises:
        ValueError: there is no such place on the earth.
    """

    latitude: float
    longitude: float
    accuracy: float | None = None
    title: str = ""
    address: str = ""

    def __post_init__(self) -> None:
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180):
            raise ValueError(f"latitude {self.latitude}, longitude {self.longitude} is no place")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationMessage(Place):
    """A place that was shared."""

    kind: Literal["location"] = "location"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """How somebody can be reached.

    Attributes:
        phone: the number as the channel gave it.
        user: who it is, by the channel's id, where it knows.
        own: whether the channel vouches that it is the card of who sent it.
    """

    phone: str
    name: str = ""
    user: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMessage(ContactCard):
    """A contact that was shared."""

    kind: Literal["contact"] = "contact"


@dataclass(frozen=True, slots=True)
class WebAppMessage:
    """What a web app that the chat opened has sent; anybody can make such data up.

    Attributes:
        data: its own text, often JSON.
        button: the label of the button that opened it.
    """

    data: str
    button: str = ""
    kind: Literal["web_app"] = "web_app"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollInfo:
    """A poll of the channel's own, and how it stands.

    Attributes:
        id: what its answers name it by.
        options: the texts to choose from, in order.
        votes: how many have chosen each option.
        voters: how many have voted at all.
        closed: nobody can vote any more.
        anonymous: nobody is told who has voted for what.
        multiple: one may choose several.
        correct: the index of the right answer of a quiz, where the channel tells it.
    """

    id: str
    question: str
    options: tuple[str, ...] = ()
    votes: tuple[int, ...] = ()
    voters: int = 0
    closed: bool = False
    anonymous: bool = True
    multiple: bool = False
    quiz: bool = False
    correct: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollMessage(PollInfo):
    """A poll that was sent."""

    kind: Literal["poll"] = "poll"


@dataclass(frozen=True, slots=True)
class DiceMessage:
    """A die that was thrown, or another toy with a value.

    Attributes:
        value: what came up, from 1.
        emoji: which toy it is.
    """

    value: int
    emoji: str = ""
    kind: Literal["dice"] = "dice"
