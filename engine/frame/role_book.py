"""Looking up the roles of who has sent an update."""

from __future__ import annotations

import inspect
import logging
from collections import OrderedDict
from typing import Any

from engine.steps.running import contained
from engine.turns.tracebacks import from_handler
from flows.conversation import person_id
from flows.routing.roles import Resolver, Roles
from flows.turns.timing import milliseconds
from flows.updates import Update

REMEMBERED = 10_000
"""People whose resolved roles are remembered."""

NOBODY: frozenset[str] = frozenset()
"""The roles of who has none."""

Who = tuple[str, str, str]
"""Channel and bot, chat, and person."""

_log = logging.getLogger("handrail.engine")


class RoleBook:
    """Knows the roles of people."""

    def __init__(self, roles: Roles) -> None:
        self._resolver = roles.resolver
        self._keep = milliseconds(roles.keep)
        self._granted: dict[str, frozenset[str]] = {}
        for role, people in roles.granted.items():
            for person in map(str, people):
                self._granted[person] = self._granted.get(person, NOBODY) | {role}
        self._resolved: OrderedDict[Who, tuple[int, frozenset[str]]] = OrderedDict()

    async def of(self, update: Update, deps: Any, now: int) -> frozenset[str]:
        """The roles of who has sent the update; what has no sender has none.

        Args:
            now: milliseconds since the epoch.
        """
        if update.user is None:
            return NOBODY
        granted = self._granted.get(update.user.id, NOBODY)
        if self._resolver is None:
            return granted
        return granted | await self._further(self._resolver, update, deps, now)

    def forget_person(self, person: str) -> None:
        """Somebody was erased: what was resolved for them is not remembered."""
        for who in [who for who in self._resolved if person_id(who[0], who[2]) == person]:
            del self._resolved[who]

    async def _further(
        self, resolver: Resolver, update: Update, deps: Any, now: int
    ) -> frozenset[str]:
        who = _who(update)
        until, known = self._resolved.get(who, (0, NOBODY))
        if now < until:
            return known
        try:
            answer = resolver(update, deps)
            roles = frozenset(await answer if inspect.isawaitable(answer) else answer)
        except BaseException as error:  # whatever the user's code raises: nobody gains by it
            failure = contained(error)
            _log.error("the roles cannot be resolved: %s", failure, exc_info=from_handler(failure))
            return NOBODY
        if self._keep:
            self._remember(who, now + self._keep, roles)
        return roles

    def _remember(self, who: Who, until: int, roles: frozenset[str]) -> None:
        self._resolved[who] = until, roles
        self._resolved.move_to_end(who)
        if len(self._resolved) > REMEMBERED:
            self._resolved.popitem(last=False)


def _who(update: Update) -> Who:
    """The person in the chat: who is an admin in one is none in another."""
    person = update.user.id if update.user is not None else ""
    return update.source, str(update.address or ""), person
