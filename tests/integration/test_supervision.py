"""What fails beside a conversation heals by itself, or ends the bot with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from engine import App
from engine.intake.reception import FAILURES
from engine.testing.channel import SOURCE, TestChannel
from engine.testing.chat import Chat
from engine.testing.clock import VirtualClock
from flows import Address, Context, Person, Router, TextMessage, Update
from flows.errors import ChannelStopped
from flows.ports import Delivery, Intake, Pause
from storage import MemoryStorage
from tests.support import cancelled

pytestmark = pytest.mark.anyio


def echo(clock: VirtualClock) -> App:
    router = Router("echo")

    @router.fallback
    async def answer(ctx: Context) -> None:
        ctx.reply("heard")

    return App(router, clock=clock)


@dataclass
class Failing:
    """Where ``receive`` fails ``times`` times; ``takes``: a page comes in before each of them."""

    times: int
    error: Exception = field(default_factory=lambda: ValueError("an odd answer"))
    calls: int = 0
    receiving: asyncio.Event = field(default_factory=asyncio.Event)
    takes: bool = False

    def channel(self) -> TestChannel:
        outer = self

        class Odd(TestChannel):
            async def receive(self, intake: Intake) -> None:
                outer.calls += 1
                if outer.takes:
                    await intake.accept([])
                if outer.calls <= outer.times:
                    raise outer.error
                outer.receiving.set()
                await super().receive(intake)

        return Odd()


def hello() -> Update:
    return Update(
        source=SOURCE,
        ext="1",
        content=TextMessage("hello"),
        at=1,
        address=Address(SOURCE, "1"),
        user=Person(id="1"),
    )


@asynccontextmanager
async def running(app: App, channel: TestChannel) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.ensure_future(app.run(channel=channel, storage=MemoryStorage(), stop=stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait((task,))


async def pass_time(clock: VirtualClock, until: Callable[[], bool], seconds: int = 900) -> None:
    for _ in range(seconds):
        if until():
            return
        await clock.advance(1.0)
    pytest.fail(f"it has not become true within {seconds} seconds")


async def test_a_channel_that_fails_receives_again_after_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, failing = VirtualClock(), Failing(times=3)
    begun = clock.monotonic()
    async with running(echo(clock), failing.channel()):
        await pass_time(clock, failing.receiving.is_set)
    assert failing.calls == 4
    assert 3.5 <= clock.monotonic() - begun <= 20
    assert "receiving for test:local has failed (3 of 10); trying again in" in caplog.text
    assert "ValueError: an odd answer" in caplog.text


class Fetching(TestChannel):
    """Takes one message in, and fails from then on; ``answered`` once its answer is out."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        self.fetched = False

    async def receive(self, intake: Intake) -> None:
        if not self.fetched:
            self.fetched = True
            there, ada = Address(self.source, "1"), Person(id="1")
            hello = TextMessage("hello")
            await intake.accept(
                [Update(source=self.source, ext="1", content=hello, at=0, address=there, user=ada)]
            )
        raise ValueError("an odd answer")

    async def send(self, delivery: Delivery) -> str | None:
        assert delivery.text == "heard"
        self.answered.set()
        return "1"


async def test_conversations_go_on_while_the_channel_cannot_receive() -> None:
    clock, channel = VirtualClock(), Fetching()
    async with running(app := echo(clock), channel):
        await pass_time(clock, channel.answered.is_set)
        assert not app.is_draining


async def test_a_channel_that_fails_again_and_again_is_given_up_loudly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, failing = VirtualClock(), Failing(times=1000)
    async with running(echo(clock), failing.channel()) as task:
        await pass_time(clock, task.done)
    with pytest.raises(ValueError, match="an odd answer"):
        task.result()
    assert failing.calls == FAILURES
    assert "receiving for test:local is given up after 10 failures" in caplog.text


async def test_failures_with_something_taken_in_between_are_no_reason_to_give_up() -> None:
    clock = VirtualClock()
    failing = Failing(times=3 * FAILURES, takes=True)
    async with running(echo(clock), failing.channel()):
        await pass_time(clock, failing.receiving.is_set)
    assert failing.calls == 3 * FAILURES + 1


async def test_a_channel_that_cannot_go_on_ends_the_bot_at_once() -> None:
    clock, failing = VirtualClock(), Failing(times=1000, error=ChannelStopped("revoked"))
    async with running(echo(clock), failing.channel()) as task:
        with pytest.raises(ChannelStopped, match="revoked"):
            await task
    assert failing.calls == 1


class Stubborn(TestChannel):
    """Fails wherever it sends to chat 13."""

    tries = 0

    async def send(self, delivery: Delivery) -> str | None:
        if delivery.chat == "13":
            type(self).tries += 1
            raise KeyError("a bug")
        return await super().send(delivery)


async def test_a_send_that_raises_is_given_up_in_the_end_and_holds_up_no_other_chat() -> None:
    clock = VirtualClock()
    app = echo(clock)
    Stubborn.tries = 0
    async with Chat(app, channel=Stubborn, clock=clock) as chat:
        await chat.say("hello", by="13")
        assert await chat.say("hello", by="1") == ("heard",)
        for _ in range(10):
            await chat.advance(4)
        assert Stubborn.tries == 5
        (letter,) = (await app.dead_letters()).rows
    assert "a bug" in letter.error


class Undecided(TestChannel):
    """Cannot say for a while whether a message may go out."""

    failures = 3

    def admit(self, chat: str) -> Pause | None:
        if chat == "13" and type(self).failures:
            type(self).failures -= 1
            raise ZeroDivisionError
        return None


async def test_a_channel_that_fails_to_say_whether_to_wait_is_asked_again_for_that_chat() -> None:
    clock = VirtualClock()
    Undecided.failures = 3
    async with Chat(echo(clock), channel=Undecided, clock=clock) as chat:
        await chat.hand_in([chat.update(TextMessage("hello"), by="13")])
        assert await chat.say("hello", by="1") == ("heard",)
        await chat.advance(10)
        assert [one.chat for one in chat.deliveries] == ["1", "13"]
    assert Undecided.failures == 0


class Forgetful(TestChannel):
    def allot(self, share: float) -> None:
        raise ZeroDivisionError


async def test_a_channel_that_fails_to_take_its_share_costs_nobody_the_lease(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("engine.workers.holding.PARTITIONS", 128)
    clock = VirtualClock()
    async with Chat(echo(clock), channel=Forgetful, clock=clock) as chat:
        assert await chat.say("hello") == ("heard",)
        await chat.advance(60)
        assert await chat.say("hello") == ("heard",)
    assert "could not be told its share" in caplog.text


class Cancelling(TestChannel):
    """What sending to chat 13 awaits has been cancelled, the first time."""

    tries = 0

    async def send(self, delivery: Delivery) -> str | None:
        if delivery.chat == "13":
            type(self).tries += 1
            if type(self).tries == 1:
                await cancelled()
        return await super().send(delivery)


async def test_a_send_whose_work_was_cancelled_is_tried_again() -> None:
    clock = VirtualClock()
    Cancelling.tries = 0
    async with Chat(echo(clock), channel=Cancelling, clock=clock) as chat:
        await chat.say("hello", by="13")
        await chat.advance(4)
        assert [one.chat for one in chat.deliveries] == ["13"]
    assert Cancelling.tries == 2


class Cut(MemoryStorage):
    """What this part of it awaits has been cancelled."""

    def __init__(self, part: str) -> None:
        super().__init__()
        setattr(self, part, self._cut)

    async def _cut(self, *_: object) -> None:
        await cancelled()


class Mute(TestChannel):
    """Shows nothing to anybody."""

    async def send(self, delivery: Delivery) -> str | None:
        return None


@pytest.mark.parametrize("part", ["fire", "outgoing", "commit"])
async def test_a_loop_whose_work_was_cancelled_ends_the_bot_loudly(part: str) -> None:
    clock, channel = VirtualClock(), Mute()
    running = asyncio.ensure_future(echo(clock).run(channel=channel, storage=Cut(part)))
    intake = await channel.intake
    await intake.accept([hello()])
    await clock.advance(2)
    with pytest.raises(RuntimeError, match="what it awaited was cancelled"):
        async with asyncio.timeout(10):
            await running
