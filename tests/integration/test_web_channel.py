"""The web chat over real WebSockets and HTTP, in one process with the test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from websockets.asyncio.client import connect

from engine.channels.web import WebPerson
from flows.ports import Delivery
from storage import MemoryStorage
from tests.webchat import echo, heard, running, until, words

pytestmark = pytest.mark.anyio

FIRST, SECOND = "c-00000000000000000001", "c-00000000000000000002"


async def test_what_is_sent_again_is_one_update_and_is_acknowledged_both_times() -> None:
    storage = MemoryStorage()
    async with running(echo(), storage) as site:
        async with site.page() as line:
            await until(line, "live")
            for _ in range(2):
                await line.send(json.dumps({"t": "say", "id": FIRST, "text": "hello"}))
                await until(line, "ack")
        async with site.page() as line:
            await heard(line, ["hello", "you said hello"])
            await line.send(json.dumps({"t": "say", "id": SECOND, "text": "again"}))
            await heard(line, ["again", "you said again"])


async def test_a_page_that_comes_back_gets_what_came_since_and_nothing_else() -> None:
    async with running(echo(), MemoryStorage()) as site:
        async with site.page() as line:
            await until(line, "live")
            await line.send(json.dumps({"t": "say", "id": FIRST, "text": "hello"}))
            await until(line, "ack")
            await heard(line, [])
        async with site.page() as line:
            place = (await until(line, "lines"))[-1]["lines"][-1]["n"]
        async with site.page(after=place) as line:
            assert words(await until(line, "live")) in ([], ["you said hello"])


async def test_a_delivery_that_is_sent_again_is_recorded_once() -> None:
    storage = MemoryStorage()
    async with running(echo(), storage) as site:
        delivery = Delivery(
            chat="ada", topic=None, text="<b>hi</b>", format="html", keyboard=(), id="1.0.x"
        )
        first, again = [await site.channel.send(delivery) for _ in range(2)]
    assert first == again
    assert len([name for name in storage.database.lines if "ada" in name[0]]) == 1


async def test_another_site_cannot_talk_as_the_person() -> None:
    async with running(echo(), MemoryStorage()) as site:
        async with site.page(headers={"origin": "https://evil.example"}) as line:
            await line.wait_closed()
            assert (line.close_code, line.close_reason) == (4403, "this page is of another host")
        upload = await site.client.post(
            f"files/{FIRST}", content=b"x", headers={"origin": "https://evil.example"}
        )
        assert upload.status_code == 403


async def test_a_forged_cookie_is_nobody() -> None:
    async with running(echo(), MemoryStorage()) as site:
        ((name, value),) = site.client.cookies.items()
        forged = "0" * 32 + value[32:]
        async with connect(
            f"{site.url.replace('http', 'ws')}ws",
            additional_headers={"cookie": f"{name}={forged}"}, proxy=None,
        ) as line:  # fmt: skip
            await line.wait_closed()
            assert line.close_code == 4401


async def test_an_upload_reaches_the_flow_and_can_be_read_back() -> None:
    async with running(echo(), MemoryStorage(), upload_limit=500_000) as site:
        data = bytes(range(256)) * 1500  # two pieces
        sent = await site.client.post(
            f"files/{FIRST}", params={"name": "<b>.png"}, content=data,
            headers={"content-type": "image/png"},
        )  # fmt: skip
        assert sent.json() == {"size": len(data)}
        async with site.page() as line:
            await until(line, "live")
            await line.send(json.dumps({"t": "file", "id": FIRST, "caption": "mine"}))
            await heard(line, ["mine", f"<b>.png: {len(data)} bytes"])
        back = await site.client.get(f"files/{FIRST}")
        assert (back.content, back.headers["content-type"]) == (data, "image/png")
        large = await site.client.post(f"files/{SECOND}", content=data + data)
        assert (large.status_code, "0.476837 MB" in large.json()["reason"]) == (413, True)


async def test_a_span_of_a_file_can_be_fetched() -> None:
    async with running(echo(), MemoryStorage()) as site:
        data = bytes(range(256)) * 1500  # two pieces
        await site.client.post(
            f"files/{FIRST}", content=data, headers={"content-type": "video/mp4"}
        )
        for wanted, start, stop in (
            ("bytes=0-1", 0, 2), ("bytes=190000-200000", 190_000, 200_001),
            ("bytes=300000-", 300_000, len(data)), ("bytes=-5", len(data) - 5, len(data)),
        ):  # fmt: skip
            part = await site.client.get(f"files/{FIRST}", headers={"range": wanted})
            assert (part.status_code, part.content) == (206, data[start:stop])
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(data)}"
        beyond = await site.client.get(f"files/{FIRST}", headers={"range": "bytes=999999-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */384000")
        whole = await site.client.get(f"files/{FIRST}")
        assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")


async def test_a_cookie_is_secure_where_a_proxy_says_that_the_page_is() -> None:
    async with running(echo(), MemoryStorage()) as site:
        site.client.cookies.clear()
        plain = await site.client.get("")
        site.client.cookies.clear()
        secure = await site.client.get("", headers={"x-forwarded-proto": "https"})
        cookies = plain.headers["set-cookie"].lower(), secure.headers["set-cookie"].lower()
        assert ["; secure" in each for each in cookies] == [False, True]


async def test_an_uploaded_page_never_runs_and_belongs_to_its_chat() -> None:
    async with running(echo(), MemoryStorage()) as site:
        await site.client.post(
            f"files/{FIRST}", content=b"<script>", headers={"content-type": "text/html"}
        )
        back = await site.client.get(f"files/{FIRST}")
        assert back.headers["content-type"] == "application/octet-stream"
        assert back.headers["content-disposition"] == "attachment"
        assert "sandbox" in back.headers["content-security-policy"]
        site.client.cookies.clear()
        await site.client.get("")  # somebody else
        assert (await site.client.get(f"files/{FIRST}")).status_code == 404


async def test_who_sends_too_much_is_asked_to_wait() -> None:
    async with running(echo(), MemoryStorage()) as site, site.page() as line:
        await until(line, "live")
        for n in range(30):
            text = {"t": "say", "id": f"c-{n:020}", "text": str(n)}
            await line.send(json.dumps(text))
        frames = await until(line, "later")
        assert 0 < frames[-1]["seconds"] < 1


@pytest.mark.parametrize("frame", ["{", '{"t":"say","id":"x","text":"a"}', '{"t":"no"}'])
async def test_what_is_no_frame_is_refused_and_the_page_goes_on(frame: str) -> None:
    async with running(echo(), MemoryStorage()) as site, site.page() as line:
        await until(line, "live")
        await line.send(frame)
        await until(line, "refused")
        await line.send('{"t":"ping"}')
        await until(line, "pong")


async def test_a_person_by_the_applications_word_stays_after_a_restart(tmp_path: Path) -> None:
    async def who(connection: HTTPConnection) -> WebPerson | None:
        return WebPerson(id="ada", name="<img src=x>")

    storage = MemoryStorage()
    second = MemoryStorage(database=storage.database)
    async with running(echo(), storage, identify=who) as site, site.page() as line:
        await until(line, "live")
        await line.send(json.dumps({"t": "say", "id": FIRST, "text": "hello"}))
        await heard(line, ["hello", "you said hello"])
    async with running(echo(), second, identify=who) as site, site.page() as line:
        await heard(line, ["hello", "you said hello"])


async def test_erasing_a_person_empties_their_chat() -> None:
    async def who(connection: HTTPConnection) -> WebPerson | None:
        return WebPerson(id="ada")

    app, storage = echo(), MemoryStorage()
    async with running(app, storage, identify=who) as site:
        async with site.page() as line:
            await until(line, "live")
            await site.client.post(f"files/{SECOND}", content=b"secret")
            await line.send(json.dumps({"t": "say", "id": FIRST, "text": "hello"}))
            await heard(line, ["hello", "you said hello"])
        await storage.erase("web/ada")
        assert [name for name in storage.database.lines if "ada" in name[0]] == []
        async with site.page() as line:
            assert words(await until(line, "live")) == []
