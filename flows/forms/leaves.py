"""The input of a field that one question asks for, with its buttons."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flows.errors import DefinitionError
from flows.forms.nodes import Codec, Question, Series
from flows.forms.shapes import field_shape
from flows.forms.texts import FormTexts
from flows.inputs import Choice, Confirm, FieldInput, Input, Integer, Json, field
from flows.inputs.field_types import Reader
from flows.inputs.model_field import ModelField, alone
from flows.models import DoesNotFit

RATING = 10
"""A whole number with no more possible values than this gets a button for each."""

_ROW = 5


def leaf_input(
    model: type[BaseModel], name: str, given: Input[Any] | None, texts: FormTexts
) -> FieldInput:
    """The input of a field; ``given`` reads the answer instead of the one that fits the type.

    Raises:
        DefinitionError: no answer is possible, or a label of the buttons stands twice.
    """
    accept = _own(model, name) if given is None else _given(model, name, given)
    if isinstance(accept.input, Confirm) and given is None:
        accept = replace(accept, input=Confirm(yes=texts.yes, no=texts.no))
    return _with_skip(_with_rating(accept), model, name, texts.skip)


def default_of(question: Question) -> Any:
    """The field's default where it is a possible answer, else None."""
    value = _default(question.info)
    return value if takes(question.accept, value) else None


def default_items(series: Series) -> Json:
    """The items of a list's default, in their JSON form; None where there are none."""
    value = _default(series.info)
    try:
        return series.codec.dump(value) if value else None
    except DoesNotFit:
        return None


def _default(info: FieldInfo) -> Any:
    if info.default is not PydanticUndefined:
        return info.default
    if info.default_factory is None or info.default_factory_takes_validated_data:
        return None
    return cast(Any, info.default_factory)()


def held_value(question: Question, held: Json) -> Any:
    """The value of an answer that was given before, where it still is one, else None."""
    try:
        value = question.codec.load(held)
    except DoesNotFit:
        return None
    return value if takes(question.accept, value) else None


def takes(accept: Input[Any], value: object) -> bool:
    """Whether the value is an answer that can be offered on a button."""
    if value is None or value in ("", [], ()):
        return False
    try:
        accept.dump(value)
    except (TypeError, ValueError):
        return False
    return accept.check(value) is None


def shown(accept: FieldInput, value: object) -> str | None:
    """The label of the value's button, if it has one."""
    try:
        held = accept.dump(value)
    except (TypeError, ValueError):
        return None
    return next((label for label, each in accept.input.options() if each == held), None)


def word_of(value: object) -> str:
    """One of several values in words: a member of an enum by its label."""
    if not isinstance(value, Enum):
        return str(value)
    return next(label for label, member in Choice(type(value)).of if member is value)


def _own(model: type[BaseModel], name: str) -> FieldInput:
    accept = field(model, name)
    if not isinstance(accept, FieldInput):  # what ``field`` promises for every field
        raise DefinitionError(f"field {name!r} of {model.__name__} has no input of a field")
    return accept


def _given(model: type[BaseModel], name: str, given: Input[Any]) -> FieldInput:
    reader = Reader(given, optional=field_shape(model.model_fields[name]).optional)
    known = ModelField(alone(model, name), name, reader)
    return FieldInput(given, known, retry=given.retry, tries=given.tries, columns=given.columns)


def _with_rating(accept: FieldInput) -> FieldInput:
    match accept.input:
        case Integer(ge=int(least), le=int(most)) if most - least < RATING:
            numbers = [n for n in range(least, most + 1) if accept.check(n) is None]
            buttons = tuple((str(n), n) for n in numbers)
            return replace(accept, buttons=buttons, columns=min(len(numbers), _ROW) or None)
    return accept


def _with_skip(accept: FieldInput, model: type[BaseModel], name: str, label: str) -> FieldInput:
    """With a button that leaves the field out, where that is possible."""
    if field_shape(model.model_fields[name]).optional:
        return replace(accept, buttons=(*accept.buttons, (label, None)))
    if model.model_fields[name].default == "" and Codec.of(model, name).reads(""):
        return replace(accept, buttons=(*accept.buttons, (label, "")))
    return accept
