"""An answer that is given by changing a message that was sent before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from flows.inputs.any_of import Gives
from flows.inputs.base import Input, Json, decoded, input_from_json
from flows.messages.translations import phrase
from flows.updates import Content, EditedMessage

T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True, slots=True, init=False)
class Edited(Input[T]):
    """A message that the person has edited, whose new content ``input`` reads.

    Any message of theirs in the chat will do: which one it was is not looked at. Without this
    input an edit is never an answer. To take new messages as well, use
    ``AnyOf(Text(), Edited(Text()))``.
    """

    kind: ClassVar[str] = "edited"

    input: Input[T]

    def __init__(
        self: Edited[A],
        input: Gives[A],
        /,
        *,
        retry: str | None = None,
        tries: int | None = None,
    ) -> None:
        object.__setattr__(self, "input", input)
        Input.__init__(self, retry=retry, tries=tries)

    def __post_init__(self) -> None:
        if not isinstance(self.input, Input):
            raise self._cannot(f"{self.input!r} is no input. Give one such as Text()")
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is an edit, and what it holds now fits."""
        return isinstance(content, EditedMessage) and self.input.fits(content.content)

    def parse(self, content: Content) -> Json:
        """The JSON form of what the message holds now."""
        if not isinstance(content, EditedMessage):
            raise self.refused(self.hint())
        return self.input.parse(content.content)

    def load(self, value: Json) -> T:
        """As the inner input does."""
        return self.input.load(value)

    def dump(self, value: T) -> Json:
        """As the inner input does."""
        return self.input.dump(value)

    def check(self, value: T) -> str | None:
        """As the inner input does."""
        return self.input.check(value)

    def hint(self) -> str:
        """Asks for an edit."""
        return self.retry or phrase("Please edit your message.")

    def shown(self, value: Json) -> str:
        """As the inner input does."""
        return self.input.shown(value)

    def stored(self) -> dict[str, Json]:
        """The inner input in its stored form."""
        return {**Input.stored(self), "input": self.input.to_json()}

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the inner input."""
        fields = decoded(data, input_from_json, "input")
        return cls(fields.pop("input"), **fields)
