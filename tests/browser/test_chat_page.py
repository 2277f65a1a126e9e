"""The chat page in Chromium: what it does when something is lost, refused, edited or erased."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import HTTPConnection

from engine import App
from engine.channels.web import WebLimits, WebPerson
from flows import Button, Context, Date, Key, Location, Router, reply_keyboard
from flows.ports import Delivery
from storage import MemoryStorage
from tests.browser.chat import opened, person, say, shown
from tests.browser.page import CHROMIUM, FILES
from tests.integration.test_web_limits import Choosy, said
from tests.webchat import echo, running

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocket

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]

EVIL = "<img src=x onerror=alert(1)>"


async def ada(connection: HTTPConnection) -> WebPerson | None:
    return WebPerson(id="ada")


async def until_shown(page: Page, wanted: list[str]) -> None:
    """Waits until these are the last messages."""
    await page.wait_for_function(
        """(wanted) => {
          const found = [...document.querySelectorAll(".message")].slice(-wanted.length);
          return found.length === wanted.length
            && found.every((one, at) => one.textContent.includes(wanted[at]));
        }""",
        arg=wanted,
    )


async def test_what_was_refused_is_marked_in_all_tabs_and_after_a_reload() -> None:
    async with running(echo(), Choosy()) as site, person() as browser:
        first = await opened(browser, site.url)
        second = await opened(browser, site.url)
        await say(first, f"unkeepable {EVIL}")
        for page in (first, second):
            failed = page.locator(".message.failed")
            await failed.wait_for()
            words = await failed.inner_text()
            assert "not sent" in words
            assert EVIL in words
            assert "This message cannot be kept." in words
        await first.reload()
        await first.locator(".message.failed").get_by_text("cannot be kept").wait_for()
        assert await first.locator(".message.pending").count() == 0


async def test_what_was_written_before_the_bot_answered_outlives_a_reload() -> None:
    async with running(echo(), MemoryStorage()) as site, person() as browser:
        page = await browser.new_page()
        # the line opens and nothing comes over it, so that the page is not greeted
        await page.add_init_script(
            "WebSocket = class extends EventTarget { readyState = 0; send() {} close() {} };"
        )
        await page.goto(site.url)
        await say(page, "written early")
        await page.locator(".message.pending").wait_for()
        await page.close()
        again = await opened(browser, site.url)
        await until_shown(again, ["written early", "you said written early"])


async def test_an_erase_empties_the_page_that_is_open() -> None:
    storage = MemoryStorage()
    async with running(echo(), storage, identify=ada) as site, person() as browser:
        page = await opened(browser, site.url)
        await say(page, "hello")
        await until_shown(page, ["hello", "you said hello"])
        await storage.erase("web/ada")
        await say(page, "after it")
        await until_shown(page, ["after it", "you said after it"])
        assert len(await shown(page)) == 2


async def test_a_second_tab_leaves_the_file_of_the_first_to_it() -> None:
    async with running(echo(), MemoryStorage()) as site, person() as browser:
        first = await opened(browser, site.url)
        await first.route("**/files/**", lambda route: route.abort())
        await first.set_input_files("#file", [FILES["photo"]])
        await first.locator("#chosen").wait_for(state="visible")
        await first.click("#send")
        await first.locator(".message.pending").wait_for()
        second = await opened(browser, site.url)
        await say(second, "meanwhile")
        await until_shown(second, ["meanwhile", "you said meanwhile"])
        assert await second.locator(".message.failed, .message.pending").count() == 0
        await first.unroute("**/files/**")
        await second.get_by_text("passport.png: 69 bytes").wait_for()
        assert await first.locator(".message.failed").count() == 0


async def test_what_a_closed_tab_has_left_is_sent_by_the_one_that_is_open() -> None:
    async with running(echo(), MemoryStorage()) as site, person() as browser:
        first = await opened(browser, site.url)
        await first.evaluate("pumping = true")  # so that nothing more is sent
        await say(first, "left behind")
        await first.locator(".message.pending").wait_for()
        second = await opened(browser, site.url)
        assert await shown(second) == []
        await first.close()
        await until_shown(second, ["left behind", "you said left behind"])


def pressable(number: int, text: str, *, edit: str | None = None) -> Delivery:
    return Delivery(
        chat="ada", topic=None, text=text, format="plain", keyboard=((Button("Go", data="go"),),),
        id=f"{number}.0.x", edit=edit,
    )  # fmt: skip


async def test_a_press_names_the_original_also_where_that_is_not_loaded() -> None:
    async with running(echo(), MemoryStorage(), identify=ada) as site, person() as browser:
        hub = await site.channel.send(pressable(0, "hub"))
        for number in range(1, 202):
            await site.channel.send(said("ada", number))
        await site.channel.send(pressable(300, "hub, edited", edit=hub))
        page = await browser.new_page()
        frames: list[str] = []

        def watch(line: WebSocket) -> None:
            line.on("framesent", lambda sent: frames.append(str(sent)))

        page.on("websocket", watch)
        await page.goto(site.url)
        await page.locator("#state", has_text="online").wait_for()
        await page.get_by_role("button", name="Go", exact=True).click()
        await page.locator(".message", has_text="you said press").wait_for()
        (press,) = [json.loads(each) for each in frames if '"press"' in each]
        assert press["ref"] == hub


async def test_earlier_messages_come_by_the_button_and_the_place_stays() -> None:
    async with running(echo(), MemoryStorage(), identify=ada) as site, person() as browser:
        for number in range(250):
            await site.channel.send(said("ada", number))
        page = await opened(browser, site.url)
        assert (await shown(page))[0].endswith("line 50")
        await page.locator("#earlier").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_function("document.querySelectorAll('.message').length === 250")
        words = [each.removesuffix(" ↩") for each in await shown(page)]
        assert words == [f"line {number}" for number in range(250)]
        assert await page.locator("#earlier").is_hidden()
        assert await page.locator(".day").count() == 1
        assert (
            await page.locator(".message")
            .nth(50)
            .evaluate("(it) => it.getBoundingClientRect().top > 0")
        )


async def test_a_refused_origin_is_told_on_the_page() -> None:
    async with running(echo(), MemoryStorage()) as site, person() as browser:
        page = await browser.new_page()
        await page.route_web_socket(
            "**/ws", lambda line: line.close(code=4403, reason="this page is of another host")
        )
        await page.goto(site.url)
        await page.get_by_text("This chat cannot be used from this address.").wait_for()


async def test_a_page_says_that_something_went_wrong_and_tries_again() -> None:
    broken = True

    async def who(connection: HTTPConnection) -> WebPerson | None:
        if broken and connection.scope["type"] == "websocket":
            raise LookupError("the sessions are away")
        return WebPerson(id="ada")

    async with running(echo(), MemoryStorage(), identify=who) as site, person() as browser:
        page = await opened(browser, site.url, state="something went wrong, trying again…")
        broken = False
        await page.locator("#state", has_text="online").wait_for()


async def test_a_crowded_chat_says_so() -> None:
    limits = WebLimits(pages=0)
    async with running(echo(), MemoryStorage(), limits=limits) as site, person() as browser:
        await opened(browser, site.url, state="too many people are here, trying again…")


@pytest.mark.parametrize(
    ("language", "state", "placeholder"),
    [
        ("de-AT", "online", "Nachricht"), ("es", "en línea", "Mensaje"),
        ("ru", "на связи", "Сообщение"), ("zh-CN", "在线", "消息"), ("fi", "online", "Message"),
    ],
)  # fmt: skip
async def test_the_page_speaks_the_language_of_the_browser(
    language: str, state: str, placeholder: str
) -> None:
    async with running(echo(), MemoryStorage()) as site, person(locale=language) as browser:
        page = await opened(browser, site.url, state=state)
        assert await page.locator("#text").get_attribute("placeholder") == placeholder
        assert await page.locator("html").get_attribute("lang") in (language[:2], "en")


async def test_two_tabs_of_a_person_show_the_same() -> None:
    async with running(echo(), MemoryStorage()) as site, person() as browser:
        first, second = await opened(browser, site.url), await opened(browser, site.url)
        await say(first, "from the first")
        await until_shown(second, ["from the first", "you said from the first"])
        await say(second, "from the second")
        for page in (first, second):
            await until_shown(page, ["from the second", "you said from the second"])
        assert await shown(first) == await shown(second)


async def test_nothing_is_wider_than_a_narrow_screen() -> None:
    async with (
        running(calendar(), MemoryStorage(), identify=ada) as site,
        person("narrow") as browser,
    ):
        page = await opened(browser, site.url)
        await say(page, "/start")
        await page.locator(".knobbed").wait_for()
        await say(page, "w" * 400)
        await until_shown(page, ["w" * 400, ""])
        wide = """[...document.querySelectorAll("html, body, #scroll, #scroll *, footer *")]
          .filter((one) => !one.closest(".visually-hidden"))
          .filter((one) => one.getBoundingClientRect().right > 320 || one.scrollWidth > 320)
          .map((one) => one.outerHTML.slice(0, 120))"""
        assert await page.evaluate(wide) == []


async def test_keys_stand_above_the_line_and_write_their_labels() -> None:
    router = Router("keys")

    @router.command("keys")
    async def keys(ctx: Context) -> None:
        markup = reply_keyboard(("Tea", "Coffee"), one_time=True, placeholder="What is it to be?")
        ctx.reply("Drink?", keyboard=markup)

    @router.fallback
    async def answer(ctx: Context) -> None:
        ctx.reply(f"{getattr(ctx.update.content, 'text', '')} it is")

    async with running(App(router), MemoryStorage()) as site, person() as browser:
        page = await opened(browser, site.url)
        await say(page, "/keys")
        group = page.get_by_role("group", name="Answers to choose from")
        await group.get_by_role("button", name="Tea").click()
        await until_shown(page, ["Tea", "Tea it is"])
        await group.wait_for(state="hidden")


async def test_where_the_person_is_arrives_and_is_shown() -> None:
    router = Router("where")

    @router.command("start")
    async def where(ctx: Context) -> None:
        ctx.reply("Share it", keyboard=reply_keyboard(Key("Here I am", asks_for="location")))
        place = await ctx.ask("Where are you?", Location())
        ctx.reply(f"at {place.latitude:.2f}, {place.longitude:.2f}")

    options: dict[str, Any] = {
        "geolocation": {"latitude": 48.21, "longitude": 16.37}, "permissions": ["geolocation"]
    }  # fmt: skip
    async with running(App(router), MemoryStorage()) as site, person(**options) as browser:
        page = await opened(browser, site.url)
        await say(page, "/start")
        await page.get_by_role("button", name="Here I am").click()
        await until_shown(page, ["48.21000, 16.37000", "at 48.21, 16.37"])


def calendar() -> App:
    """Asks for a day, with a calendar of buttons."""
    router = Router("calendar")

    @router.command("start", "choose a day")
    async def start(ctx: Context) -> None:
        day = await ctx.ask("Which day?", Date(picker=True, opens=date(2030, 12, 1)))
        ctx.reply(f"on {day.isoformat()}")

    @router.command("stop", "stop it")
    async def stop(ctx: Context) -> None:
        ctx.reply("It is stopped.")

    return App(router)


async def test_a_calendar_turns_its_months_in_place() -> None:
    async with running(calendar(), MemoryStorage()) as site, person() as browser:
        page = await opened(browser, site.url)
        await say(page, "/start")
        await page.locator(".knob", has_text="2030").wait_for()
        before = len(await shown(page))
        await page.get_by_role("button", name="\u203a", exact=True).click()
        await page.locator(".knob", has_text="2031").wait_for()
        assert len(await shown(page)) == before
        await page.get_by_role("button", name="17", exact=True).click()
        await page.locator(".message", has_text="on 2031-01-17").wait_for()


async def test_the_list_of_commands_is_one_for_screen_readers() -> None:
    async with running(calendar(), MemoryStorage()) as site, person() as browser:
        page = await opened(browser, site.url)
        text = page.locator("#text")
        await text.press_sequentially("/st")
        options = page.get_by_role("listbox", name="Commands").get_by_role("option")
        assert await options.count() > 1
        active = await text.get_attribute("aria-activedescendant")
        assert await page.locator(f"#{active}").get_attribute("aria-selected") == "true"
        assert await page.locator("#offered").inner_text() == (
            f"Commands: {await options.count()}. The arrow keys choose."
        )
        await text.press("Escape")
        assert await page.get_by_role("listbox").count() == 0
        assert await text.get_attribute("aria-activedescendant") is None
        assert await page.locator("#offered").inner_text() == ""
