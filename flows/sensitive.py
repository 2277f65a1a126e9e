"""Marking what nobody but the person and the flow should read."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class _Mark:
    """Stands in the annotation of a field; what is marked is masked wherever people look on."""

    def __repr__(self) -> str:
        return "Sensitive"


_MARK = _Mark()

Sensitive = Annotated[T, _MARK]
"""The type of a field whose value operators do not see: ``phone: Sensitive[str] = ""``."""

MASK = "***"
"""What is shown in its place."""


def sensitive_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of the marked fields."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(one is _MARK for one in field.metadata)
    )


def masked(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """The data in its JSON form as an operator may see it; what is empty shows as empty."""
    hidden = sensitive_fields(model)
    return {name: MASK if name in hidden and value else value for name, value in data.items()}
