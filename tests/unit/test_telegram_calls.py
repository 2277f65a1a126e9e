"""Calls of any method from handlers, and what their failures mean."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from pydantic import BaseModel

from engine.channels.telegram import TelegramChannel
from engine.testing.clock import VirtualClock
from flows.errors import CallLater, CallRefused, CallUncertain, NoApi
from flows.messages.bot import Bot
from flows.messages.input_file import InputFile
from tests.botapi.doubles import QuickClock
from tests.botapi.judges import judge
from tests.botapi.transport import judged

TOKEN = "42:very-secret_part"

pytestmark = pytest.mark.anyio


class Telegram:
    """Answers requests by a plan, the last answer again and again."""

    def __init__(self, *answers: httpx.Response | type[httpx.RequestError]) -> None:
        self.answers = list(answers) or [ok(True)]
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, type):
            raise answer(f"trouble with {request.url}", request=request)
        return answer

    def bot(self, clock: Any = None, *, limits: bool = False) -> Bot:
        http = judged(self.answer)
        channel = TelegramChannel(TOKEN, limits=limits, clock=clock or QuickClock(), client=http)
        return Bot(channel.source, channel.api)

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        return [(r.url.path.rsplit("/", 1)[1], orjson.loads(r.content)) for r in self.requests]


def ok(result: object) -> httpx.Response:
    return httpx.Response(200, json={"ok": True, "result": result})


def no(code: int, description: str, **parameters: Any) -> httpx.Response:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return httpx.Response(code, json=body)


class Chat(BaseModel):
    id: int
    title: str = ""


async def test_a_call_has_its_parameters_and_answers_the_result() -> None:
    telegram = Telegram(ok({"id": -5, "title": "News", "type": "channel"}))
    result = await telegram.bot().call("getChat", chat_id=-5, left_out=None)
    assert result["type"] == "channel"
    assert telegram.calls == [("getChat", {"chat_id": -5})]


async def test_a_result_is_read_into_a_type() -> None:
    telegram = Telegram(ok({"id": -5, "title": "News", "type": "channel"}))
    assert await telegram.bot().call("getChat", Chat, chat_id=-5) == Chat(id=-5, title="News")


async def test_fact_13_a_call_waits_as_long_as_telegram_asks() -> None:
    telegram = Telegram(no(429, "Too Many Requests", retry_after=3), ok(1))
    clock = VirtualClock()
    calling = asyncio.ensure_future(telegram.bot(clock).call("getMe"))
    await clock.advance(2.9)
    assert len(telegram.requests) == 1
    await clock.advance(0.2)
    assert await calling == 1


async def test_fact_13_what_telegram_asks_for_too_long_is_told() -> None:
    telegram = Telegram(no(429, "Too Many Requests", retry_after=40))
    bot = telegram.bot()
    with pytest.raises(CallLater, match="try again in 40 seconds") as later:
        await bot.call("getMe")
    assert later.value.seconds == 40
    with pytest.raises(CallLater):
        await bot.call("getMe")
    assert len(telegram.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(400, "Bad Request: chat not found"), CallRefused),
        (no(404, "Not Found: method not found"), CallRefused),
        (no(401, "Unauthorized"), CallRefused),
        (httpx.Response(502, text="<html>"), CallLater),
        (httpx.ConnectError, CallLater),
        (httpx.ReadTimeout, CallUncertain),
    ],
)
async def test_a_failure_has_its_type_and_no_token(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await Telegram(answer).bot().call("getChat", chat_id=1)
    assert "getChat" in str(raised.value)
    assert "very-secret" not in repr(raised.value)
    assert raised.value.__context__ is None


async def test_a_file_goes_along() -> None:
    telegram = Telegram()
    await telegram.bot().call("setChatPhoto", chat_id=1, photo=InputFile.of(b"JPEG", name="a.jpg"))
    content = telegram.requests[0].content
    assert b'name="photo"; filename="a.jpg"' in content
    assert b"JPEG" in content


async def test_fact_14_a_call_that_sends_waits_for_the_limits() -> None:
    telegram, clock = Telegram(), VirtualClock()
    bot = telegram.bot(clock, limits=True)
    for _ in range(3):
        await bot.call("sendMessage", chat_id=7, text="hi")
    fourth = asyncio.ensure_future(bot.call("sendMessage", chat_id=7, text="hi"))
    await bot.call("getChat", chat_id=7)
    await clock.advance(0.9)
    assert not fourth.done()
    await clock.advance(0.2)
    await fourth


async def test_the_ready_made_calls_are_accepted() -> None:
    telegram = Telegram()
    bot = telegram.bot()
    await bot.answer_inline_query("q", [], cache_seconds=5, personal=True, next_offset="9")
    await bot.answer_pre_checkout_query("p")
    await bot.answer_pre_checkout_query("p", error="sold out")
    await bot.approve_join_request(-1, "7")
    await bot.decline_join_request("@news", 7)
    await bot.set_reaction(-1, "5", "👍", big=True)
    await bot.set_reaction(-1, 5)
    await bot.pin(-1, "5")
    await bot.ban(-1, 7)
    await bot.unban(-1, 7)
    assert [judge(method, params) for method, params in telegram.calls] == [None] * 10


@pytest.mark.parametrize(
    ("member", "inside"),
    [({"status": "member"}, True), ({"status": "left"}, False), ({"status": "kicked"}, False),
     ({"status": "restricted", "is_member": True}, True), ({"status": "restricted"}, False)],
)  # fmt: skip
async def test_who_is_a_member(member: dict[str, Any], inside: bool) -> None:
    assert await Telegram(ok(member)).bot().is_member(-1, "7") is inside


async def test_a_group_that_became_a_supergroup_is_called_by_its_new_id() -> None:
    upgraded = no(400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009)
    telegram = Telegram(upgraded, ok({"id": -1009}))
    assert await telegram.bot().call("getChat", Chat, chat_id=-9) == Chat(id=-1009)
    assert [params["chat_id"] for _, params in telegram.calls] == [-9, -1009]


async def test_people_in_it_see_what_the_bot_is_doing() -> None:
    upgraded = no(400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009)
    telegram = Telegram(upgraded, ok(True))
    clock = VirtualClock()
    bot = telegram.bot(clock)
    assert bot.api is not None
    acting = asyncio.ensure_future(bot.api.act("-9", None, "typing"))
    await clock.advance(1)
    acting.cancel()
    assert [params["chat_id"] for _, params in telegram.calls] == [-9, -1009]


async def test_a_channel_without_an_api_says_so() -> None:
    with pytest.raises(NoApi, match="console:local has no API"):
        await Bot("console:local", None).call("getMe")
