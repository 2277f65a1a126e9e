"""What a form asks: a tree that is read off the model, one node a field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.inputs import FieldInput, Json
from flows.inputs.model_field import alone
from flows.messages.replies import Reply
from flows.models import DoesNotFit, dump_model, load_model


@dataclass(frozen=True, slots=True)
class Codec:
    """The JSON form of one field's value, by the field's own type and validators.

    Attributes:
        holder: a model with nothing but this field.
    """

    holder: type[BaseModel]
    name: str

    @classmethod
    def of(cls, model: type[BaseModel], name: str) -> Codec:
        """The codec of a model's field."""
        return cls(alone(model, name), name)

    def validated(self, value: object) -> Any:
        """The value as the model would hold it. Raises pydantic's ValidationError."""
        return getattr(self.holder.model_validate({self.name: value}), self.name)

    def dump(self, value: object) -> Json:
        """The JSON form of a value that is valid. Raises DoesNotFit where there is none."""
        values: dict[str, Any] = {self.name: value}
        held: Json = dump_model(self.holder.model_construct(None, **values))[self.name]
        if self.load(held) != value:  # a SecretStr is written as stars
            reason = f"a {type(value).__name__} does not come back from JSON as it was"
            raise DoesNotFit(self.name, reason)
        return held

    def load(self, held: Json) -> Any:
        """The value of its JSON form. Raises DoesNotFit when it is none any more."""
        return getattr(load_model(self.holder, {self.name: held}), self.name)

    def check(self, held: Json) -> None:
        """Raises pydantic's ValidationError when the JSON form is none of the field."""
        text = orjson.dumps({self.name: held})
        self.holder.model_validate_json(text, by_alias=False, by_name=True)

    def reads(self, held: Json) -> bool:
        """Whether ``held`` is the JSON form of a value."""
        try:
            self.load(held)
        except DoesNotFit:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A field of the form's model, or of a model within it.

    Attributes:
        path: dotted, from the form's model.
        name: the field's own name.
        label: for people: the field's title, or made from its name.
        prompt: the question.
        info: the field as the model has it.
        optional: whether None is a value.
    """

    path: str
    name: str
    label: str
    prompt: str | Reply
    info: FieldInfo
    optional: bool = False

    @property
    def required(self) -> bool:
        """Whether the model has no default for it."""
        return self.info.is_required()

    @property
    def skippable(self) -> bool:
        """Whether the model can do without an answer."""
        return self.optional or not self.required


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Node):
    """A field that is asked with one question."""

    accept: FieldInput
    codec: Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom(Node):
    """A field whose value a function of the user's gives."""

    handler: Callable[[Any], Awaitable[object]]
    codec: Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Node):
    """A model within the model: its fields, one after the other.

    Attributes:
        tag: the discriminator's value, where this is a variant of a union.
    """

    model: type[BaseModel]
    parts: tuple[Node, ...]
    tag: Json = None

    @property
    def gated(self) -> bool:
        """Whether it is asked first if the person wants the section at all."""
        return self.skippable


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants(Node):
    """A discriminated union: which of the sections, then that section.

    Attributes:
        discriminator: the name of the field that tells the variants apart.
        sections: by the text of the discriminator's value.
    """

    discriminator: str
    sections: Mapping[str, Section]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series(Node):
    """A list: item by item.

    Attributes:
        item: what an item is.
        first: asks for the first item where there may be none at all.
        least, most: how many items.
        capped: ``most`` is less than what the model takes.
    """

    item: Node
    first: Node
    least: int
    most: int
    capped: bool
    codec: Codec
