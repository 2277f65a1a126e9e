"""What a line that begins with ``@`` sends: files, places and other contents, made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import randint
from uuid import uuid4

from flows.errors import HandrailError
from flows.updates import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    ContactMessage,
    Content,
    DiceMessage,
    DocumentMessage,
    FileRef,
    LocationMessage,
    PaymentMessage,
    PhotoMessage,
    PollMessage,
    StickerMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)

_PHONE = re.compile(r"(\+?[0-9][0-9 ()-]*)(?:\s+(.*))?", re.DOTALL)
_MOST_PHOTOS = 10
_PLACE = ("48.8584", "2.2945")
_MY_PHONE = "+44 20 7946 0958 Ada Lovelace"


class CannotSend(HandrailError, ValueError):
    """There is nothing of that kind to send, or not with these words."""


def made_up(kind: str, words: str = "") -> Content:
    """A content of one of ``KINDS``, with a caption or whatever it takes.

    Raises:
        CannotSend: the kind is unknown, or the words do not fit it.
    """
    make = _MAKERS.get(kind)
    if make is None:
        raise CannotSend(f"there is no {kind!r} to send. Send {', '.join(KINDS)}.")
    return make(words.strip())


def _photo(caption: str) -> PhotoMessage:
    return PhotoMessage(_file("photo.jpg", 52_400, "image/jpeg", width=1280, height=960), caption)


def _document(caption: str) -> DocumentMessage:
    return DocumentMessage(_file("document.pdf", 20_480, "application/pdf"), caption)


def _voice(caption: str) -> VoiceMessage:
    return VoiceMessage(_file("voice.ogg", 15_300, "audio/ogg", duration=4), caption)


def _audio(caption: str) -> AudioMessage:
    return AudioMessage(_file("audio.mp3", 3_100_000, "audio/mpeg", duration=194), caption)


def _video(caption: str) -> VideoMessage:
    file = _file("video.mp4", 1_900_000, "video/mp4", width=1280, height=720, duration=12)
    return VideoMessage(file, caption)


def _animation(caption: str) -> AnimationMessage:
    file = _file("animation.mp4", 210_000, "video/mp4", width=320, height=240, duration=2)
    return AnimationMessage(file, caption)


def _album(words: str) -> AlbumMessage:
    count, _, caption = words.partition(" ") if words[:1].isdigit() else ("", "", words)
    if count and not (count.isascii() and count.isdigit() and 2 <= int(count) <= _MOST_PHOTOS):
        raise CannotSend(
            f"an album has 2 to {_MOST_PHOTOS} photos, not {count}. Write '@ album 3 my cats'."
        )
    captions = [caption.strip()] + [""] * (int(count or 2) - 1)
    return AlbumMessage(tuple(_photo(each) for each in captions), captions[0])


def _sticker(emoji: str) -> StickerMessage:
    return StickerMessage(file=_file("sticker.webp", 18_000, "image/webp"), emoji=emoji or "\u2b50")


def _poll(words: str) -> PollMessage:
    question, _, options = words.partition("?")
    named = tuple(each.strip() for each in options.split(",") if each.strip()) or ("Yes", "No")
    return PollMessage(
        id=f"console-{uuid4().hex}",
        question=f"{question or 'Well'}?",
        options=named,
        votes=(0,) * len(named),
    )


def _dice(words: str) -> DiceMessage:
    value = words or str(randint(1, 6))  # noqa: S311 - a toy
    if not re.fullmatch("[1-6]", value, re.ASCII):
        raise CannotSend(f"{value!r} is on no die. Write 1 to 6, such as '@ dice 6'.")
    return DiceMessage(int(value), "\U0001f3b2")


def _payment(payload: str) -> PaymentMessage:
    """No money moves."""
    return PaymentMessage(
        currency="EUR", amount=100, payload=payload, charge=f"console-{uuid4().hex}"
    )


def _file(
    name: str,
    size: int,
    mime: str,
    *,
    width: int | None = None,
    height: int | None = None,
    duration: int | None = None,
) -> FileRef:
    kind = name.partition(".")[0]
    return FileRef(
        id=f"console-{kind}-{uuid4().hex}",
        name=name,
        size=size,
        mime=mime,
        width=width,
        height=height,
        duration=duration,
    )


def _location(words: str) -> LocationMessage:
    parts = words.split(maxsplit=2) or _PLACE
    try:
        latitude, longitude = map(float, parts[:2])
        return LocationMessage(latitude=latitude, longitude=longitude, title="".join(parts[2:]))
    except ValueError:
        raise CannotSend(
            f"{words!r} is no place. Write latitude and longitude in degrees, such as "
            "'@ location 48.85 2.35'; a name may follow."
        ) from None


def _contact(words: str) -> ContactMessage:
    """The person's own: nobody else is there."""
    found = _PHONE.fullmatch(words or _MY_PHONE)
    if found is None:
        raise CannotSend(
            f"{words!r} is no contact. Write a phone number and a name, such as "
            f"'@ contact {_MY_PHONE}'."
        )
    phone = re.sub("[^+0-9]", "", found[1])
    return ContactMessage(phone=phone, name=(found[2] or "").strip(), own=True)


def _web_app(words: str) -> WebAppMessage:
    return WebAppMessage(words or "{}")


_MAKERS: Mapping[str, Callable[[str], Content]] = {
    "photo": _photo,
    "document": _document,
    "voice": _voice,
    "audio": _audio,
    "video": _video,
    "location": _location,
    "contact": _contact,
    "webapp": _web_app,
    "animation": _animation,
    "album": _album,
    "sticker": _sticker,
    "poll": _poll,
    "dice": _dice,
    "payment": _payment,
}

KINDS = tuple(_MAKERS)
"""What can be made up."""
