"""Pydantic models at rest: their JSON form, and how a change is written back into it.

The data of a flow and a session are kept in the same way and by the same rule: whoever worked on
a copy writes only the top-level fields that they changed, and the whole is validated again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from flows.records import record

M = TypeVar("M", bound=BaseModel)


class DoesNotFit(ValueError):
    """A value is none of its model's. ``field`` is the first at fault, where one is known."""

    def __init__(self, field: str | None, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"field {field!r}: {reason}" if field else reason)

    @classmethod
    def of(cls, error: ValidationError) -> DoesNotFit:
        """The first fault that pydantic found, without the value."""
        first = error.errors()[0]
        return cls(".".join(map(str, first["loc"])) or None, first["msg"])


def load_model(model: type[M], value: Mapping[str, Any]) -> M:
    """The model of its JSON form. Raises DoesNotFit."""
    try:
        # what model_validate_json calls; a turn does this several times
        loaded: M = model.__pydantic_validator__.validate_json(
            orjson.dumps(value), by_alias=False, by_name=True
        )
    except ValidationError as error:
        raise DoesNotFit.of(error) from None
    return loaded


def dump_model(model: BaseModel) -> dict[str, Any]:
    """The JSON form of a model. Raises DoesNotFit where there is none."""
    try:
        # what model_dump calls
        dumped: dict[str, Any] = model.__pydantic_serializer__.to_python(
            model, mode="json", by_alias=False, round_trip=True, warnings=False
        )
    except PydanticSerializationError as error:
        raise DoesNotFit(None, str(error)) from None
    return dumped


@record(frozen=True, slots=True)
class Written:
    """A model at rest after a change.

    Attributes:
        data: its JSON form.
        changed: the names of the top-level fields that were changed.
        model: the model that the JSON form makes, where one was made that nobody has been given.
    """

    data: dict[str, Any]
    changed: Collection[str]
    model: BaseModel | None = None


def overwrite(
    current: Mapping[str, Any], *, before: Mapping[str, Any], after: BaseModel
) -> Written:
    """Writes the top-level fields in which ``after`` differs from ``before`` over ``current``.

    Raises:
        DoesNotFit: the result does not validate, or is no JSON.
    """
    left = dump_model(after)
    changed = {name: value for name, value in left.items() if value != before.get(name, ...)}
    if not changed:
        return Written(dict(current), (), None)
    merged = {**current, **changed}
    try:
        model = load_model(type(after), merged)
    except orjson.JSONEncodeError as error:  # a lone surrogate, 2**70
        raise _no_json(changed, error) from None
    data = dump_model(model)
    # where validation has changed something, what is stored makes another model than what was
    # validated, as far as anybody can tell
    return Written(data, changed.keys(), model if data == merged else None)


def _no_json(changed: Mapping[str, Any], error: orjson.JSONEncodeError) -> DoesNotFit:
    for name, value in changed.items():
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError as fault:
            return DoesNotFit(name, str(fault))
    return DoesNotFit(None, str(error))
