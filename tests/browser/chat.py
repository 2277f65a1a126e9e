"""A chat page in Chromium, of a bot that runs in this process: so a test can break things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.page import ARGUMENTS, CHROMIUM, PATIENCE, SIZES, Size

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Page


@asynccontextmanager
async def person(size: Size = "phone", **options: Any) -> AsyncIterator[BrowserContext]:
    """Somebody's browser. What it complains of fails the test, but for what a lost or refused
    connection says.
    """
    api = pytest.importorskip(
        "playwright.async_api", reason="playwright is not installed: pip install --group browser"
    )
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        lost = ("net::ERR_CONNECTION", "WebSocket connection to", "Failed to load resource")
        if message.type == "error" and not any(word in message.text for word in lost):
            complaints.append(message.text)

    def watch(page: Page) -> None:
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))

    width, height = SIZES[size]
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=list(ARGUMENTS)
        )
        context = await browser.new_context(
            viewport={"width": width, "height": height}, has_touch=size != "desktop", **options
        )
        context.set_default_timeout(PATIENCE)
        context.on("page", watch)
        yield context
        await browser.close()
    assert complaints == []


async def opened(context: BrowserContext, url: str, *, state: str = "online") -> Page:
    """One more tab, once it says how it stands."""
    page = await context.new_page()
    await page.goto(url)
    await page.locator("#state", has_text=state).wait_for()
    return page


async def say(page: Page, words: str) -> None:
    """Writes a message and sends it."""
    await page.fill("#text", words)
    await page.press("#text", "Enter")


async def shown(page: Page) -> list[str]:
    """The messages as they stand there, without their times."""
    texts = await page.evaluate(
        """[...document.querySelectorAll(".message")].map((message) => {
          const copy = message.cloneNode(true);
          copy.querySelectorAll("time, .reply").forEach((part) => part.remove());
          return copy.innerText.trim().replace(/\\s+/g, " ");
        })"""
    )
    return [str(words) for words in texts]
