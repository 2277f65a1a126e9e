"""What the conversations of plain handlers are stored as, and that no two share a name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from hashlib import blake2b
from types import CodeType
from typing import Any

from flows.definition.naming import shown
from flows.definition.sources import code_of
from flows.errors import DefinitionError
from flows.plain.options import LONGEST, is_marked, options_of
from flows.plain.waits import PlainWaits


def plain_name(router: str, handler: Callable[..., Any]) -> str:
    """What the conversations of a handler are stored as, such as ``shop:feedback``: the same in
    every process that runs the same code.
    """
    said = options_of(handler).name
    if said is not None:
        return said
    called = inspect.unwrap(getattr(handler, "func", handler))
    name = getattr(called, "__qualname__", None) or type(called).__qualname__
    whole = f"{router}:{name}"
    if len(whole) <= LONGEST:
        return whole
    digest = blake2b(whole.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{whole[: LONGEST - 17]}~{digest}"


_ASKING = frozenset({"ask", *(name for name in vars(PlainWaits) if name.startswith("wait_"))})
"""Names by which a handler is seen to ask."""


def is_seen_to_ask(handler: Callable[..., Any]) -> bool:
    """Whether the code of the handler itself says that it asks; it may call something that does."""
    if is_marked(handler):
        return True
    code = code_of(getattr(handler, "func", handler))
    return code is not None and _names_a_question(code)


def _names_a_question(code: CodeType) -> bool:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return not _ASKING.isdisjoint(code.co_names) or any(map(_names_a_question, inner))


class PlainNames:
    """Which handler has which name; two that ask cannot share one."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._shared: dict[str, Callable[..., Any]] = {}

    def take(self, router: str, handler: Callable[..., Any]) -> str:
        """The name of the handler.

        Raises:
            DefinitionError: another one has it, and one of the two is seen to ask.
        """
        name = plain_name(router, handler)
        known = self._handlers.setdefault(name, handler)
        if known == handler:  # each look at a method of an object makes another one
            return name
        if is_seen_to_ask(known) or is_seen_to_ask(handler):
            raise two_of_one_name(name, known, handler)
        self._shared[name] = handler
        return name

    def sharing(self, name: str) -> tuple[object, object] | None:
        """Two handlers of that name, if there are two."""
        if name not in self._shared:
            return None
        return self._handlers[name], self._shared[name]


def two_of_one_name(name: str, one: object, other: object) -> DefinitionError:
    """The error for it."""
    return DefinitionError(
        f"the handlers {shown(one)} and {shown(other)} would both be stored as {name!r} when they "
        "ask. Give one of them another name, or @as_flow('a name') beneath the router's decorator."
    )
