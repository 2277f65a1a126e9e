"""The conversations that one turn works on: the person's own, and those shared with others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.state.conversation import Conversation
from engine.steps.places import Flows, Place, leaves, top
from engine.turns.scopes import scope_key_of
from flows.errors import NoScope
from flows.flow import Flow
from flows.keys import name_of_key
from flows.turns.instance import FlowInstance, Status
from flows.updates import Update


class Conversations:
    """What a turn has loaded.

    Attributes:
        by_key: storage key to conversation, the person's own first; it holds the session.
        own: the person's own.
    """

    __slots__ = ("_homes", "_key", "_update", "by_key", "own")

    def __init__(self, by_key: Mapping[str, Conversation], update: Update) -> None:
        self.by_key = by_key
        self._key, self.own = next(iter(by_key.items()))
        self._update = update
        self._homes: dict[str, str] = {}
        if len(by_key) > 1:
            self._homes = {one.id: key for key, kept in by_key.items() for one in kept.instances()}

    def are_as_usual(self) -> bool:
        """Whether a turn of this process has had them all, and nothing is set aside or parked."""
        for conversation in self.by_key.values():
            if not conversation.current or conversation.aside or conversation.parked:
                return False
        return True

    def home_of(self, instance: str) -> str | None:
        """The storage key of the scope in which an instance lives, also one that is over; None:
        there is no such instance.
        """
        if len(self.by_key) == 1:
            return self._key  # most turns have one scope, and all is in it
        return self._homes.get(instance)

    def home(self, flow: Flow[Any, Any, Any]) -> Conversation:
        """The conversation that new instances of a flow live in.

        Raises:
            NoScope: the update has nothing that the flow is keyed by.
        """
        return self.by_key[self._home(flow)]

    def add(self, root: FlowInstance, flow: Flow[Any, Any, Any]) -> None:
        """Puts a new instance on top. Raises NoScope."""
        key = self._homes[root.id] = self._home(flow)
        self.by_key[key].stack.append(root)

    def put_beside(self, root: FlowInstance, other: FlowInstance) -> None:
        """Puts a new instance on top of where another one lives."""
        key = self.home_of(other.id)
        if key is None:
            raise LookupError(f"there is no instance {other.id}")
        self._homes[root.id] = key
        self.by_key[key].stack.append(root)

    def _home(self, flow: Flow[Any, Any, Any]) -> str:
        key = scope_key_of(flow, self._update)
        if key is None or key not in self.by_key:
            raise NoScope(flow.name, name_of_key(flow.key))
        return key

    def running(self) -> list[FlowInstance]:
        """All running instances that were not called by another."""
        if len(self.by_key) == 1:
            return self.own.stack
        return [one for conversation in self.by_key.values() for one in conversation.stack]

    def tops(self) -> list[FlowInstance]:
        """The instances that take free input."""
        return [one.stack[-1] for one in self.by_key.values() if one.stack]

    def find(self, instance: str) -> FlowInstance | None:
        """The running instance of that id; that of a called one is found by what called it."""
        return next((one for one in self.running() if one.id == root_id(instance)), None)

    def of(self, root: FlowInstance) -> Conversation:
        """The conversation whose stack the instance is on."""
        return next(one for one in self.by_key.values() if root in one.stack)

    def foremost(self, flows: Flows) -> FlowInstance | None:
        """The instance that is talked about: of several, the one that asked last in this chat."""
        if len(self.by_key) == 1:
            return self.own.top
        tops = self.tops()
        if len(tops) < 2:
            return tops[0] if tops else None
        return max(tops, key=lambda root: (self._here(root), asked_last(top(root, flows), flows)))

    def _here(self, root: FlowInstance) -> bool:
        """Whether it was in this chat that it was last talked about."""
        return self.of(root).chat in (None, str(self._update.address))

    def raise_to_top(self, root: FlowInstance) -> bool:
        """A parked instance was addressed: it takes the input from now on. Answers whether it
        was parked.
        """
        stack = self.own.stack if len(self.by_key) == 1 else self.of(root).stack
        if stack[-1] is root:
            return False
        stack.remove(root)
        stack.append(root)
        return True

    def uncover(self) -> bool:
        """Takes ended instances off the stacks; answers whether there were any."""
        found = False
        for conversation in self.by_key.values():
            for one in conversation.stack:
                if one.status is not Status.ACTIVE:
                    found = True
        if found:
            for conversation in self.by_key.values():
                stack = conversation.stack
                stack[:] = [one for one in stack if one.status is Status.ACTIVE]
        return found


def asked_last(place: Place, flows: Flows) -> int:
    """The turn in which the latest question beneath was shown; 0: none was."""
    times = (
        leaf.visit.waiting.asked for leaf in leaves(place, flows) if leaf.visit.waiting is not None
    )
    return max(times, default=0)


def root_id(instance: str) -> str:
    """The id of the instance that called this one, or called what called it; else its own."""
    return "-".join(instance.split("-")[:2])
