"""The testing toolkit: what a Chat expects, repeats, and lets pass."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from engine.testing import (
    Chat,
    NoSuchButton,
    NothingToRepeat,
    TestChannel,
    TimeIsReal,
    Unexpected,
    VirtualClock,
)
from flows import Action, Confirm, Flow, FlowBuilder, TextMessage, Turn
from flows.errors import SendLater, StorageDown
from flows.ports import Delivery
from storage import MemoryStorage, SqlStorage
from tests.faults import Fragile
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

EXPIRED = "This conversation has expired."


def survey(name: str = "survey", ttl: timedelta | None = None) -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("What is your\n  name?")
        sure = await turn.ask(f"{said}, really?", Confirm())
        turn.data.count += 1
        turn.reply(f"{said}: {sure}")
        return turn.complete()

    builder = FlowBuilder(name, One, Names, ttl=ttl)
    return builder.step(One.ONLY, step).build(initial=One.ONLY)


# --- expectations -----------------------------------------------------------------------


async def test_words_are_expected_in_their_order_whatever_their_case_and_white_space() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        assert chat.expect("what is YOUR name", buttons=[]) == ("What is your\n  name?",)
        await chat.say("Ada")
        chat.expect("ada", "really", buttons=["Yes", "No"])
        assert chat.buttons() == ("Yes", "No")


async def test_an_unmet_expectation_shows_what_came() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        with pytest.raises(Unexpected) as raised:
            chat.expect("really", "Ada")
    assert str(raised.value) == (
        "expected 'Ada' after 'really'. The bot said:\n  | Ada, really?\n  [Yes] [No]"
    )
    assert isinstance(raised.value, AssertionError)


async def test_other_buttons_than_the_expected_are_a_failure() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        with pytest.raises(Unexpected, match=r"expected the buttons \[Yes\] \[No\]\. The bot"):
            chat.expect(buttons=["Yes", "No"])
        await chat.say("Ada")
        with pytest.raises(Unexpected, match="expected no buttons"):
            chat.expect(buttons=[])


async def test_nothing_was_said_where_nothing_was_said() -> None:
    async with Chat(app_of(survey())) as chat:
        with pytest.raises(Unexpected, match=r"expected 'hello'\. The bot said nothing\."):
            chat.expect("hello")


# --- deliveries that services repeat or mix up ------------------------------------------


async def test_an_update_that_is_delivered_again_does_nothing() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("Ada, really?",)
        assert await chat.again() == ()
        assert await chat.press("Yes") == ("Ada: True",)
        assert await chat.again() == ()


async def test_a_button_that_is_pressed_twice_answers_once_and_then_has_expired() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        replies = await chat.press("Yes", times=2)
        assert sorted(replies) == ["Ada: True", "This button has expired."]


async def test_nothing_can_be_repeated_before_anything_was_sent() -> None:
    async with Chat(app_of(survey())) as chat:
        with pytest.raises(NothingToRepeat):
            await chat.again()


async def test_updates_are_taken_in_the_order_in_which_they_are_delivered() -> None:
    async with Chat(app_of(survey())) as chat:
        await chat.say("/start")
        first, second = (chat.update(TextMessage(text)) for text in ("no", "Ada"))
        assert await chat.deliver(second, first) == ("Ada, really?", "Ada: False")


async def test_an_older_button_of_a_label_can_be_pressed_although_it_is_gone() -> None:
    async with Chat(app_of(survey())) as chat:
        for _ in range(2):
            await chat.say("/start")
            await chat.say("Ada")
            await chat.say("yes")
        assert chat.button("Yes", back=2) != chat.button("Yes")
        assert await chat.send(chat.button("Yes", back=2).press()) == ("This button has expired.",)
        with pytest.raises(NoSuchButton):
            chat.button("Yes", back=3)


# --- time -------------------------------------------------------------------------------


async def test_every_timer_on_the_way_fires_at_its_own_time_and_in_order() -> None:
    clock = VirtualClock()
    shown: list[tuple[int, str]] = []

    class Watched(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            shown.append((clock.now() - start, delivery.text))
            return await super().send(delivery)

    start = clock.now()
    hour, day = survey("hour", timedelta(hours=1)), survey("day", timedelta(days=1))
    async with Chat(app_of(hour, day), clock=clock, channel=Watched) as chat:
        await chat.say("/day", by="2")
        await chat.say("/hour")
        shown.clear()
        assert await chat.advance(timedelta(days=30)) == (EXPIRED,)
        assert shown == [(3_600_000, EXPIRED), (86_400_000, EXPIRED)]
        assert chat.replies("2")[-1] == EXPIRED
    assert clock.now() - start == 30 * 86_400_000


async def test_a_timer_never_fires_before_its_time() -> None:
    async with Chat(app_of(survey(ttl=timedelta(hours=1))), clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(timedelta(hours=1) - timedelta(milliseconds=1)) == ()
        assert await chat.advance(0.001) == (EXPIRED,)


async def test_a_clock_of_the_app_is_advanced_too() -> None:
    clock = VirtualClock()
    async with Chat(app_of(survey(ttl=timedelta(hours=1)), clock=clock)) as chat:
        await chat.say("/start")
        assert await chat.advance(timedelta(hours=2)) == (EXPIRED,)
        assert chat.clock is clock


async def test_time_passes_for_an_sql_storage_that_has_the_clock(tmp_path: Path) -> None:
    clock = VirtualClock()
    storage = SqlStorage(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", clock=clock.now)
    app = app_of(survey(ttl=timedelta(hours=1)))
    async with Chat(app, clock=clock, storage=storage) as chat:
        await chat.say("/start")
        assert await chat.advance(timedelta(days=3)) == (EXPIRED,)
        assert (await chat.say("/start"))[-1].startswith("What is your")


async def test_a_message_that_has_to_wait_is_sent_at_its_time() -> None:
    clock = VirtualClock()
    times: list[int] = []

    class Busy(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            times.append(clock.now() - start)
            if len(times) == 1:
                raise SendLater(90)
            return await super().send(delivery)

    start = clock.now()
    async with Chat(app_of(survey()), clock=clock, channel=Busy) as chat:
        assert await chat.say("/start") == ()
        assert (await chat.advance(timedelta(hours=1)))[0].startswith("What is your")
    assert times == [0, 90_000]


async def test_a_storage_that_is_down_is_tried_again_while_time_passes() -> None:
    clock = VirtualClock()
    fragile = Fragile(MemoryStorage(clock.now))
    async with Chat(app_of(survey()), clock=clock, storage=fragile.storage) as chat:
        fragile.fail("commit", StorageDown("busy"))
        saying = asyncio.ensure_future(chat.say("/start"))
        await asyncio.sleep(0)
        assert (await chat.advance(60))[0].startswith("What is your")
        await saying


async def test_a_real_clock_cannot_be_moved() -> None:
    async with Chat(app_of(survey())) as chat:
        with pytest.raises(TimeIsReal):
            await chat.advance(1)


async def test_time_does_not_go_back() -> None:
    clock = VirtualClock()
    with pytest.raises(ValueError, match="time does not go back"):
        await clock.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="time does not go back"):
        clock.skip(-1)
