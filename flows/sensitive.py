"""Marking what nobody but the person and the flow should read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel

T = TypeVar("T")


class _Mark:
    """Stands in the annotation of a field; what is marked is masked wherever people look on."""

    def __repr__(self) -> str:
        return "Sensitive"


_MARK = _Mark()

Sensitive = Annotated[T, _MARK]
"""The type of a field whose value operators do not see: ``phone: Sensitive[str] = ""``. It is
stored encrypted, and kept out of the log.
"""

MASK = "***"
"""What is shown in its place."""


def sensitive_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields that are marked, or hold something that is."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(one is _MARK for one in field.metadata) or _marked(field.annotation, {model})
    )


def masked(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """The data in its JSON form as an operator may see it; what is empty shows as empty."""
    hidden = sensitive_fields(model)
    return {name: MASK if name in hidden and value else value for name, value in data.items()}


def spoken(value: object) -> Iterator[str]:
    """The texts and numbers in something JSON-shaped, as people and programs write them."""
    match value:
        case None | bool():
            return
        case dict():
            for one in value.values():
                yield from spoken(one)
        case list() | tuple():
            for one in value:
                yield from spoken(one)
        case _:
            yield str(value)


def _marked(annotation: object, seen: set[type[BaseModel]]) -> bool:
    """Whether a mark stands anywhere in a type: in ``Sensitive[str] | None``, in a model."""
    if any(one is _MARK for one in getattr(annotation, "__metadata__", ())):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return False
        seen.add(annotation)
        fields = annotation.model_fields.values()
        return any(
            any(one is _MARK for one in field.metadata) or _marked(field.annotation, seen)
            for field in fields
        )
    return any(_marked(one, seen) for one in get_args(annotation))
