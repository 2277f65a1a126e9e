"""Two independent readers of what the server serves: aiogram's types and python-telegram-bot's.

Each reads it and writes it again. What comes out is to be what went in, and no field may be
one that they do not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import telegram
from aiogram.types import Update
from pydantic import BaseModel, TypeAdapter, ValidationError
from telegram.error import TelegramError

from tests.botapi.judges import known_methods, oddities

_FLAGS = frozenset(
    ("delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created")
)
"""What python-telegram-bot writes as false where it is not there."""

_RELATIVE = "start_timestamp"
"""Seconds from the start of a video, which aiogram takes for a date."""


def judge_update(raw: Any) -> str | None:
    """What is wrong with an update, or None."""
    return next(_misread(Update, raw), None)


def judge_result(method: str, result: Any) -> str | None:
    """What is wrong with the result of a method, or None."""
    wrong = next(_misread(_result_of(method), result), None)
    return None if wrong is None else f"the answer to {method}: {wrong}"


def unknown_to_ptb(value: object, place: str = "") -> Iterator[str]:
    """The fields that python-telegram-bot has read without knowing them."""
    if isinstance(value, telegram.TelegramObject):
        yield from (f"{place}.{name}" for name in value.api_kwargs)
        for name in vars_of(value):
            yield from unknown_to_ptb(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from unknown_to_ptb(item, place)


def vars_of(value: telegram.TelegramObject) -> Iterator[str]:
    """The public fields of an object of python-telegram-bot's."""
    for owner in type(value).__mro__:
        names = getattr(owner, "__slots__", ())
        yield from (name for name in names if not name.startswith("_") and name != "api_kwargs")


def differences(left: Any, right: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ; numbers and texts are compared by what JSON makes of them."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in left.keys() | right.keys():
            if name in left and name in right:
                yield from differences(left[name], right[name], f"{place}.{name}")
            elif not (name in _FLAGS and right.get(name) is False):
                yield f"{place}.{name} is {'lost' if name in left else 'added'}"
    elif isinstance(left, list) and isinstance(right, list | tuple) and len(left) == len(right):
        for at, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, f"{place}[{at}]")
    elif left != right or _json_type(left) is not _json_type(right):
        yield f"{place}: {left!r} has become {right!r}"


def _misread(kind: Any, raw: Any) -> Iterator[str]:
    yield from _misread_by_aiogram(kind, raw)
    yield from _misread_by_ptb(kind, raw)


def _misread_by_aiogram(kind: Any, raw: Any) -> Iterator[str]:
    adapter = _adapter(kind)
    try:
        value = adapter.validate_python(raw)
    except ValidationError as error:
        yield f"aiogram: {error}"
        return
    yield from (f"aiogram: {odd}" for odd in oddities(value, ""))
    again = adapter.dump_python(value, mode="json", by_alias=True, exclude_unset=True)
    for difference in differences(raw, again):
        if _RELATIVE not in difference:
            yield f"aiogram: {difference}"


def _misread_by_ptb(kind: Any, raw: Any) -> Iterator[str]:
    if isinstance(raw, list):
        for item in raw:
            yield from _misread_by_ptb(get_args(kind)[0], item)
        return
    known = getattr(telegram, kind.__name__, None) if isinstance(raw, dict) else None
    if known is None:  # true, or a number
        return
    try:
        value = known.de_json(raw, None)
    except (TypeError, ValueError, KeyError, AttributeError, TelegramError) as error:
        yield f"python-telegram-bot: {error!r}"
        return
    yield from (f"python-telegram-bot: does not know {name}" for name in unknown_to_ptb(value))
    for difference in differences(raw, value.to_dict()):
        yield f"python-telegram-bot: {difference}"


def _result_of(method: str) -> Any:
    returned = known_methods()[method].__returning__
    options = [kind for kind in get_args(returned) if kind is not bool]
    # an edit answers with a message; with true only where the message is an inline one
    union = bool(options) and not isinstance(returned, type) and len(get_args(returned)) > 1
    return options[0] if union else returned


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        kind.model_rebuild()
    return TypeAdapter(kind)


def _json_type(value: object) -> type:
    for kind in (bool, int | float, str):
        if isinstance(value, kind):
            return str if kind is str else bool if kind is bool else float
    return type(value)
