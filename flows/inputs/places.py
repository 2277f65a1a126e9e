"""Places on the earth."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from pydantic import TypeAdapter

from flows.inputs.base import Input, Json
from flows.messages.translations import phrase
from flows.updates import Content, LocationMessage, Place

_PLACE: TypeAdapter[Place] = TypeAdapter(Place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Input[Place]):
    """A place that is shared from a map or as where the person is."""

    kind: ClassVar[str] = "location"

    def fits(self, content: Content) -> bool:
        """Whether it is a place."""
        return isinstance(content, LocationMessage)

    def parse(self, content: Content) -> Json:
        """The place as a JSON object."""
        if not isinstance(content, LocationMessage):
            raise self.refused(self.hint())
        return self.dump(content)

    def load(self, value: Json) -> Place:
        """The place of a JSON object."""
        return _PLACE.validate_python(value)

    def dump(self, value: Place) -> Json:
        """The place as a JSON object."""
        if not isinstance(value, Place):
            raise ValueError(f"{value!r} is no Place")
        return {each.name: getattr(value, each.name) for each in fields(Place)}

    def hint(self) -> str:
        """Asks for a place."""
        return self.retry or phrase("Please share a location.")

    def shown(self, value: Json) -> str:
        """The title of a venue, or the degrees."""
        place = self.load(value)
        return place.title or f"{place.latitude:.5f}, {place.longitude:.5f}"
