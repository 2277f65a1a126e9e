"""The parts of Telegram's objects that are read, checked when they come in.

Fields that are not named here are not looked at. A named one of the wrong type, or an id
that does not fit 64 bits, makes the whole object invalid.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.channels.telegram.cleaning import clean


def _clean(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Id = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Seconds = Annotated[int, Field(strict=True, ge=0, lt=2**40)]
Size = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]
Metres = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Text = Annotated[str, BeforeValidator(_clean)]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class User(Shape):
    id: Id
    first_name: Text = ""
    last_name: Text = ""
    username: Text = ""
    language_code: Text = ""


class Chat(Shape):
    id: Id
    type: Text = ""
    title: Text = ""
    username: Text = ""


class RepliedTo(Shape):
    message_id: Id


class Photo(Shape):
    file_id: Text
    width: Size
    height: Size
    file_size: Size | None = None


class File(Shape):
    file_id: Text
    file_name: Text = ""
    mime_type: Text = ""
    file_size: Size | None = None


class Recording(File):
    """Of voice, sound or video: what has no picture has no width either."""

    duration: Size | None = None
    width: Size | None = None
    height: Size | None = None


class Round(Shape):
    """A round video; ``length`` is its diameter in pixels."""

    file_id: Text
    file_size: Size | None = None
    duration: Size | None = None
    length: Size | None = None


class Location(Shape):
    latitude: Latitude
    longitude: Longitude
    horizontal_accuracy: Metres | None = None


class Venue(Shape):
    location: Location
    title: Text = ""
    address: Text = ""


class Contact(Shape):
    phone_number: Text
    first_name: Text = ""
    last_name: Text = ""
    user_id: Id | None = None


class WebAppData(Shape):
    data: Text
    button_text: Text = ""


class Sticker(Shape):
    file_id: Text
    width: Size | None = None
    height: Size | None = None
    file_size: Size | None = None
    emoji: Text = ""
    set_name: Text = ""


class PollOption(Shape):
    text: Text
    voter_count: Size = 0


class Poll(Shape):
    id: Text
    question: Text
    options: tuple[PollOption, ...] = ()
    total_voter_count: Size = 0
    is_closed: bool = False
    is_anonymous: bool = True
    allows_multiple_answers: bool = False
    type: Text = ""
    correct_option_id: Size | None = None
    correct_option_ids: tuple[Size, ...] | None = None


class Dice(Shape):
    emoji: Text = ""
    value: Size


class ShippingAddress(Shape):
    country_code: Text
    state: Text = ""
    city: Text = ""
    street_line1: Text = ""
    street_line2: Text = ""
    post_code: Text = ""


class OrderInfo(Shape):
    name: Text = ""
    phone_number: Text = ""
    email: Text = ""
    shipping_address: ShippingAddress | None = None


class SuccessfulPayment(Shape):
    currency: Text
    total_amount: Size
    invoice_payload: Text
    telegram_payment_charge_id: Text
    provider_payment_charge_id: Text = ""
    shipping_option_id: Text = ""
    order_info: OrderInfo | None = None


class Message(Shape):
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
    animation: Recording | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    web_app_data: WebAppData | None = None
    poll: Poll | None = None
    dice: Dice | None = None
    successful_payment: SuccessfulPayment | None = None
    migrate_to_chat_id: Id | None = None


class CallbackQuery(Shape):
    id: Text
    sender: User = Field(alias="from")
    message: Message | None = None
    data: Text = ""


class Anything(Shape):
    """What updates of other types may say about where they come from."""

    chat: Chat | None = None
    sender: User | None = Field(None, alias="from")
    user: User | None = None
    date: Seconds | None = None


class Received(Shape):
    update_id: Annotated[int, Field(strict=True, ge=0, lt=2**63)]
