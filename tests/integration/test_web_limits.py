"""What a web chat does when something goes wrong or is too much, over its WebSocket."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from engine.channels.web import WebLimits, WebPerson
from engine.channels.web.limits import Quota, TooMuchUploaded
from engine.testing.clock import VirtualClock
from flows.errors import BadRow
from flows.ports import Delivery, InboxRow
from storage import MemoryStorage
from tests.webchat import echo, frame, heard, running, until, words

pytestmark = pytest.mark.anyio


class Choosy(MemoryStorage):
    """A storage that cannot keep an update with a certain word in it."""

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        for index, row in enumerate(rows):
            if "unkeepable" in row.body:
                raise BadRow(index, "it is too large")
        return await super().accept(rows)


async def ada(connection: HTTPConnection) -> WebPerson | None:
    return WebPerson(id="ada")


async def test_what_cannot_be_kept_is_marked_for_every_page_and_after_a_reload() -> None:
    async with running(echo(), Choosy()) as site:
        async with site.page() as line:
            await until(line, "live")
            await line.send(frame("say", 1, text="unkeepable"))
            told = (await until(line, "refused"))[-1]
            assert told["reason"] == "This message cannot be kept."
        async with site.page() as line:
            (shown,) = (await until(line, "lines"))[-1]["lines"]
            assert (shown["it"]["text"], shown["it"]["refused"]) == (
                ["unkeepable"], "This message cannot be kept."
            )  # fmt: skip


async def test_what_a_person_reads_is_in_the_language_of_their_browser() -> None:
    async with running(echo(), Choosy()) as site:
        german = "fr;q=0.4, de-AT;q=0.9"
        page = await site.client.get("", headers={"accept-language": german})
        assert '<html lang="de">' in page.text
        assert 'placeholder="Nachricht"' in page.text
        async with site.page(headers={"accept-language": german}) as line:
            await until(line, "live")
            await line.send(frame("say", 1, text="unkeepable"))
            told = (await until(line, "refused"))[-1]
            assert told["reason"] == "Diese Nachricht kann nicht gespeichert werden."


async def test_an_identify_that_raises_is_logged_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = False

    async def who(connection: HTTPConnection) -> WebPerson | None:
        if broken:
            raise LookupError("the sessions are away")
        return WebPerson(id="ada")

    async with running(echo(), MemoryStorage(), identify=who) as site:
        broken = True
        async with site.page() as line:
            await line.wait_closed()
            assert (line.close_code, line.close_reason) == (1011, "something went wrong")
        for answer in (
            await site.client.post("files/c-00000001", content=b"x"),
            await site.client.get("files/c-00000001"),
            await site.client.get(""),
        ):
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        failed = [each for each in caplog.records if "identify has failed" in each.message]
        assert "the sessions are away" in caplog.text
        assert {each.levelno for each in failed} == {logging.ERROR}
        broken = False
        async with site.page() as line:
            await until(line, "live")


async def test_an_erase_empties_the_pages_that_are_open() -> None:
    storage = MemoryStorage()
    async with running(echo(), storage, identify=ada) as site, site.page() as line:
        await until(line, "live")
        await line.send(frame("say", 1, text="hello"))
        await heard(line, ["hello", "you said hello"])
        await storage.erase("web/ada")
        await line.send('{"t":"ping"}')
        await until(line, "reset")
        await line.send(frame("say", 2, text="again"))
        await heard(line, ["again", "you said again"])


async def test_a_page_that_comes_back_after_an_erase_begins_anew() -> None:
    storage = MemoryStorage()
    async with running(echo(), storage, identify=ada) as site:
        async with site.page() as line:
            await until(line, "live")
            await line.send(frame("say", 1, text="hello"))
            lines = (await until(line, "lines"))[-1]["lines"]
        await storage.erase("web/ada")
        async with site.page(after=lines[-1]["n"]) as line:
            kinds = [each["t"] for each in await until(line, "live")]
            assert kinds == ["hello", "reset", "live"]


def said(chat: str, number: int, text: str = "", **more: Any) -> Delivery:
    return Delivery(
        chat=chat, topic=None, text=text or f"line {number}", format="plain", keyboard=(),
        id=f"{number}.0.x", **more,
    )  # fmt: skip


async def test_an_often_edited_message_does_not_crowd_out_the_talk() -> None:
    async with running(echo(), MemoryStorage(), identify=ada) as site:
        for number in range(5):
            await site.channel.send(said("ada", number))
        hub = await site.channel.send(said("ada", 5, "hub"))
        for number in range(10, 340):
            await site.channel.send(said("ada", number, f"hub {number}", edit=hub))
        async with site.page() as line:
            frames = await until(line, "lines")
            assert words(frames) == [*(f"line {number}" for number in range(5)), "hub 339"]
            assert (frames[-1]["more"], frames[-1]["last"] > 0) == (False, True)
            await site.channel.send(said("ada", 340, "hub 340", edit=hub))
            await heard(line, ["hub 340"])


async def test_a_page_gets_older_messages_when_it_asks_for_them() -> None:
    async with running(echo(), MemoryStorage(), identify=ada) as site:
        first = await site.channel.send(said("ada", 0))
        for number in range(1, 450):
            await site.channel.send(said("ada", number))
        await site.channel.send(said("ada", 450, "line 0, mended", edit=first))
        async with site.page() as line:
            newest = await until(line, "lines")
            assert words(newest) == [f"line {n}" for n in range(250, 450)] + ["line 0, mended"]
            found: list[str] = []
            window = newest[-1]
            while window["more"]:
                await line.send(json.dumps({"t": "older", "before": window["first"]}))
                window = (await until(line, "older"))[-1]
                found = words([{**window, "t": "lines"}]) + found
            assert found == [f"line {n}" for n in range(250)]


async def test_pages_over_the_limit_are_refused_until_another_goes() -> None:
    limits = WebLimits(pages=2)
    async with running(echo(), MemoryStorage(), limits=limits) as site:
        async with site.page() as one, site.page() as two:
            await until(one, "live")
            await until(two, "live")
            async with site.page() as third:
                await third.wait_closed()
                assert (third.close_code, third.close_reason) == (4503, "too many pages are open")
        async with asyncio.timeout(30):
            while True:  # the server hears of it a moment later
                async with site.page() as fourth:
                    if (await until(fourth, "live"))[-1]["t"] == "live":
                        break


async def test_an_address_has_a_limit_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    limits = WebLimits(pages_of_address=1)
    async with running(echo(), MemoryStorage(), limits=limits) as site, site.page() as one:
        await until(one, "live")
        async with site.page() as two:
            await two.wait_closed()
            assert two.close_code == 4430
        assert "FORWARDED_ALLOW_IPS" in caplog.text
        elsewhere = {"x-forwarded-for": "203.0.113.7"}  # told by a proxy on this machine
        async with site.page(headers=elsewhere) as three:
            await until(three, "live")


async def test_a_page_that_does_not_say_hello_is_hung_up_on() -> None:
    limits = WebLimits(hello=0.0)
    async with running(echo(), MemoryStorage(), limits=limits) as site, site.page() as line:
        await line.wait_closed()
        assert (line.close_code, line.close_reason) == (1008, "a page says hello first")


async def test_who_has_uploaded_too_much_is_told_so() -> None:
    limits = WebLimits(uploads_of_person=1 << 20)
    async with running(echo(), MemoryStorage(), limits=limits) as site:
        kept = await site.client.post("files/c-00000001", content=b"x" * 600_000)
        over = await site.client.post("files/c-00000002", content=b"x" * 600_000)
        assert (kept.status_code, over.status_code) == (200, 413)
        assert over.json()["reason"].startswith("You have uploaded a lot: 1 MB a day is the most.")
        site.client.cookies.clear()
        await site.client.get("")
        other = await site.client.post("files/c-00000003", content=b"x" * 600_000)
        assert other.status_code == 200


async def test_all_people_together_may_upload_so_much_and_more_the_next_day() -> None:
    clock = VirtualClock()
    quota = Quota(WebLimits(uploads=1000, uploads_of_person=600), clock)
    quota.take("ada", 600)
    quota.take("bob", 400)
    with pytest.raises(TooMuchUploaded) as refused:
        quota.take("eve", 500)
    assert (refused.value.limit, refused.value.hours) == (0, 12)
    clock.skip(timedelta(hours=13))
    quota.take("eve", 500)
    with pytest.raises(TooMuchUploaded) as refused:
        quota.take("eve", 200)
    assert refused.value.limit == 600
