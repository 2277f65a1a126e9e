"""Whose instances a flow has: what it is keyed by."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from inspect import iscoroutinefunction
from typing import Literal, get_args

from flows.definition.naming import shown
from flows.updates import Update

KeyKind = Literal["user_in_chat", "chat", "topic", "user"]
"""The keys that need no code:

- ``user_in_chat``: each person has their own run in each chat (and in each of its topics);
- ``chat``: all people of a chat share one;
- ``topic``: all people in a topic of a chat share one;
- ``user``: a person has one, whichever chat they write in.
"""

CustomKey = Callable[[Update], str | None]
"""A key of your own: a function that answers a text, the same for the same update; updates of one
bot with the same text share their runs, whichever flow and function it comes from. None: the
update has no such key.
"""

Key = KeyKind | CustomKey
"""What a flow is keyed by."""

KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

USER_IN_CHAT: KeyKind = "user_in_chat"
"""The key of a flow that does not say."""


ONE_PERSON: tuple[KeyKind, ...] = ("user_in_chat", "user")
"""The keys whose instances belong to one person; only that person may press their buttons."""


def key_refusal(key: object) -> str | None:
    """Why a flow cannot be keyed by this, or None when it can."""
    if isinstance(key, str):
        if key in KINDS:
            return None
        return f"the key {key!r} is none of {', '.join(KINDS)}"
    if not callable(key):
        return f"the key must be one of {', '.join(KINDS)} or a function, not {key!r}"
    if not isinstance(key, Hashable):
        return f"the key {key!r} cannot be hashed. Take a function."
    if iscoroutinefunction(key):
        return f"the key {shown(key)} is an async function. Take one that answers at once."
    return None


def name_of_key(key: Key) -> str:
    """The key as messages name it."""
    return key if isinstance(key, str) else getattr(key, "__qualname__", repr(key))
