"""What was sent together is one turn: an album comes in part by part."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine import App
from engine.channels.telegram import TelegramChannel
from engine.intake.albums import MOST, QUIET
from engine.testing import Chat, CrashPoint, VirtualClock
from flows import Context, Router
from flows.updates import (
    AlbumMessage,
    ChannelPost,
    Content,
    DocumentMessage,
    FileRef,
    PhotoMessage,
    TextMessage,
    Update,
)
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.botapi.doubles import Inbox

pytestmark = pytest.mark.anyio


class Seen:
    """A bot that keeps what its handlers are given."""

    def __init__(self) -> None:
        self.contents: list[Content] = []
        router = Router("albums")

        @router.fallback
        async def anything(ctx: Context[Any, Any]) -> None:
            self.contents.append(ctx.update.content)
            ctx.reply(ctx.update.content.kind)

        @router.kind("channel_post")
        async def post(ctx: Context[Any, Any]) -> None:
            self.contents.append(ctx.update.content)

        self.app = App(router, clock=VirtualClock())

    @property
    def counts(self) -> list[int]:
        """How many parts each album had; 1 for what is none."""
        return [len(one.items) if isinstance(one, AlbumMessage) else 1 for one in self.contents]


def photo(number: int, caption: str = "") -> PhotoMessage:
    return PhotoMessage(FileRef(id=f"p{number}"), caption)


def parts(chat: Chat, numbers: Sequence[int], *, album: str = "g", by: str = "1") -> list[Update]:
    return [replace(chat.update(photo(n), by=by), ext=f"{by}-{n}", album=album) for n in numbers]


async def quiet(chat: Chat) -> None:
    """Nothing more comes for so long that an album is over, whenever it was looked at last."""
    assert isinstance(chat.clock, VirtualClock)
    await chat.clock.advance(2 * QUIET)
    await chat.settle()


@pytest.fixture
def seen() -> Seen:
    return Seen()


async def test_an_album_of_ten_is_one_turn_at_once(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        assert await chat.deliver(*parts(chat, range(MOST))) == ("album",)
    assert seen.contents == [AlbumMessage(tuple(photo(n) for n in range(MOST)))]


async def test_an_album_that_comes_in_two_pages_is_one_turn(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in(parts(chat, [1, 2, 3]))
        await chat.hand_in(parts(chat, [4, 5]))
        assert chat.replies() == ()
        await quiet(chat)
        assert chat.replies() == ("album",)
    assert seen.counts == [5]


async def test_each_further_part_is_waited_for_anew(seen: Seen) -> None:
    clock = seen.app.clock
    assert isinstance(clock, VirtualClock)
    async with Chat(seen.app) as chat:
        for number in range(4):
            await chat.hand_in(parts(chat, [number]))
            await clock.advance(QUIET * 0.9)
        assert seen.contents == []
        await quiet(chat)
    assert seen.counts == [4]


async def test_the_caption_is_the_first_that_a_part_has(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        first, second = parts(chat, [1, 2])
        await chat.hand_in([first, replace(second, content=photo(2, "both"))])
        await quiet(chat)
    assert seen.contents == [AlbumMessage((photo(1), photo(2, "both")), "both")]


async def test_an_album_may_be_of_other_files(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        paper = DocumentMessage(FileRef(id="d"))
        await chat.hand_in([replace(one, content=paper) for one in parts(chat, [1, 2])])
        await quiet(chat)
    assert seen.contents == [AlbumMessage((paper, paper))]


async def test_a_picture_that_stays_alone_is_no_album(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in(parts(chat, [1]))
        await quiet(chat)
    assert seen.contents == [photo(1)]


async def test_what_is_said_meanwhile_comes_after_the_album(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        said = chat.update(TextMessage("look"))
        await chat.hand_in([*parts(chat, [1, 2]), said])
        await quiet(chat)
    assert [one.kind for one in seen.contents] == ["album", "text"]


async def test_others_do_not_wait_for_an_album(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in([*parts(chat, [1, 2]), chat.update(TextMessage("hi"), by="2")])
        assert isinstance(chat.clock, VirtualClock)
        await chat.clock.advance(0)
        assert [one.kind for one in seen.contents] == ["text"]
        await quiet(chat)
    assert [one.kind for one in seen.contents] == ["text", "album"]


async def test_two_albums_one_after_the_other_are_two(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in([*parts(chat, [1, 2]), *parts(chat, [3, 4, 5], album="h")])
        assert isinstance(chat.clock, VirtualClock)
        await chat.clock.advance(4 * QUIET)
        await chat.settle()
    assert seen.counts == [2, 3]


async def test_the_posts_of_a_channel_are_gathered_too(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        posts = [replace(one, content=ChannelPost(photo(1))) for one in parts(chat, [1, 2])]
        await chat.hand_in(posts)
        await quiet(chat)
    assert seen.contents == [ChannelPost(AlbumMessage((photo(1), photo(1))))]


async def test_a_part_that_is_delivered_again_is_known(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        page = parts(chat, [1, 2, 3])
        await chat.hand_in(page)
        await chat.hand_in(page)
        await quiet(chat)
        await chat.hand_in(page)
        await quiet(chat)
    assert seen.counts == [3]


async def test_a_part_that_comes_too_late_is_not_lost(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in(parts(chat, [1, 2]))
        await quiet(chat)
        await chat.hand_in(parts(chat, [3]))
        await quiet(chat)
    assert seen.contents == [AlbumMessage((photo(1), photo(2))), photo(3)]


async def test_a_death_in_the_middle_of_an_album_loses_and_doubles_nothing(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in(parts(chat, [1, 2, 3]))
        await chat.crash()
        await chat.hand_in(parts(chat, [2, 3, 4, 5]))
        await chat._process.start()
        await quiet(chat)
        assert seen.counts == [5]
        await chat.restart()
    assert seen.counts == [5]


@pytest.mark.parametrize("notes", [1, 2])
async def test_a_death_while_it_is_noted_what_belongs_together_doubles_nothing(
    seen: Seen, notes: int
) -> None:
    storage = _DiesAtNote(seen.app.clock.now, notes)
    async with Chat(seen.app, storage=storage) as chat:
        await chat.hand_in(parts(chat, [1, 2, 3]))
        assert isinstance(chat.clock, VirtualClock)
        await chat.clock.advance(QUIET)
        assert storage.noted == notes
        await chat.crash()
        storage.dies_at = 0
        await chat._process.start()
        await quiet(chat)
        await chat.restart()
    assert seen.counts == [3]


class _DiesAtNote(MemoryStorage):
    """Notes are stored, but from one on the process never hears that they are."""

    def __init__(self, now: Any, dies_at: int) -> None:
        super().__init__(now)
        self.dies_at = dies_at
        self.noted = 0

    async def note(self, *args: Any) -> Any:
        self.noted += 1
        outcome = await super().note(*args)
        if self.dies_at and self.noted >= self.dies_at:
            await asyncio.Event().wait()
        return outcome


async def test_after_the_turn_a_death_does_not_bring_the_other_parts_back() -> None:
    seen = Seen()
    async with Chat(seen.app) as chat:
        chat.crash_at(CrashPoint("commit", after=True))
        await chat.hand_in(parts(chat, [1, 2, 3]))
        assert isinstance(chat.clock, VirtualClock)
        await chat.clock.advance(QUIET)
        await chat.settle()
        assert chat.crashed
        await chat.restart()
        await quiet(chat)
    assert seen.counts == [3]


async def test_a_handler_that_fails_at_an_album_fails_once() -> None:
    calls: list[int] = []
    router = Router("fails")

    @router.kind("album")
    async def fails(ctx: Context[Any, Any]) -> None:
        calls.append(1)
        raise RuntimeError("no")

    async with Chat(App(router, clock=VirtualClock())) as chat:
        await chat.hand_in(parts(chat, [1, 2, 3]))
        await quiet(chat)
        assert len(chat.replies()) == 1
    assert len(calls) == 1


async def test_a_stop_does_not_wait_for_an_album_and_keeps_it(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in(parts(chat, [1, 2, 3]))
        await chat._process.stop()
        await chat._process.start()
        await quiet(chat)
    assert seen.counts == [3]


async def test_who_is_erased_meanwhile_has_no_turn(seen: Seen) -> None:
    async with Chat(seen.app) as chat:
        await chat.hand_in([*parts(chat, [1, 2]), *parts(chat, [1, 2], by="2")])
        await seen.app.running.erase("test/1", patience=0)
        await quiet(chat)
        assert chat.replies() == ()
        assert chat.replies("2") == ("album",)
    assert len(seen.contents) == 1


async def test_an_album_of_ten_that_polling_brings_in_pages_is_gathered() -> None:
    """From Telegram's pages to one turn."""
    inbox, seen = Inbox(), Seen()
    async with BotApiServer() as server:
        server.page_limit = 3
        channel = TelegramChannel(server.token, api_url=server.url, limits=False)
        await channel.open([])
        for number in range(10):
            server.photo(1001, media_group_id="g", caption="all" if number == 0 else "")

        task = asyncio.create_task(channel.receive(inbox))
        updates = await inbox.has(10)
        task.cancel()
        await asyncio.wait((task,))
        await channel.close()
    assert [len(page) for page in inbox.pages] == [3, 3, 3, 1]
    async with Chat(seen.app) as chat:
        for page in inbox.pages:
            await chat.hand_in(page)
        await quiet(chat)
    (album,) = seen.contents
    assert isinstance(album, AlbumMessage)
    assert (len(album.items), album.caption, len(updates)) == (10, "all", 10)
