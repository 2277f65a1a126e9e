"""Tokens: the data of the engine's own buttons.

A token names the instance, the visit of the step, the question's ordinal, the button and the
owner, and bears a code that only this instance can make, over these and the button's value: where
the options of a question have changed, no button means another one's. It fits into the 64 bytes
that Telegram gives: ``hr~<instance>.<visit>.<ordinal>.<button>.<owner>.<code>``.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s
from hmac import compare_digest
from typing import Any

import orjson

from flows.messages.replies import BUTTON_PREFIX
from flows.turns.instance import FlowInstance
from flows.turns.questions import Mint

_PARTS = 6

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
"""One spelling for each number: the code is made of the number, not of its spelling."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it came in; nothing in it is believed before ``genuine``.

    Attributes:
        owner: digest of the person who may press.
    """

    instance: str
    visit: int
    ordinal: int
    button: int
    owner: str
    code: str


def is_token(data: str) -> bool:
    """Whether the data is, or pretends to be, a token."""
    return data.startswith(BUTTON_PREFIX)


def read_token(data: str) -> Token | None:
    """The token in a button's data; None when it is forged, cut or damaged beyond reading."""
    parts = data.removeprefix(BUTTON_PREFIX).split(".")
    if len(parts) != _PARTS or not is_token(data) or not data.isascii():
        return None
    instance, visit, ordinal, button, owner, code = parts
    numbers = (visit, ordinal, button)
    if not all(_NUMBER.fullmatch(part) for part in numbers):
        return None
    return Token(instance, int(visit), int(ordinal), int(button), owner, code)


def genuine(token: Token, instance: FlowInstance, value: Any) -> bool:
    """Whether the instance made this token, for a button of this value."""
    if token.instance != instance.id:
        return False
    place = _place(token.instance, token.visit, token.ordinal, token.button, token.owner)
    return compare_digest(_code(instance.secret, place, value).encode(), token.code.encode())


def minting(instance: FlowInstance, visit: int, person: str) -> Mint:
    """Makes the tokens of one visit; ``person`` may press them."""
    who = owner(person)

    def mint(ordinal: int, button: int, value: Any) -> str:
        place = _place(instance.id, visit, ordinal, button, who)
        return f"{BUTTON_PREFIX}{place}.{_code(instance.secret, place, value)}"

    return mint


@lru_cache(maxsize=4096)
def owner(person: str) -> str:
    """The digest by which a token names a person: 8 characters."""
    return urlsafe_b64encode(blake2s(person.encode(), digest_size=6).digest()).decode()


def _place(instance: str, visit: int, ordinal: int, button: int, who: str) -> str:
    return f"{instance}.{visit}.{ordinal}.{button}.{who}"


def _code(secret: str, place: str, value: Any) -> str:
    signed = place.encode() + b" " + orjson.dumps(value)
    digest = blake2s(signed, key=secret.encode(), digest_size=6).digest()
    return urlsafe_b64encode(digest).decode()
