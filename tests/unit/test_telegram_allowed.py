"""Telegram is asked for what the bot can make something of, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram import types

from engine.channels.telegram.allowed import ALWAYS, allowed_updates
from engine.channels.telegram.updates import UpdateReader
from flows import Context, FlowBuilder, FlowRegistry, OnCommand, OnKind, OnText, Router
from flows.updates import Content, Update
from tests.support import Names, One
from tests.unit.test_telegram_events import EVENTS


async def handler(ctx: Context[Any, Any]) -> None:
    """Takes what it is given."""


class Anything:
    """A trigger that does not say what it matches."""

    def match(self, content: Content) -> str | None:
        return None


def kinds(*triggers: Any) -> frozenset[str]:
    router = Router("test")
    for trigger in triggers:
        router.on(trigger)(handler)
    return router.kinds()


def test_a_router_tells_the_kinds_of_its_triggers() -> None:
    assert kinds() == frozenset()
    assert kinds(OnText("x"), OnKind("poll_answer"), OnCommand("go")) == {
        "text",
        "poll_answer",
        "command",
    }


def test_a_trigger_of_ones_own_may_match_anything() -> None:
    assert kinds(Anything()) == set(Update.kinds)


def test_what_starts_flows_counts() -> None:
    flow = FlowBuilder("one", One, Names).say(One.ONLY, "Hello.").build(initial=One.ONLY)
    registry = FlowRegistry()
    registry.register(OnKind("chat_join_request"), flow)
    router = Router("test")
    registry.apply_to_router(router)
    assert router.kinds() == {"chat_join_request"}


def test_messages_edits_and_presses_are_always_asked_for() -> None:
    assert allowed_updates(()) == ALWAYS
    assert allowed_updates(("text", "photo", "edited_message")) == ALWAYS


@pytest.mark.parametrize(("name", "body", "content"), EVENTS, ids=[name for name, _, _ in EVENTS])
def test_a_handled_kind_is_asked_for_by_the_name_that_it_comes_by(
    name: str, body: dict[str, Any], content: Content
) -> None:
    assert allowed_updates((content.kind,)) == (*ALWAYS, name)


@pytest.mark.parametrize("kind", ["channel_post", "edited_channel_post"])
def test_posts_are_asked_for_where_they_are_handled(kind: str) -> None:
    assert allowed_updates((kind,)) == (*ALWAYS, kind)


def test_all_that_is_asked_for_exists_and_is_read() -> None:
    ours = UpdateReader("telegram:42")
    for name in allowed_updates(Update.kinds):
        assert name in types.Update.model_fields
        assert ours.read({"update_id": 1, name: []}, now=0) is None, "it would be Other"
