"""The words of one locale: texts from catalogues, and numbers, days and times as Babel has them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time
from functools import cached_property
from gettext import NullTranslations

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal

from flows.messages.speaking import Written

_log = logging.getLogger("handrail.languages")

_MOST = 1000
"""Texts without a translation that are remembered, so that each is logged once."""


class Words:
    """A ``flows.messages.speaking.Translator`` that speaks by Babel.

    Args:
        tag: the locale's name, with hyphens.
        translations: where texts are looked up.
    """

    def __init__(self, tag: str, babel: Locale, translations: NullTranslations) -> None:
        self.locale = tag
        self._babel = babel
        self._translations = translations

    def find(self, text: str, *, context: str, plural: str, number: int | None) -> str:
        """The text in the words of the locale; where there are none, the text itself."""
        if not text:  # gettext would answer the head of the catalogue
            return text
        known = self._translations
        if number is None or not plural:
            return known.pgettext(context, text) if context else known.gettext(text)
        if context:
            found = known.npgettext(context, text, plural, number)
        else:
            found = known.ngettext(text, plural, number)
        # of the forms of a number, one may have been left empty
        return found or (text if number == 1 else plural)

    def written(self, value: Written) -> str:
        """A number, a day or a time as people of the locale write it."""
        if isinstance(value, datetime):
            return format_datetime(value, "medium", locale=self._babel)
        if isinstance(value, date):
            return format_date(value, "medium", locale=self._babel)
        if isinstance(value, time):
            return format_time(value, "short", locale=self._babel)
        return format_decimal(value, locale=self._babel, decimal_quantization=False)

    def month(self, year: int, number: int) -> str:
        """The name of a month with its year, as a title."""
        title = format_skeleton("yMMMM", date(year, number, 1), locale=self._babel)
        return title[:1].upper() + title[1:]

    @property
    def days(self) -> Sequence[str]:
        """The shortest names of the days, Monday first."""
        return self._days

    @cached_property
    def _days(self) -> tuple[str, ...]:
        names = self._babel.days["stand-alone"]["short"]
        return tuple(names[day] for day in range(7))


class Originals(NullTranslations):
    """The end of every look-up: the text itself. That there is none is logged, once a text.

    Args:
        tag: the locale that has no words for it.
        silent: the texts are in this locale, so that none is missing.
    """

    def __init__(self, tag: str, *, silent: bool) -> None:
        super().__init__()
        self._tag = tag
        self._silent = silent
        self._logged: set[str] = set()

    def gettext(self, message: str) -> str:
        """The text."""
        self._log(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The text for one, or for several."""
        self._log(msgid1)
        return msgid1 if n == 1 else msgid2

    def pgettext(self, context: str, message: str) -> str:
        """The text."""
        self._log(message)
        return message

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """The text for one, or for several."""
        self._log(msgid1)
        return msgid1 if n == 1 else msgid2

    def _log(self, text: str) -> None:
        if self._silent or text in self._logged or len(self._logged) >= _MOST:
            return
        self._logged.add(text)
        _log.debug("there is no %s translation of %r", self._tag, text)
