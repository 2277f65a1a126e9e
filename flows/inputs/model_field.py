"""An input for a field of a pydantic model: the field's own type, constraints and validators."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationError,
    WrapValidator,
    create_model,
)
from pydantic_core import ErrorDetails

from flows.errors import DefinitionError
from flows.inputs.base import Draft, Input, Json, decoded, input_from_json
from flows.inputs.field_types import SUPPORTED, Reader, reader_of
from flows.messages.speaking import ORIGINAL, translator
from flows.messages.translations import gettext, phrase
from flows.updates import Content

_WRAPPERS: Mapping[str, Callable[[Any], object]] = {
    "before": BeforeValidator,
    "after": AfterValidator,
    "wrap": WrapValidator,
    "plain": PlainValidator,
}


@dataclass(frozen=True, slots=True)
class FieldInput(Input[Any]):
    """What ``field`` gives: the input that fits the field's type, then the field's validators.

    Attributes:
        input: reads the answer.
        field: the field with its validators; None on an input that was rebuilt.
    """

    kind: ClassVar[str] = "field"

    input: Input[Any]
    field: ModelField | None = dataclasses.field(default=None, repr=False)

    @property
    def specific(self) -> bool:
        """As the input that reads the answer."""
        return self.input.specific

    def fits(self, content: Content) -> bool:
        """As the input that reads the answer."""
        return self.input.fits(content)

    def parse(self, content: Content) -> Json:
        """As the input that reads the answer; the model's validators run in ``check``."""
        return self.input.parse(content)

    def load(self, value: Json) -> Any:
        """The value as the model would hold it.

        A value that the field's validators refuse is given as it was read; ``check`` says why.
        """
        if value is None and (self.field is None or self.field.reader.optional):
            return None
        read = self.input.load(value)
        if self.field is None:
            return read
        try:
            return self.field.validated(read)
        except ValidationError:
            return read

    def dump(self, value: Any) -> Json:
        """The JSON form of a value that the model could hold."""
        if value is None and (self.field is None or self.field.reader.optional):
            return None
        return self.input.dump(value)

    def check(self, value: Any) -> str | None:
        """What the field's validators have against the value.

        They must accept what they have returned themselves: a stored model is validated again.
        """
        if self.field is None:
            return None
        try:
            self.field.validated(value)
        except ValidationError as error:
            return self.retry or reason_of(error)
        return None

    def hint(self) -> str:
        """As the input that reads the answer."""
        return self.input.hint()

    def start(self) -> Json:
        """As the input that reads the answer."""
        return self.input.start()

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """Those of the input that reads the answer, then the buttons."""
        return self.input.options(draft) + Input.options(self)

    def rows(self, draft: Json = None) -> tuple[int, ...] | None:
        """As the input that reads the answer."""
        return self.input.rows(draft)

    def press(self, value: Json, draft: Json) -> Json | Draft:
        """As the input that reads the answer; None is an answer by itself."""
        return None if value is None else self.input.press(value, draft)

    def shown(self, value: Json) -> str:
        """The label of the button that gives it, else as the input that reads the answer."""
        own = next((label for label, known in Input.options(self) if known == value), None)
        if own is not None or value is None:
            return own or phrase("nothing")
        return self.input.shown(value)

    def _typed(self) -> tuple[tuple[str, Json], ...]:
        return self.input._typed() + Input.options(self)

    def stored(self) -> dict[str, Json]:
        """The stored form of the input that reads the answer; the model is code."""
        data = Input.stored(self)
        data.pop("field", None)
        data["input"] = cast(Json, self.input.to_json())
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Rebuilds the input that reads the answer."""
        return cls(**decoded(data, input_from_json, "input"))


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field of a model that validates alone.

    Attributes:
        alone: a model with nothing but this field.
        reader: how its type is asked for.
    """

    alone: type[BaseModel]
    name: str
    reader: Reader

    def validated(self, value: Any) -> Any:
        """The value as the model would hold it. Raises pydantic's ValidationError."""
        given = None if value is None else self.reader.convert(value)
        return getattr(self.alone.model_validate({self.name: given}), self.name)


def field(
    model: type[BaseModel],
    name: str,
    *,
    retry: str | None = None,
    buttons: tuple[tuple[str, Any], ...] = (),
    tries: int | None = None,
    columns: int | None = None,
) -> Input[Any]:
    """An input for a field of a model, with the field's type, constraints and validators.

    Validators that look at other fields find none there; the model runs them again, with all
    fields, when the step's data is stored.

    Raises:
        DefinitionError: the model has no such field, or none that can be asked for.
    """
    known = _model_field(model, name)
    read_by = known.reader.input if retry is None else replace(known.reader.input, retry=retry)
    return FieldInput(read_by, known, retry=retry, buttons=buttons, tries=tries, columns=columns)


@lru_cache(maxsize=1024)
def _model_field(model: type[BaseModel], name: str) -> ModelField:
    info = model.model_fields.get(name)
    if info is None:
        near = get_close_matches(name, model.model_fields)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
        there = f"Its fields are {', '.join(model.model_fields) or 'none'}."
        raise DefinitionError(f"{model.__name__} has no field {name!r}. {hint or there}")
    try:
        reader = reader_of(info.annotation, info.metadata)
    except DefinitionError as error:
        raise DefinitionError(f"field {name!r} of {model.__name__}: {error}") from error
    if reader is None:
        raise DefinitionError(
            f"field {name!r} of {model.__name__} is {info.annotation!r}, which field() cannot ask "
            f"for. It takes {SUPPORTED}; pass an input of your own for others."
        )
    return ModelField(alone(model, name), name, reader)


def alone(model: type[BaseModel], name: str) -> type[BaseModel]:
    """A model with this field only, under its own name, and the validators that are for it."""
    info = model.model_fields[name]
    annotation = info.rebuild_annotation()
    for found in model.__pydantic_decorators__.field_validators.values():
        if name in found.info.fields or "*" in found.info.fields:
            annotation = Annotated[annotation, _WRAPPERS[found.info.mode](found.func)]
    config = {k: v for k, v in model.model_config.items() if k != "alias_generator"}
    fields: dict[str, Any] = {name: (annotation, ...)}
    return create_model(model.__name__, __config__=cast(ConfigDict, config), **fields)


def reason_of(error: ValidationError, place: int = 0) -> str:
    """The first thing that is wrong, or that at ``place``, as a sentence for the person."""
    first = error.errors(include_url=False, include_input=False)[place]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, Exception):  # what a validator of the model raised
        return str(own) or phrase("That is not possible.")
    if first["type"] == "string_pattern_mismatch":
        return phrase("That is not in the form that is needed.")
    if (translated := _translated(first)) is not None:
        return translated
    words = first["msg"].removeprefix("Input ").removeprefix("String ").removeprefix("Value ")
    return f"Your answer {words}." if words != first["msg"] else f"{words}."


def _translated(fault: ErrorDetails) -> str | None:
    """What pydantic has against a value, in the language of the person; None: its own words do,
    because they are in that language.
    """
    words = translator()
    if words is None or words.locale.startswith(ORIGINAL):
        return None
    known = _FAULTS.get(fault["type"])
    if known is None:
        return phrase("That is not possible.")
    return str(known.with_values({name: str(each) for name, each in fault.get("ctx", {}).items()}))


_FAULTS = {
    "greater_than": gettext("Your answer should be greater than {gt}."),
    "greater_than_equal": gettext("Your answer should be at least {ge}."),
    "less_than": gettext("Your answer should be less than {lt}."),
    "less_than_equal": gettext("Your answer should be at most {le}."),
    "multiple_of": gettext("Your answer should be a multiple of {multiple_of}."),
    "string_too_short": gettext("Your answer should have at least {min_length} characters."),
    "string_too_long": gettext("Your answer should have at most {max_length} characters."),
    "too_short": gettext("There should be at least {min_length} of them."),
    "too_long": gettext("There should be at most {max_length} of them."),
}
"""What pydantic finds fault with, by its names, with the values of its context."""
