"""Messages on their way out, as parameters of the Bot API's methods."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from engine.channels.telegram.cleaning import clean
from engine.channels.telegram.markups import markup
from engine.channels.telegram.splitting import MAX_CAPTION, MAX_TEXT, shortened, split, units
from flows.errors import SendRefused
from flows.ports import Delivery

log = logging.getLogger("handrail.telegram")

MAX_NOTICE = 200
"""Characters of a notice that answers a press."""

_PARSE_MODES = {"html": "HTML", "markdown": "MarkdownV2"}

Params = dict[str, Any]


class Written(Protocol):
    """What has a text that is to be read in a certain way."""

    @property
    def format(self) -> str:
        """``plain``, ``html`` or ``markdown``."""
        ...


def new_messages(delivery: Delivery, chat: int | str) -> list[Params]:
    """Parameters of ``sendMessage``, one for each part of the text, the keyboard on the last.

    Raises:
        SendRefused: the text shows nothing.
    """
    parts = split(clean(delivery.text), delivery.format, MAX_TEXT)
    if not parts:
        raise _empty(delivery)
    last = len(parts) - 1
    return [
        addressed(delivery, chat)
        | {"text": part}
        | mode(delivery)
        | sent_so(delivery, reply=at == 0, keyboard=at == last)
        | preview(delivery)
        for at, part in enumerate(parts)
    ]


def edited_message(delivery: Delivery, chat: int | str, message_id: int) -> Params:
    """Parameters of ``editMessageText``.

    One message stays one message: a text that is too long for it is cut, ends with an
    ellipsis, and is logged. Send what has to be complete as a new message.

    Raises:
        SendRefused: the text shows nothing.
    """
    text = clean(delivery.text)
    if units(text) > MAX_TEXT:
        log.warning("the edit of message %d has %d characters; the text is cut to %d", message_id,
                    units(text), MAX_TEXT)  # fmt: skip
        text = shortened(text, delivery.format, MAX_TEXT)
    if not text.strip():
        raise _empty(delivery)
    params: Params = {"chat_id": chat, "message_id": message_id, "text": text}
    return params | mode(delivery) | markup(delivery.keyboard) | preview(delivery)


def edited_caption(delivery: Delivery, chat: int | str, message_id: int) -> Params:
    """Parameters of ``editMessageCaption``; what is too long for a caption is cut."""
    text = caption(delivery.text, delivery.format)
    params: Params = {"chat_id": chat, "message_id": message_id, "caption": text}
    return params | mode(delivery) | markup(delivery.keyboard)


def edited_buttons(delivery: Delivery, chat: int | str, message_id: int) -> Params:
    """Parameters of ``editMessageReplyMarkup``."""
    return {"chat_id": chat, "message_id": message_id} | markup(delivery.keyboard)


def caption(text: str, format: str) -> str:
    """The text as the caption of what has no room for more: cut, and logged, where it is longer."""
    text = clean(text)
    if units(text) > MAX_CAPTION:
        log.warning("a caption has %d characters; it is cut to %d", units(text), MAX_CAPTION)
    return shortened(text, format, MAX_CAPTION)


def press_answer(press: str, notice: str | None) -> Params:
    """Parameters of ``answerCallbackQuery``; a notice that is too long is cut."""
    text = shortened(clean(notice or ""), limit=MAX_NOTICE)
    return {"callback_query_id": press} | ({"text": text} if text.strip() else {})


def chat_id(chat: str) -> int | str:
    """The id of a chat, as the Bot API takes it."""
    try:
        return int(chat)
    except ValueError:
        return chat  # such as @channelname


def addressed(delivery: Delivery, chat: int | str) -> Params:
    """Where a message goes."""
    if delivery.topic is None:
        return {"chat_id": chat}
    return {"chat_id": chat, "message_thread_id": int(delivery.topic)}


def mode(written: Written) -> Params:
    """How its text is to be read."""
    parse_mode = _PARSE_MODES.get(written.format)
    return {"parse_mode": parse_mode} if parse_mode else {}


def sent_so(delivery: Delivery, *, reply: bool, keyboard: bool) -> Params:
    """How a message, or a part of one, is sent.

    Args:
        reply: it is the first, which answers what the message answers.
        keyboard: it is the last, which has the keyboard.
    """
    params = markup(delivery.keyboard, delivery.options) if keyboard else {}
    if reply and delivery.reply_to is not None and _is_id(delivery.reply_to):
        answered = {"message_id": int(delivery.reply_to), "allow_sending_without_reply": True}
        params["reply_parameters"] = answered
    options = delivery.options
    if options is None:
        return params
    if options.silent:
        params["disable_notification"] = True
    if options.protect:
        params["protect_content"] = True
    return params


def preview(delivery: Delivery) -> Params:
    """What is shown of an address in its text."""
    shown = delivery.options.preview if delivery.options is not None else None
    if shown is None:
        return {}
    told: Params = {
        "is_disabled": shown.disabled,
        "url": shown.url,
        "prefer_small_media": shown.small,
        "prefer_large_media": shown.large,
        "show_above_text": shown.above,
    }
    return {"link_preview_options": {name: value for name, value in told.items() if value}}


def _is_id(reference: str) -> bool:
    return reference.isascii() and reference.isdigit()


def _empty(delivery: Delivery) -> SendRefused:
    return SendRefused(
        f"a message to chat {delivery.chat} has no text ({len(delivery.text)} blank characters). "
        "Telegram takes 1 character or more: give the step something to say."
    )
