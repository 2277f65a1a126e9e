"""Keyboards on their way out, as ``reply_markup`` of the Bot API."""

from __future__ import annotations

from typing import Any

from engine.channels.telegram.cleaning import clean
from flows.messages.keyboards import ActionButton, Button, ForceReply, Key, Keyboard, ReplyKeyboard
from flows.messages.replies import SendOptions

Params = dict[str, Any]


def markup(keyboard: Keyboard, options: SendOptions | None = None) -> Params:
    """The ``reply_markup`` of a message; nothing where it has none."""
    if keyboard:
        return {
            "reply_markup": {"inline_keyboard": [[_button(b) for b in row] for row in keyboard]}
        }
    if options is None or options.markup is None:
        return {}
    match options.markup:
        case ReplyKeyboard() as keys:
            return {"reply_markup": _keys(keys)}
        case ForceReply(placeholder=placeholder, selective=selective):
            told = {"input_field_placeholder": clean(placeholder)} if placeholder else {}
            return {"reply_markup": {"force_reply": True} | told | _selective(selective)}
        case removed:
            return {"reply_markup": {"remove_keyboard": True} | _selective(removed.selective)}


def _button(button: Button) -> Params:
    label = {"text": clean(button.label)}
    if isinstance(button, ActionButton):
        return label | _action(button)
    return label | ({"url": button.url} if button.data is None else {"callback_data": button.data})


def _action(button: ActionButton) -> Params:
    match button.action:
        case "web_app":
            return {"web_app": {"url": button.value}}
        case "login":
            return {"login_url": {"url": button.value}}
        case "inline":
            return {"switch_inline_query": clean(button.value)}
        case "inline_here":
            return {"switch_inline_query_current_chat": clean(button.value)}
        case "copy":
            return {"copy_text": {"text": clean(button.value)}}
        case "pay":
            return {"pay": True}


def _keys(keys: ReplyKeyboard) -> Params:
    told: Params = {"keyboard": [[_key(key) for key in row] for row in keys.rows]}
    if keys.resize:
        told["resize_keyboard"] = True
    if keys.one_time:
        told["one_time_keyboard"] = True
    if keys.persistent:
        told["is_persistent"] = True
    if keys.placeholder:
        told["input_field_placeholder"] = clean(keys.placeholder)
    return told | _selective(keys.selective)


def _key(key: Key) -> Params:
    label: Params = {"text": clean(key.label)}
    if key.web_app:
        return label | {"web_app": {"url": key.web_app}}
    return label | ({f"request_{key.asks_for}": True} if key.asks_for else {})


def _selective(selective: bool) -> Params:
    return {"selective": True} if selective else {}
