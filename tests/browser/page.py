"""A person in front of the chat page, by way of playwright."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update",
             "--disable-sync")  # fmt: skip
PATIENCE = 60_000
"""Milliseconds that the page may take for anything."""

Size = Literal["phone", "desktop", "narrow"]
SIZES: dict[Size, tuple[int, int]] = {
    "phone": (390, 844), "desktop": (1280, 800), "narrow": (320, 568),
}  # fmt: skip

# Everything that the bot says, edits included, as it comes up; what is there at first, too.
_LISTEN = """
window.heard = [];
document.addEventListener("DOMContentLoaded", () => {
  const hear = (node) => {
    const message = (node.nodeType === 1 ? node : node.parentElement)?.closest(".message, #notice");
    if (message && !message.classList.contains("mine")) window.heard.push(message.textContent);
  };
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) hear(node);
  }).observe(document.body, { childList: true, subtree: true });
});
"""

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060"
    "000000040001f61738550000000049454e44ae426082"
)
FILES: dict[str, FilePayload] = {
    "photo": {"name": "passport.png", "mimeType": "image/png", "buffer": PIXEL},
    "document": {"name": "papers.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 test"},
}
"""What is uploaded for a word of a transcript."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; the test is skipped where there is none. Nothing else may run an event loop in
    this thread meanwhile.
    """
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install --group browser"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_api.sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            browser.close()


class ChatPage:
    """One person's browser window.

    Attributes:
        complaints: what was on the console of the browser, but for what a lost connection says.
    """

    def __init__(self, browser: Browser, url: str, size: Size = "phone") -> None:
        width, height = SIZES[size]
        self._context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=size != "desktop"
        )
        self._context.set_default_timeout(PATIENCE)
        self._context.add_init_script(_LISTEN)
        self.complaints: list[str] = []
        self._url = url
        self.page = self.another()

    def another(self) -> Page:
        """One more tab of the same person."""
        page = self._context.new_page()
        page.on("console", self._complain)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self._url)
        self.online(page)
        return page

    def close(self) -> None:
        """Closes the window."""
        self._context.close()

    def online(self, page: Page | None = None) -> None:
        """Waits until the page talks with the bot."""
        (page or self.page).locator("#state", has_text="online").wait_for()

    # --- what the person does -----------------------------------------------------------

    def say(self, words: str) -> None:
        self.page.fill("#text", words)
        self.page.press("#text", "Enter")

    def press(self, label: str) -> None:
        """Presses the newest button of that label."""
        buttons = self.page.locator("button.knob").filter(visible=True)
        buttons.get_by_text(label, exact=True).or_(
            self.page.get_by_role("button", name=label, exact=True)
        ).last.click()

    def send(self, kind: str, caption: str = "") -> None:
        """Sends one of ``FILES``."""
        self.page.set_input_files("#file", [FILES[kind]])
        self.page.locator("#chosen").wait_for(state="visible")
        self.say(caption) if caption else self.page.click("#send")

    def reload(self) -> None:
        self.page.reload()
        self.online()

    # --- what they see ------------------------------------------------------------------

    def heard(self) -> list[str]:
        """All that the bot has said since the page was loaded, also what was changed since."""
        return [str(words) for words in self.page.evaluate("window.heard")]

    def shown(self) -> list[str]:
        """The messages as they stand there now, with the labels of their buttons; no times."""
        texts = self.page.evaluate(
            """[...document.querySelectorAll(".message")].map((message) => {
              const copy = message.cloneNode(true);
              copy.querySelectorAll("time, .reply").forEach((part) => part.remove());
              const who = message.classList.contains("mine") ? "me: " : "bot: ";
              return who + copy.innerText.trim().replace(/\\s+/g, " ");
            })"""
        )
        return [str(words) for words in texts]

    def settled(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self.page.locator(".pending").count()

    def _complain(self, message: ConsoleMessage) -> None:
        lost = ("net::ERR_CONNECTION", "WebSocket connection to", "Failed to load resource")
        if not any(word in message.text for word in lost):
            self.complaints.append(f"{message.type}: {message.text}")


def in_order(expected: Sequence[str], said: str) -> bool:
    """Whether the words occur in what was said, one after the other."""
    heard, position = " ".join(said.split()).casefold(), 0
    for each in expected:
        words = " ".join(each.split()).casefold()
        found = heard.find(words, position)
        if found < 0:
            return False
        position = found + len(words)
    return True
