"""The inspector in a real Chromium, beside a bot that talks: help is found, given, and arrives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from engine import App
from engine.inspector import Inspector
from engine.testing import Chat
from engine.testing.channel import TestChannel
from examples.kyc import app as kyc
from flows import FlowBuilder, Text
from flows.errors import SendRefused
from flows.ports import Delivery
from tests.inspector import TOKEN
from tests.support import Names, Three, app_of

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update",
             "--disable-sync")  # fmt: skip
EVIL = "<img src=x onerror=alert(1)>"


class Server(uvicorn.Server):
    """A server that leaves signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: App) -> AsyncIterator[str]:
    """The inspector of an App that runs here; answers its URL."""
    inspector = Inspector(app, operate_token=TOKEN)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(inspector, log_config=None, access_log=False, lifespan="off")
    server = Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()


@asynccontextmanager
async def operator_at(url: str) -> AsyncIterator[Page]:
    """Somebody who has followed the link. Whatever the browser complains of fails the test."""
    api = pytest.importorskip(
        "playwright.async_api", reason="playwright is not installed: pip install --group browser"
    )
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=list(ARGUMENTS)
        )
        page = await browser.new_page()
        page.on(
            "console",
            lambda said: complaints.extend([said.text] if said.type == "error" else []),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        await page.goto(f"{url}/login?token={TOKEN}&name=eve")
        yield page
        await browser.close()
    assert complaints == []


async def test_a_stuck_one_is_found_and_moved_and_its_person_gets_the_prompt() -> None:
    async with Chat(kyc) as chat, served(kyc) as url, operator_at(url) as page:
        assert page.url == f"{url}/"  # the token has left the address
        await chat.say("/kyc", by="4242")
        await chat.say("/kyc", by="4243")
        await page.get_by_role("link", name="Instances").click()
        await page.get_by_label("Flow").select_option("kyc")
        await page.get_by_label("Id or person").fill("test/4242")
        await page.get_by_role("button", name="Find").click()
        await page.locator("a.id").click()
        timeline = page.locator(".timeline")
        await timeline.get_by_text("by start").wait_for()
        assert "PHONE" in await timeline.inner_text()
        await page.get_by_role("link", name="Go to a step").click()
        await page.get_by_label("Step").select_option("REVIEW")
        await page.get_by_role("button", name="Go to a step").click()
        await page.get_by_text("It was moved.").wait_for()
        await chat.settle()
        assert "Please review it" in chat.replies("4242")[-1]
        await page.locator(".diagram .here title", has_text="REVIEW").wait_for(state="attached")
        assert "eve" in await page.locator("#more").inner_text()


async def test_an_escalated_one_is_approved_and_its_person_reads_so() -> None:
    async with Chat(kyc) as chat, served(kyc) as url, operator_at(url) as page:
        await chat.say("/kyc")
        await chat.send_file("photo")
        await chat.press("Phone")
        await chat.say("+442079460958")
        await chat.press("E-mail")
        await chat.say("ada@example.org")
        await chat.press("Yes")
        await chat.press("Submit")
        await page.get_by_role("link", name="1 wait for an operator").click()
        assert "ada@example.org" not in await page.content()
        await page.get_by_role("link", name="Approve").click()
        await page.get_by_role("button", name="Answer").click()
        await page.get_by_text("The answer is handed in.").wait_for()
        await chat.settle()
        assert chat.replies()[-1] == "Welcome! Your identity check is approved."


class Picky(TestChannel):
    """A channel that takes nothing with a star, until it does."""

    takes_stars = False

    async def send(self, delivery: Delivery) -> str | None:
        if "*" in delivery.text and not Picky.takes_stars:
            raise SendRefused("can't parse entities")
        return await super().send(delivery)


def starry() -> App:
    flow = FlowBuilder("starry", Three, Names)
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.ask(Three.SECOND, "*Second?*", Text(), into="second")
    flow.ask(Three.THIRD, "Third?", Text(), into="third")
    return app_of(flow.build(initial=Three.FIRST))


async def test_a_dead_letter_is_replayed_and_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picky, "takes_stars", False)
    app = starry()
    async with Chat(app, channel=Picky) as chat, served(app) as url, operator_at(url) as page:
        await chat.say("/start")
        assert await chat.say("a") == ()
        monkeypatch.setattr(Picky, "takes_stars", True)
        await page.get_by_role("link", name="Dead letters").first.click()
        await page.get_by_role("link", name="Replay…").click()
        await page.get_by_role("button", name="Replay").click()
        await page.get_by_text("The dead letter is put back.").wait_for()
        # the bot looks for it once a second
        while "*Second?*" not in chat.replies():  # noqa: ASYNC110 -- no event tells of it
            await asyncio.sleep(0.05)
        assert (await app.running.dead_letters()).rows == ()


async def test_what_people_typed_stays_text_on_every_page() -> None:
    app = starry()
    async with Chat(app, channel=Picky) as chat, served(app) as url, operator_at(url) as page:
        await chat.say("/start", by=EVIL)
        await chat.say(EVIL, by=EVIL)
        (row,) = (await app.running.instances()).rows
        eve = app.running.on_behalf_of(EVIL)
        await eve.goto(row.id, "THIRD")
        await eve.cancel(row.id, EVIL)
        await chat.settle()
        (letter,) = (await app.running.dead_letters()).rows
        key = row.conv.replace("%", "%25")
        for path in ("/", "/instances?status=all", f"/instances/{row.id}", "/audit", "/letters",
                     f"/conversation?key={key}", f"/letters/{letter.id}?words=1",
                     f"/erase?person={EVIL}", f"/instances?text={EVIL}",
                     "/flows/starry"):  # fmt: skip
            await page.goto(f"{url}{path}")
            assert await page.locator("img").count() == 0, path
        await page.goto(f"{url}/instances/{row.id}")
        assert EVIL in await page.locator("#facts .data").inner_text()


async def test_what_is_chosen_before_the_script_has_come_counts() -> None:
    async with Chat(kyc) as chat, served(kyc) as url, operator_at(url) as page:
        await chat.say("/kyc")
        chosen = asyncio.Event()

        async def late(route: Route) -> None:
            await chosen.wait()
            await route.continue_()

        await page.route("**/inspector.js", late)
        await page.goto(f"{url}/instances", wait_until="commit")
        await page.get_by_label("Flow").select_option("kyc")
        chosen.set()
        await page.get_by_label("Step").select_option("DOCUMENT")
        await page.wait_for_url("**/instances?flow=kyc&step=DOCUMENT*")


async def test_a_page_brings_itself_up_to_date() -> None:
    async with Chat(kyc) as chat, served(kyc) as url, operator_at(url) as page:
        await page.goto(f"{url}/flows/kyc")
        await chat.say("/kyc")
        await page.locator(".diagram title", has_text="PHONE: 1 here now").wait_for(
            state="attached"
        )
