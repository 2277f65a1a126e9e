"""What a web app that the chat opened sends back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar, cast, overload

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from flows.inputs.base import Input, Json
from flows.messages.translations import gettext, phrase, said
from flows.updates import Content, WebAppMessage

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Buttons = tuple[tuple[str, T], ...]


@dataclass(frozen=True, slots=True, init=False)
class WebAppData(Input[T]):
    """What a web app sends back: its text, or an instance of ``model`` read from its JSON.

    Whoever uses the app can make such data up: believe it no more than a typed answer.

    Attributes:
        model: what the JSON must be; None: any text is taken. It is code: the stored form
            remembers no more than that JSON is wanted.
    """

    kind: ClassVar[str] = "web_app_data"

    model: type[BaseModel] | None = None
    wants_json: bool = field(default=False, repr=False)

    @overload
    def __init__(
        self: WebAppData[str],
        model: None = None,
        *,
        retry: str | None = None,
        buttons: Buttons[str] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: WebAppData[M],
        model: type[M],
        *,
        retry: str | None = None,
        buttons: Buttons[M] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    def __init__(
        self,
        model: Any = None,
        *,
        retry: str | None = None,
        buttons: Any = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None:
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "wants_json", model is not None)
        Input.__init__(self, retry=retry, buttons=buttons, tries=tries, columns=columns)

    def __post_init__(self) -> None:
        if self.model is not None and not _is_model(self.model):
            raise self._cannot(f"model is {self.model!r}; give a pydantic model")
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it comes from a web app."""
        return isinstance(content, WebAppMessage)

    def parse(self, content: Content) -> Json:
        """The text, if it is JSON where that is wanted; ``check`` looks at what it says."""
        if not isinstance(content, WebAppMessage):
            raise self.refused(self.hint())
        if self.wants_json:
            try:
                from_json(content.data, allow_inf_nan=False)
            except ValueError:
                raise self.refused(said(_UNUSABLE)) from None
        return content.data

    def load(self, value: Json) -> T:
        """The text, or the model's instance. What the model refuses is given as it was read;
        ``check`` says so.
        """
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text of a web app")
        if self.model is None:
            return cast(T, value)
        try:
            return cast(T, self.model.model_validate_json(value))
        except ValidationError:
            return cast(T, value)

    def dump(self, value: T) -> Json:
        """The text, or the JSON text of the model's instance."""
        if self.model is not None and isinstance(value, self.model):
            return value.model_dump_json()
        if isinstance(value, str):
            return value
        raise ValueError(f"{value!r} is no {'text' if self.model is None else self.model.__name__}")

    def check(self, value: T) -> str | None:
        """Whether the model has taken it."""
        if self.model is None or isinstance(value, self.model):
            return None
        return self.retry or _UNUSABLE

    def hint(self) -> str:
        """Asks to use the app."""
        return self.retry or phrase("Please use the button that opens the app.")

    def stored(self) -> dict[str, Json]:
        """Whether JSON is wanted; the model is code."""
        data = Input.stored(self)
        data.pop("model", None)
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """An input that reads alike, but gives texts."""
        settings = {name: value for name, value in data.items() if name != "wants_json"}
        made = cls(**settings)  # pyright: ignore[reportGeneralTypeIssues] # either overload will do
        object.__setattr__(made, "wants_json", data.get("wants_json", False))
        return made


_UNUSABLE = gettext("The app has sent something that cannot be used here. Please try again.")


def _is_model(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)
