"""Flows that begin with something else than a command, and what they are given of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine import App
from engine.testing import Chat
from flows import (
    Action,
    DeepLink,
    FileRef,
    FlowBuilder,
    FlowRegistry,
    LocationMessage,
    OnAnyText,
    OnAudio,
    OnCallback,
    OnCommand,
    OnDeepLink,
    OnDocument,
    OnFiltered,
    OnHears,
    OnKind,
    OnPhoto,
    OnText,
    OnVideo,
    OnVoice,
    PhotoMessage,
    Press,
    Router,
    Text,
    Trigger,
    Turn,
    filters,
)
from flows.turns.instance import FlowInstance, PendingStart
from flows.turns.started_by import content_of, kept_content
from flows.turns.stored import instance_from_json, instance_to_json
from storage import MemoryStorage
from tests.support import Names, One

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]


def bot(*triggers: Trigger) -> App:
    """Each starts a flow that tells, after a question, what it has got."""

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Why?", Text())
        kind = turn.started_by.kind if turn.started_by is not None else "words"
        turn.reply(f"{kind} {turn.payload!r}")
        return turn.complete()

    flow = FlowBuilder("told", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry = FlowRegistry()
    for trigger in triggers:
        registry.register(trigger, flow)
    return App(Router("bot"), registry=registry)


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        (OnPhoto(), "photo"),
        (OnVoice(), "voice"),
        (OnAudio(), "audio"),
        (OnVideo(), "video"),
        (OnDocument(), "document"),
        (OnKind("photo"), "photo"),
        (OnFiltered(filters.HAS_TEXT), "photo"),
    ],
)
async def test_a_file_starts_a_flow_and_is_at_hand_later(trigger: Trigger, kind: str) -> None:
    storage = MemoryStorage()
    async with Chat(bot(trigger), storage=storage) as chat:
        assert await chat.send_file(kind, "mine") == ("Why?",)
    payload = "" if isinstance(trigger, OnKind) else "mine"
    async with Chat(bot(trigger), storage=storage) as chat:
        assert await chat.say("because") == (f"{kind} {payload!r}",)


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (OnAnyText(), "hi"),
        (OnText("^h"), "hi"),
        (OnHears("hi"), "hi"),
        (OnFiltered(lambda update: True), "hi"),
    ],
)
async def test_words_that_start_a_flow_are_its_payload(trigger: Trigger, said: str) -> None:
    async with Chat(bot(trigger)) as chat:
        assert await chat.say(said) == ("Why?",)
        assert await chat.say("because") == ("words 'hi'",)


async def test_a_press_that_starts_a_flow_is_its_payload() -> None:
    async with Chat(bot(OnCallback(regex="^buy:"))) as chat:
        assert await chat.send(Press(id="1", data="buy:7")) == ("Why?",)
        assert await chat.say("because") == ("words 'buy:7'",)


async def test_a_deep_link_brings_its_value_to_a_flow() -> None:
    """Lesson 21: what came with the trigger reaches the flow."""
    link = DeepLink("ref", key="0123456789abcdef")
    async with Chat(bot(OnCommand("start"), OnDeepLink(link))) as chat:
        await chat.say(f"/start {link.payload('Ada L.')}")
        assert await chat.say("because") == ("words 'Ada L.'",)


@pytest.mark.parametrize("junk", ["ref_42", "x" * 64, "ref_" + "_" * 60, "\N{SNAKE}" * 16, "ref"])
async def test_a_made_up_link_is_an_unknown_payload_of_start(junk: str) -> None:
    link = DeepLink("ref", key="0123456789abcdef")
    async with Chat(bot(OnCommand("start"), OnDeepLink(link))) as chat:
        await chat.say(f"/start {junk}")
        assert await chat.say("because") == (f"words {junk!r}",)


async def test_a_filter_that_is_a_trigger_leaves_the_rest_alone() -> None:
    async with Chat(bot(OnFiltered(filters.matches("^hi")))) as chat:
        assert await chat.say("no") == ("I did not understand that.",)
        assert await chat.say("hi") == ("Why?",)


async def test_the_file_itself_is_kept() -> None:
    files: list[Any] = []

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("Why?", Text())
        assert isinstance(turn.started_by, PhotoMessage)
        files.append(turn.started_by.file.id)
        return turn.complete()

    flow = FlowBuilder("told", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry = FlowRegistry()
    registry.register(OnPhoto(), flow)
    async with Chat(App(Router("bot"), registry=registry)) as chat:
        await chat.send(PhotoMessage(FileRef(id="at-the-channel")))
        await chat.say("because")
    assert files == ["at-the-channel"]


# --- what is stored -------------------------------------------------------------------------


def test_what_started_a_flow_comes_back_as_it_was() -> None:
    place = LocationMessage(latitude=48.85, longitude=2.35, title="Paris")
    kept = kept_content(place)
    assert kept is not None
    assert content_of(kept) == place


def test_an_instance_comes_back_with_what_started_it_and_with_what_waits() -> None:
    pending = PendingStart(7, {"first": "Ada"}, "payload", {"kind": "photo"})
    one = FlowInstance(
        id="1", flow="one", version=1, secret="x", data={}, started=0,
        started_by={"kind": "voice"}, pending=pending,
    )  # fmt: skip
    assert instance_from_json(_at_rest(one)) == one


def test_an_instance_without_them_is_stored_as_before() -> None:
    one = FlowInstance(id="1", flow="one", version=1, secret="x", data={}, started=0)
    assert not {"started_by", "pending"} & instance_to_json(one).keys()


def _at_rest(one: FlowInstance) -> Any:
    return orjson.loads(orjson.dumps(instance_to_json(one)))
