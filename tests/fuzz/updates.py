"""The parser of updates, fed as polling and as the webhook feed it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from engine.channels.telegram.client import read_json
from engine.channels.telegram.oddities import id_of, read_page
from engine.channels.telegram.posts import parsed
from engine.channels.telegram.raw import RAW_BYTES
from engine.channels.telegram.updates import UpdateReader
from flows.updates import Update
from tests.fuzz.mutations import mutated
from tests.fuzz.samples import UPDATES
from tests.fuzz.tape import Tape
from tests.fuzz.watching import Watch

SOURCE = "telegram:42"
NOW = 1_760_000_123_000


def updates(data: bytes) -> None:
    """Whatever comes in is read, counted, or set aside; what is read can be stored anywhere."""
    tape = Tape(data)
    bodies = _bodies(tape)
    with Watch():
        answer = read_json(b'{"ok":true,"result":[' + b",".join(bodies) + b"]}")
        result = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(result, list):
            _read_as_page(result)
        for body in bodies:
            _read_as_post(body)


def _bodies(tape: Tape) -> list[bytes]:
    if tape.below(4) == 3:
        return [tape.rest()]
    return [mutated(tape, UPDATES) for _ in range(1 + tape.below(3))]


def _read_as_page(items: Sequence[object]) -> None:
    reader = UpdateReader(SOURCE, username="our_bot")
    page, odd = read_page(reader, items, now=NOW)
    assert odd == []
    assert len(items) == len(page.updates) + reader.skipped.total()
    known = [number for number in map(id_of, items) if number is not None]
    assert page.next_offset == (max(known) + 1 if known else None)
    for update in page.updates:
        check(update)


def _read_as_post(body: bytes) -> None:
    raw = parsed(body)
    if raw is None or id_of(raw) is None:
        return
    assert read_json(body) == raw  # whichever way it comes, it is the same
    update = UpdateReader(SOURCE, username="our_bot").read(raw, now=NOW)
    if update is not None:
        check(update)


def check(update: Update) -> None:
    """An update is as every storage and handler may expect it."""
    text = update.to_json()
    assert Update.from_json(text) == update
    assert len(orjson.dumps(update.raw)) <= RAW_BYTES
    for value in _leaves(asdict(update)):
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()  # raises at a lone surrogate
        elif isinstance(value, float):
            assert math.isfinite(value)
        else:
            assert value is None or -(2**63) <= value < 2**64  # what JSON is written with
    for name in _ids(update):
        assert -(2**63) <= int(name) < 2**63


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _ids(update: Update) -> Iterator[str]:
    """Those that Telegram gives as numbers."""
    address = update.address
    chat, topic = (address.chat, address.topic) if address is not None else (None, None)
    user = update.user.id if update.user is not None else None
    for name in (update.ext, update.message, update.reply_to, chat, topic, user):
        if name is not None:
            yield name
