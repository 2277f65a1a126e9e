"""Texts that are put into the words of whom they are for.

    from flows import gettext as _, ngettext

    flow.ask(Step.NAME, _("What's your name?"), Text())
    turn.reply(ngettext("{n} ticket", "{n} tickets", n=count))

Such a text is a ``str``, its original form, so it goes wherever a text goes: prompts, retry texts,
labels, captions. It is put into words when the turn says it, in the locale of that person. ``str``
and f-strings do so at once; other ``str`` methods look at the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from html import escape
from typing import Any, Literal, SupportsIndex

from flows.formatting import Formatted
from flows.messages.markup import markdown
from flows.messages.speaking import Translator, speaker, translator

Value = str | int | float | Decimal | date | time
"""What may stand in a placeholder. A Decimal, a float, a day and a time are written as people of
the locale write them; a whole number in plain digits, since it may be the number of an order.
"""

Markup = Literal["plain", "html", "markdown"]

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

_MARK = "gettext"
"""The name in a JSON object by which such a text is known."""


class Translatable(str):
    """A text and how it is found in catalogues; immutable. Its value as a ``str`` is the original.

    Attributes:
        text: the message as catalogues have it, with its placeholders.
        context: what tells it from messages of the same words; None: it is in no catalogue, and
            only what stands in its placeholders is put into words.
        plural: the message for several; empty: it is not counted.
        number: what is counted.
        values: what stands in the placeholders.
        markup: how it is read: what stands in the placeholders is escaped for it.
    """

    __slots__ = ("context", "markup", "number", "plural", "text", "values")

    text: str
    context: str | None
    plural: str
    number: int | None
    values: Mapping[str, Value]
    markup: Markup

    def __new__(
        cls,
        text: str,
        *,
        context: str | None = "",
        plural: str = "",
        number: int | None = None,
        values: Mapping[str, Value] | None = None,
        markup: Markup = "plain",
    ) -> Translatable:
        """A message; see the attributes."""
        kept = {name: _kept(value) for name, value in values.items()} if values else {}
        original = plural if plural and number != 1 else text
        made = super().__new__(cls, _filled(original, kept, None, markup))
        made.text, made.context, made.plural = text, context, plural
        made.number, made.values, made.markup = number, kept, markup
        return made

    def said(self, words: Translator | None) -> str:
        """The text in these words; None: the original ones. It is ``Formatted`` where something
        formatted stands in it.
        """
        found = self.plural if self.plural and self.number != 1 else self.text
        if words is not None and self.context is not None:
            found = words.find(
                self.text, context=self.context, plural=self.plural, number=self.number
            )
        return _filled(found, self.values, words, self.markup)

    def with_values(
        self, values: Mapping[str, Value], *, markup: Markup | None = None
    ) -> Translatable:
        """The same with these values in its placeholders, too."""
        return Translatable(
            self.text,
            context=self.context,
            plural=self.plural,
            number=self.number,
            values={**self.values, **values},
            markup=markup or self.markup,
        )

    @property
    def original(self) -> str:
        """The plain original."""
        return str.__str__(self)

    @property
    def has_formatted(self) -> bool:
        """Whether something formatted stands in it."""
        return any(isinstance(value, Formatted) for value in self.values.values())

    def __str__(self) -> str:
        return self.said(translator())

    def __format__(self, spec: str) -> str:
        return format(self.said(translator()), spec)

    def __add__(self, other: str) -> str:
        return joined((self, other)) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: str) -> str:
        return joined((other, self)) if isinstance(other, str) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> str:
        return str(self) * times

    def format(self, *args: Any, **values: Any) -> str:
        """The same with these values in its placeholders; they have names."""
        return self.with_values(values)

    def to_json(self) -> dict[str, Any]:
        """The form that is stored with a question, so that it can be asked again in other words."""
        data: dict[str, Any] = {_MARK: self.text}
        if self.context != "":
            data["context"] = self.context
        if self.plural:
            data["plural"] = self.plural
        if self.number is not None:
            data["number"] = str(self.number)  # it may be larger than JSON's integers are
        if self.values:
            data["values"] = {name: _value_to_json(value) for name, value in self.values.items()}
        if self.markup != "plain":
            data["markup"] = self.markup
        return data

    def __reduce__(self) -> tuple[Any, tuple[Any]]:
        return text_of, (self.to_json(),)


def gettext(text: str, /, **values: Value) -> Translatable:
    """A text that is put into the words of whom it is said to.

    Args:
        text: the original, which catalogues are looked up by; ``{name}`` is a placeholder.
        values: what stands in the placeholders.
    """
    return Translatable(text, values=values)


def ngettext(one: str, many: str, /, n: int, **values: Value) -> Translatable:
    """A text that depends on a number, in as many forms as the language has.

    Args:
        one: the original for one.
        many: the original for any other number.
        n: the number, which is the value of ``{n}`` as well.
    """
    return Translatable(one, plural=many, number=n, values={"n": n, **values})


def pgettext(context: str, text: str, /, **values: Value) -> Translatable:
    """A text whose words are told from the same words elsewhere by a context: "Open" on a door,
    and on a button.
    """
    return Translatable(text, context=context, values=values)


def npgettext(context: str, one: str, many: str, /, n: int, **values: Value) -> Translatable:
    """A text with a context that depends on a number."""
    return Translatable(one, context=context, plural=many, number=n, values={"n": n, **values})


def phrase(text: str, /, **values: Value) -> str:
    """One of the engine's own texts, put into words now."""
    words = translator()
    found = text if words is None else words.find(text, context="", plural="", number=None)
    return _filled(found, values, words, "plain") if values else found


def nphrase(one: str, many: str, /, n: int, **values: Value) -> str:
    """One of the engine's own texts that depends on a number, put into words now."""
    return str(ngettext(one, many, n, **values))


def said(text: str) -> str:
    """The text in the words of the person that the turn speaks to, if it is ``Translatable``."""
    return text if text.__class__ is str or not isinstance(text, Translatable) else str(text)


def kept(text: str) -> str:
    """The text as a question keeps it: as it is where the App has languages, so that the question
    can be asked again in other words; else the original.
    """
    if text.__class__ is str or speaker.get() is not None:
        return text
    return text.original if isinstance(text, Translatable) else text


def joined(parts: Iterable[str], separator: str = "") -> str:
    """The parts with a separator between them; put into words later, if one of them is."""
    pieces = list(parts)
    if not any(isinstance(piece, Translatable) for piece in pieces):
        return separator.join(pieces)
    if any(isinstance(piece, Formatted) for piece in pieces):
        return Formatted(separator).join(map(said, pieces))
    template = separator.join(f"{{p{place}}}" for place in range(len(pieces)))
    values = {f"p{place}": piece for place, piece in enumerate(pieces)}
    return Translatable(template, context=None, values=values)


def text_of(stored: Any) -> str:
    """The text of its stored form: a ``str``, or what ``Translatable.to_json`` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if stored.__class__ is str:
        return str(stored)
    values = {name: _value_of(value) for name, value in stored.get("values", {}).items()}
    return Translatable(
        stored[_MARK],
        context=stored.get("context", ""),
        plural=stored.get("plural", ""),
        number=int(stored["number"]) if "number" in stored else None,
        values=values,
        markup=stored.get("markup", "plain"),
    )


def stored_texts(value: Any) -> Any:
    """JSON in which every ``Translatable`` has its stored form."""
    if value.__class__ is Translatable:
        return value.to_json()
    if isinstance(value, dict):
        return {name: stored_texts(each) for name, each in value.items()}
    return [stored_texts(each) for each in value] if isinstance(value, list) else value


def texts_of(value: Any) -> Any:
    """JSON in which every stored form is a ``Translatable`` again."""
    if isinstance(value, dict):
        if isinstance(value.get(_MARK), str):
            return text_of(value)
        return {name: texts_of(each) for name, each in value.items()}
    return [texts_of(each) for each in value] if isinstance(value, list) else value


def as_json(value: object) -> Any:
    """For orjson's ``default``: what else than plain JSON stands in stored state.

    Raises:
        TypeError: it is nothing that can be stored.
    """
    if isinstance(value, Translatable):
        return value.to_json()
    match value:  # the subclasses, which orjson would take for what they are of by itself
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case dict():
            return dict(value)
        case list():
            return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be stored")


def _filled(
    template: str, values: Mapping[str, Value], words: Translator | None, markup: Markup
) -> str:
    """The template with the values in its placeholders; a placeholder without one stays."""
    if not values:
        return template
    pieces: list[str] = []
    end = 0
    for found in _PLACEHOLDER.finditer(template):
        if found[1] in values:
            pieces += [template[end : found.start()], _written(values[found[1]], words, markup)]
            end = found.end()
    pieces.append(template[end:])
    if any(isinstance(piece, Formatted) for piece in pieces):
        return Formatted().join(pieces)
    return "".join(pieces)


def _written(value: Value, words: Translator | None, markup: Markup) -> str:
    if isinstance(value, Translatable):
        value = value.said(words)
    elif words is not None and isinstance(value, Decimal | float | date | time):
        value = words.written(value)
    if markup == "plain":
        return value if isinstance(value, str) else str(value)
    if isinstance(value, Formatted):
        return value.html if markup == "html" else value.markdown
    return escape(str(value), quote=False) if markup == "html" else markdown(str(value), ())


def _kept(value: object) -> Value:
    """A value as it is kept; what is of no known type, or larger than JSON's integers are, is kept
    as its text.
    """
    if type(value) is int and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, Translatable | Formatted) or type(value) in _TYPES:
        return value  # type: ignore[return-value]  # it is of one of the types
    return str(value)


_TYPES = (str, int, float, Decimal, date, time, datetime)

_TAGS: Mapping[type, str] = {Decimal: "decimal", date: "date", time: "time", datetime: "datetime"}


def _value_to_json(value: Value) -> Any:
    if isinstance(value, Translatable):
        return value.to_json()
    if isinstance(value, Formatted):
        return value.plain
    tag = _TAGS.get(type(value))
    if tag is None:
        return value
    return {tag: str(value) if isinstance(value, Decimal) else value.isoformat()}  # type: ignore[union-attr]  # the others are days and times


def _value_of(stored: Any) -> Value:
    match stored:
        case {"decimal": str(text)}:
            return Decimal(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"time": str(text)}:
            return time.fromisoformat(text)
        case {"datetime": str(text)}:
            return datetime.fromisoformat(text)
        case dict():
            return text_of(stored)
        case str() | int() | float():
            return stored
    raise ValueError(f"{stored!r} is no value of a text")
