"""Files go to Telegram piece by piece, and what cannot be sent is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from engine.channels.telegram import TelegramChannel, uploads
from engine.channels.telegram.client import AnswerLost, BotApi, Unreachable
from engine.testing.clock import VirtualClock
from flows.errors import SendLater, SendRefused
from flows.messages.attachments import Album, Media
from flows.messages.input_file import InputFile
from flows.ports import Delivery
from tests.botapi.transport import judge_request, judged

TOKEN = "42:very-secret_part"

pytestmark = pytest.mark.anyio


class Telegram:
    """Takes requests and keeps them."""

    def __init__(self, result: object = None) -> None:
        self.result = result or {"message_id": 9}
        self.refusal = ""
        self.clock = VirtualClock()
        self.let_go: asyncio.Event | None = None
        self.acted = asyncio.Event()
        self.requests: list[httpx.Request] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if request.url.path.endswith("/sendChatAction"):
            self.acted.set()
        if self.let_go is not None and b"attach://" in request.content:
            await self.let_go.wait()
        if self.refusal:
            refused = {"ok": False, "error_code": 400, "description": self.refusal}
            self.refusal = ""
            return httpx.Response(400, json=refused)
        return httpx.Response(200, json={"ok": True, "result": self.result})

    def http(self) -> httpx.AsyncClient:
        return judged(self.answer)

    def api(self) -> BotApi:
        return BotApi(TOKEN, "https://api.telegram.org", self.http())

    def channel(self, **more: Any) -> TelegramChannel:
        return TelegramChannel(TOKEN, clock=self.clock, client=self.http(), **more)

    def body(self) -> str:
        return self.requests[-1].content.decode(errors="replace")


def brings(media: Media | Album, text: str = "", **more: Any) -> Delivery:
    return Delivery(chat="7", topic=None, text=text, format="plain", keyboard=(),
                    attachment=media, **more)  # fmt: skip


async def test_a_file_of_this_machine_goes_along_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"JPEG")
    telegram = Telegram()
    sent = await telegram.channel(limits=False).send(brings(Media.of("photo", path), "<hi>"))
    assert sent == "9"
    body = telegram.body()
    assert telegram.requests[-1].url.path.endswith("/sendPhoto")
    assert 'name="photo"\r\n\r\nattach://file0' in body
    assert 'name="file0"; filename="cat.jpg"' in body
    assert "JPEG" in body
    assert 'name="caption"\r\n\r\n<hi>' in body


async def test_bytes_go_along_and_albums_too() -> None:
    telegram = Telegram([{"message_id": 9}, {"message_id": 10}])
    album = Album((Media.of("photo", b"one"), Media.of("photo", b"two")))
    assert await telegram.channel(limits=False).send(brings(album)) == "9"
    body = telegram.body()
    assert "one" in body
    assert "two" in body
    assert '[{"type":"photo","media":"attach://file0"},' in body


async def test_every_message_of_an_album_counts_for_the_limits() -> None:
    channel = Telegram().channel()
    album = Album(tuple(Media.of("photo", f"p{n}") for n in range(5)))
    assert channel.admit("7") is None
    await channel.send(brings(album))
    pause = channel.admit("7")
    assert pause is not None
    assert pause.seconds == pytest.approx(3)  # 5 + 1 of 3, one a second


async def test_a_file_that_is_gone_is_refused_for_good(tmp_path: Path) -> None:
    channel = Telegram().channel(limits=False)
    with pytest.raises(SendRefused, match=r"gone\.jpg cannot be read \(No such file") as refused:
        await channel.send(brings(Media.of("photo", tmp_path / "gone.jpg")))
    assert not refused.value.blocked


async def test_a_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    channel = Telegram().channel(limits=False)
    with pytest.raises(SendRefused, match="is no file"):
        await channel.send(brings(Media.of("document", tmp_path)))
    with pytest.raises(SendRefused, match="is empty"):
        await channel.send(brings(Media.of("document", tmp_path / "empty")))


async def test_fact_21_a_file_that_telegram_does_not_take_is_refused_before_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_PHOTO", 3)
    (tmp_path / "a.jpg").write_bytes(b"JPEG")
    telegram = Telegram()
    channel = telegram.channel(limits=False)
    with pytest.raises(SendRefused, match="has 4 bytes, and Telegram takes up to 3"):
        await channel.send(brings(Media.of("photo", tmp_path / "a.jpg")))
    assert telegram.requests == []
    assert await channel.send(brings(Media.of("document", tmp_path / "a.jpg"))) == "9"


def test_fact_21_the_limits_are_those_of_the_public_api() -> None:
    assert (uploads.MAX_UPLOAD, uploads.MAX_PHOTO) == (50_000_000, 10_000_000)


async def test_an_upload_asks_before_each_piece_whether_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 200_000)
    asked = iter([True, True, False])
    telegram = Telegram()
    sent = brings(Media.of("document", path), go_on=lambda: next(asked))
    with pytest.raises(SendLater, match="another worker"):
        await telegram.channel(limits=False).send(sent)
    assert telegram.requests == []
    assert next(asked, None) is None


async def test_progress_is_told(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 200_000)
    told: list[tuple[int, int]] = []
    channel = Telegram().channel(limits=False, progress=lambda *how_far: told.append(how_far))
    await channel.send(brings(Media.of("document", path)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 200_000


@pytest.mark.parametrize(
    ("broken", "meaning"), [(True, Unreachable), (False, AnswerLost)], ids=["half", "whole"]
)
async def test_half_an_upload_has_done_nothing(
    tmp_path: Path, broken: bool, meaning: type[Exception]
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        if not broken:
            await request.aread()
            judge_request(request)
        raise httpx.ReadError("the line was cut", request=request)

    api = BotApi(TOKEN, "https://a.b", httpx.AsyncClient(transport=cut_off(answer)))
    with pytest.raises(meaning):
        await api.upload("sendDocument", {"chat_id": 7}, {"document": InputFile.of(b"ab")})


def cut_off(
    answer: Callable[[httpx.Request], Any],
) -> httpx.AsyncBaseTransport:
    """A transport that does not read requests by itself."""

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response: httpx.Response = await answer(request)
            return response

    return Transport()


async def test_a_file_that_telegram_has_is_not_uploaded_again(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"JPEG")
    telegram = Telegram({"message_id": 9, "photo": [{"file_id": "s"}, {"file_id": "large"}]})
    channel = telegram.channel(limits=False)
    await channel.send(brings(Media.of("photo", path)))
    await channel.send(brings(Media.of("photo", path), "again"))
    assert '"photo":"large"' in telegram.body()
    await channel.send(brings(Media.of("document", path)))
    assert "JPEG" in telegram.body()


async def test_a_file_that_has_changed_is_uploaded_again(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"JPEG")
    telegram = Telegram({"message_id": 9, "photo": [{"file_id": "large"}]})
    channel = telegram.channel(limits=False)
    await channel.send(brings(Media.of("photo", path)))
    path.write_bytes(b"another")
    await channel.send(brings(Media.of("photo", path)))
    assert "another" in telegram.body()


async def test_the_files_of_an_album_are_known_afterwards(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    telegram = Telegram([{"message_id": 9, "photo": [{"file_id": "A"}]},
                         {"message_id": 10, "photo": [{"file_id": "B"}]}])  # fmt: skip
    channel = telegram.channel(limits=False)
    album = Album(tuple(Media.of("photo", tmp_path / name) for name in "ab"))
    await channel.send(brings(album))
    await channel.send(brings(Media.of("photo", tmp_path / "b")))
    assert '"photo":"B"' in telegram.body()


async def test_a_file_whose_id_is_known_no_longer_is_uploaded_again(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"JPEG")
    telegram = Telegram({"message_id": 9, "photo": [{"file_id": "large"}]})
    channel = telegram.channel(limits=False)
    await channel.send(brings(Media.of("photo", path)))
    telegram.refusal = "Bad Request: wrong file identifier/HTTP URL specified"
    assert await channel.send(brings(Media.of("photo", path))) == "9"
    assert len(telegram.requests) == 3
    assert "JPEG" in telegram.body()


async def test_what_a_person_has_written_is_never_taken_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"JPEG")
    telegram = Telegram({"message_id": 9, "photo": [{"file_id": "large"}]})
    channel = telegram.channel(limits=False)
    await channel.send(brings(Media.of("photo", path)))
    await channel.send(brings(Media.of("photo", path), "attach://file0"))
    assert '"caption":"attach://file0"' in telegram.body()


async def test_people_see_that_a_large_file_is_on_its_way() -> None:
    telegram = Telegram()
    telegram.let_go = asyncio.Event()
    sent = brings(Media.of("photo", b"JPEG"))
    sending = asyncio.ensure_future(telegram.channel(limits=False).send(sent))
    await telegram.clock.advance(1.5)
    await telegram.acted.wait()
    telegram.let_go.set()
    assert await sending == "9"
    await telegram.clock.advance(10)
    shown = [each for each in telegram.requests if each.url.path.endswith("/sendChatAction")]
    assert [orjson.loads(each.content) for each in shown] == [
        {"chat_id": 7, "action": "upload_photo"}
    ]
