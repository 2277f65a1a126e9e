"""Keeps what people confide out of the log: a filter that masks, in whatever is logged while a
turn of a bot with ``Sensitive`` fields runs, what the turn knows.

Masked are messages, and the texts of exceptions and of what they came from. Where it happened
stays to be seen: lines of code hold no values.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from pydantic import ValidationError

from flows.sensitive import MASK

Confidences = Callable[[], Iterable[str]]
"""Answers what is not to be shown; asked only where something is logged."""

LOGGERS = tuple(
    f"handrail.{name}"
    for name in ("delivery", "engine", "flow", "operate", "steps", "storage", "timers")
)
"""Filters are not inherited, so each logger that a turn speaks through is listed."""

_NUMBER = re.compile(r"\+?(?:\d[\s().-]*){6,}", re.ASCII)

_now: ContextVar[Confidences | None] = ContextVar("handrail_confidences", default=None)


def confide(confidences: Confidences) -> None:
    """From now on, in this task and those that it starts, these are masked."""
    _now.set(confidences)


@contextmanager
def confiding(confidences: Confidences) -> Iterator[None]:
    """Masks these besides, for what is done within."""
    before = _now.get()
    token = _now.set(lambda: [*confidences(), *(before() if before is not None else ())])
    try:
        yield
    finally:
        _now.reset(token)


def current() -> Redactor:
    """What masks all that is confided here and now."""
    confidences = _now.get()
    return Redactor(confidences() if confidences is not None else ())


class Redactor:
    """Masks values in texts and exceptions."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in _forms(value)}
        # the longest first: what a shorter one would leave of it is masked as well
        patterns = [_pattern(form) for form in sorted(forms, key=len, reverse=True)]
        self._hidden = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def text(self, text: str) -> str:
        """The text with each of the values masked."""
        return self._hidden.sub(MASK, text) if self._hidden is not None else text

    def value(self, value: object) -> object:
        """The value, or its masked text where there is something to mask in that."""
        text = repr(value)
        return value if self.text(text) == text else self.text(str(value))

    def exception(self, error: BaseException) -> BaseException:
        """An exception that looks the same, of the same type where that can be, but for the
        values in its text, its notes, and those that it came from.
        """
        return self._stand_in(error, {}) if self._hidden is not None else error

    def _stand_in(self, error: BaseException, known: dict[int, BaseException]) -> BaseException:
        if (found := known.get(id(error))) is not None:
            return found
        made = known[id(error)] = self._made(error, known)
        made.__traceback__ = error.__traceback__
        for note in getattr(error, "__notes__", ()):
            made.add_note(self.text(str(note)))
        if error.__context__ is not None:
            made.__context__ = self._stand_in(error.__context__, known)
        if error.__cause__ is not None:
            made.__cause__ = self._stand_in(error.__cause__, known)
        made.__suppress_context__ = error.__suppress_context__
        return made

    def _made(self, error: BaseException, known: dict[int, BaseException]) -> BaseException:
        if isinstance(error, BaseExceptionGroup):
            parts = [self._stand_in(one, known) for one in error.exceptions]
            return BaseExceptionGroup(self.text(error.message), parts)
        text = self.text(_said(error))
        kind = type(error)
        names: dict[str, object] = {
            "__module__": kind.__module__,
            "__qualname__": kind.__qualname__,
            "__str__": lambda _: text,
        }
        # a syntax error is shown with its line of text, which may be somebody's
        bases = [] if isinstance(error, SyntaxError) else [kind]
        for base in (*bases, Exception):
            try:
                made = cast(type[BaseException], type(kind.__name__, (base,), names))
                stand_in = made.__new__(made)
                stand_in.args = (text,)
            except TypeError:  # it cannot be derived from, or has a way of its own to be made
                continue
            return stand_in
        return Exception(text)


class _Redaction(logging.Filter):
    """Masks in a record, and drops none."""

    def filter(self, record: logging.LogRecord) -> bool:
        confidences = _now.get()
        if confidences is not None:
            _mask(record, Redactor(confidences()))
        return True


REDACTION = _Redaction()


def guard_logs() -> None:
    """Makes the engine's own loggers mask. Calling it again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(REDACTION)


def _mask(record: logging.LogRecord, redactor: Redactor) -> None:
    plain = record.getMessage()
    masked = redactor.text(plain)
    if masked != plain:
        record.msg, record.args = masked, None
    if record.exc_info and record.exc_info[1] is not None:
        error = redactor.exception(record.exc_info[1])
        record.exc_info, record.exc_text = (type(error), error, record.exc_info[2]), None


def _said(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        # as it stands it quotes the beginning and the end of a long value
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
        return "\n".join((f"{error.error_count()} errors in {error.title}", *lines))
    return str(error)


def _forms(value: str) -> Iterator[str]:
    """How a value may stand in a text: as it is, without its spaces, and as Python shows it."""
    for form in (value, value.strip(), "".join(value.split()), repr(value)[1:-1]):
        if form.strip():
            yield form


def _pattern(form: str) -> str:
    """Finds it where it is no part of a longer word or number; a number also with other spaces."""
    if _NUMBER.fullmatch(form):
        return r"[\s().-]*".join(re.escape(sign) for sign in form if sign in "+0123456789")
    before = r"(?<!\w)" if form[0].isalnum() else ""
    after = r"(?!\w)" if form[-1].isalnum() else ""
    return f"{before}{re.escape(form)}{after}" if len(form) < 4 else re.escape(form)
