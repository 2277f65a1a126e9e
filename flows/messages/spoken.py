"""Messages in the words of whom they are for: no ``Translatable`` is left in them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from operator import is_not
from typing import Any, TypeVar

from flows.messages.replies import Delete, Send
from flows.messages.speaking import speaker
from flows.messages.translations import Translatable

S = TypeVar("S", bound=Send)


def in_words(send: S) -> S:
    """The message in the words of the person that the turn speaks to."""
    return send if speaker.get() is None else spoken(send)


def spoken(send: S) -> S:
    """The message with all of its texts put into words."""
    if isinstance(send, Delete):
        return send
    changed: dict[str, Any] = {}
    if isinstance(send.text, Translatable):
        changed["text"] = str(send.text)
    for name in ("keyboard", "attachment", "options"):
        value = getattr(send, name)
        if value and (said := _said(value)) is not value:
            changed[name] = said
    return replace(send, **changed) if changed else send


def _said(value: Any) -> Any:
    """The value with its texts in words; itself where there are none of ours in it."""
    if isinstance(value, Translatable):
        return str(value)
    if isinstance(value, tuple):
        said = tuple(map(_said, value))
        return said if any(map(is_not, said, value)) else value
    if is_dataclass(value) and not isinstance(value, type):
        return _said_fields(value)
    return value


def _said_fields(value: Any) -> Any:
    known = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
    changed = {name: said for name, old in known.items() if (said := _said(old)) is not old}
    return replace(value, **changed) if changed else value
