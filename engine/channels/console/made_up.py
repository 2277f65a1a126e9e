"""What a line that begins with ``@`` sends: files, places and other contents, made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from uuid import uuid4

from flows.errors import HandrailError
from flows.updates import (
    AudioMessage,
    ContactMessage,
    Content,
    DocumentMessage,
    FileRef,
    LocationMessage,
    PhotoMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)

_PHONE = re.compile(r"(\+?[0-9][0-9 ()-]*)(?:\s+(.*))?", re.DOTALL)
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
}

KINDS = tuple(_MAKERS)
"""What can be made up."""
