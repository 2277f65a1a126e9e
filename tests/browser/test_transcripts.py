"""The examples' transcripts in the browser, with reloads and kills, and nothing lost or doubled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.testing import read_transcript
from tests.browser.page import ChatPage
from tests.browser.playing import answered, perform
from tests.browser.server import ROOT, ChatServer, chat_server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRANSCRIPTS = sorted((ROOT / "examples").rglob("transcript*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_transcript_with_a_reload_and_a_kill_in_the_middle_ends_as_one_without(
    browser: Browser, tmp_path: Path, path: Path
) -> None:
    exchanges = read_transcript(path).exchanges
    with chat_server(f"examples.{path.parent.name}:app", tmp_path) as server:
        calm, troubled = (
            ChatPage(browser, server.url, "desktop"), ChatPage(browser, server.url, "phone")
        )  # fmt: skip
        for exchange in exchanges:
            perform(calm, exchange)
            answered(calm, exchange)
        for place, exchange in enumerate(exchanges):
            perform(troubled, exchange)
            trouble(server, troubled, place, len(exchanges))
            answered(troubled, exchange)
        wanted = same(calm)
        wait_for(lambda: same(troubled) == wanted, f"{same(troubled)} is {wanted}", seconds=20)
        for page in (calm, troubled):
            page.reload()
            assert (same(page), page.complaints) == (wanted, [])
            page.close()
        assert "Traceback" not in server.log


def same(page: ChatPage) -> list[str]:
    """What is shown, but for addresses, which are another one for each payment."""
    return [re.sub(r"https?://\S+", "URL", words) for words in page.shown()]


def trouble(server: ChatServer, page: ChatPage, place: int, count: int) -> None:
    """In the middle the server is killed while it may be at work; elsewhere the page is loaded
    again before it is told that what was sent has arrived, or after.
    """
    if place == count // 2:
        server.kill()
        server.start()
        page.online()
    elif place == count // 3:
        page.reload()
    elif place % 3 == 2:
        wait_for(page.settled, "everything is sent")
        page.reload()
