"""Several workers by webhook: each takes what reaches it, and the owner of a chat handles it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle

import httpx
import pytest
from anyio import to_thread

from engine import App
from engine.channels.telegram import TelegramChannel, Webhook
from flows import Context, Router
from flows.conversation import Address
from flows.ports import Intake
from flows.updates import Person, Press, TextMessage, Update
from storage import open_storage
from storage.sql import migrate
from tests.botapi import BotApiServer
from tests.fleet import SOURCE, Fleet, Member
from tests.servers import database

pytestmark = pytest.mark.anyio

ADA, BOB = 1001, 1002


def echo() -> App:
    router = Router("echo")

    @router.fallback
    async def answer(ctx: Context) -> None:
        ctx.reply(str(getattr(ctx.update.content, "text", "pressed")))

    return App(router)


def said(number: int, text: str, chat: str) -> Update:
    return Update(
        source=SOURCE,
        ext=str(number),
        content=TextMessage(text),
        at=1_800_000_000_000,
        address=Address(SOURCE, chat),
        user=Person(id=chat),
    )


def intake(member: Member) -> Intake:
    assert member.channel.intake is not None
    return member.channel.intake


def owner(fleet: Fleet, chat: str) -> Member:
    part = Address(SOURCE, chat).partition
    return next(member for member in fleet.members if part in member.parts)


async def test_every_worker_receives_at_once() -> None:
    async with Fleet(echo, everywhere=True) as fleet:
        await fleet.start(3)
        await fleet.until(lambda: len(fleet.receivers()) == 3)


async def test_what_one_takes_in_its_owner_handles_in_the_order_of_the_acknowledgements() -> None:
    async with Fleet(echo, everywhere=True) as fleet:
        await fleet.start(2)
        theirs = owner(fleet, "7")
        (other,) = [member for member in fleet.members if member is not theirs]
        texts = [f"t{number}" for number in range(12)]
        for number, text in enumerate(texts):
            # the owner gets the second of each pair, and has not heard of the first
            await intake((other, theirs)[number % 2]).accept([said(number, text, "7")])
        await fleet.over()
        assert fleet.service.texts("7") == texts
        assert {sent.worker for sent in fleet.service.sent} == {theirs.name}


async def test_a_worker_that_starts_takes_in_before_the_others_know_of_it() -> None:
    async with Fleet(echo, everywhere=True) as fleet:
        first = await fleet.start()
        await fleet.until(lambda: first.channel.receiving)
        second = await fleet.start(balanced=False)
        await fleet.until(lambda: second.channel.receiving)
        texts = [f"t{number}" for number in range(6)]
        for number, text in enumerate(texts):
            await intake((second, first)[number % 2]).accept([said(number, text, "7")])
        await fleet.over()
        assert fleet.service.texts("7") == texts


async def test_what_a_worker_took_in_before_it_died_is_handled_by_the_next_owner() -> None:
    async with Fleet(echo, everywhere=True) as fleet:
        await fleet.start(2)
        theirs = owner(fleet, "7")
        await intake(theirs).accept([said(1, "hello", "7")])
        theirs.freeze()
        await fleet.until(lambda: fleet.service.texts("7") == ["hello"])


async def test_a_press_is_answered_once_whoever_took_it_in() -> None:
    async with Fleet(echo, everywhere=True) as fleet:
        await fleet.start(2)
        for number, member in enumerate(fleet.members):
            press = Press(id=f"press-{number}", data="x")
            update = said(number, "", "7")
            await intake(member).accept(
                [Update(source=SOURCE, ext=update.ext, content=press, at=fleet.clock.now(),
                        address=update.address, user=update.user)]
            )  # fmt: skip
        await fleet.over()
        await fleet.clock.advance(5)
        assert sorted(press for _, press, _ in fleet.service.answers) == ["press-0", "press-1"]


# --- on a server ------------------------------------------------------------------------


@pytest.fixture
def url() -> Iterator[str]:
    with database("postgresql") as url:
        yield url


@asynccontextmanager
async def workers(server: BotApiServer, url: str, count: int) -> AsyncIterator[list[Webhook]]:
    """Workers on one database, to whom the server posts in turns."""
    stop = asyncio.Event()
    hooks = [Webhook("https://bot.example.org/", secret="secret") for _ in range(count)]
    turns = cycle(hooks)
    server.posting.through = lambda: httpx.ASGITransport(next(turns))
    tasks = [
        asyncio.ensure_future(
            echo().run(
                channel=TelegramChannel(
                    server.token, api_url=server.url, limits=False, webhook=hook
                ),
                storage=open_storage(url),
                stop=stop,
            )
        )
        for hook in hooks
    ]
    try:
        yield hooks
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def test_on_postgresql_posts_that_reach_two_workers_in_turns_lose_and_overtake_nothing(
    url: str,
) -> None:
    await to_thread.run_sync(migrate.upgrade, url)
    async with BotApiServer() as server:
        async with workers(server, url, 2):
            for number in range(20):
                for person in (ADA, BOB):
                    server.text(person, f"t{number}")
            for person in (ADA, BOB):
                await server.until(lambda: len(server.replies(person)) == 20, 30)  # noqa: B023
        statuses = {post.status for post in server.posting.posts}
        texts = [f"t{number}" for number in range(20)]
        assert (server.replies(ADA), server.replies(BOB)) == (texts, texts)
        assert 200 in statuses <= {200, 503}
