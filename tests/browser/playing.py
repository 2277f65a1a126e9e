"""The lines of a transcript, played by a person in front of the chat page."""

from __future__ import annotations

import pytest

from engine.testing.transcript import Exchange
from tests.browser.page import ChatPage, in_order
from tests.browser.server import wait_for


def perform(page: ChatPage, exchange: Exchange) -> None:
    """Does what the line says."""
    page.page.evaluate("window.heard = []")
    match exchange.kind:
        case "say":
            page.say(exchange.text)
        case "press":
            page.press(exchange.text)
        case "file":
            page.send(*exchange.text.split(maxsplit=1))
        case kind:
            pytest.fail(f"a browser cannot do {kind}")


def answered(page: ChatPage, exchange: Exchange) -> None:
    """Waits until what the line expects is said, and everything is sent."""
    words = [each.words for each in exchange.expected]
    wait_for(
        lambda: in_order(words, "\n".join(page.heard())) and page.settled(),
        f"line {exchange.line}: {words} in {page.heard()}",
        seconds=30,
    )
