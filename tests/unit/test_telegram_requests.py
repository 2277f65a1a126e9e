"""Messages of every kind go through the client, by JSON and with files, past both judges."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from engine.channels.telegram import TelegramChannel
from engine.testing.clock import VirtualClock
from flows.messages.attachments import Album, Attachment, Media
from flows.ports import Delivery
from tests.botapi.transport import judged, take_refused
from tests.unit.test_telegram_attached import ATTACHMENTS

pytestmark = pytest.mark.anyio

UPLOADS: list[Attachment] = [
    *(Media.of(kind, b"bytes") for kind in ("photo", "video", "animation", "audio", "voice",
                                            "document", "sticker", "video_note")),
    Album((Media.of("photo", b"one", caption="1"), Media.of("video", b"two"))),
]  # fmt: skip


class Telegram:
    """Does whatever it is asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        sent: Any = {"message_id": 9}
        result = [sent] if request.url.path.endswith("/sendMediaGroup") else sent
        return httpx.Response(200, json={"ok": True, "result": result})

    async def sends(self, attachment: Attachment, **more: Any) -> None:
        client = judged(self.answer)
        channel = TelegramChannel("42:x", limits=False, clock=VirtualClock(), client=client)
        await channel.send(Delivery(chat="7", topic=None, format="plain", keyboard=(),
                                    attachment=attachment, **{"text": "hi", **more}))  # fmt: skip


@pytest.mark.parametrize("attachment", ATTACHMENTS, ids=lambda one: one.kind)
async def test_what_is_known_by_an_id_goes_as_json(attachment: Attachment) -> None:
    telegram = Telegram()
    await telegram.sends(attachment)
    assert telegram.requests[0].headers["content-type"] == "application/json"
    assert take_refused() == []


@pytest.mark.parametrize("attachment", UPLOADS, ids=lambda one: one.kind)
async def test_what_is_here_goes_along(attachment: Attachment) -> None:
    telegram = Telegram()
    await telegram.sends(attachment)
    assert telegram.requests[0].headers["content-type"].startswith("multipart/form-data")
    assert take_refused() == []


async def test_a_file_in_place_of_another_goes_along() -> None:
    telegram = Telegram()
    await telegram.sends(Media.of("photo", b"bytes"), edit="5")
    assert telegram.requests[0].url.path.endswith("/editMessageMedia")
    assert take_refused() == []
