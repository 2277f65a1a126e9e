"""Which input asks for a type: what ``field`` reads off the annotation of a model's field."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from flows.inputs.base import Input
from flows.inputs.choices import Choice, Confirm
from flows.inputs.contact import Email
from flows.inputs.dates import Date
from flows.inputs.multi_choice import MultiChoice
from flows.inputs.numbers import INT64_MAX, INT64_MIN, Integer, Number
from flows.inputs.options import member_label
from flows.inputs.text import MAX_TEXT, Text
from flows.inputs.times import Time
from flows.inputs.urls import Url

SUPPORTED = (
    "str, int, float, Decimal, bool, date, time, EmailStr, HttpUrl, an Enum, a Literal, a list, "
    "set or tuple of one of the last two, or one of these | None"
)
"""In words, for error messages."""

_BOUNDS = (
    "ge", "gt", "le", "lt", "min_length", "max_length", "decimal_places",
)  # fmt: skip
"""The constraints that the built-in inputs know themselves; the model checks the others."""


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Reader:
    """How a type is asked for.

    Attributes:
        input: reads the answer.
        convert: turns the input's value into one that the type takes.
        optional: whether None is a value too.
    """

    input: Input[Any]
    convert: Callable[[Any], Any] = _as_it_is
    optional: bool = False


def reader_of(annotation: Any, metadata: Iterable[Any]) -> Reader | None:
    """How the annotated type is asked for; None when no input fits it.

    Raises:
        DefinitionError: its constraints leave no answer that could be given.
    """
    plain, found, optional = _unwrapped(annotation, list(metadata))
    reader = _reader(plain, _constraints(found))
    return replace(reader, optional=True) if reader is not None and optional else reader


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool]:
    """The plain type, all its metadata, and whether None was one of its alternatives."""
    if hasattr(annotation, "__value__"):  # an alias made by ``type``
        return _unwrapped(annotation.__value__, metadata)
    if hasattr(annotation, "__supertype__"):  # a NewType
        return _unwrapped(annotation.__supertype__, metadata)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, metadata + more)
    if origin in (Union, UnionType):
        kinds = [each for each in get_args(annotation) if each is not NoneType]
        if len(kinds) == 1:
            plain, found, _ = _unwrapped(kinds[0], metadata)
            return plain, found, True
    return annotation, metadata, False


def _constraints(metadata: Iterable[Any]) -> dict[str, Any]:
    """The bounds in the metadata: annotated-types and pydantic name them alike."""
    found: dict[str, Any] = {}
    for each in metadata:
        if isinstance(each, FieldInfo):
            found |= _constraints(each.metadata)
        given = {name: getattr(each, name, None) for name in _BOUNDS}
        found |= {name: bound for name, bound in given.items() if bound is not None}
    return found


def _reader(annotation: Any, bounds: Mapping[str, Any]) -> Reader | None:
    if get_origin(annotation) in _COLLECTIONS:
        return _collection(annotation, bounds)
    options = _options(annotation)
    if options is not None:
        return Reader(Choice(options))
    make = _BY_TYPE.get(annotation) if isinstance(annotation, type) else None
    return make(bounds) if make is not None else _network(annotation)


def _network(annotation: Any) -> Reader | None:
    from pydantic import AnyHttpUrl, AnyUrl, EmailStr, HttpUrl  # slow; most flows do without

    if annotation is EmailStr:
        return Reader(Email())
    if annotation is AnyUrl:
        return Reader(Url(schemes=()))
    return Reader(Url()) if annotation in (HttpUrl, AnyHttpUrl) else None


def _options(annotation: Any) -> Any:
    """What a Choice takes for an Enum or a Literal; None for other types."""
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        return [(member_label(v) if isinstance(v, Enum) else str(v), v) for v in values]
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return annotation if is_enum else None


def _collection(annotation: Any, bounds: Mapping[str, Any]) -> Reader | None:
    kind, (inner, *more) = get_origin(annotation), get_args(annotation)
    if more != ([...] if kind is tuple else []):
        return None
    plain, _, optional = _unwrapped(inner, [])
    options = _options(plain)
    if options is None or optional:
        return None
    least, most = bounds.get("min_length", 0), bounds.get("max_length")
    return Reader(MultiChoice(options, min_choices=least, max_choices=most), kind)


def _text(bounds: Mapping[str, Any]) -> Reader:
    least = max(1, bounds.get("min_length", 1))
    most = bounds.get("max_length", max(MAX_TEXT, least))
    return Reader(Text(min_length=least, max_length=most))


def _integer(bounds: Mapping[str, Any]) -> Reader:
    least = [math.ceil(bounds["ge"])] if _is_finite(bounds.get("ge")) else []
    least += [math.floor(bounds["gt"]) + 1] if _is_finite(bounds.get("gt")) else []
    most = [math.floor(bounds["le"])] if _is_finite(bounds.get("le")) else []
    most += [math.ceil(bounds["lt"]) - 1] if _is_finite(bounds.get("lt")) else []
    return Reader(
        Integer(
            ge=max(INT64_MIN, *least) if least else None,
            le=min(INT64_MAX, *most) if most else None,
        )
    )


def _number(bounds: Mapping[str, Any]) -> Number:
    ge, le = bounds.get("ge"), bounds.get("le")
    return Number(
        ge=ge if _is_finite(ge) else None,
        le=le if _is_finite(le) else None,
        places=bounds.get("decimal_places"),
    )


def _date(bounds: Mapping[str, Any]) -> Reader:
    day = timedelta(days=1)
    first = [bounds["ge"]] if _is_date(bounds.get("ge")) else []
    first += [bounds["gt"] + day] if _is_date(bounds.get("gt")) else []
    last = [bounds["le"]] if _is_date(bounds.get("le")) else []
    last += [bounds["lt"] - day] if _is_date(bounds.get("lt")) else []
    return Reader(Date(earliest=max(first, default=None), latest=min(last, default=None)))


def _time(bounds: Mapping[str, Any]) -> Reader:
    ge, le = bounds.get("ge"), bounds.get("le")
    return Reader(Time(earliest=ge if _is_time(ge) else None, latest=le if _is_time(le) else None))


def _is_finite(bound: Any) -> bool:
    return isinstance(bound, int | float | Decimal) and math.isfinite(bound)


def _is_date(bound: Any) -> bool:
    return isinstance(bound, date) and not isinstance(bound, datetime)


def _is_time(bound: Any) -> bool:
    return isinstance(bound, time) and bound.tzinfo is None


_COLLECTIONS = (list, set, frozenset, tuple)

_BY_TYPE: Mapping[type, Callable[[Mapping[str, Any]], Reader]] = {
    str: _text,
    int: _integer,
    float: lambda bounds: Reader(_number(bounds), float),
    Decimal: lambda bounds: Reader(_number(bounds)),
    bool: lambda bounds: Reader(Confirm()),
    date: _date,
    time: _time,
}
