"""What messages bring besides a text, as calls of the Bot API's methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.channels.telegram.cleaning import clean
from engine.channels.telegram.markups import markup
from engine.channels.telegram.messages import addressed, caption, mode, sent_so
from engine.channels.telegram.splitting import MAX_CAPTION, MAX_TEXT, split
from flows.errors import SendRefused
from flows.messages.attachments import (
    CAPTIONED,
    Album,
    Attachment,
    Dice,
    Invoice,
    Media,
    PollQuestion,
)
from flows.messages.input_file import InputFile
from flows.ports import Delivery
from flows.updates import ContactMessage, LocationMessage

METHODS = {"photo": "sendPhoto", "video": "sendVideo", "animation": "sendAnimation",
           "audio": "sendAudio", "voice": "sendVoice", "document": "sendDocument",
           "sticker": "sendSticker", "video_note": "sendVideoNote"}  # fmt: skip
"""What sends a file of each kind."""

_EDITABLE = frozenset({"photo", "video", "animation", "audio", "document"})
_UPLOADED = ("path", "bytes")

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: a method, its parameters, and the files that go with it by the names of their
    parts. ``messages`` is how many messages it sends.
    """

    method: str
    params: Params
    files: Mapping[str, InputFile] = field(default_factory=dict)
    messages: int = 1


def attached_message(delivery: Delivery, attachment: Attachment, chat: int | str) -> list[Call]:
    """The calls that send an attachment and the text that goes with it, the keyboard on the last.

    What is too long for a caption follows as texts; so does the text of what has no caption.
    """
    parts = _parts(delivery, attachment)
    captioned = isinstance(attachment, Media) and attachment.kind in CAPTIONED
    under = parts.pop(0) if captioned and parts else ""
    base = addressed(delivery, chat)
    first = _call(attachment, base, under, mode(delivery))
    texts = [Call("sendMessage", base | {"text": part} | mode(delivery)) for part in parts]
    calls = [first, *texts]
    for at, call in enumerate(calls):
        last = at == len(calls) - 1 and call.messages == 1  # an album has no keyboard
        call.params.update(sent_so(delivery, reply=at == 0, keyboard=last))
    return calls


def edited_media(delivery: Delivery, media: Media, chat: int | str, message_id: int) -> Call:
    """The call that puts another file in place of the one that is there.

    Raises:
        SendRefused: files of this kind do not come in place of others.
    """
    if media.kind not in _EDITABLE:
        raise SendRefused(
            f"a {media.kind} cannot be put in place of another file. Send it as a new message."
        )
    files: dict[str, InputFile] = {}
    text = caption(delivery.text, delivery.format)
    shown = _item(media, files, text, mode(delivery))
    params = {"chat_id": chat, "message_id": message_id, "media": shown}
    return Call("editMessageMedia", params | markup(delivery.keyboard), files)


def _parts(delivery: Delivery, attachment: Attachment) -> list[str]:
    captioned = isinstance(attachment, Media) and attachment.kind in CAPTIONED
    first = MAX_CAPTION if captioned else None
    return split(clean(delivery.text), delivery.format, MAX_TEXT, first=first)


def _call(attachment: Attachment, base: Params, text: str, reading: Params) -> Call:
    match attachment:
        case Media():
            return _media(attachment, base, text, reading)
        case Album():
            return _album(attachment, base)
        case LocationMessage():
            return _location(attachment, base)
        case ContactMessage():
            named = {"phone_number": attachment.phone,
                     "first_name": clean(attachment.name) or attachment.phone}  # fmt: skip
            return Call("sendContact", base | named)
        case PollQuestion():
            return Call("sendPoll", base | _poll(attachment))
        case Dice():
            return Call("sendDice", base | {"emoji": attachment.emoji})
        case Invoice():
            return Call("sendInvoice", base | _invoice(attachment))


def _media(media: Media, base: Params, text: str, reading: Params) -> Call:
    files: dict[str, InputFile] = {}
    params = base | {media.kind: _file(media.file, files)} | _details(media)
    if text:
        params |= {"caption": text} | reading
    return Call(METHODS[media.kind], params, files)


def _album(album: Album, base: Params) -> Call:
    files: dict[str, InputFile] = {}
    items = []
    for media in album.media:
        text = caption(media.caption, media.format)
        items.append(_item(media, files, text, mode(media)))
    return Call("sendMediaGroup", base | {"media": items}, files, len(items))


def _item(media: Media, files: dict[str, InputFile], text: str, reading: Params) -> Params:
    """A file among others, or in place of another."""
    told: Params = {"type": media.kind, "media": _file(media.file, files)} | _details(media)
    if text.strip():
        told |= {"caption": text} | reading
    return told


def _file(file: InputFile, files: dict[str, InputFile]) -> str:
    """What names the file in the parameters; one that goes along is put into ``files``."""
    if file.source not in _UPLOADED:
        return file.value
    name = f"file{len(files)}"
    files[name] = file
    return f"attach://{name}"


def _details(media: Media) -> Params:
    known: Params = {
        "duration": media.duration,
        "width": media.width,
        "height": media.height,
        "title": clean(media.title) or None,
        "performer": clean(media.performer) or None,
        "has_spoiler": media.spoiler or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _location(place: LocationMessage, base: Params) -> Call:
    where: Params = {"latitude": place.latitude, "longitude": place.longitude}
    if place.title:
        about = {"title": clean(place.title), "address": clean(place.address) or "-"}
        return Call("sendVenue", base | where | about)
    if place.accuracy is not None:
        where["horizontal_accuracy"] = min(place.accuracy, 1500.0)
    return Call("sendLocation", base | where)


def _poll(poll: PollQuestion) -> Params:
    told: Params = {
        "question": clean(poll.question),
        "options": [{"text": clean(option)} for option in poll.options],
        "is_anonymous": poll.anonymous,
    }
    if poll.multiple:
        told["allows_multiple_answers"] = True
    if poll.correct is not None:
        told |= {"type": "quiz", "correct_option_ids": [poll.correct]}
    if poll.explanation:
        told["explanation"] = clean(poll.explanation)
    if poll.open_seconds is not None:
        told["open_period"] = poll.open_seconds
    return told


def _invoice(invoice: Invoice) -> Params:
    told: Params = {
        "title": clean(invoice.title),
        "description": clean(invoice.description),
        "payload": invoice.payload,
        "currency": invoice.currency,
        "prices": [{"label": clean(label), "amount": amount} for label, amount in invoice.prices],
    }
    if invoice.provider_token:
        told["provider_token"] = invoice.provider_token
    if invoice.photo_url:
        told["photo_url"] = invoice.photo_url
    return told
