"""What comes from outside of a conversation, as JSON, and whether it is what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from flows.errors import InvalidAnswer, PayloadRefused
from flows.inputs import Input, input_from_json
from flows.models import DoesNotFit, dump_model
from flows.updates import TextMessage


def as_json(payload: object) -> Any:
    """The JSON form of a payload: plain data, or a model.

    Raises:
        PayloadRefused: there is none.
    """
    try:
        plain = dump_model(payload) if isinstance(payload, BaseModel) else payload
        return orjson.loads(orjson.dumps(plain))
    except (DoesNotFit, orjson.JSONEncodeError) as error:
        raise PayloadRefused(
            f"it is no JSON ({error}). Hand in numbers, texts, lists, dicts or a model."
        ) from None


def operator_answer(accept: Mapping[str, Any] | None, payload: Any) -> Any:
    """The JSON form of what an operator answers to an escalated step.

    The value of a button is taken as it is. A text, and a number, is read as if a person had
    typed it, so that its bounds hold. Anything else has to be the JSON form itself.

    Args:
        accept: the stored form of the input that the step wants; None: it takes anything.

    Raises:
        PayloadRefused: it is not what the step wants; it says what would be.
        ValueError: the stored form cannot be read by this code.
    """
    if accept is None:
        return payload
    wanted = input_from_json(accept)
    if any(_same(payload, value) for _, value in wanted.options()):
        return payload
    typed = isinstance(payload, str | int | float) and not isinstance(payload, bool)
    return _read(wanted, payload) if typed else _form(wanted, payload)


def _same(payload: Any, value: Any) -> bool:
    return type(payload) is type(value) and payload == value  # True is 1, but no number


def _read(wanted: Input[Any], payload: str | int | float) -> Any:
    content = TextMessage(str(payload))
    if not wanted.fits(content):
        raise _refused(payload, wanted.hint())
    try:
        return wanted.parse(content)
    except InvalidAnswer as refused:
        raise _refused(payload, refused.reason) from None


def _form(wanted: Input[Any], payload: Any) -> Any:
    try:
        return wanted.dump(wanted.load(payload))
    except (ValueError, TypeError, LookupError, AttributeError):
        raise _refused(payload, wanted.hint()) from None


def _refused(payload: Any, reason: str) -> PayloadRefused:
    return PayloadRefused(f"{payload!r} is not what the step wants. {reason}")
