"""What the webhook answers to what is posted, by Telegram and by others."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from engine.channels.telegram import Webhook
from engine.channels.telegram.posts import Posts
from engine.channels.telegram.updates import UpdateReader
from engine.channels.telegram.webhook import LARGEST_BODY
from flows.errors import ChannelStopped, StorageDown
from flows.updates import Other, TextMessage
from tests.botapi.doubles import Inbox, QuickClock

pytestmark = pytest.mark.anyio

URL = "https://bot.example.org/telegram"
SECRET = "s3cret_-" * 4
SOURCE = "telegram:42"


class Door:
    """A webhook with an intake behind it, and a client before it."""

    def __init__(self, *failures: Exception) -> None:
        self.inbox = Inbox(*failures)
        self.reader = UpdateReader(SOURCE)
        self.webhook = Webhook(URL, secret=SECRET)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.webhook))
        self.read = 0

    @property
    def posts(self) -> Posts:
        return Posts(self.reader, QuickClock(), self.inbox, SOURCE)

    async def post(self, body: bytes, *, method: str = "POST", **headers: str) -> int:
        """Posts while the bot takes updates, and answers the status."""
        async with self.webhook.taking(self._take):
            return await self.at_rest(body, method=method, **headers)

    async def at_rest(self, body: bytes, *, method: str = "POST", **headers: str) -> int:
        """Posts, whether it does or not. ``secret`` and ``type_`` stand for their headers."""
        given = {
            "x-telegram-bot-api-secret-token": headers.get("secret", SECRET),
            "content-type": headers.get("type_", "application/json"),
        }
        answer = await self.client.request(method, URL, content=body, headers=given)
        assert answer.content == b""
        return answer.status_code

    async def _take(self, body: bytes) -> int:
        self.read += 1
        return await self.posts.take(body)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    opened = Door()
    yield opened
    await opened.client.aclose()


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "handrail")


async def some_rounds() -> None:
    """Lets everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def message(**more: Any) -> dict[str, Any]:
    sent = {
        "message_id": 5,
        "date": 1_760_000_000,
        "text": "private words",
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "first_name": "Ada"},
    }
    return {"update_id": 700_000_001, "message": sent | more}


def body(**more: Any) -> bytes:
    return json.dumps(message(**more)).encode()


# --- who may post -----------------------------------------------------------------------


async def test_fact_8_an_update_is_answered_with_200_once_it_is_kept(door: Door) -> None:
    door.inbox.gate.clear()
    posting = asyncio.ensure_future(door.post(body()))
    await some_rounds()
    assert (door.read, posting.done()) == (1, False)
    door.inbox.gate.set()
    assert await posting == 200
    assert [one.content for one in door.inbox.updates] == [TextMessage("private words")]


@pytest.mark.parametrize(
    "secret",
    ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper()],
    ids=["none", "wrong", "shorter", "longer", "upper"],
)
async def test_fact_9_a_wrong_secret_gets_401_and_the_body_is_not_read(
    door: Door, secret: str
) -> None:
    async with door.webhook.taking(door._take):
        headers = [JSON, (HEADER, secret.encode())]
        assert await raw(door.webhook, headers, []) == 401
    assert door.read == 0


async def test_fact_9_no_secret_gets_401(door: Door) -> None:
    async with door.webhook.taking(door._take):
        answer = await door.client.post(
            URL, content=body(), headers={"content-type": "application/json"}
        )
    assert (answer.status_code, door.read) == (401, 0)


async def raw(webhook: Webhook, headers: list[tuple[bytes, bytes]], chunks: list[bytes]) -> int:
    """A post at the level of ASGI; answers the status. A chunk that is not there is not read."""
    statuses: list[int] = []
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        chunk = left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            statuses.append(event["status"])

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await webhook(scope, receive, send)
    return statuses[0]


JSON = (b"content-type", b"application/json")
HEADER = b"x-telegram-bot-api-secret-token"


@pytest.mark.parametrize("value", [b"\xff\xfe", "пароль".encode(), b"\x80" * 300])
async def test_fact_9_a_secret_with_other_than_ascii_gets_401(door: Door, value: bytes) -> None:
    async with door.webhook.taking(door._take):
        assert await raw(door.webhook, [JSON, (HEADER, value)], []) == 401


async def test_fact_9_two_secrets_get_401(door: Door) -> None:
    both = [JSON, (HEADER, SECRET.encode()), (HEADER, b"wrong")]
    async with door.webhook.taking(door._take):
        assert await raw(door.webhook, both, []) == 401


async def test_fact_9_a_secret_is_compared_in_constant_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr("engine.channels.telegram.webhook.hmac.compare_digest", compare)
    assert await door.post(body()) == 401
    assert compared == [(SECRET.encode(), SECRET.encode())]


@pytest.mark.parametrize("secret", ["", "with space", "ü" * 8, "a" * 257, "semi;colon", "x\n"])
def test_fact_9_a_secret_that_is_none_is_refused_before_anything_runs(secret: str) -> None:
    with pytest.raises(ChannelStopped, match="the webhook's secret") as raised:
        Webhook(URL, secret=secret)
    assert not secret or secret not in str(raised.value)


@pytest.mark.parametrize("url", ["", "bot.example.org", "ftp://x.org", "https://", "https://x:y"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ChannelStopped, match=r"https://bot\.example\.org/telegram"):
        Webhook(url, secret=SECRET)


@pytest.mark.parametrize("connections", [0, 101])
def test_more_connections_than_telegram_makes_are_refused(connections: int) -> None:
    with pytest.raises(ChannelStopped, match="1 to 100"):
        Webhook(URL, secret=SECRET, connections=connections)


# --- what is no post of Telegram's ------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_anything_but_a_post_gets_405(door: Door, method: str) -> None:
    assert await door.post(body(), method=method) == 405


@pytest.mark.parametrize("type_", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_another_content_type_gets_415(door: Door, type_: str) -> None:
    assert await door.post(body(), type_=type_) == 415


async def test_a_content_type_with_a_charset_is_json_too(door: Door) -> None:
    assert await door.post(body(), type_="Application/JSON; charset=utf-8") == 200


async def test_a_body_over_1_mib_gets_413_by_its_length_and_is_not_read(door: Door) -> None:
    length = (b"content-length", str(LARGEST_BODY + 1).encode())
    async with door.webhook.taking(door._take):
        assert await raw(door.webhook, [JSON, length, (HEADER, SECRET.encode())], []) == 413


async def test_a_body_that_does_not_say_its_length_is_read_no_further_than_1_mib(
    door: Door,
) -> None:
    chunks = [b" " * 65536] * 17  # an 18th would not be there to be read
    async with door.webhook.taking(door._take):
        headers = [JSON, (HEADER, SECRET.encode())]
        assert await raw(door.webhook, headers, [*chunks, b"never"]) == 413
    assert door.read == 0


async def test_a_body_of_just_1_mib_is_taken(door: Door) -> None:
    filled = body() + b" " * (LARGEST_BODY - len(body()))
    assert await door.post(filled) == 200


async def test_a_body_that_does_not_arrive_gets_408(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.channels.telegram.webhook.BODY_SECONDS", 0.01)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    statuses: list[Any] = []

    async def send(event: Any) -> None:
        statuses.append(event.get("status"))

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"",
             "headers": [JSON, (HEADER, SECRET.encode())]}  # fmt: skip
    async with door.webhook.taking(door._take):
        await door.webhook(scope, receive, send)
    assert statuses[0] == 408


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'"private words"',
        b'{"update_id": 1, "message": "\xff private words"}',
        b'{"update_id": NaN}',
        b'{"update_id": 1, "x": Infinity}',
        b'{"update_id": 1, "x": 1e400}',
        b'{"update_id": 1, "x": ' + b"9" * 5000 + b".5}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"update_id": ' + b"1" * 5000 + b"}",
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": 18446744073709551616}',
        json.dumps(message(chat={"id": 2**63, "type": "private"})).encode(),
        json.dumps(message(chat={"id": -(2**63) - 1, "type": "private"})).encode(),
        json.dumps(message(**{"from": {"id": 2**64}})).encode(),
    ],
    ids=lambda value: repr(value[:24]),
)
async def test_what_is_no_json_of_telegrams_gets_400_and_is_not_in_the_log(
    door: Door, odd: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert await door.post(odd) == 400
    assert (door.inbox.updates, door.inbox.letters) == ([], [])
    assert f"a post of {len(odd)} bytes is no JSON object of ours" in caplog.text
    assert "private words" not in caplog.text


async def test_ids_of_up_to_63_bits_are_taken(door: Door) -> None:
    most = {"id": -(2**63), "type": "supergroup", "title": "G"}
    assert await door.post(body(chat=most, **{"from": {"id": 2**63 - 1}})) == 200
    (update,) = door.inbox.updates
    assert update.address is not None
    assert update.user is not None
    assert (update.address.chat, update.user.id) == (str(-(2**63)), str(2**63 - 1))


async def test_lone_surrogates_are_replaced_and_refuse_nothing(door: Door) -> None:
    assert await door.post(body(text="a \ud83d b")) == 200
    (update,) = door.inbox.updates
    assert update.content == TextMessage("a \ufffd b")


# --- what Telegram could send and nothing can be made of --------------------------------


@pytest.mark.parametrize("number", [None, -1, "7", 1.5, True, [], {}], ids=repr)
async def test_fact_8_an_update_without_a_valid_id_is_acknowledged_counted_and_a_dead_letter(
    door: Door, number: object, caplog: pytest.LogCaptureFixture
) -> None:
    odd = message() | {"update_id": number}
    if number is None:
        del odd["update_id"]
    posted = json.dumps(odd).encode()
    assert await door.post(posted) == 200
    assert door.reader.skipped["update_id"] == 1
    ((name, text),) = door.inbox.letters
    assert (name[:4], orjson.loads(text)) == ("odd:", odd)
    assert door.inbox.updates == []
    assert "private words" not in caplog.text


async def test_the_same_post_without_an_id_has_the_same_name_again(door: Door) -> None:
    for _ in range(2):
        assert await door.post(b'{"message": {}}') == 200
    assert door.inbox.letters[0] == door.inbox.letters[1]


async def test_fact_8_an_unknown_type_is_acknowledged(door: Door) -> None:
    assert await door.post(b'{"update_id": 3, "telepathy": {"thought": 1}}') == 200
    (update,) = door.inbox.updates
    assert update.content == Other("telepathy", silent=True)


@pytest.mark.parametrize(
    "malformed",
    [{"message": 7}, {"message": {"text": "private words"}}, {"callback_query": {}}, {}],
    ids=repr,
)
async def test_fact_8_what_is_malformed_is_acknowledged(
    door: Door, malformed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert await door.post(json.dumps({"update_id": 3} | malformed).encode()) == 200
    assert "private words" not in caplog.text


async def test_fact_8_an_update_that_the_reader_fails_at_is_acknowledged_and_a_dead_letter(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(door.reader, "read", broken)
    assert await door.post(body()) == 200
    ((_, text),) = door.inbox.letters
    assert orjson.loads(text) == message()


# --- when it cannot be kept -------------------------------------------------------------


async def test_nothing_is_taken_before_the_bot_runs_and_after_it_stops(door: Door) -> None:
    assert await door.at_rest(body()) == 503
    assert await door.post(body()) == 200
    assert await door.at_rest(body()) == 503
    assert len(door.inbox.updates) == 1


async def test_who_does_not_know_the_secret_does_not_learn_whether_it_runs(door: Door) -> None:
    assert await door.at_rest(body(), secret="wrong") == 401


@pytest.mark.parametrize("posted", [body(), b'{"message": {}}'], ids=["update", "malformed"])
async def test_a_storage_that_is_away_gets_503_and_the_next_post_is_kept(posted: bytes) -> None:
    door = Door(StorageDown("the disk is full"))
    assert [await door.post(posted), await door.post(posted)] == [503, 200]
    assert len(door.inbox.updates) + len(door.inbox.letters) == 1
    await door.client.aclose()


async def test_a_storage_that_hangs_gets_503_before_telegram_gives_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.channels.telegram.posts.KEEP_SECONDS", 0.01)
    door.inbox.gate.clear()
    assert await door.post(body()) == 503


async def test_an_intake_that_fails_oddly_costs_no_chat_its_queue() -> None:
    door = Door(ValueError("a bug"))
    assert await door.post(body()) == 200
    assert len(door.inbox.letters) == 1
    await door.client.aclose()


async def test_an_intake_that_takes_nothing_at_all_gets_503() -> None:
    door = Door(ValueError("a bug"), ValueError("another"))
    assert await door.post(body()) == 503
    await door.client.aclose()


async def test_leaving_waits_for_the_posts_under_way(door: Door) -> None:
    door.inbox.gate.clear()
    leave = asyncio.Event()

    async def receiving() -> None:
        async with door.webhook.taking(door._take):
            await leave.wait()

    task = asyncio.ensure_future(receiving())
    await asyncio.sleep(0)
    posting = asyncio.ensure_future(door.at_rest(body()))
    await some_rounds()
    leave.set()
    await some_rounds()
    assert await door.at_rest(body()) == 503
    assert not task.done()
    door.inbox.gate.set()
    await task
    assert await posting == 200


async def test_leaving_does_not_wait_for_ever_for_a_storage_that_hangs(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.channels.telegram.webhook.LEAVING", 0.01)
    door.inbox.gate.clear()
    async with door.webhook.taking(door._take):
        posting = asyncio.ensure_future(door.at_rest(body()))
        await some_rounds()
    assert not posting.done()
    door.inbox.gate.set()
    assert await posting == 200


async def test_a_body_that_is_complete_when_the_bot_has_stopped_gets_503(door: Door) -> None:
    asked, release = asyncio.Event(), asyncio.Event()
    statuses: list[Any] = []

    async def receive() -> dict[str, Any]:
        asked.set()
        await release.wait()
        return {"type": "http.request", "body": body(), "more_body": False}

    async def send(event: Any) -> None:
        statuses.append(event.get("status"))

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"",
             "headers": [JSON, (HEADER, SECRET.encode())]}  # fmt: skip
    async with door.webhook.taking(door._take):
        posting = asyncio.ensure_future(door.webhook(scope, receive, send))
        await asked.wait()
    release.set()
    await posting
    assert (statuses[0], door.read) == (503, 0)


async def test_one_webhook_is_for_one_bot(door: Door) -> None:
    async with door.webhook.taking(door._take):
        with pytest.raises(ChannelStopped, match="Give each a Webhook of its own"):
            await door.post(body())


async def test_a_websocket_is_closed_and_a_lifespan_is_refused_with_a_sentence(door: Door) -> None:
    events: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        events.append(event["type"])

    await door.webhook({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert events == ["websocket.close"]
    with pytest.raises(RuntimeError, match="give it a route"):
        await door.webhook({"type": "lifespan"}, receive, send)


def test_who_logs_in_at_the_address_is_not_in_what_is_shown_of_a_webhook() -> None:
    webhook = Webhook("https://ada:pass@bot.example.org:8443/telegram", secret=SECRET)
    assert repr(webhook) == "Webhook(at https://bot.example.org:8443)"


def test_neither_the_secret_nor_the_path_is_in_what_is_shown_of_a_webhook() -> None:
    webhook = Webhook("https://bot.example.org/p4th", secret=SECRET)
    assert repr(webhook) == "Webhook(at https://bot.example.org)"
