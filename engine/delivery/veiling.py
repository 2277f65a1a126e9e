"""What messages say, kept out of the log and out of the reasons why they were refused.

A bot with ``Sensitive`` fields may say them back: "Is ada@example.com right?". Which words of a
message those are is not known any more when it is sent, so each of them is taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from engine.delivery.letters import Letter
from engine.privacy.redaction import current

SHORTEST = 4
"""Letters of a word that says something; shorter ones stand in every sentence."""


def said_in(letter: Letter) -> Iterator[str]:
    """The texts of a message, and their words."""
    row, _ = letter
    try:
        told = orjson.loads(row.body)
    except orjson.JSONDecodeError:
        return  # it is given up unread, and what is said of it quotes nothing
    for text in _texts(told):
        yield text
        yield from (word for word in text.split() if len(word) >= SHORTEST)


def veiled(reason: str) -> str:
    """The reason without what the message says that is being sent."""
    return current().text(reason)


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for value in told.values():
            yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)
