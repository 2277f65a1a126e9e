"""What every input is: a frozen value that says what an answer may be and how it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Generic, Self, TypeVar

import orjson
from pydantic import JsonValue

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs.labels import check_labels
from flows.messages.speaking import speaker, translator
from flows.messages.translations import (
    Translatable,
    as_json,
    kept,
    phrase,
    said,
    stored_texts,
    texts_of,
)
from flows.updates import Command, Content, TextMessage

T = TypeVar("T")

Json = JsonValue
"""A value that JSON can hold."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What ``press`` gives where the answer is not complete: the question stays, and shows the
    buttons of this state.
    """

    state: Json


_KINDS: dict[str, type[Input[Any]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(ABC, Generic[T]):
    """What an ``ask`` accepts, and how it becomes a value of type ``T``.

    An answer is read in two stages. ``parse`` runs before the handler, on an input that was
    rebuilt from its stored form, and gives JSON, which the journal keeps. ``load`` and
    ``check`` run in the handler, on the input that the code passes there.

    A press of a button is read by ``press`` in place of ``parse``. An *interactive* input has a
    ``start``: a first draft, from which presses make others until one of them is an answer.

    An input of your own is a subclass that is a frozen dataclass with a ``kind`` that no other
    has; override ``stored`` and ``restored`` where a field of it is not JSON by itself.

    Attributes:
        kind: the name that the stored form goes by; it must stay the same across deploys.
        retry: what is said when an answer is refused, in place of the built-in reason.
        buttons: shortcuts (label, value): pressing one is an answer.
        tries: how many refused answers are allowed; None: any number.
        columns: buttons in a row; None: as many as their labels leave room for.

    Raises:
        DefinitionError: at construction, when the settings cannot work.
    """

    kind: ClassVar[str]

    retry: str | None = None
    buttons: tuple[tuple[str, T], ...] = ()
    tries: int | None = None
    columns: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Named: a slotted dataclass is made anew, and a bare super() would look at the first.
        super(Input, cls).__init_subclass__(**kwargs)
        kind = cls.__dict__.get("kind")
        if kind is None:
            return
        known = _KINDS.get(kind)
        # A slotted dataclass is made twice, and a reloaded module makes its classes again.
        if known is not None and _name(known) != _name(cls):
            raise DefinitionError(
                f"the input kind {kind!r} of {_name(cls)} is taken by {_name(known)}. "
                "Give the class another kind."
            )
        _KINDS[kind] = cls

    def __post_init__(self) -> None:
        if "kind" not in type(self).__dict__:
            raise DefinitionError(
                f"the input class {_name(type(self))} has no kind of its own, so that its stored "
                'form could not be told apart. Add kind: ClassVar[str] = "...".'
            )
        if self.retry is not None and not self.retry.strip():
            raise self._cannot("retry is an empty text. Leave it out for the built-in reason")
        if self.tries is not None and self.tries < 1:
            raise self._cannot(f"tries is {self.tries}; at least 1 is possible")
        if self.columns is not None and self.columns < 1:
            raise self._cannot(f"columns is {self.columns}; at least 1 is possible")
        if self.buttons:
            self._check_buttons()

    @property
    def specific(self) -> bool:
        """Whether it tells its answers from others; False for free text, which takes anything."""
        return True

    @abstractmethod
    def fits(self, content: Content) -> bool:
        """Whether the content is of the kind that is wanted, readable or not.

        A text fits an Email though it is no address. Commands never fit, but for
        ``Text(commands=True)``.
        """

    @abstractmethod
    def parse(self, content: Content) -> Json:
        """The JSON form of the answer. Called only with content that fits.

        Raises:
            InvalidAnswer: it cannot be read as what is wanted; the reason is for the person.
        """

    @abstractmethod
    def load(self, value: Json) -> T:
        """The typed value of a JSON form.

        Raises:
            ValueError: the JSON is no form of such a value: the code has changed since.
        """

    @abstractmethod
    def dump(self, value: T) -> Json:
        """The JSON form of a value, the inverse of ``load``.

        Raises:
            ValueError: the value is not of the type that this input gives.
        """

    def check(self, value: T) -> str | None:
        """The reason to refuse a loaded value, for the person; None: it is fine."""
        return None

    def hint(self) -> str:
        """What is wanted, in a sentence, for a person who sent something that does not fit."""
        return self.retry or phrase("Please answer the question.")

    def start(self) -> Json:
        """The first draft; None: the input is not interactive, and every press is an answer."""
        return None

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """The buttons to show, as labels and JSON values.

        Args:
            draft: how far the answer has come; None: as ``start`` says.
        """
        if not self.buttons:
            return ()
        return tuple((label, self.dump(value)) for label, value in self.buttons)

    def rows(self, draft: Json = None) -> tuple[int, ...] | None:
        """How many buttons stand in each row, for the first of ``options`` with the same draft;
        those that are left over, and all where it is None, are laid out by their width. Looked
        at where the input is interactive.
        """
        return None

    def press(self, value: Json, draft: Json) -> Json | Draft:
        """What comes of pressing the button of this value: the JSON form of an answer, or the
        next draft. It may be called twice for one press.

        Raises:
            InvalidAnswer: the draft stays as it is; the reason is for the person.
        """
        return value

    def shown(self, value: Json) -> str:
        """A JSON form in words for the person, such as on a button that keeps it."""
        return next((label for label, known in self.options() if known == value), str(value))

    def refused(self, reason: str) -> InvalidAnswer:
        """The error that refuses an answer: with ``retry``, where it is set, or the reason."""
        return InvalidAnswer(said(self.retry or reason))

    def to_json(self) -> dict[str, Json]:
        """The form that is stored with the wait; ``input_from_json`` reads it."""
        data: dict[str, Json] = {"kind": self.kind, **self.stored()}
        if self.buttons:
            data["buttons"] = [[kept(label), self.dump(value)] for label, value in self.buttons]
        return data if speaker.get() is None else stored_texts(data)

    def stored(self) -> dict[str, Json]:
        """The fields that differ from their defaults, as JSON, without ``buttons``."""
        data: dict[str, Json] = {}
        for name, default in _settings(type(self)):
            value = getattr(self, name)
            if value is not default and value != default:
                data[name] = kept(value) if isinstance(value, Translatable) else value
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """The input whose ``stored`` is ``data``; the inverse of that method."""
        return cls(**data)

    def _shortcut(self, value: Json) -> T:
        """The value of a button that was stored; ``dump`` gives its form back."""
        return self.load(value)

    def _cannot(self, reason: str) -> DefinitionError:
        return DefinitionError(f"{type(self).__name__}(): {reason}")

    def _check_buttons(self) -> None:
        try:
            labels = [label for label, _ in self._typed()]
        except (TypeError, ValueError) as error:
            raise self._cannot(f"a button's value does not fit: {error}") from error
        check_labels(type(self).__name__, labels)

    def _typed(self) -> tuple[tuple[str, Json], ...]:
        """The buttons whose labels must not be taken for each other."""
        return self.options()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput(Input[T]):
    """The base of inputs that read a text: give it ``parse_text`` rather than ``parse``."""

    def fits(self, content: Content) -> bool:
        """Whether it is a text that is no command."""
        return isinstance(content, TextMessage)

    def parse(self, content: Content) -> Json:
        """``parse_text`` of the text, without the white space around it."""
        if not isinstance(content, TextMessage | Command):
            raise self.refused(self.hint())
        return self.parse_text(content.text.strip())

    @abstractmethod
    def parse_text(self, text: str) -> Json:
        """The JSON form of the answer. Raises InvalidAnswer when the text is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StringInput(TextInput[str]):
    """The base of inputs whose value is a text."""

    def load(self, value: Json) -> str:
        """The text itself."""
        return _text(value)

    def dump(self, value: str) -> Json:
        """The text itself."""
        return _text(value)


def input_from_json(data: Mapping[str, Json]) -> Input[Any]:
    """The input that ``to_json`` wrote.

    It parses as the original does. What it loads is as close to the original's values as JSON
    alone allows: a Choice gives the JSON values of its options.

    Raises:
        ValueError: the kind is unknown, or the fields do not make such an input.
    """
    known = _KINDS.get(str(data.get("kind")))
    if known is None:
        raise ValueError(
            f"{data.get('kind')!r} is no kind of input ({', '.join(sorted(_KINDS))}). "
            "Import the module that defines it before the conversation goes on."
        )
    return _restored(known, orjson.dumps(data, as_json, orjson.OPT_PASSTHROUGH_SUBCLASS))


@lru_cache(maxsize=1024)
def _restored(known: type[Input[Any]], text: bytes) -> Input[Any]:
    """Inputs are values: the same form is read once. Every answer needs the one it is for."""
    data: dict[str, Any] = texts_of(orjson.loads(text))
    settings = {name: value for name, value in data.items() if name not in ("kind", "buttons")}
    try:
        made: Input[Any] = known.restored(settings)
        _put_buttons(made, data.get("buttons"))
    except (TypeError, KeyError) as error:
        raise ValueError(f"this is no stored {known.kind} input: {error}") from error
    return made


def without_article(wanted: str) -> str:
    """What is wanted, without the article before it: "a photo" is a "photo". In other languages
    than the original, as it is.
    """
    return wanted.partition(" ")[2] if translator() is None else wanted


def decoded(
    data: Mapping[str, Any], decode: Callable[[Any], object], *names: str
) -> dict[str, Any]:
    """A copy of the stored fields in which those of these names are decoded."""
    return {name: decode(value) if name in names else value for name, value in data.items()}


def _put_buttons(made: Input[Any], stored: Any) -> None:
    if stored:  # afterwards: only a finished input can load its buttons' values
        buttons = tuple((label, made._shortcut(value)) for label, value in stored)
        object.__setattr__(made, "buttons", buttons)


@lru_cache(maxsize=256)
def _settings(cls: type[Input[Any]]) -> tuple[tuple[str, object], ...]:
    """Names and defaults of the fields that ``stored`` looks at."""
    return tuple(
        (each.name, None if each.default is MISSING else each.default)
        for each in fields(cls)
        if each.name != "buttons"
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
