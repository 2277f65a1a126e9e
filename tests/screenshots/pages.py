"""The pages: the web chat in the middle of a flow, and the inspector on the same database."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from tests.browser.page import ChatPage, Size
from tests.browser.server import ChatServer, chat_server, inspector_beside, wait_for
from tests.screenshots.browser import chromium, photograph
from tests.site.pages import DOCS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BOT = "examples.signup:app"
IMAGES = DOCS / "images"
TALKS: tuple[tuple[Size, tuple[str, ...]], ...] = (
    ("desktop", ("/start", "Grace Hopper", "grace@example.com")),
    ("phone", ("/start", "Ada Lovelace", "ada@example", "ada@example.com")),
)
"""What each person says, one answer of the bot after each, and at what size it is seen."""


def take() -> None:
    """Talks to a bot in the browser, then looks at it as its operator."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        chromium() as browser,
        chat_server(BOT, Path(folder)) as server,
    ):
        wait_for(lambda: _listens(server.url), "the chat page is there")
        for size, sayings in TALKS:
            _chat(browser, server, size, sayings)
        with inspector_beside(BOT, Path(folder)) as link:
            _inspect(browser, link)


def _listens(url: str) -> bool:
    """Whether the page answers."""
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _chat(browser: Browser, server: ChatServer, size: Size, sayings: tuple[str, ...]) -> None:
    chat = ChatPage(browser, server.url, size)
    for count, words in enumerate(sayings, start=1):
        chat.say(words)
        chat.page.locator(".message:not(.mine)").nth(count - 1).wait_for()
    chat.page.wait_for_function("!document.querySelector('.pending')")
    photograph(chat.page, IMAGES / f"web-{size}.png")
    chat.close()


def _inspect(browser: Browser, link: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(link)
    photograph(page, IMAGES / "inspector-overview.png")
    page.get_by_role("link", name="Instances").click()
    page.locator("a.id").first.click()
    page.locator(".diagram .here").wait_for(state="attached")
    photograph(page, IMAGES / "inspector-instance.png")
    page.close()
