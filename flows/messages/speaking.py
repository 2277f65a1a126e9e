"""In which language a turn speaks: what a text asks when it is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import date, time
from decimal import Decimal
from typing import Protocol

from flows.errors import NoLanguages

ORIGINAL = "en"
"""The language of the engine's own words, and of an App without ``languages``."""

Written = Decimal | float | date | time
"""A value that each language writes in its own way; a datetime is a date, too."""


class Translator(Protocol):
    """The words of one locale.

    Attributes:
        locale: its tag, such as ``pt-BR``.
    """

    @property
    def locale(self) -> str: ...

    def find(self, text: str, *, context: str, plural: str, number: int | None) -> str:
        """The text in the words of the locale; where there are none, the text itself.

        Args:
            context: tells apart what is the same in the original; empty: there is none.
            plural: the text for several; empty: it is not counted.
            number: what is counted.
        """
        ...

    def written(self, value: Written) -> str:
        """A number, a day or a time as people of the locale write it."""
        ...

    def month(self, year: int, number: int) -> str:
        """The name of a month (from 1) with its year, as a title."""
        ...

    @property
    def days(self) -> Sequence[str]:
        """The shortest names of the days, Monday first."""
        ...


class Speaker(Protocol):
    """Who is spoken to in a turn, as far as their language is concerned."""

    @property
    def translator(self) -> Translator:
        """The words of the locale that they are spoken to in now."""
        ...

    def choose(self, locale: str | None) -> None:
        """From now on they are spoken to in this locale, until they choose another one; None: in
        that of their app, as before.

        Raises:
            UnknownLocale: it is none of those that the App has.
        """
        ...


speaker: ContextVar[Speaker | None] = ContextVar("handrail_speaker", default=None)
"""Set while a turn runs, where the App has languages."""


def translator() -> Translator | None:
    """The words that the turn speaks in; None: the original ones."""
    current = speaker.get()
    return current.translator if current is not None else None


class Speaks:
    """The part of a turn and of a context that has to do with languages."""

    __slots__ = ()

    @property
    def locale(self) -> str:
        """The tag of the locale in which the person is spoken to now, such as ``pt-BR``; in an App
        without languages ``en``. It is not recorded: in a re-run of a step it may be another one,
        so let no question depend on it.
        """
        words = translator()
        return words.locale if words is not None else ORIGINAL

    def set_locale(self, locale: str | None) -> None:
        """From here on the person is spoken to in this locale, whatever their app says, until they
        choose another one. It is kept with the conversation, in the transaction of the turn.

        Args:
            locale: one of those of the App; None: that of their app again.

        Raises:
            UnknownLocale: it is none of these.
            NoLanguages: the App has no languages.
        """
        current = speaker.get()
        if current is None:
            raise NoLanguages(locale)
        if self._speaks_now():
            current.choose(locale)

    def _speaks_now(self) -> bool:
        """Whether what is said now counts, and was not said by an earlier run."""
        return True
