"""Roles: who may do what."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from flows.definition.checks import call_refusal
from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.updates import Update

if TYPE_CHECKING:
    from flows.plain.context import Context
    from flows.routing.routes import Outcome, PlainHandler

_unguarded: WeakSet[object] = WeakSet()
"""Handlers that a router calls for everybody."""

Resolver = Callable[[Update, Any], Iterable[str] | Awaitable[Iterable[str]]]
"""A function, async or not, of an update and of the dependencies: the roles of who sent it."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a bot's people.

    Attributes:
        granted: role to the ids of those who have it, as the channel has them.
        resolver: answers further roles of who sent an update. Where it fails, there are none.
        keep: how long its answer for a person in a chat is remembered, in the memory of the
            process; nothing: it is asked in every turn.

    Raises:
        DefinitionError: neither ids nor a resolver, or ids that are one text.
    """

    granted: Mapping[str, Collection[str | int]] = field(default_factory=dict)
    resolver: Resolver | None = None
    keep: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if not self.granted and self.resolver is None:
            raise DefinitionError("Roles() knows nobody. Give it ids, or a resolver.")
        if not isinstance(self.granted, Mapping):
            raise DefinitionError(
                f"Roles({self.granted!r}): write {{'admin': {{1, 2}}}}, with ids."
            )
        for role, people in self.granted.items():
            if isinstance(people, str):
                raise DefinitionError(
                    f"role {role!r}: {people!r} is one text. Write {{{people!r}}}."
                )
        if self.resolver is not None and not callable(self.resolver):
            raise DefinitionError(
                f"the resolver of roles must be 'def (update, deps)', not {self.resolver!r}"
            )
        if self.keep < timedelta(0):
            raise DefinitionError(f"Roles(keep={self.keep!r}) must be nothing or more")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What ``requires`` answers; a decorator of plain handlers.

    Attributes:
        roles: one of these is needed.
        refusal: what others are told; empty: the engine's own words.
    """

    roles: tuple[str, ...]
    refusal: str = ""

    def __str__(self) -> str:
        return f"requires({', '.join(map(repr, self.roles))})"

    def allows(self, held: Collection[str]) -> bool:
        """Whether who has these roles may do it."""
        return any(role in held for role in self.roles)

    def __call__(self, handler: PlainHandler) -> Guarded:
        """The handler for those who have the role; the others are refused.

        Raises:
            DefinitionError: it is no async function of a context, or a router has it already, and
                would call it for everybody.
        """
        if (reason := call_refusal(handler, "ctx")) is not None:
            raise DefinitionError(f"{self}: {reason}")
        if handler in _unguarded:
            raise DefinitionError(
                f"{self} stands above the decorator of the router, which has taken "
                f"{shown(handler)} for everybody. Write it beneath."
            )
        return Guarded(self, handler)


class Guarded:
    """A plain handler that not everybody may call."""

    __name__: str

    def __init__(
        self,
        requirement: Requirement,
        handler: PlainHandler,
    ) -> None:
        update_wrapper(self, handler)
        self.requirement = requirement
        self._handler = handler

    async def __call__(self, ctx: Context[Any, Any]) -> Outcome:
        """Calls the handler and answers what it does, or refuses."""
        if self.requirement.allows(ctx.roles):
            return await self._handler(ctx)
        ctx.refuse(self.requirement.refusal)
        return None


def requires(*roles: str, refusal: str = "") -> Requirement:
    """What only people with one of the roles may do: a decorator of plain handlers, beneath that
    of the router, and what ``FlowRegistry.register(..., requires=)`` takes.

    Args:
        refusal: what others are told; empty: the engine's own words.

    Raises:
        DefinitionError: no role, or one that is no name.
    """
    if not roles or not all(isinstance(role, str) and role for role in roles):
        raise DefinitionError(f"requires{roles!r} needs the names of roles: requires('admin')")
    return Requirement(roles, refusal)


def note_unguarded(handler: object) -> None:
    """A router has taken the handler as it is: it is too late to guard it."""
    if inspect.isfunction(handler):
        _unguarded.add(handler)


def requirement_of(wanted: Requirement | str | None) -> Requirement | None:
    """A requirement as definitions give it. Raises DefinitionError."""
    if wanted is None or isinstance(wanted, Requirement):
        return wanted
    return requires(wanted)
