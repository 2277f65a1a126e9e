"""One of several inputs: whichever reads the answer first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast, overload

from flows.errors import InvalidAnswer
from flows.inputs.base import Draft, Input, Json, decoded, input_from_json
from flows.inputs.layout import rows_by_width
from flows.messages.translations import phrase, said
from flows.updates import Content

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
T_co = TypeVar("T_co", covariant=True)

Buttons = tuple[tuple[str, T], ...]


class Gives(Protocol[T_co]):
    """An input, as far as its type goes: as ``Input`` itself it could not stand for one that
    gives a union, as type checkers want it to in a call such as ``ask(..., AnyOf(a, b))``.
    """

    def load(self, value: Json, /) -> T_co:
        """As ``Input.load``."""
        ...


@dataclass(frozen=True, slots=True, init=False)
class AnyOf(Input[T]):
    """One of several inputs: the first that reads the answer gives the value.

    Its JSON form is the place and the kind of that input, then the form that the input gives:
    where the inputs have changed since, it does not load.

    Attributes:
        inputs: in the order in which they are tried.
    """

    kind: ClassVar[str] = "any_of"

    inputs: tuple[Input[Any], ...]

    @overload
    def __init__(
        self: AnyOf[A | B],
        first: Gives[A],
        second: Gives[B],
        /,
        *,
        retry: str | None = None,
        buttons: Buttons[A | B] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: AnyOf[A | B | C],
        first: Gives[A],
        second: Gives[B],
        third: Gives[C],
        /,
        *,
        retry: str | None = None,
        buttons: Buttons[A | B | C] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: AnyOf[A | B | C | D],
        first: Gives[A],
        second: Gives[B],
        third: Gives[C],
        fourth: Gives[D],
        /,
        *,
        retry: str | None = None,
        buttons: Buttons[A | B | C | D] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: AnyOf[A | B | C | D | E],
        first: Gives[A],
        second: Gives[B],
        third: Gives[C],
        fourth: Gives[D],
        fifth: Gives[E],
        /,
        *more: Gives[E],
        retry: str | None = None,
        buttons: Buttons[A | B | C | D | E] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    def __init__(
        self,
        *inputs: Any,
        retry: str | None = None,
        buttons: Any = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None:
        object.__setattr__(self, "inputs", inputs)
        Input.__init__(self, retry=retry, buttons=buttons, tries=tries, columns=columns)

    def __post_init__(self) -> None:
        strange = [each for each in self.inputs if not isinstance(each, Input)]
        if strange:
            raise self._cannot(f"{strange[0]!r} is no input. Give inputs such as Email()")
        if len(self.inputs) < 2:
            raise self._cannot("give at least two inputs")
        self._check_buttons()
        Input.__post_init__(self)

    @property
    def specific(self) -> bool:
        """Whether all of its inputs are."""
        return all(each.specific for each in self.inputs)

    def fits(self, content: Content) -> bool:
        """Whether it fits one of the inputs."""
        return any(each.fits(content) for each in self.inputs)

    def parse(self, content: Content) -> Json:
        """The form of the first input that can read it; what all have against it, if none can."""
        reasons: list[str] = []
        for place, each in enumerate(self.inputs):
            if not each.fits(content):
                continue
            try:
                return self._form(place, each.parse(content))
            except InvalidAnswer as error:
                reasons.append(error.reason)
        raise self.refused(_joined(reasons) or self.hint())

    def start(self) -> Json:
        """One draft for each input, if one of them is interactive."""
        drafts = [each.start() for each in self.inputs]
        return None if all(draft is None for draft in drafts) else drafts

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """Those of the inputs, then the buttons."""
        own = tuple(
            (label, self._form(place, value))
            for place, (each, part) in enumerate(self._parts(draft))
            for label, value in each.options(part)
        )
        return own + Input.options(self)

    def rows(self, draft: Json = None) -> tuple[int, ...] | None:
        """Those of the inputs, one below the other."""
        return tuple(
            row for each, part in self._parts(draft) for row in _rows(each, part, self.columns)
        )

    def press(self, value: Json, draft: Json) -> Json | Draft:
        """What the input that the button belongs to makes of it."""
        place, inner = self._read(value)
        parts = list(self._parts(draft))
        pressed = parts[place][0].press(inner, parts[place][1])
        if not isinstance(pressed, Draft):
            return self._form(place, pressed)
        drafts = [part for _, part in parts]
        return Draft([*drafts[:place], pressed.state, *drafts[place + 1 :]])

    def load(self, value: Json) -> T:
        """The value that the input of that place gives."""
        place, inner = self._read(value)
        return cast(T, self.inputs[place].load(inner))

    def dump(self, value: T) -> Json:
        """The form that the first input gives that takes the value for its own."""
        if isinstance(value, _Form):
            return value.json
        for place, inner in self._dumped(value):
            return self._form(place, inner)
        raise ValueError(f"{value!r} is no value of {[each.kind for each in self.inputs]}")

    def check(self, value: T) -> str | None:
        """What the inputs that may have given the value have against it; None if one has not."""
        reasons = [self.inputs[place].check(value) for place, _ in self._dumped(value)]
        return None if None in reasons else self.retry or next(iter(reasons), None)

    def hint(self) -> str:
        """The hints of all inputs."""
        return self.retry or _joined([each.hint() for each in self.inputs])

    def shown(self, value: Json) -> str:
        """As the input that gave it."""
        place, inner = self._read(value)
        return self.inputs[place].shown(inner)

    def stored(self) -> dict[str, Json]:
        """The stored forms of the inputs."""
        data = Input.stored(self)
        data["inputs"] = [cast(Json, each.to_json()) for each in self.inputs]
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Rebuilds the inputs."""
        settings = decoded(data, lambda forms: [input_from_json(form) for form in forms], "inputs")
        make: Callable[..., Self] = cls
        return make(*settings.pop("inputs"), **settings)

    def _shortcut(self, value: Json) -> T:
        # What a rebuilt input loads, another one of them might take for its own.
        return cast(T, _Form(value))

    def _typed(self) -> tuple[tuple[str, Json], ...]:
        own = tuple(button for each in self.inputs for button in each._typed())
        return own + Input.options(self)

    def _parts(self, draft: Json) -> Iterator[tuple[Input[Any], Json]]:
        drafts = draft if isinstance(draft, list) else [None] * len(self.inputs)
        return zip(self.inputs, drafts, strict=True)

    def _form(self, place: int, inner: Json) -> Json:
        return [place, self.inputs[place].kind, inner]

    def _read(self, value: Json) -> tuple[int, Json]:
        match value:
            case [int(place), str(kind), inner]:
                if 0 <= place < len(self.inputs) and self.inputs[place].kind == kind:
                    return place, inner
        raise ValueError(f"{value!r} is of none of {[each.kind for each in self.inputs]}")

    def _dumped(self, value: T) -> Iterator[tuple[int, Json]]:
        for place, each in enumerate(self.inputs):
            try:
                yield place, each.dump(value)
            except (TypeError, ValueError):
                continue


@dataclass(frozen=True, slots=True)
class _Form:
    """Stands for a value of which only the form is known."""

    json: Json


def _rows(each: Input[Any], draft: Json, columns: int | None) -> tuple[int, ...]:
    labels = [said(label) for label, _ in each.options(draft)]
    made = each.rows(draft) or ()
    return (*made, *rows_by_width(labels[sum(made) :], each.columns or columns))


def _joined(sentences: list[str]) -> str:
    first, *others = dict.fromkeys(map(said, sentences)) or [""]
    for other in others:
        first = phrase("{first} Or: {second}", first=first, second=other)
    return first
