"""Edits and deletions of messages that are there, are others than they seem, or are gone."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from engine.channels.telegram import TelegramChannel
from flows.errors import SendLater, SendRefused
from flows.messages.attachments import Media
from flows.messages.replies import Button, keyboard
from flows.ports import Delivery
from tests.botapi.doubles import QuickClock
from tests.botapi.transport import judged

pytestmark = pytest.mark.anyio


class Telegram:
    """Refuses methods with a reason, and does all others."""

    def __init__(self, **refusals: str) -> None:
        self.refusals = refusals
        self.code = 400
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rsplit("/", 1)[1]
        self.calls.append((method, orjson.loads(request.content)))
        if reason := self.refusals.get(method):
            told = f"Bad Request: {reason}"
            body = {"ok": False, "error_code": self.code, "description": told}
            return httpx.Response(self.code, json=body)
        return httpx.Response(200, json={"ok": True, "result": {"message_id": 9}})

    async def does(self, **what: Any) -> str | None:
        http = judged(self.answer)
        channel = TelegramChannel("42:x", limits=False, clock=QuickClock(), client=http)
        given = {"chat": "7", "topic": None, "text": "", "format": "plain", "keyboard": ()}
        return await channel.send(Delivery(**given | what))

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


async def test_the_text_of_a_photo_is_its_caption() -> None:
    telegram = Telegram(editMessageText="there is no text in the message to edit")
    rows = keyboard(Button("A", "a"))
    assert await telegram.does(edit="5", text="new", keyboard=rows) == "5"
    assert telegram.methods == ["editMessageText", "editMessageCaption"]
    assert telegram.calls[1][1]["caption"] == "new"
    assert "reply_markup" in telegram.calls[1][1]


async def test_a_caption_that_is_as_it_was_is_no_error() -> None:
    telegram = Telegram(
        editMessageText="there is no text in the message to edit",
        editMessageCaption="message is not modified: it is the same",
    )
    assert await telegram.does(edit="5", text="new") == "5"


async def test_a_file_comes_in_place_of_another() -> None:
    telegram = Telegram()
    new = Media.of("photo", "f1")
    assert await telegram.does(edit="5", text="new", attachment=new) == "5"
    [(method, params)] = telegram.calls
    assert method == "editMessageMedia"
    assert params["media"] == {"type": "photo", "media": "f1", "caption": "new"}


async def test_a_file_whose_message_is_gone_is_sent_anew() -> None:
    telegram = Telegram(editMessageMedia="message to edit not found")
    assert await telegram.does(edit="5", attachment=Media.of("photo", "f1")) == "9"
    assert telegram.methods == ["editMessageMedia", "sendPhoto"]


@pytest.mark.parametrize("reason", ["message is not modified", "message to edit not found"])
async def test_fact_15_buttons_that_are_so_or_gone_are_no_error(reason: str) -> None:
    telegram = Telegram(editMessageReplyMarkup=reason)
    await telegram.does(edit="5", task="buttons")
    assert telegram.methods == ["editMessageReplyMarkup"]


async def test_a_message_is_deleted() -> None:
    telegram = Telegram()
    assert await telegram.does(edit="5", task="delete") is None
    assert telegram.calls == [("deleteMessage", {"chat_id": 7, "message_id": 5})]


async def test_fact_15_a_message_that_is_gone_is_deleted() -> None:
    telegram = Telegram(deleteMessage="message to delete not found")
    assert await telegram.does(edit="5", task="delete") is None


async def test_a_message_that_may_not_be_deleted_is_refused() -> None:
    telegram = Telegram(deleteMessage="message can't be deleted for everyone")
    with pytest.raises(SendRefused, match="can't be deleted") as refused:
        await telegram.does(edit="5", task="delete")
    assert not refused.value.blocked


async def test_what_is_no_message_id_is_neither_deleted_nor_sent() -> None:
    telegram = Telegram()
    assert await telegram.does(edit="m1", task="delete") is None
    assert telegram.calls == []


async def test_fact_15_a_deletion_whose_answer_was_cut_is_done_again() -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too long", request=request)

    http = judged(cut)
    channel = TelegramChannel("42:x", limits=False, clock=QuickClock(), client=http)
    gone = Delivery(chat="7", topic=None, text="", format="plain", keyboard=(), edit="5",
                    task="delete")  # fmt: skip
    with pytest.raises(SendLater):
        await channel.send(gone)


@pytest.mark.parametrize(
    "reason",
    ["not enough rights to send photos to the chat", "CHAT_SEND_PHOTOS_FORBIDDEN"],
)
async def test_a_group_that_takes_no_photos_is_not_closed(reason: str) -> None:
    telegram = Telegram(sendPhoto=reason, sendMessage="not enough rights to send text messages")
    with pytest.raises(SendRefused) as refused:
        await telegram.does(attachment=Media.of("photo", "f1"))
    assert not refused.value.blocked
    with pytest.raises(SendRefused) as refused:
        await telegram.does(text="hello")
    assert refused.value.blocked


async def test_who_blocked_the_bot_takes_no_photo_either() -> None:
    telegram = Telegram(sendPhoto="Forbidden: bot was blocked by the user")
    with pytest.raises(SendRefused) as refused:
        await telegram.does(attachment=Media.of("photo", "f1"))
    assert refused.value.blocked


async def test_a_message_that_is_not_ours_to_change_closes_no_chat() -> None:
    telegram = Telegram(editMessageText="MESSAGE_AUTHOR_REQUIRED")
    telegram.code = 403
    with pytest.raises(SendRefused) as refused:
        await telegram.does(edit="5", text="new")
    assert not refused.value.blocked
