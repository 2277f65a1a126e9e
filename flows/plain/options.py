"""What is said of a plain handler that asks: how it is kept as a flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, get_args

from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.flow import Interrupt

H = TypeVar("H", bound=Callable[..., Any])

LONGEST = 120
"""Characters of the longest name that such a flow may have."""


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """What ``as_flow`` says of a handler."""

    name: str | None = None
    ttl: timedelta | None = None
    max_age: timedelta | None = None
    interrupt: Interrupt = "stack"


_NO_OPTIONS = FlowOptions()

_OPTIONS = "__handrail_flow__"
"""Where a handler bears what ``as_flow`` says."""


def as_flow(
    name: str | None = None,
    *,
    ttl: timedelta | None = None,
    max_age: timedelta | None = None,
    interrupt: Interrupt = "stack",
) -> Callable[[H], H]:
    """Says how a plain handler that asks is kept as a flow. It stands beneath the decorator of the
    router.

    Args:
        name: what it is stored as, in place of the router's and the function's name: keep it
            when one of these changes. 1 to 120 characters.
        ttl: how long a person may be silent before the conversation expires; None: for ever.
        max_age: how long after its start it expires, whatever the person does.
        interrupt: what happens to it when a flow, or another handler that asks, is started; as
            with ``FlowBuilder``.

    Raises:
        DefinitionError: one of these cannot be.
    """
    _check(name, ttl, max_age, interrupt)
    options = FlowOptions(name, ttl, max_age, interrupt)

    def decorate(handler: H) -> H:
        try:
            setattr(handler, _OPTIONS, options)
        except AttributeError:
            raise DefinitionError(
                f"as_flow cannot mark {shown(handler)}. Put it on an async function."
            ) from None
        return handler

    return decorate


def _check(
    name: str | None, ttl: timedelta | None, max_age: timedelta | None, interrupt: str
) -> None:
    if name is not None and not (isinstance(name, str) and 1 <= len(name.strip()) <= LONGEST):
        raise DefinitionError(f"as_flow(name=...) takes 1 to {LONGEST} characters, not {name!r}")
    for what, span in (("ttl", ttl), ("max_age", max_age)):
        if span is not None and (not isinstance(span, timedelta) or span <= timedelta(0)):
            raise DefinitionError(
                f"as_flow({what}=...) takes a timedelta longer than nothing, not {span!r}"
            )
    if interrupt not in get_args(Interrupt):
        known = ", ".join(get_args(Interrupt))
        raise DefinitionError(f"as_flow(interrupt=...) is one of {known}, not {interrupt!r}")


def options_of(handler: object) -> FlowOptions:
    """What ``as_flow`` has said of the handler."""
    found: FlowOptions = getattr(handler, _OPTIONS, _NO_OPTIONS)
    return found


def is_marked(handler: object) -> bool:
    """Whether ``as_flow`` has said anything of it."""
    return options_of(handler) is not _NO_OPTIONS
