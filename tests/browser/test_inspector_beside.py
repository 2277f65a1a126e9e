"""The inspector beside a bot of another process: a person and an operator, each in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.testing import read_transcript
from tests.browser.page import ChatPage
from tests.browser.playing import answered, perform
from tests.browser.server import ROOT, chat_server, inspector_beside, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KYC = "examples.kyc:app"


def operator_at(browser: Browser, link: str, complaints: list[str]) -> Page:
    """Somebody who has followed the link."""
    page = browser.new_page()
    page.on(
        "console",
        lambda said: complaints.extend([said.text] if said.type == "error" else []),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(link)
    return page


def hears(person: ChatPage, words: str) -> None:
    wait_for(lambda: any(words in said for said in person.heard()), f"the person reads {words!r}")


def test_one_who_is_stuck_is_found_and_moved_and_one_who_waits_is_approved(
    browser: Browser, tmp_path: Path
) -> None:
    complaints: list[str] = []
    with chat_server(KYC, tmp_path) as server, inspector_beside(KYC, tmp_path) as link:
        stuck, done = ChatPage(browser, server.url), ChatPage(browser, server.url, "desktop")
        for exchange in read_transcript(ROOT / "examples/kyc/transcript.txt").exchanges:
            perform(done, exchange)
            answered(done, exchange)
        stuck.say("/kyc")
        hears(stuck, "0/3")
        operator = operator_at(browser, link, complaints)

        operator.get_by_role("link", name="Instances").click()
        operator.get_by_label("Flow").select_option("kyc")
        operator.get_by_label("Step").select_option("DOCUMENT")
        operator.get_by_role("button", name="Find").click()
        operator.locator("a.id").click()
        assert "by start" in operator.locator(".timeline").inner_text()
        operator.get_by_role("link", name="Go to a step").click()
        operator.get_by_label("Step").select_option("REVIEW")
        operator.get_by_role("button", name="Go to a step").click()
        hears(stuck, "Please review it")
        operator.locator(".diagram .here title", has_text="REVIEW").wait_for(state="attached")

        operator.get_by_role("link", name="Escalated").click()
        assert "ada@example.com" not in operator.content()
        operator.get_by_role("link", name="Approve").click()
        operator.get_by_role("button", name="Answer").click()
        hears(done, "Welcome! Your identity check is approved.")

        operator.close()
        for person in (stuck, done):
            complaints += person.complaints
            person.close()
    assert complaints == []
