"""How much a conversation may keep: what it remembers for ``back`` gives way first, and what is
too large even so fails the turn that made it so, with the field that is to blame.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from engine.state.conversation import Conversation
from engine.steps.places import instances, visits
from flows.errors import StateTooLarge
from flows.turns.instance import FlowInstance, Line

MAX_STATE = 256 << 10
"""Bytes of one conversation, unless an App says otherwise."""

LEAST = 4 << 10
"""The least that an App may set: less would not hold a question."""


def encoded(conversation: Conversation, most: int) -> str:
    """The state of a conversation. Where it takes more than half of what it may, the oldest
    steps that ``back`` would go to are forgotten.

    Raises:
        StateTooLarge: it takes more than ``most`` bytes.
    """
    state = conversation.encode()
    if len(state) <= most // 8:  # no sign takes more than four bytes: the usual case costs nothing
        return state
    over = _size(state) - most // 2
    if over > 0 and _forget(conversation, over):
        state = conversation.encode()
    if (size := _size(state)) > most:
        raise _too_large(conversation, size, most)
    return state


def result(instance: FlowInstance, most: int) -> str:
    """The data that an instance ends with. Raises StateTooLarge."""
    text = orjson.dumps(instance.data)
    if len(text) > most:
        raise _blamed(instance, _parts(instance), len(text), most)
    return text.decode()


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _forget(conversation: Conversation, over: int) -> bool:
    """Drops from the histories, the largest first, what is oldest, until that many bytes are
    gained or nothing is left; answers whether there was any.
    """
    lines = [line for root in conversation.instances() for line in _lines(root) if line.history]
    for line in sorted(lines, key=lambda one: _weight(one.history), reverse=True):
        while line.history and over > 0:
            over -= _weight(line.history.pop(0))
    return bool(lines)


def _lines(root: FlowInstance) -> Iterator[Line]:
    for one in instances(root):
        yield one
        forks = [*one.shelved.values(), *([one.fork] if one.fork is not None else [])]
        yield from (branch for fork in forks for branch in fork.branches)


def _too_large(conversation: Conversation, size: int, most: int) -> StateTooLarge:
    """Names the largest part of a conversation, and the flow and step that hold it."""
    kept = {f"session field {name!r}": _weight(it) for name, it in conversation.session.items()}
    kept["the state of plain handlers"] = _weight(conversation.fsm)
    found = [(one, _parts(one)) for root in conversation.instances() for one in instances(root)]
    owner, parts = max([(None, kept), *found], key=lambda one: max(one[1].values(), default=0))
    return _blamed(owner, parts, size, most)


def _blamed(
    owner: FlowInstance | None, parts: dict[str, int], size: int, most: int
) -> StateTooLarge:
    part = max(parts, key=parts.__getitem__)
    return StateTooLarge(
        owner.flow if owner is not None else "(none)",
        owner.step if owner is not None else "(none)",
        size=size,
        limit=most,
        part=part,
        part_size=parts[part],
    )


def _parts(instance: FlowInstance) -> dict[str, int]:
    """What an instance is made of, and the bytes of it."""
    parts = {f"field {name!r}": _weight(value) for name, value in instance.data.items()}
    for visit in visits(instance):
        parts[f"the answers of step {visit.step}"] = _weight([visit.answers, visit.once])
        parts[f"turn.scene of step {visit.step}"] = _weight(visit.scene)
    return parts


def _weight(value: object) -> int:
    return len(orjson.dumps(value))
