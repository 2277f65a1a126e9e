"""Messages on their way out, as parameters of the Bot API's methods."""

from __future__ import annotations

import logging
from typing import Any

from engine.channels.telegram.shapes import clean
from engine.channels.telegram.splitting import MAX_TEXT, shortened, split, units
from flows.errors import SendRefused
from flows.ports import Delivery
from flows.replies import Button, Keyboard

log = logging.getLogger("handrail.telegram")

MAX_NOTICE = 200
"""Characters of a notice that answers a press."""

_PARSE_MODES = {"html": "HTML", "markdown": "MarkdownV2"}

Params = dict[str, Any]


def new_messages(delivery: Delivery, chat: int | str) -> list[Params]:
    """Parameters of ``sendMessage``, one for each part of the text, the keyboard on the last.

    Raises:
        SendRefused: the text shows nothing.
    """
    parts = split(clean(delivery.text), delivery.format, MAX_TEXT)
    if not parts:
        raise _empty(delivery)
    messages = [_addressed(delivery, chat) | {"text": part} | _mode(delivery) for part in parts]
    messages[-1] |= _markup(delivery.keyboard)
    return messages


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
    return params | _mode(delivery) | _markup(delivery.keyboard)


def press_answer(press: str, notice: str | None) -> Params:
    """Parameters of ``answerCallbackQuery``; a notice that is too long is cut."""
    text = shortened(clean(notice or ""), limit=MAX_NOTICE)
    return {"callback_query_id": press} | ({"text": text} if text.strip() else {})


def _addressed(delivery: Delivery, chat: int | str) -> Params:
    if delivery.topic is None:
        return {"chat_id": chat}
    return {"chat_id": chat, "message_thread_id": int(delivery.topic)}


def _mode(delivery: Delivery) -> Params:
    mode = _PARSE_MODES.get(delivery.format)
    return {"parse_mode": mode} if mode else {}


def _markup(keyboard: Keyboard) -> Params:
    if not keyboard:
        return {}
    return {"reply_markup": {"inline_keyboard": [[_button(b) for b in row] for row in keyboard]}}


def _button(button: Button) -> Params:
    action = {"url": button.url} if button.data is None else {"callback_data": button.data}
    return {"text": clean(button.label)} | action


def _empty(delivery: Delivery) -> SendRefused:
    return SendRefused(
        f"a message to chat {delivery.chat} has no text ({len(delivery.text)} blank characters). "
        "Telegram takes 1 character or more: give the step something to say."
    )
