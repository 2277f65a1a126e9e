"""The input that no person can give: what an outside event brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from flows.inputs.base import Input, Json
from flows.models import DoesNotFit
from flows.updates import Content

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside(Input[T]):
    """Waits for ``app.resume``.

    Attributes:
        model: the type of what it brings, anything that pydantic validates; it is not stored.
    """

    kind: ClassVar[str] = "outside"

    model: Any = Any

    def fits(self, content: Content) -> bool:
        """Never: nobody can type it."""
        return False

    def parse(self, content: Content) -> Json:
        """Refuses whatever it is."""
        raise self.refused(self.hint())

    def load(self, value: Json) -> T:
        """The payload as the model."""
        try:
            loaded: T = TypeAdapter(self.model).validate_python(value)
        except ValidationError as error:
            raise DoesNotFit.of(error) from None  # without what was in it
        return loaded

    def dump(self, value: T) -> Json:
        """The JSON form."""
        dumped: Json = to_jsonable_python(value)
        return dumped

    def hint(self) -> str:
        """What a person reads who writes meanwhile."""
        return self.retry or "I am waiting for something else to happen."

    def stored(self) -> dict[str, Json]:
        """Without the model, which is code."""
        return {} if self.retry is None else {"retry": self.retry}
