"""Engine and reference model, driven side by side through random flows, never differ."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from difflib import unified_diff
from pprint import pformat
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from engine.channels.console.lines import content_of
from engine.state.conversation import Conversation
from engine.testing import Chat, CrashPoint, VirtualClock
from engine.turns.scopes import scopes_of
from flows.ports import Delivery, FlowStorage, Query
from flows.updates import Content, Order, Press, TextMessage
from storage import MemoryStorage, SqlStorage
from tests.reference.building import build_app
from tests.reference.drawing import bots
from tests.reference.model import HELP, LOST, NOT_NOW, Model
from tests.reference.plans import WORDS, BotPlan
from tests.reference.seen import of_engine, of_model
from tests.reference.state import Meaning, Said

T = TypeVar("T")

How = Literal["once", "twice", "dies before", "dies after"]
"""How an update comes: the process may die before or after its turn is committed."""

HOWS: tuple[How, ...] = ("once", "once", "once", "twice", "dies before", "dies after")
hows = st.sampled_from(HOWS)
LATE = 1_500
"""Milliseconds within which the engine handles what is due: it looks for timers once a second."""

LOG = logging.getLogger("handrail")


def examples(usual: int, *, steps: int = 30) -> settings:
    """The settings of a machine; ``HANDRAIL_FUZZ`` multiplies its examples (``make fuzz``)."""
    return settings(
        max_examples=usual * int(os.environ.get("HANDRAIL_FUZZ", "1")),
        stateful_step_count=steps,
        deadline=None,
        # What has to pass before a change is merged is the same for everybody; fuzzing is not.
        derandomize="HANDRAIL_FUZZ" not in os.environ,
        print_blob=True,
        report_multiple_bugs=False,
        # Without shrinking, which would take minutes. A failure prints how to reproduce it.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class EngineAndModel(RuleBasedStateMachine):
    """Every rule tells both the same, and compares what they say and where they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.storage: FlowStorage = self.make_storage()
        self.buttons: list[tuple[str, Meaning]] = []
        self.heard = 0
        self.over = 0
        self.chat: Chat | None = None
        self.loop = asyncio.new_event_loop()  # one for all rules: the engine lives in it
        self.level = LOG.level
        LOG.setLevel(logging.CRITICAL)  # steps that fail are part of it

    def make_storage(self) -> FlowStorage:
        return MemoryStorage(self.clock.now)

    @initialize(bot=bots())
    def start(self, bot: BotPlan) -> None:
        self.bot = bot
        self.model = Model(bot)
        self.chat = Chat(build_app(bot), clock=self.clock, storage=self.storage)
        self.run(self.chat.__aenter__())

    def teardown(self) -> None:
        if self.chat is not None:
            self.run(self.chat.__aexit__(None, None, None))
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        LOG.setLevel(self.level)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    # --- what the person does -----------------------------------------------------------

    @rule(text=st.sampled_from(WORDS), how=hows)
    def say(self, text: str, how: How) -> None:
        self.both(TextMessage(text), lambda now: self.model.say(text, now), how)

    @rule(texts=st.lists(st.sampled_from(WORDS), min_size=2, max_size=4))
    def talk(self, texts: list[str]) -> None:
        for text in texts:
            self.say(text, "once")

    @rule(data=st.data(), how=hows)
    def start_flow(self, data: st.DataObject, how: How) -> None:
        name = data.draw(st.sampled_from([flow.name for flow in self.bot.flows]))
        self.command(name, how)

    @rule(name=st.sampled_from(["back", "back", "cancel", "help", "unknown"]), how=hows)
    def command(self, name: str, how: How) -> None:
        content = content_of(f"/{name}")
        self.both(content, lambda now: self.model.say(f"/{name}", now), how)

    @precondition(lambda self: self.buttons)
    @rule(back=st.integers(0, 5) | st.integers(0, 100), how=hows)
    def press(self, back: int, how: How) -> None:
        data, meaning = self.buttons[-1 - back % len(self.buttons)]
        self.heard += 1
        content = Press(id=f"press {self.heard}", data=data)
        self.both(content, lambda now: self.model.press(meaning, now), how)

    # --- what happens besides -----------------------------------------------------------

    @rule(seconds=st.sampled_from([5, 15, 30, 61, 400]))
    def time_passes(self, seconds: int) -> None:
        until = self.clock.now() + seconds * 1000
        wanted = self.model.advance(until)
        while self.model.woke > until - LATE:
            until += LATE
            wanted += self.model.advance(until)
        passes = timedelta(milliseconds=until - self.clock.now())
        self.compare(wanted, lambda chat: chat.advance(passes))

    @precondition(lambda self: self.model.stack)
    @rule(data=st.data(), how=hows)
    def operator_moves(self, data: st.DataObject, how: How) -> None:
        depth = data.draw(st.integers(0, len(self.model.stack) - 1))
        plan = self.bot.flow(self.model.stack[depth].flow)
        step = data.draw(st.sampled_from([step.name for step in plan.steps]))
        content = Order(order="goto", instance=self.stack()[depth].id, step=step)
        self.both(content, lambda now: self.model.order_goto(depth, step, now), how)

    @precondition(lambda self: self.model.stack)
    @rule(data=st.data(), how=hows)
    def operator_cancels(self, data: st.DataObject, how: How) -> None:
        depth = data.draw(st.integers(0, len(self.model.stack) - 1))
        content = Order(order="cancel", instance=self.stack()[depth].id)
        self.both(content, lambda now: self.model.order_cancel(depth, now), how)

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        async def again(chat: Chat) -> None:
            if crash:
                await chat.crash()
            await chat.restart()

        self.compare([], again)

    # --- comparing ----------------------------------------------------------------------

    def both(self, content: Content, expect: Callable[[int], list[Said]], how: How) -> None:
        self.clock.skip(0.001)  # so that no two questions were asked at the same time

        async def happen(chat: Chat) -> None:
            update = chat.update(content)
            if how.startswith("dies"):
                chat.crash_at(CrashPoint("commit", after=how == "dies after"))
            await chat.deliver(update)
            if chat.crashed:
                await chat.restart()
            if how == "twice":
                await chat.again()

        self.compare(expect(self.clock.now()), happen)

    def compare(
        self, wanted: list[Said], happen: Callable[[Chat], Coroutine[Any, Any, Any]]
    ) -> None:
        assert self.chat is not None
        before = len(self.chat.deliveries)
        self.run(happen(self.chat))
        said = self.chat.deliveries[before:]
        heard, should = [_heard(one) for one in said], [_wanted(one) for one in wanted]
        assert heard == should, _difference(heard, should)
        for message, one in zip(said, wanted, strict=True):
            shown = [button.data or "" for row in message.keyboard for button in row]
            self.buttons += zip(shown, (meaning for _, meaning in one.buttons), strict=True)

    def stack(self) -> list[Any]:
        assert self.chat is not None
        key = scopes_of(self.chat.update(TextMessage("")), ())[0].key
        found = self.run(self.storage.load([key])).get(key)
        return Conversation.decode(key, found.state).stack if found is not None else []

    @invariant()
    def both_stand_at_the_same(self) -> None:
        if self.chat is None:
            return
        stands = [of_engine(one) for one in self.stack()]
        should = [of_model(one) for one in self.model.stack]
        assert stands == should, _difference(stands, should)

    @invariant()
    def the_same_are_over(self) -> None:
        """Looked at when another one is: what is over stays so."""
        if self.over == len(self.model.ended if self.chat is not None else ()):
            return
        self.over = len(self.model.ended)
        rows = self.run(self.storage.inspect(Query(what="instances", limit=1000))).rows
        over = [(row["flow"], row["status"]) for row in rows if row["status"] != "active"]
        assert sorted(over) == sorted(self.model.ended)


def _difference(engine: object, model: object) -> str:
    lines = unified_diff(
        pformat(model).splitlines(), pformat(engine).splitlines(), "model", "engine", n=1
    )
    return "\n".join(lines)


def _heard(message: Delivery) -> tuple[str, list[str], bool]:
    labels = [button.label for row in message.keyboard for button in row]
    text = re.sub(f"^{re.escape(NOT_NOW)}[^\n]*", NOT_NOW, message.text)
    text = next((start for start in (HELP, LOST) if text.startswith(start)), text)
    return text, labels, message.edit is not None


def _wanted(message: Said) -> tuple[str, list[str], bool]:
    return message.text, [label for label, _ in message.buttons], message.edit


class EngineOnSqlite(EngineAndModel):
    """The same on SQLite, in a file as a bot has it."""

    def make_storage(self) -> FlowStorage:
        self.folder = TemporaryDirectory(prefix="handrail-")
        return SqlStorage(f"sqlite:///{self.folder.name}/state.db", clock=self.clock.now)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


class Briefly(EngineAndModel):
    """Many short conversations: most of what can go wrong does so within a few turns."""


TestEngineAndModel = EngineAndModel.TestCase
TestEngineAndModel.settings = examples(90)
TestBriefly = Briefly.TestCase
TestBriefly.settings = examples(250, steps=6)
TestEngineOnSqlite = EngineOnSqlite.TestCase
TestEngineOnSqlite.settings = examples(3)
