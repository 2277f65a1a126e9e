"""The console channel, piped and at a terminal."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Sequence

import pytest
from rich.console import Console

from engine.channels.console import ConsoleChannel
from flows.errors import StorageDown
from flows.messages.replies import Button, Keyboard
from flows.ports import Delivery
from flows.updates import Command, Content, Opened, Press, TextMessage, Update

pytestmark = pytest.mark.anyio

PLANS: Keyboard = ((Button("Free", "f"), Button("Pro", "p")),)


def message(text: str, keyboard: Keyboard = (), *, edit: str | None = None) -> Delivery:
    return Delivery(
        chat="local", topic=None, text=text, format="plain", keyboard=keyboard, edit=edit
    )


class Bot:
    """An Intake that answers each update, while it settles, with what ``replies`` says."""

    def __init__(self, replies: Callable[[Content], Sequence[Delivery]] = lambda _: ()) -> None:
        self.updates: list[Update] = []
        self.references: list[str | None] = []
        self.failures = 0
        self.settled = asyncio.Event()
        self.channel: ConsoleChannel | None = None
        self._replies = replies
        self._unsettled: list[Update] = []

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        assert not self._unsettled, "a line was read before the bot had settled"
        if self.failures:
            self.failures -= 1
            raise StorageDown("the disk is full")
        self.updates += updates
        self._unsettled += updates
        return ()

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        raise AssertionError("a terminal sends nothing that is malformed")

    async def settle(self) -> None:
        await asyncio.sleep(0)
        for update in self._unsettled:
            for delivery in self._replies(update.content):
                assert self.channel is not None
                self.references.append(await self.channel.send(delivery))
        self._unsettled.clear()
        self.settled.set()

    @property
    def contents(self) -> list[Content]:
        return [update.content for update in self.updates]


class Page(io.StringIO):
    """An output that can be waited for. The spinner writes to it from a thread."""

    def __init__(self) -> None:
        super().__init__()
        self._written = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def write(self, text: str) -> int:
        written = super().write(text)
        self._loop.call_soon_threadsafe(self._written.set)
        return written

    async def wait_for(self, words: str) -> None:
        async with asyncio.timeout(20):
            while words not in self.getvalue():
                self._written.clear()
                await self._written.wait()


def console(*, terminal: bool = False) -> Console:
    return Console(file=Page(), force_terminal=terminal, width=60, highlight=False)


def page(of: Console) -> Page:
    assert isinstance(of.file, Page)
    return of.file


def output(of: Console) -> str:
    return page(of).getvalue()


async def converse(lines: str, bot: Bot, shown: Console, *, interactive: bool = False) -> None:
    channel = ConsoleChannel(stdin=io.StringIO(lines), console=shown, interactive=interactive)
    bot.channel = channel
    await channel.open([("start", "begin")])
    await channel.receive(bot)
    await channel.close()


async def test_the_chat_is_opened_before_the_first_line() -> None:
    bot = Bot()
    await converse("hello\n", bot, console())
    assert bot.contents == [Opened(), TextMessage("hello")]


async def test_each_line_is_one_update_and_is_settled_before_the_next() -> None:
    bot = Bot()
    await converse("/start now\n\n  \nAda\nlast", bot, console())
    assert bot.contents[1:] == [Command("start", "now"), TextMessage("Ada"), TextMessage("last")]
    assert len({update.ext for update in bot.updates}) == 4


async def test_what_cannot_be_sent_is_told_and_the_next_line_is_read() -> None:
    shown = console()
    bot = Bot()
    await converse("@ story\nAda\n", bot, shown)
    assert bot.contents[1:] == [TextMessage("Ada")]
    assert "Not sent: there is no 'story' to send" in " ".join(output(shown).split())


async def test_piped_output_is_plain_and_shows_both_sides() -> None:
    shown = console()
    bot = Bot(lambda content: [message("Hi!\nWhich plan?", PLANS)] if content != Opened() else [])
    await converse("/start\n", bot, shown)
    assert output(shown) == "you> /start\nbot> Hi!\n     Which plan?\n     [1] Free  [2] Pro\n"


async def test_a_number_presses_the_button_that_was_just_shown() -> None:
    bot = Bot(lambda content: [message("Which?", PLANS)] if content == Command("start") else [])
    await converse("/start\n2\n2\n", bot, console())
    press, text = bot.contents[2:]
    assert isinstance(press, Press)
    assert (press.data, press.message) == ("p", bot.references[0])
    assert text == TextMessage("2")


async def test_an_exclamation_mark_presses_an_older_button() -> None:
    bot = Bot(lambda content: [message("Which?", PLANS)] if content == Opened() else [])
    await converse("hm\n!free\n", bot, console())
    press = bot.contents[2]
    assert isinstance(press, Press)
    assert press.data == "f"


async def test_an_exclamation_mark_without_such_a_button_is_text() -> None:
    bot = Bot()
    await converse("!wow\n", bot, console())
    assert bot.contents[1] == TextMessage("!wow")


async def test_an_edited_message_is_shown_as_such() -> None:
    shown = console()
    bot = Bot()
    channel = ConsoleChannel(stdin=io.StringIO(), console=shown, interactive=False)
    reference = await channel.send(message("0/3"))
    assert await channel.send(message("1/3", edit=reference)) == reference
    assert output(shown) == "bot> 0/3\nbot, edited> 1/3\n"
    assert bot.contents == []


async def test_a_notice_is_shown_and_an_answer_without_one_is_not() -> None:
    shown = console()
    channel = ConsoleChannel(stdin=io.StringIO(), console=shown, interactive=False)
    await channel.answer("p1", None)
    await channel.answer("p1", "This button has expired.")
    assert output(shown) == "note> This button has expired.\n"


@pytest.mark.parametrize("interactive", [False, True])
async def test_markup_in_a_name_is_shown_and_not_obeyed(interactive: bool) -> None:
    shown = console()
    channel = ConsoleChannel(stdin=io.StringIO(), console=shown, interactive=interactive)
    await channel.send(message("Hello [red]Ada[/red] \x1b[2J {x}", ((Button("[b]", "d"),),)))
    assert "Hello [red]Ada[/red] ␛[2J {x}" in output(shown)
    assert "[1] [b]" in output(shown)
    assert "\x1b[2J" not in output(shown)


async def test_nul_and_lone_surrogates_do_not_get_in() -> None:
    bot = Bot()
    await converse("a\x00b\ud800c\n\x00\n", bot, console())
    assert bot.contents[1:] == [TextMessage("ab?c")]


async def test_a_line_is_kept_once_the_storage_is_back() -> None:
    shown = console()
    bot = Bot()
    bot.failures = 1
    await converse("Ada\n", bot, shown)
    assert bot.contents == [Opened(), TextMessage("Ada")]
    assert "note> Not kept yet, trying again: the disk is full" in output(shown)


async def test_a_person_is_welcomed_prompted_and_seen_off() -> None:
    shown = console(terminal=True)
    await converse("Ada\n", Bot(), shown, interactive=True)
    assert "/start" in output(shown)
    assert output(shown).count("you> ") == 2
    assert "Your place is kept" in output(shown)


async def test_the_descriptions_of_commands_stand_below_one_another() -> None:
    shown = console()
    channel = ConsoleChannel(stdin=io.StringIO(), console=shown, interactive=True)
    await channel.open([("start", "begin"), ("go", "on")])
    assert "/start  begin" in output(shown)
    assert "/go     on" in output(shown)


async def test_a_message_that_comes_by_itself_is_followed_by_a_fresh_prompt() -> None:
    shown = console(terminal=True)
    read, write = os.pipe()
    bot = Bot()
    with os.fdopen(read) as stdin, os.fdopen(write, "wb", buffering=0) as keyboard:
        channel = ConsoleChannel(stdin=stdin, console=shown, interactive=True)
        bot.channel = channel
        receiving = asyncio.create_task(channel.receive(bot))
        await page(shown).wait_for("you> ")
        await channel.send(message("Are you still there?"))
        assert output(shown).rstrip("\x1b[0m").endswith("you> ")
        assert output(shown).count("you> ") == 2
        keyboard.close()
        await receiving


async def test_receiving_stops_at_once_when_it_is_cancelled() -> None:
    read, write = os.pipe()
    bot = Bot()
    with os.fdopen(read) as stdin, os.fdopen(write, "w"):
        channel = ConsoleChannel(stdin=stdin, console=console(), interactive=False)
        receiving = asyncio.create_task(channel.receive(bot))
        await bot.settled.wait()
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving


async def test_the_spinner_is_gone_once_the_bot_has_settled() -> None:
    class SlowBot(Bot):
        async def settle(self) -> None:
            await page(shown).wait_for("working")
            await super().settle()

    shown = console(terminal=True)
    await converse("", SlowBot(), shown, interactive=True)
    assert output(shown).index("working") < output(shown).index("you> ")
    assert "working" not in output(shown).split("you> ")[1]


async def test_buttons_that_do_something_else_show_what_they_do() -> None:
    output = io.StringIO()
    channel = ConsoleChannel(stdin=io.StringIO(), console=Console(file=output, width=80))
    rows = ((Button("Yes", "y"), Button.copy("Copy", "1234")), (Button.pay("Pay"),))
    await channel.send(
        Delivery(chat="local", topic=None, text="Well?", format="plain", keyboard=rows)
    )
    assert output.getvalue() == "bot> Well?\n     [1] Yes  Copy: copy 1234\n     Pay: pay\n"
