"""Two independent judges of requests: aiogram's models, read strictly, and teremok's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import aiogram.methods
import orjson
from aiogram import Bot
from aiogram.methods import TelegramMethod
from pydantic import BaseModel, ValidationError
from teremok.validation import ApiRuleViolation, validate_method


def judge(method: str, params: Mapping[str, Any]) -> str | None:
    """What is wrong with a request, or None. ``params`` are the request's JSON object."""
    known = _methods().get(method)
    if known is None:
        return f"aiogram: there is no method {method}"
    try:
        call = known.model_validate_json(orjson.dumps(dict(params)), strict=True)
    except ValidationError as error:
        return f"aiogram: {method}: {error}"
    odd = next(_oddities(call, method), None)
    if odd is not None:
        return f"aiogram: {odd}"
    try:
        validate_method(_bot(), call)
    except ApiRuleViolation as error:
        return f"teremok: {method}: {error.description}"
    return None


@cache
def _methods() -> dict[str, type[TelegramMethod[Any]]]:
    found: dict[str, type[TelegramMethod[Any]]] = {}
    for name in aiogram.methods.__all__:
        candidate = getattr(aiogram.methods, name)
        if isinstance(candidate, type) and issubclass(candidate, TelegramMethod):
            api_name = getattr(candidate, "__api_method__", None)
            if isinstance(api_name, str):
                found[api_name] = candidate
    return found


@cache
def _bot() -> Bot:
    return Bot("42:JUDGE")


def _oddities(value: object, place: str) -> Iterator[str]:
    """Fields that aiogram lets pass but does not know, or knows as deprecated."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{place} has no field {name!r}"
        for name in value.model_fields_set & set(type(value).model_fields):
            extra = type(value).model_fields[name].json_schema_extra
            if isinstance(extra, dict) and extra.get("deprecated"):
                yield f"{place}.{name} is deprecated"
            yield from _oddities(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _oddities(item, f"{place}[{index}]")
