"""Two independent judges of requests: aiogram's models, read strictly, and teremok's rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

import aiogram.methods
import orjson
from aiogram import Bot
from aiogram.methods import TelegramMethod
from pydantic import BaseModel, ValidationError
from teremok.validation import ApiRuleViolation, validate_method

_ATTACHED = "attach://"
_WRITTEN = frozenset(("text", "caption", "title", "performer", "description", "question", "name"))
"""Fields that people write, and that name no file whatever they say."""


def judge(method: str, params: Mapping[str, Any], files: Collection[str] = ()) -> str | None:
    """What is wrong with a request, or None.

    Args:
        params: the request's JSON object, or what a form has besides files.
        files: the names of the parts of a form that are files.
    """
    known = known_methods().get(method)
    if known is None:
        return f"aiogram: there is no method {method}"
    lost = _lost(known, params, files)
    if lost:
        return f"{method}: what is attached and what is named differ in {', '.join(lost)}"
    direct = {name: _ATTACHED + name for name in files if name in known.model_fields}
    try:
        call = known.model_validate_json(orjson.dumps({**params, **direct}), strict=True)
    except ValidationError as error:
        # what has to be a file is no text to aiogram: all else was looked at
        if all(fault["loc"] in {(name,) for name in direct} for fault in error.errors()):
            return None
        return f"aiogram: {method}: {error}"
    odd = next(oddities(call, method), None)
    if odd is not None:
        return f"aiogram: {odd}"
    try:
        validate_method(_bot(), call)
    except ApiRuleViolation as error:
        return f"teremok: {method}: {error.description}"
    return None


@cache
def known_methods() -> dict[str, type[TelegramMethod[Any]]]:
    """aiogram's methods, by the Bot API's names."""
    found: dict[str, type[TelegramMethod[Any]]] = {}
    for name in aiogram.methods.__all__:
        candidate = getattr(aiogram.methods, name)
        if isinstance(candidate, type) and issubclass(candidate, TelegramMethod):
            api_name = getattr(candidate, "__api_method__", None)
            if isinstance(api_name, str):
                found[api_name] = candidate
    return found


def oddities(value: object, place: str) -> Iterator[str]:
    """Fields that aiogram lets pass but does not know, or knows as deprecated."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{place} has no field {name!r}"
        for name in value.model_fields_set & set(type(value).model_fields):
            extra = type(value).model_fields[name].json_schema_extra
            if isinstance(extra, dict) and extra.get("deprecated"):
                yield f"{place}.{name} is deprecated"
            yield from oddities(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from oddities(item, f"{place}[{index}]")


@cache
def _bot() -> Bot:
    return Bot("42:JUDGE")


def _lost(known: type[BaseModel], params: Mapping[str, Any], files: Collection[str]) -> list[str]:
    """The files that are named and do not go along; those that go along and are not named."""
    named = set(_attachments(params))
    going = {name for name in files if name not in known.model_fields}
    return sorted((named - set(files)) | (going - named))


def _attachments(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(_ATTACHED):
        yield value.removeprefix(_ATTACHED)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in _WRITTEN:
                yield from _attachments(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _attachments(item)
