"""The Telegram channel against a Bot API server on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiogram import types

from engine.channels.telegram import TelegramChannel
from flows.errors import ChannelStopped, SendLater, SendRefused, SendUncertain, StorageDown
from flows.messages.replies import Button, keyboard
from flows.ports import Delivery
from flows.routing.router import Router
from flows.updates import (
    AudioMessage,
    Command,
    ContactMessage,
    DocumentMessage,
    FileRef,
    LocationMessage,
    PhotoMessage,
    PollState,
    Press,
    StickerMessage,
    TextMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)
from tests.botapi import BotApiServer, background_server
from tests.botapi.doubles import Inbox, QuickClock

pytestmark = pytest.mark.anyio

ADA = 1001


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
async def channel(server: BotApiServer, clock: QuickClock) -> AsyncIterator[TelegramChannel]:
    opened = TelegramChannel(server.token, api_url=server.url, limits=False, clock=clock)
    await opened.open([("start", "Begin")])
    yield opened
    await opened.close()


@asynccontextmanager
async def receiving(channel: TelegramChannel, inbox: Inbox) -> AsyncIterator[asyncio.Task[None]]:
    """Receives while the block runs; leaving it fails unless cancelling stops at once."""
    task = asyncio.create_task(channel.receive(inbox))
    try:
        yield task
    finally:
        task.cancel()
        _, pending = await asyncio.wait({task}, timeout=5)
        assert not pending


def delivery(text: str = "hello", **more: Any) -> Delivery:
    return Delivery(**{"chat": str(ADA), "topic": None, "text": text, "format": "plain",
                       "keyboard": (), **more})  # fmt: skip


RECORDINGS = (VoiceMessage, AudioMessage, VideoMessage)


def offsets(server: BotApiServer) -> list[int | None]:
    return [call.params.get("offset") for call in server.calls("getUpdates")]


async def test_opening_learns_the_name_and_tells_the_commands(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    assert channel.username == server.username
    assert server.menus == {("default", ""): [{"command": "start", "description": "Begin"}]}
    assert [call.method for call in server.requests] == ["getMe", "setMyCommands"]


async def test_everything_people_send_comes_in_in_order(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.text(ADA, "/start@loopback_bot now")
    server.text(ADA, "/start@other_bot")
    server.text(ADA, "hello")
    server.photo(ADA, caption="me")
    server.document(ADA)
    await channel.send(delivery("Sure?", keyboard=keyboard(Button("Yes", "y"))))
    server.press(ADA, "Yes")
    kind = {"type": "regular", "is_animated": False, "is_video": False}
    drawn = {"file_id": "s", "file_unique_id": "s", "width": 512, "height": 512, "emoji": "x"}
    server.message(ADA, sticker=drawn | kind)
    inbox = Inbox()
    async with receiving(channel, inbox):
        contents = [update.content for update in await inbox.has(6)]
    assert contents[:2] == [Command("start", "now"), TextMessage("hello")]
    photo, document, press, sticker = contents[2:]
    assert isinstance(photo, PhotoMessage)
    assert (photo.file.id, photo.caption) == ("photo-1280", "me")
    assert isinstance(document, DocumentMessage)
    assert document.file.name == "passport.pdf"
    assert isinstance(press, Press)
    assert press.data == "y"
    assert sticker == StickerMessage(file=FileRef(id="s", width=512, height=512), emoji="x")


async def test_what_else_people_share_comes_in(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.voice(ADA, caption="la")
    server.audio(ADA)
    server.video(ADA)
    server.location(ADA, 48.85, 2.35)
    server.contact(ADA)
    server.contact(ADA, "123", of=8)
    server.web_app(ADA, '{"cups": 2}')
    inbox = Inbox()
    async with receiving(channel, inbox):
        contents = [update.content for update in await inbox.has(7)]
    files = [each.file for each in contents if isinstance(each, RECORDINGS)]
    assert [(file.id, file.duration) for file in files] == [
        ("voice-1", 4), ("audio-1", 194), ("video-1", 12),
    ]  # fmt: skip
    assert contents[3:] == [
        LocationMessage(latitude=48.85, longitude=2.35),
        ContactMessage(phone="+442079460958", name="Ada", user=str(ADA), own=True),
        ContactMessage(phone="123", name="Ada", user="8"),
        WebAppMessage('{"cups": 2}', "Open"),
    ]


async def test_what_the_server_makes_up_is_what_telegram_would_send(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.text(ADA, "/start")
    await channel.send(delivery("?", keyboard=keyboard(Button("Yes", "y"))))
    server.photo(ADA)
    server.document(ADA, chat=-7)
    server.voice(ADA)
    server.audio(ADA)
    server.video(ADA)
    server.location(ADA, 48.85, 2.35)
    server.contact(ADA)
    server.web_app(ADA, "{}")
    server.press(ADA, "Yes")
    for update in server.updates:
        assert types.Update.model_validate(update).event_type in ("message", "callback_query")


async def test_fact_1_the_offset_moves_only_after_the_page_is_accepted(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.text(ADA, "one")
    server.text(ADA, "two")
    inbox = Inbox()
    inbox.gate.clear()
    async with receiving(channel, inbox):
        await server.until(lambda: [call.status for call in server.calls("getUpdates")] == [200])
        assert len(server.updates) == 2, "nothing is acknowledged while it is not kept"
        inbox.gate.set()
        await server.until(lambda: not server.updates)
    assert offsets(server)[:2] == [None, 700_000_003]


async def test_fact_1_a_page_that_was_not_kept_is_asked_for_again(
    server: BotApiServer, channel: TelegramChannel, clock: QuickClock
) -> None:
    server.text(ADA, "one")
    inbox = Inbox(StorageDown("the database is locked"), StorageDown("the database is locked"))
    async with receiving(channel, inbox):
        [update] = await inbox.has(1)
        await server.until(lambda: not server.updates)
    assert update.content == TextMessage("one")
    assert offsets(server)[:4] == [None, None, None, 700_000_002]
    assert len(clock.slept) == 2
    assert clock.slept[1] >= 0.5


async def test_fact_1_a_kill_before_the_next_poll_loses_nothing(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.text(ADA, "one")
    killed, restarted = Inbox(), Inbox()
    killed.gate.clear()
    async with receiving(channel, killed):
        await server.until(lambda: [call.status for call in server.calls("getUpdates")] == [200])
    server.text(ADA, "two")
    async with receiving(channel, restarted):
        texts = [update.content for update in await restarted.has(2)]
    assert texts == [TextMessage("one"), TextMessage("two")]


async def test_fact_2_no_poll_drops_anything(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    async with receiving(channel, inbox):
        for number in range(3):
            server.text(ADA, str(number))
            await inbox.has(number + 1)
    assert all(offset is None or offset > 0 for offset in offsets(server))
    assert {call.method for call in server.requests} == {"getMe", "setMyCommands", "getUpdates"}


async def test_fact_2_the_server_forgets_all_but_the_last_of_a_negative_offset(
    server: BotApiServer,
) -> None:
    for number in range(5):
        server.text(ADA, str(number))
    async with httpx.AsyncClient() as client:
        url = f"{server.url}/bot{server.token}/getUpdates"
        answer = (await client.post(url, json={"offset": -2})).json()
    assert [update["message"]["text"] for update in answer["result"]] == ["3", "4"]
    assert len(server.updates) == 2


async def test_fact_3_short_pages_are_read_to_the_end_in_order(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.page_limit = 3
    for number in range(10):
        server.text(ADA, str(number))
    inbox = Inbox()
    async with receiving(channel, inbox):
        updates = await inbox.has(10)
    assert [update.content for update in updates] == [TextMessage(str(n)) for n in range(10)]
    assert [len(page) for page in inbox.pages] == [3, 3, 3, 1]
    first = server.calls("getUpdates")[0].params
    assert (first["timeout"], first["limit"]) == (50, 100)


async def test_fact_4_a_second_poller_ends_the_first_which_backs_off_and_goes_on(
    server: BotApiServer,
    channel: TelegramChannel,
    clock: QuickClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.fail(method="getUpdates", status=409, times=4,
                description="Conflict: terminated by other getUpdates request")  # fmt: skip
    server.text(ADA, "still there")
    inbox = Inbox()
    async with receiving(channel, inbox):
        await inbox.has(1)
    waits = zip(clock.slept, (1, 2, 4, 8), strict=True)
    assert all(least <= wait <= 2 * least for wait, least in waits)
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "Another process polls with the same token" in told[0]


async def test_a_conflict_while_another_worker_takes_over_is_no_error(
    server: BotApiServer,
    channel: TelegramChannel,
    clock: QuickClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.fail(method="getUpdates", status=409, times=2,
                description="Conflict: terminated by other getUpdates request")  # fmt: skip
    server.text(ADA, "still there")
    inbox = Inbox()
    async with receiving(channel, inbox):
        await inbox.has(1)
    assert sum(clock.slept) <= 6
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_fact_4_the_server_ends_the_first_of_two_polls(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    async with receiving(channel, inbox), httpx.AsyncClient() as client:
        await server.until(lambda: server.polling)
        url = f"{server.url}/bot{server.token}/getUpdates"
        await client.post(url, json={"timeout": 0})
        await server.until(lambda: server.calls("getUpdates")[0].status == 409)


async def test_fact_4_a_webhook_that_is_set_is_told_and_left_alone(
    server: BotApiServer,
    channel: TelegramChannel,
    clock: QuickClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.webhook = "https://example.org/hook"
    async with receiving(channel, Inbox()):
        await server.until(lambda: len(server.calls("getUpdates")) >= 2)
    assert "telegram:42: This bot has a webhook set" in caplog.text
    assert server.webhook
    assert clock.slept[0] >= 5


async def test_fact_5_ids_that_start_anew_lower_are_followed(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.text(ADA, "before")
    inbox = Inbox()
    async with receiving(channel, inbox):
        await server.until(lambda: inbox.updates and not server.updates)
        server.next_update_id = 17
        server.text(ADA, "after")
        await inbox.has(2)
        await server.until(lambda: not server.updates)
    assert [update.ext for update in inbox.updates] == ["700000001", "17"]
    assert offsets(server)[-1] == 18


async def test_fact_7_each_poll_says_which_updates_it_wants(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.allowed = frozenset(["poll"])
    inbox = Inbox()
    async with receiving(channel, inbox):
        await server.until(lambda: server.allowed != frozenset(["poll"]))
        server.update(my_chat_member={})
        assert server.take_refused()
        server.text(ADA, "wanted")
        [update] = await inbox.has(1)
    assert update.content == TextMessage("wanted")
    assert server.allowed == {"message", "edited_message", "callback_query"}


async def test_fact_7_a_bot_that_handles_more_kinds_asks_for_their_types(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    router = Router("kinds")
    for kind in ("chat_member", "message_reaction", "poll_state"):
        router.kind(kind)(_nothing)
    await channel.open([], router.kinds())
    inbox = Inbox()
    async with receiving(channel, inbox):
        await server.until(lambda: server.allowed)
        assert server.allowed == frozenset((
            "message", "edited_message", "callback_query",
            "chat_member", "message_reaction", "poll",
        ))  # fmt: skip
        server.poll("?", "yes", "no")
        [update] = await inbox.has(1)
    assert update.content == PollState(id="1", question="?", options=("yes", "no"), votes=(0, 0))


async def _nothing(ctx: Any) -> None:
    """A handler."""


async def test_fact_10_a_press_before_an_older_message_is_taken_as_it_comes(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    await channel.send(delivery("?", keyboard=keyboard(Button("Yes", "y"))))
    server.press(ADA, "Yes")
    server.text(ADA, "older")
    inbox = Inbox()
    async with receiving(channel, inbox):
        kinds = [update.content.kind for update in await inbox.has(2)]
    assert kinds == ["press", "text"]


async def test_malformed_updates_are_passed_over_and_the_page_is_acknowledged(
    server: BotApiServer, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    server.update(message={"message_id": 2**63, "text": "private words"})
    server.raw_update({"update_id": "700000099", "message": {}})
    server.raw_update({"update_id": -5})
    server.raw_update({"message": {}})
    server.text(ADA, "a\ud800\0b")
    server.update(message=[])
    assert len(server.take_refused()) == 2
    inbox = Inbox()
    async with receiving(channel, inbox):
        [update] = await inbox.has(1)
        await server.until(lambda: not server.updates)
    assert update.content == TextMessage("a\ufffdb")
    assert caplog.text.count("skipped") >= 5
    assert "private words" not in caplog.text


async def test_fact_20_polling_heals_from_failures_of_every_kind(
    server: BotApiServer, channel: TelegramChannel, clock: QuickClock
) -> None:
    server.fail(method="getUpdates", status=500, html=True)
    server.fail(method="getUpdates", status=502)
    server.fail(method="getUpdates", cut="before")
    server.fail(method="getUpdates", cut="after")
    server.fail(method="getUpdates", status=429, parameters={"retry_after": 7})
    server.text(ADA, "at last")
    inbox = Inbox()
    async with receiving(channel, inbox):
        [update] = await inbox.has(1)
    assert update.content == TextMessage("at last")
    assert len(clock.slept) == 5
    assert clock.slept[4] == 7
    assert 4 <= clock.slept[3] <= 8, "the waits grow"


async def test_polling_heals_when_the_service_was_down_for_a_while(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    async with receiving(channel, inbox):
        await server.until(lambda: server.polling)
        await server.stop()
        server.text(ADA, "meanwhile")
        await server.start_again()
        [update] = await inbox.has(1)
    assert update.content == TextMessage("meanwhile")


async def test_fact_20_polling_stops_when_the_token_is_revoked(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.token = "42:another"
    with pytest.raises(ChannelStopped, match="revoked"):
        await channel.receive(Inbox())


async def test_messages_edits_and_answers_arrive(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    asked = await channel.send(delivery("Which plan?", keyboard=keyboard(Button("Pro", "p"))))
    pressed = server.press(ADA, "Pro")
    await channel.answer(pressed["callback_query"]["id"], "Good choice")
    edited = await channel.send(delivery("You chose <b>Pro</b>", format="html", edit=asked))
    assert edited == asked
    again = await channel.send(delivery("You chose <b>Pro</b>", format="html", edit=asked))
    assert again == asked
    assert server.replies(ADA) == ["Which plan?", "You chose <b>Pro</b>"]
    assert server.answers(ADA) == ["Good choice"]


async def test_an_edit_of_a_message_that_telegram_lost_is_sent_anew(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    assert await channel.send(delivery("again", edit="999")) not in (None, "999")
    assert server.replies(ADA) == ["again"]


async def test_fact_13_a_429_in_one_chat_stops_no_other(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    server.chat(2)
    server.fail(chat=ADA, status=429, parameters={"retry_after": 31})
    with pytest.raises(SendLater) as caught:
        await channel.send(delivery("later"))
    assert caught.value.seconds == 31
    await channel.send(delivery("now", chat="2"))
    assert (server.replies(ADA), server.replies(2)) == ([], ["now"])


async def test_fact_15_a_cut_answer_leaves_a_message_that_may_have_arrived(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    server.fail(method="sendMessage", cut="after")
    with pytest.raises(SendUncertain):
        await channel.send(delivery("once or twice"))
    assert server.replies(ADA) == ["once or twice"]


async def test_fact_18_a_person_who_blocked_the_bot_is_reported(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    server.fail(chat=ADA, status=403, description="Forbidden: bot was blocked by the user")
    with pytest.raises(SendRefused) as caught:
        await channel.send(delivery())
    assert caught.value.blocked
    with pytest.raises(SendRefused) as unknown:
        await channel.send(delivery(chat="31337"))
    assert unknown.value.blocked


async def test_fact_16_a_press_is_answered_once(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    await channel.send(delivery("?", keyboard=keyboard(Button("Yes", "y"))))
    query = server.press(ADA, "Yes")["callback_query"]["id"]
    await channel.answer(query, None)
    await channel.answer(query, "too late")
    assert server.answers(ADA) == [""]


async def test_fact_17_an_echo_of_4096_emoji_arrives_whole(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.chat(ADA)
    await channel.send(delivery("😀" * 4096))
    assert "".join(server.replies(ADA)) == "😀" * 4096
    assert len(server.replies(ADA)) == 2


async def test_fact_22_a_whole_conversation_leaves_no_token_in_the_log(
    server: BotApiServer, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    secret = server.token.partition(":")[2]
    with caplog.at_level(logging.DEBUG):
        server.fail(method="getUpdates", cut="after")
        server.text(ADA, "hello")
        inbox = Inbox()
        async with receiving(channel, inbox):
            await inbox.has(1)
        await channel.send(delivery())
    assert "bot<token>" in caplog.text
    assert secret not in caplog.text


async def test_a_request_that_a_judge_refuses_fails_the_test_that_made_it(
    server: BotApiServer,
) -> None:
    async with httpx.AsyncClient() as client:
        url = f"{server.url}/bot{server.token}/sendMessage"
        answer = await client.post(url, json={"chat_id": ADA, "text": "x", "colour": "red"})
    assert answer.status_code == 400
    inner = BotApiServer()
    with pytest.raises(AssertionError, match="judges"):
        async with inner:
            inner.refused.extend(server.take_refused())


def test_a_server_in_the_background_is_controlled_over_http() -> None:
    with background_server() as control:
        control.post("text", user=ADA, text="hello")
        base = f"{control.url}/bot{control.token}"
        page = httpx.post(f"{base}/getUpdates", json={"timeout": 0}).json()["result"]
        assert page[0]["message"]["text"] == "hello"
        httpx.post(f"{base}/sendMessage", json={"chat_id": ADA, "text": "hi"})
        assert control.post("until", chat=ADA, count=1) == ["hi"]
        with pytest.raises(AssertionError, match="no message in chat 1001 shows a button"):
            control.post("press", user=ADA, label="Nope")
