"""Answers to a question, made up from what its input says, and sorted by what it makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from engine.channels.console.lines import content_of
from engine.channels.console.made_up import KINDS, made_up
from engine.testing.transcript import Exchange
from flows.errors import InvalidAnswer
from flows.inputs import Input, Payment
from flows.inputs.heard import CommandInput
from flows.updates import Command, Content, TextMessage

JUNK = (
    "👩‍👩‍👧‍👦🏳️‍🌈", "😀" * 2048, "x" * 4096, "שלום עולם", "\u202egnp.exe", "\x00", "a\x00b", "   ",
    "line\nline", "<b>&amp;</i>", "{0.__class__} %s %(a)s", "'; DROP TABLE users; --", "١٢٣", "nan",
    "1e400", "-0", "9" * 400, "/", "//", "2024-02-31", "@", "a@b", "\u200b", "e\u0301" * 300,
)  # fmt: skip
"""What people and machines send, too."""

_TEXTS = (
    "Ada", "Ada Lovelace", "a", "hello world", "yes", "no", "ada@example.com", "+442079460958",
    "+14155552671", "https://example.com/a?b=c", "0", "1", "2", "3.5", "-1", "42", "1990",
    "12:30", "09:05", "2001-02-03", "1990-12-31", "skip", "-", "1 Main St",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """What can be sent to a question: what it reads as an answer, and what it does not."""

    good: tuple[Exchange, ...]
    bad: tuple[Exchange, ...]


def answers_to(inputs: Sequence[Input[Any]], texts: Sequence[str] = ()) -> Answers:
    """Answers to a question that accepts these inputs.

    Args:
        texts: that are tried besides.
    """
    made = {text: None for one in inputs for text in _texts(one)}
    known = dict.fromkeys((*texts, *made, *_TEXTS))
    tried: list[tuple[Exchange, Content]] = [(saying(text), TextMessage(text)) for text in known]
    tried += [(Exchange(0, "file", kind), made_up(kind)) for kind in KINDS]
    tried += [one for wanted in inputs for one in _named(wanted)]
    good = tuple(exchange for exchange, content in tried if _reads(inputs, content))
    bad = tuple(exchange for exchange, content in tried if not _reads(inputs, content))
    return Answers(good, bad)


def saying(text: str) -> Exchange:
    """The exchange that says a text, which a line of a transcript may not be able to hold."""
    one_line = text.isprintable() and text == text.strip() and not text.startswith("@")
    if one_line and content_of(text) == TextMessage(text):
        return Exchange(0, "say", text)
    return Exchange(0, "event", f"say {orjson.dumps(text).decode()}")


def _reads(inputs: Iterable[Input[Any]], content: Content) -> bool:
    """Whether one of the inputs takes the content for an answer."""
    for one in inputs:
        if one.fits(content):
            try:
                one.parse(content)
            except InvalidAnswer:
                continue
            return True
    return False


def _named(accepted: Input[Any]) -> Iterator[tuple[Exchange, Content]]:
    """What an input takes that is known by its name: a command, or the payment of an invoice."""
    if isinstance(accepted, CommandInput):
        for name in accepted.names or ("done",):
            yield Exchange(0, "say", f"/{name}"), Command(name)
    if isinstance(accepted, Payment) and accepted.payload is not None:
        paid = made_up("payment", accepted.payload)
        yield Exchange(0, "file", f"payment {accepted.payload}"), paid


def _texts(accepted: Input[Any]) -> Iterator[str]:
    """What the labels, bounds and forms of an input suggest."""
    yield from (label for label, _ in accepted.options())
    inner = getattr(accepted, "input", None)
    if isinstance(inner, Input):
        yield from _texts(inner)
    yield from _numbers(getattr(accepted, "ge", None), getattr(accepted, "le", None))
    yield from _days(accepted)
    least, most = getattr(accepted, "min_length", None), getattr(accepted, "max_length", None)
    if isinstance(least, int) and isinstance(most, int):
        yield from ("x" * min(length, 4096) for length in (least, most))
        yield "x" * (min(most, 4095) + 1)


def _numbers(ge: Any, le: Any) -> Iterator[str]:
    for bound, inwards in ((ge, 1), (le, -1)):
        if bound is not None:
            yield from (str(bound), str(bound + inwards), str(bound - inwards))
    if ge is not None and le is not None:
        yield str((int(ge) + int(le)) // 2)


def _days(accepted: Input[Any]) -> Iterator[str]:
    form = getattr(accepted, "format", None)
    if not isinstance(form, str) or "%" not in form:
        return
    bounds = (getattr(accepted, "earliest", None), getattr(accepted, "latest", None))
    days = [day for day in bounds if isinstance(day, date)] or [date(2001, 2, 3)]
    for day in (*days, date(1990, 12, 31)):
        for shift in (0, 1, -1):
            yield (day + timedelta(days=shift)).strftime(form)
