"""Where a field lies that is to be read, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field that is to be read.

    Attributes:
        owners: the models that it lies in, from the form's own.
        intro: what stands before its question, since it is the first of a section.
        in_item: it belongs to the item of a list, and has no step of its own.
    """

    owners: tuple[type[BaseModel], ...]
    model: type[BaseModel]
    name: str
    path: str
    intro: str = ""
    in_item: bool = False

    @property
    def info(self) -> FieldInfo:
        """The field itself."""
        return self.model.model_fields[self.name]

    @property
    def label(self) -> str:
        """What people call the field: its title, or its name in words."""
        return self.info.title or words_of(self.name)

    def within(self, model: type[BaseModel], name: str, intro: str) -> Place:
        """The place of a field of the model that lies here."""
        path = f"{self.path}.{name}" if self.path else name
        owners = (*self.owners, model)
        return Place(
            owners=owners, model=model, name=name, path=path, intro=intro, in_item=self.in_item
        )


def words_of(name: str) -> str:
    """A name in words: "first_name" becomes "First name"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
