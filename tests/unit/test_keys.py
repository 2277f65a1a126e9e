"""What a flow may be keyed by."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from flows import DefinitionError, Flow, FlowBuilder, FlowRegistry, OnCommand, Text, Update
from flows.keys import KINDS, Key
from tests.support import Names, One


def keyed(key: Key, name: str = "keyed") -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names, key=key)
    builder.ask(One.ONLY, "Go on.", Text(), into="first")
    return builder.build(initial=One.ONLY)


def by_message(update: Update) -> str | None:
    return update.message


async def too_late(update: Update) -> str | None:
    return None


class Unhashable:
    __hash__ = None  # type: ignore[assignment]  # as a dataclass with eq and without frozen has it

    def __call__(self, update: Update) -> str | None:
        return None


@pytest.mark.parametrize("key", [*KINDS, by_message, partial(by_message)])
def test_a_flow_says_what_it_is_keyed_by(key: Key) -> None:
    assert keyed(key).key == key


def test_a_flow_that_does_not_say_has_one_run_for_each_person_in_a_chat() -> None:
    builder = FlowBuilder("plain", One, Names)
    builder.ask(One.ONLY, "Go on.", Text(), into="first")
    assert builder.build(initial=One.ONLY).key == "user_in_chat"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("chats", "the key 'chats' is none of user_in_chat, chat, topic, user"),
        (7, "must be one of user_in_chat, chat, topic, user or a function, not 7"),
        (None, "not None"),
        (too_late, "is an async function. Take one that answers at once."),
        (Unhashable(), "cannot be hashed"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_the_flow_named(key: Any, reason: str) -> None:
    with pytest.raises(DefinitionError, match="flow 'keyed': ") as refused:
        FlowBuilder("keyed", One, Names, key=key)
    assert reason in str(refused.value)


def test_a_registry_knows_what_its_flows_are_keyed_by() -> None:
    registry = FlowRegistry()
    assert list(registry.keys) == []
    registry.register(OnCommand("a"), keyed("chat", "a"))
    registry.register_callable(keyed(by_message, "b"))
    registry.register_callable(keyed("chat", "c"))
    assert list(registry.keys) == ["chat", by_message]
