"""What the page sends, and what it means to the bot.

Each thing that a person does has an id that the page has drawn; sent again after a lost
connection, it is the same thing.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.channels.web.bubbles import Bubble, Shot, Spot
from engine.channels.web.files import About, reference
from engine.channels.web.markup import rich
from engine.channels.web.people import WebPerson
from flows.errors import HandrailError
from flows.messages.translations import gettext
from flows.updates import (
    AudioMessage,
    Command,
    ContactMessage,
    Content,
    DocumentMessage,
    FileRef,
    LocationMessage,
    PhotoMessage,
    Press,
    TextMessage,
    VideoMessage,
)

LONGEST_TEXT = 4096
"""Characters of a message; as many as on Telegram."""

FILE_ID = r"c-[0-9a-z-]{8,40}"
"""What an id looks like that a page has drawn."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:\s+(.*))?", re.ASCII | re.DOTALL)
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

Id = Annotated[str, Field(pattern=f"^{FILE_ID}$")]
Ref = Annotated[str, Field(max_length=64)]


class CannotTake(HandrailError, ValueError):
    """What a person has sent cannot be taken; ``reason`` is for them."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hello(_Frame):
    """A page is there. ``after`` is the last place that it has; 0: it has nothing."""

    t: Literal["hello"]
    after: Annotated[int, Field(ge=0, lt=1 << 53)] = 0


class Ping(_Frame):
    """Are you there?"""

    t: Literal["ping"]


class Say(_Frame):
    """A text; ``reply_to`` is the message that it answers."""

    t: Literal["say"]
    id: Id
    text: str
    reply_to: Ref = ""


class Pressed(_Frame):
    """The button with this data, under the message ``ref``."""

    t: Literal["press"]
    id: Id
    ref: Ref
    data: Annotated[str, Field(min_length=1, max_length=64)]


class Here(_Frame):
    """Where the person is."""

    t: Literal["here"]
    id: Id
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Annotated[float, Field(ge=0)] | None = None


class Card(_Frame):
    """The person's own contact, which the host application knows."""

    t: Literal["card"]
    id: Id


class SentFile(_Frame):
    """A file that was uploaded under this id. ``plain``: as a file, though it is a picture."""

    t: Literal["file"]
    id: Id
    caption: str = ""
    plain: bool = False


class Older(_Frame):
    """What was said before the place ``before``?"""

    t: Literal["older"]
    before: Annotated[int, Field(ge=1, lt=1 << 53)]


Act = Say | Pressed | Here | Card | SentFile
"""What a person does."""

FRAMES: TypeAdapter[Hello | Ping | Older | Act] = TypeAdapter(
    Annotated[Hello | Ping | Older | Act, Field(discriminator="t")]
)


def content_of(act: Act, person: WebPerson, about: About | None) -> Content:
    """What it means to the bot.

    Args:
        about: the file that it names; None: there is none.

    Raises:
        CannotTake: it cannot be.
    """
    match act:
        case Say():
            return _said(_clean(act.text))
        case Pressed():
            return Press(id=f"{person.id}/{act.id}", data=act.data, message=act.ref or None)
        case Here():
            return LocationMessage(
                latitude=act.latitude, longitude=act.longitude, accuracy=act.accuracy
            )
        case Card() if person.phone:
            return ContactMessage(phone=person.phone, name=person.name, user=person.id, own=True)
        case Card():
            raise CannotTake(gettext("Your phone number is not known here. Please write it."))
        case SentFile() if about is not None:
            file = reference(person.id, act.id, about)
            return _file_message(file, _clean(act.caption, empty=True), plain=act.plain)
        case SentFile():
            raise CannotTake(gettext("The file did not arrive as a whole. Please choose it again."))


def bubble_of(act: Act, content: Content) -> Bubble | None:
    """What the person sees of it; None: nothing, as of a press."""
    match content:
        case TextMessage() | Command() if isinstance(act, Say):
            return Bubble(
                ref=act.id, mine=True, text=rich(_clean(act.text), "plain"), reply_to=act.reply_to
            )
        case LocationMessage():
            spot = Spot(latitude=content.latitude, longitude=content.longitude)
            return Bubble(ref=act.id, mine=True, spot=spot)
        case ContactMessage():
            words = " ".join(filter(None, (content.name, content.phone)))
            return Bubble(ref=act.id, mine=True, text=(words,))
        case PhotoMessage() | DocumentMessage() | AudioMessage() | VideoMessage():
            shot = Shot(
                kind=content.kind,
                file=act.id,
                name=content.file.name,
                size=content.file.size or 0,
                width=content.file.width or 0,
                height=content.file.height or 0,
            )
            return Bubble(ref=act.id, mine=True, media=(shot,), text=rich(content.caption, "plain"))
        case _:
            return None


def refusal_of(act: Act, reason: str) -> Bubble:
    """Tells of a bubble that is there already that the bot does not get it."""
    return Bubble(ref=f"{act.id}-no", task="refused", edit=act.id, mine=True, text=(reason,))


def _said(text: str) -> Content:
    if command := _COMMAND.fullmatch(text):
        return Command(command[1].lower(), (command[2] or "").strip())
    return TextMessage(text)


def _file_message(file: FileRef, caption: str, *, plain: bool) -> Content:
    kind = file.mime.partition("/")[0]
    if plain:
        return DocumentMessage(file, caption)
    if file.mime in _IMAGES:
        return PhotoMessage(file, caption)
    if kind == "audio":
        return AudioMessage(file, caption)
    if kind == "video":
        return VideoMessage(file, caption)
    return DocumentMessage(file, caption)


def _clean(text: str, *, empty: bool = False) -> str:
    """The text as a storage can keep it."""
    kept = text.replace("\0", "").strip()
    if not kept and not empty:
        raise CannotTake(gettext("There is nothing in this message."))
    if len(kept) > LONGEST_TEXT:
        raise CannotTake(
            gettext(
                "This message has {count} characters, and {most} is the most. Please send it in "
                "parts.",
                count=len(kept),
                most=LONGEST_TEXT,
            )
        )
    return kept
