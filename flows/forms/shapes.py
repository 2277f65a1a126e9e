"""What an annotation says when aliases, ``Annotated`` and ``| None`` are taken off it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from flows.inputs import Json

_LISTS = (list, set, frozenset, Sequence)


@dataclass(frozen=True, slots=True)
class Shape:
    """A type in its parts.

    Attributes:
        kinds: its alternatives, without None.
        metadata: everything that annotates it or one of them.
        optional: None is an alternative.
    """

    kinds: tuple[Any, ...]
    metadata: tuple[Any, ...] = ()
    optional: bool = False

    @property
    def model(self) -> type[BaseModel] | None:
        """The model that it is, if it is one."""
        return self.kinds[0] if len(self.kinds) == 1 and is_model(self.kinds[0]) else None

    @property
    def item(self) -> Any | None:
        """The type of its items, if it is a list, a set or a tuple of any length."""
        if len(self.kinds) != 1:
            return None
        arguments = get_args(self.kinds[0])
        match get_origin(self.kinds[0]):
            case origin if origin in _LISTS:
                return arguments[0]
            case origin if origin is tuple and arguments[1:] == (...,):
                return arguments[0]
        return None

    @property
    def discriminator(self) -> str | None:
        """The field that tells the models of a union apart, if there is one."""
        found = (getattr(each, "discriminator", None) for each in self.metadata)
        name = next((each for each in found if each is not None), None)
        return name if isinstance(name, str) and all(map(is_model, self.kinds)) else None

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The least and the greatest length."""
        least = (getattr(each, "min_length", None) for each in self.metadata)
        most = (getattr(each, "max_length", None) for each in self.metadata)
        return (
            max((each for each in least if each is not None), default=0),
            min((each for each in most if each is not None), default=None),
        )


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """The shape of a type that is annotated with ``metadata`` from outside."""
    outside = tuple(metadata)
    inner = getattr(annotation, "__value__", None) or getattr(annotation, "__supertype__", None)
    if inner is not None:  # an alias made by ``type``, or a NewType
        return shape_of(inner, outside)
    origin = get_origin(annotation)
    if origin is Annotated:
        plain, *more = get_args(annotation)
        return shape_of(plain, (*outside, *_flat(more)))
    if origin not in (Union, UnionType):
        return Shape((annotation,), outside)
    shapes = [shape_of(each) for each in get_args(annotation) if each is not NoneType]
    return Shape(
        tuple(kind for shape in shapes for kind in shape.kinds),
        (*outside, *(each for shape in shapes for each in shape.metadata)),
        NoneType in get_args(annotation) or any(shape.optional for shape in shapes),
    )


def field_shape(info: FieldInfo) -> Shape:
    """The shape of a model's field."""
    return shape_of(info.annotation, (info, *info.metadata))


def is_model(kind: Any) -> bool:
    """Whether it is a model whose fields can be asked one by one."""
    return (
        isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel)
    )


def tags_of(variant: type[BaseModel], discriminator: str) -> list[Json]:
    """The values of the discriminator that mean this variant, in their JSON form."""
    info = variant.model_fields.get(discriminator)
    found = get_args(info.annotation) if info and get_origin(info.annotation) is Literal else ()
    return [each.value if isinstance(each, Enum) else each for each in found]


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for each in metadata:
        yield each
        if isinstance(each, FieldInfo):
            yield from each.metadata
