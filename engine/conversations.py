"""The conversations that one turn works on: the person's own, and those shared with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.places import Flows, Place, leaves, top
from engine.state import Conversation
from flows.flow import Flow
from flows.instance import FlowInstance, Status


class Conversations:
    """What a turn has loaded.

    Attributes:
        by_key: storage key to conversation, the person's own first; it holds the session.
        own: the person's own.
    """

    def __init__(self, by_key: Mapping[str, Conversation]) -> None:
        self.by_key = by_key
        self.own = next(iter(by_key.values()))

    def home(self, flow: Flow[Any, Any, Any]) -> Conversation:
        """The conversation that the instances of a flow live in."""
        return self.own

    def running(self) -> Iterator[FlowInstance]:
        """All running instances that were not called by another."""
        for conversation in self.by_key.values():
            yield from conversation.stack

    def tops(self) -> list[FlowInstance]:
        """The instances that take free input."""
        found = (conversation.top for conversation in self.by_key.values())
        return [one for one in found if one is not None]

    def find(self, instance: str) -> FlowInstance | None:
        """The running instance of that id; that of a called one is found by what called it."""
        return next((one for one in self.running() if _belongs(instance, one.id)), None)

    def of(self, root: FlowInstance) -> Conversation:
        """The conversation whose stack the instance is on."""
        return next(one for one in self.by_key.values() if root in one.stack)

    def foremost(self, flows: Flows) -> FlowInstance | None:
        """The instance that is talked about: of several, the one that asked last."""
        tops = self.tops()
        if len(tops) < 2:
            return tops[0] if tops else None
        return max(tops, key=lambda root: asked_last(top(root, flows), flows))

    def raise_to_top(self, root: FlowInstance) -> None:
        """A parked instance was addressed: it takes the input from now on."""
        stack = self.of(root).stack
        if stack[-1] is not root:
            stack.remove(root)
            stack.append(root)

    def uncover(self) -> bool:
        """Takes ended instances off the stacks; answers whether there were any."""
        found = False
        for conversation in self.by_key.values():
            running = [one for one in conversation.stack if one.status is Status.ACTIVE]
            if len(running) != len(conversation.stack):
                conversation.stack[:] = running
                found = True
        return found


def asked_last(place: Place, flows: Flows) -> int:
    """When the latest question beneath was shown; 0: none was."""
    times = (
        leaf.visit.waiting.asked for leaf in leaves(place, flows) if leaf.visit.waiting is not None
    )
    return max(times, default=0)


def _belongs(instance: str, root: str) -> bool:
    """Whether the instance is the root, or was called by it: such ids begin with the root's."""
    return instance == root or instance.startswith(f"{root}-")
