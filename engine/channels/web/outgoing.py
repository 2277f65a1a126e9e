"""What the bot says, as a bubble of the page; files in it are kept on the way."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

from engine.channels.web.bubbles import Bubble, KeyCap, Keys, Knob, Rich, Shot, Spot
from engine.channels.web.files import PIECE, About, Files, parted
from engine.channels.web.markup import rich, safe_url
from engine.channels.web.records import delivery_name
from flows.errors import FileTooLarge, SendLater, SendRefused
from flows.messages.attachments import Album, Attachment, Media, described
from flows.messages.input_file import InputFile
from flows.messages.keyboards import ActionButton, Button, ForceReply, Key, Keyboard, ReplyKeyboard
from flows.messages.replies import SendOptions
from flows.ports import Delivery
from flows.updates import LocationMessage

_KINDS = {"photo": "photo", "sticker": "photo", "video": "video", "animation": "video",
          "video_note": "video", "audio": "audio", "voice": "audio"}  # fmt: skip
_TYPES = {"photo": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg"}


async def bubble_of(delivery: Delivery, files: Files) -> Bubble:
    """The bubble that shows a delivery.

    Raises:
        SendRefused: a file in it cannot be read, or is too large.
        SendLater: it was not to go on.
        StorageDown: a file could not be kept.
    """
    ref = delivery_name(delivery.id)
    if delivery.task == "delete":
        return Bubble(ref=ref, task="delete", edit=delivery.edit or "")
    bubble = Bubble(
        ref=ref,
        task=delivery.task,
        edit=delivery.edit or "",
        text=rich(delivery.text, delivery.format),
        knobs=_knobs(delivery.keyboard),
        keys=_keys(delivery.options),
        reply_to=delivery.reply_to or "",
    )
    if delivery.attachment is None:
        return bubble
    return await _with_attachment(bubble, delivery, delivery.attachment, files)


async def _with_attachment(
    bubble: Bubble, delivery: Delivery, attachment: Attachment, files: Files
) -> Bubble:
    match attachment:
        case Media() | Album():
            media = attachment.media if isinstance(attachment, Album) else (attachment,)
            shots = [
                await _shot(one, f"{bubble.ref}-{place}", delivery, files)
                for place, one in enumerate(media)
            ]
            return replace(bubble, media=tuple(shots))
        case LocationMessage():
            title = " ".join(filter(None, (attachment.title, attachment.address)))
            spot = Spot(latitude=attachment.latitude, longitude=attachment.longitude, title=title)
            return replace(bubble, spot=spot)
        case _:  # what a page of ours has no form for is told in words
            return replace(bubble, text=_lines(described(attachment), bubble.text))


def _lines(first: str, rest: Rich) -> Rich:
    return (f"{first}\n", *rest) if rest else (first,)


# --- files --------------------------------------------------------------------------------


async def _shot(media: Media, name: str, delivery: Delivery, files: Files) -> Shot:
    kind = _KINDS.get(media.kind, "document")
    shot = Shot(
        kind=kind,
        name=media.title or media.file.name,
        width=media.width or 0,
        height=media.height or 0,
        spoiler=media.spoiler,
        text=rich(media.caption, media.format),
    )
    if media.file.source == "url":
        url = safe_url(media.file.value)
        if not url:
            raise SendRefused(f"{media.file.value[:80]!r} is no address that a page may show")
        return replace(shot, url=url)
    file, about = await _kept(media.file, kind, name, delivery, files)
    return replace(shot, file=file, name=shot.name or about.name, size=about.size)


async def _kept(
    file: InputFile, kind: str, name: str, delivery: Delivery, files: Files
) -> tuple[str, About]:
    """The id of the file in this chat, where it is copied to unless it is there."""
    chat = delivery.chat
    if file.source == "id":
        owner, known = parted(file.value)
        about = await files.about(owner, known) if owner else None
        if about is None:
            raise SendRefused(
                f"there is no file {file.value[:80]!r} in this web chat, or not any more"
            )
        if owner == chat:
            return known, about
        pieces = files.pieces(owner, known)
    else:
        about = _about(file, kind)
        pieces = _read(file)
    try:
        kept = await files.put(chat, name, _going_on(pieces, delivery.go_on), about)
    except FileTooLarge as error:
        raise SendRefused(
            f"the file {file.shown!r} has more than the {error.limit} bytes that this web chat "
            "keeps. Give its address, or raise WebChannel(upload_limit=...)."
        ) from error
    except OSError as error:
        raise SendRefused(f"the file {file.shown!r} cannot be read: {error}") from error
    return name, replace(about, size=kept.size or 0)


def _about(file: InputFile, kind: str) -> About:
    guess = mimetypes.guess_type(file.shown)[0] if file.source == "path" or file.name else None
    name = file.shown if file.source == "path" or file.name else ""
    return About(name=name, mime=guess or _TYPES.get(kind, "application/octet-stream"))


async def _read(file: InputFile) -> AsyncGenerator[bytes, None]:
    if file.source == "bytes":
        yield file.data
        return
    with await asyncio.to_thread(Path(file.value).open, "rb") as stream:
        while piece := await asyncio.to_thread(stream.read, PIECE):
            yield piece


async def _going_on(
    pieces: AsyncGenerator[bytes, None], go_on: Callable[[], bool] | None
) -> AsyncGenerator[bytes, None]:
    async for piece in pieces:
        if go_on is not None and not go_on():
            raise SendLater(1.0, "another worker sends it")
        yield piece


# --- keyboards ----------------------------------------------------------------------------


def _knobs(keyboard: Keyboard) -> tuple[tuple[Knob, ...], ...]:
    return tuple(tuple(map(_knob, row)) for row in keyboard)


def _knob(button: Button) -> Knob:
    if not isinstance(button, ActionButton):
        return Knob(label=button.label, data=button.data or "", url=safe_url(button.url or ""))
    match button.action:
        case "web_app" | "login":
            return Knob(label=button.label, url=safe_url(button.value))
        case "copy":
            return Knob(label=button.label, copy=button.value)
        case _:  # there are no other chats to write to, and nobody who takes a payment
            return Knob(label=button.label)


def _keys(options: SendOptions | None) -> Keys | None:
    markup = options.markup if options is not None else None
    match markup:
        case None:
            return None
        case ReplyKeyboard():
            return Keys(
                kind="keys",
                rows=tuple(tuple(map(_key, row)) for row in markup.rows),
                once=markup.one_time,
                placeholder=markup.placeholder,
            )
        case ForceReply():
            return Keys(kind="force", placeholder=markup.placeholder)
        case _:
            return Keys(kind="remove")


def _key(key: Key) -> KeyCap:
    return KeyCap(label=key.label, asks_for=key.asks_for or "", url=safe_url(key.web_app))
