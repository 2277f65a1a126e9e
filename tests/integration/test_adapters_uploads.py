"""Files by other libraries' clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.adapters.uploads import watched
from engine.channels.telegram.client import Refused
from flows.errors import SendLater, SendRefused
from flows.messages.attachments import Album, Media
from flows.messages.input_file import InputFile
from tests.botapi import BotApiServer
from tests.integration.test_adapters_calls import (
    ADA,
    both_apis,
    by_aiogram,
    channel_of,
    delivery,
    server,
)

__all__ = ["server"]

pytestmark = pytest.mark.anyio


@both_apis
async def test_a_file_goes_out_with_its_caption(
    server: BotApiServer, opened: Any, tmp_path: Path
) -> None:
    path = tmp_path / "map.pdf"
    path.write_bytes(b"%PDF" * 50_000)
    media = Media(kind="document", file=InputFile.of(path))
    async with channel_of(server, opened) as channel:
        sent = await channel.send(delivery(text="The map", attachment=media))
    (call,) = server.calls("sendDocument")
    assert sent == "1"
    assert server.replies(ADA) == ["[document] The map"]
    assert [*call.files.values()] == [path.read_bytes()]


@both_apis
async def test_an_album_of_bytes_goes_out(server: BotApiServer, opened: Any) -> None:
    photos = [Media(kind="photo", file=InputFile.of(data)) for data in (b"one", b"two")]
    async with channel_of(server, opened) as channel:
        await channel.send(delivery(text="", attachment=Album(media=tuple(photos))))
    (call,) = server.calls("sendMediaGroup")
    assert sorted(call.files.values()) == [b"one", b"two"]
    named = [item["media"].removeprefix("attach://") for item in call.params["media"]]
    assert sorted(named) == sorted(call.files)


@both_apis
async def test_a_file_that_is_a_parameter_of_its_own_name(
    server: BotApiServer, opened: Any
) -> None:
    async with opened(server) as api:
        files = {"photo": InputFile.of(b"picture", name="cat.png")}
        await api.upload("sendPhoto", {"chat_id": ADA}, files)
    (call,) = server.calls("sendPhoto")
    assert [*call.files.values()] == [b"picture"]


@both_apis
async def test_a_file_that_is_gone_is_refused(
    server: BotApiServer, opened: Any, tmp_path: Path
) -> None:
    async with channel_of(server, opened) as channel:
        lost = Media(kind="document", file=InputFile.of(tmp_path / "lost.pdf"))
        with pytest.raises(SendRefused, match="cannot be read"):
            await channel.send(delivery(attachment=lost))


@both_apis
async def test_an_upload_that_telegram_refuses_is_told(server: BotApiServer, opened: Any) -> None:
    async with opened(server) as api:
        server.fail(method="sendDocument", status=400, description="Bad Request: wrong file")
        with pytest.raises(Refused, match=r"(?i)wrong file"):
            await api.upload("sendDocument", {"chat_id": ADA}, {"document": InputFile.of(b"x")})


@both_apis
async def test_an_upload_does_not_begin_for_a_chat_that_went_elsewhere(
    server: BotApiServer, opened: Any
) -> None:
    async with opened(server) as api:
        files = {"document": InputFile.of(b"x")}
        with pytest.raises(SendLater):
            await api.upload("sendDocument", {"chat_id": ADA}, files, go_on=lambda: False)
    assert server.calls("sendDocument") == []


async def test_it_is_told_how_far_an_upload_by_aiogram_is(server: BotApiServer) -> None:
    told: list[tuple[int, int]] = []
    async with by_aiogram(server) as api:
        files = {"document": InputFile.of(b"x" * 100_000)}
        await api.upload(
            "sendDocument", {"chat_id": ADA}, files, progress=lambda *far: told.append(far)
        )
    assert told[-1] == (100_000, 100_000)
    assert len(told) == 2


async def test_an_upload_brings_what_it_returns() -> None:
    async def work() -> object:
        return 7

    assert await watched(work(), lambda: True) == 7
