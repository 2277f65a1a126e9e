"""Dead letters beside and in a running bot: looked at, put back, taken up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.testing.chat import Chat, TestChannel
from engine.testing.clock import VirtualClock
from flows import Action, Flow, FlowBuilder, Turn, UnknownDeadLetter
from flows.errors import NotRunning, SendRefused
from flows.ports import Delivery
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


class Picky(TestChannel):
    """A channel that takes nothing with a star, until it does."""

    takes_stars = False

    async def send(self, delivery: Delivery) -> str | None:
        if "*" in delivery.text and not self.takes_stars:
            raise SendRefused("can't parse entities")
        return await super().send(delivery)


@pytest.fixture
def picky() -> type[Picky]:
    class Fresh(Picky):
        takes_stars = False

    return Fresh


def echo() -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        while True:
            said = await turn.ask(said)

    return FlowBuilder("echo", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def test_a_running_bot_sends_what_is_put_back_within_a_second(picky: type[Picky]) -> None:
    clock = VirtualClock()
    app = app_of(echo(), clock=clock)
    async with Chat(app, storage=MemoryStorage(clock.now), channel=picky) as chat:
        await chat.say("/start")
        await chat.say("a*b")
        (letter,) = (await app.dead_letters()).rows
        assert (letter.origin, letter.error, letter.tries) == ("outbox", "can't parse entities", 1)
        assert "a*b" in letter.body
        assert "a*b" not in repr(letter)
        picky.takes_stars = True
        await app.replay(letter.id)
        assert await chat.advance(1) == ("a*b",)
        assert (await app.dead_letters()).rows == ()


async def test_another_process_puts_back_what_a_running_bot_then_sends(picky: type[Picky]) -> None:
    clock = VirtualClock()
    app = app_of(echo(), clock=clock)
    database = MemoryStorage(clock.now).database
    async with Chat(app, storage=MemoryStorage(database=database), channel=picky) as chat:
        await chat.say("/start")
        await chat.say("a*b")
        picky.takes_stars = True
        async with app.operator(MemoryStorage(database=database)) as beside:
            (letter,) = (await beside.dead_letters()).rows
            assert await beside.dead_letter(letter.id) == letter
            await beside.replay(letter.id)
        assert await chat.advance(1) == ("a*b",)


async def test_what_is_put_back_while_no_bot_runs_is_sent_when_it_runs_next(
    picky: type[Picky],
) -> None:
    app, storage = app_of(echo()), MemoryStorage()
    async with Chat(app, storage=storage, channel=picky) as chat:
        await chat.say("/start")
        await chat.say("a*b")
    picky.takes_stars = True
    async with app.operator(MemoryStorage(database=storage.database)) as beside:
        (letter,) = (await beside.dead_letters()).rows
        await beside.replay(letter.id)
    async with Chat(app, storage=storage, channel=picky) as chat:
        await chat.settle()
        assert [one.text for one in chat.deliveries] == ["a*b"]


async def test_what_is_given_up_again_is_another_letter_and_told_again(picky: type[Picky]) -> None:
    clock = VirtualClock()
    app = app_of(echo(), clock=clock)
    told = list[str]()

    @app.router.kind("send_failed")
    async def failed(ctx: object) -> None:
        told.append("told")

    async with Chat(app, storage=MemoryStorage(clock.now), channel=picky) as chat:
        await chat.say("/start")
        await chat.say("a*b")
        (first,) = (await app.dead_letters()).rows
        await app.replay(first.id)
        await chat.advance(1)
        (second,) = (await app.dead_letters()).rows
        assert second.id != first.id
        with pytest.raises(UnknownDeadLetter, match=f"there is no dead letter {first.id}"):
            await app.replay(first.id)
        with pytest.raises(UnknownDeadLetter):
            await app.running.dead_letter(first.id)
    assert told == ["told"] * 2


async def test_an_update_that_was_given_up_is_handled_when_it_is_put_back() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(echo(), clock=clock)
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
    ((key, scope),) = storage.database.scopes.items()
    corrupt = replace(scope, snapshot=replace(scope.snapshot, state="[]"))
    storage.database.scopes[key] = corrupt
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("lost?") == ()
        (letter,) = (await app.dead_letters()).rows
        assert letter.origin == "inbox"
    storage.database.scopes[key] = scope
    async with Chat(app, storage=storage) as chat:
        await app.replay(letter.id)
        assert await chat.advance(1) == ("lost?",)


async def test_an_app_that_does_not_run_lists_nothing() -> None:
    app = app_of(echo())
    with pytest.raises(NotRunning):
        await app.dead_letters()
