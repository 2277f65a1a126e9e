"""The parts of Telegram's objects that are read, checked when they come in.

Fields that are not named here are not looked at. A named one of the wrong type, or an id
that does not fit 64 bits, makes the whole object invalid.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def clean(text: str) -> str:
    """The text without NUL, and with U+FFFD for surrogates that stand alone."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16, so that two halves that belong together become a character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _clean(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Id = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Seconds = Annotated[int, Field(strict=True, ge=0, lt=2**40)]
Size = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]
Metres = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Text = Annotated[str, BeforeValidator(_clean)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class User(_Shape):
    id: Id
    first_name: Text = ""
    last_name: Text = ""
    username: Text = ""
    language_code: Text = ""


class Chat(_Shape):
    id: Id
    type: Text = ""
    title: Text = ""
    username: Text = ""


class RepliedTo(_Shape):
    message_id: Id


class Photo(_Shape):
    file_id: Text
    width: Size
    height: Size
    file_size: Size | None = None


class File(_Shape):
    file_id: Text
    file_name: Text = ""
    mime_type: Text = ""
    file_size: Size | None = None


class Recording(File):
    """Of voice, sound or video: what has no picture has no width either."""

    duration: Size | None = None
    width: Size | None = None
    height: Size | None = None


class Round(_Shape):
    """A round video; ``length`` is its diameter in pixels."""

    file_id: Text
    file_size: Size | None = None
    duration: Size | None = None
    length: Size | None = None


class Location(_Shape):
    latitude: Latitude
    longitude: Longitude
    horizontal_accuracy: Metres | None = None


class Venue(_Shape):
    location: Location
    title: Text = ""
    address: Text = ""


class Contact(_Shape):
    phone_number: Text
    first_name: Text = ""
    last_name: Text = ""
    user_id: Id | None = None


class WebAppData(_Shape):
    data: Text
    button_text: Text = ""


class Message(_Shape):
    message_id: Id
    date: Seconds
    chat: Chat
    sender: User | None = Field(None, alias="from")
    sender_chat: Chat | None = None
    message_thread_id: Id | None = None
    is_topic_message: bool = False
    reply_to_message: RepliedTo | None = None
    edit_date: Seconds | None = None
    media_group_id: Text | None = None
    text: Text | None = None
    caption: Text = ""
    photo: list[Photo] | None = None
    document: File | None = None
    voice: Recording | None = None
    audio: Recording | None = None
    video: Recording | None = None
    video_note: Round | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    web_app_data: WebAppData | None = None
    migrate_to_chat_id: Id | None = None


class CallbackQuery(_Shape):
    id: Text
    sender: User = Field(alias="from")
    message: Message | None = None
    data: Text = ""


class Anything(_Shape):
    """What updates of other types may say about where they come from."""

    chat: Chat | None = None
    sender: User | None = Field(None, alias="from")
    user: User | None = None
    date: Seconds | None = None


class Received(_Shape):
    update_id: Annotated[int, Field(strict=True, ge=0, lt=2**63)]
