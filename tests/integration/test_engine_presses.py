"""Button presses: every one is answered once, and only genuine ones change anything."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.testing.chat import Chat, TestChannel
from flows import Action, Choice, Flow, FlowBuilder, Press, Turn
from flows.messages.replies import BUTTON_PREFIX
from storage import MemoryStorage
from tests.faults import Crash, Fragile, doomed
from tests.support import Names, One, app_of

EXPIRED = "This button has expired."
FOREIGN = "This button is for somebody else."


def colours() -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        colour = await turn.ask("Colour?", Choice(["red", "blue"]))
        turn.notice(f"You took {colour}.")
        size = await turn.ask("Size?", Choice(["small", "large"]))
        turn.reply(f"{colour}, {size}")
        return turn.complete()

    return FlowBuilder("colours", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


@pytest.mark.anyio
async def test_a_press_is_answered_once_with_the_notice_of_its_turn() -> None:
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start")
        press = chat.button("red").press()
        await chat.send(press)
        assert chat.notices == [(press.id, "You took red.")]


@pytest.mark.anyio
async def test_a_press_without_a_notice_is_answered_once() -> None:
    """Lesson 22: every press is answered."""
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start")
        await chat.press("red")
        press = chat.button("small").press()
        assert await chat.send(press) == ("red, small",)
        assert chat.notices[1:] == [(press.id, None)]


@pytest.mark.anyio
async def test_the_same_press_twice_counts_once_and_both_are_answered() -> None:
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start")
        button = chat.button("red")
        await chat.send(button.press())
        assert set(await chat.send(button.press())) == {"Size?", EXPIRED}
        assert await chat.press("large") == ("red, large",)
        assert len(chat.notices) == 3


@pytest.mark.anyio
async def test_a_press_is_answered_in_time_while_its_handler_hangs_and_not_again_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.routes.presses.DEADLINE", 0.01)
    answered, release = asyncio.Event(), asyncio.Event()

    class Watched(TestChannel):
        async def answer(self, press: str, notice: str | None) -> None:
            await super().answer(press, notice)
            answered.set()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Sure?", Choice(["yes"]))
        await release.wait()
        turn.notice("too late")
        turn.reply("done")
        return turn.complete()

    flow = FlowBuilder("slow", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), channel=Watched) as chat:
        await chat.say("/start")
        press = chat.button("yes").press()
        await chat.hand_in([chat.update(press)])
        await answered.wait()
        assert [sent.text for sent in chat.deliveries] == ["Sure?"]
        release.set()
        await chat.settle()
        assert [sent.text for sent in chat.deliveries] == ["Sure?", "done"]
        assert chat.notices == [(press.id, None)]


@pytest.mark.anyio
async def test_a_press_that_was_accepted_before_a_crash_is_answered_after_the_restart() -> None:
    storage = MemoryStorage()
    fragile = Fragile(storage)
    first = Chat(app_of(colours()), storage=fragile.storage)
    async with doomed(first, fragile):
        await first.say("/start")
        press = first.button("red").press()
        fragile.fail("commit", Crash())
        await first.hand_in([first.update(press)])
    async with Chat(app_of(colours()), storage=storage) as second:
        await second.settle()
        assert second.notices == [(press.id, "You took red.")]
    assert first.notices == []


@pytest.mark.anyio
async def test_a_channel_that_cannot_answer_a_press_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Deaf(TestChannel):
        async def answer(self, press: str, notice: str | None) -> None:
            raise RuntimeError("no network")

    async with Chat(app_of(colours()), channel=Deaf) as chat:
        await chat.say("/start")
        assert await chat.press("red") == ("Size?",)
        assert await chat.press("small") == ("red, small",)
    assert "a button press could not be answered" in caplog.text


@pytest.mark.anyio
async def test_a_press_of_another_person_changes_nothing() -> None:
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start", by="1", chat="group")
        button = chat.button("red", chat="group")
        assert await chat.send(button.press(), by="2", chat="group") == (FOREIGN,)
        assert "Size?" in await chat.send(button.press(), by="1", chat="group")


@pytest.mark.anyio
async def test_a_press_of_ones_own_button_in_another_chat_changes_nothing() -> None:
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start", by="1", chat="here")
        await chat.say("/start", by="1", chat="there")
        button = chat.button("red", chat="here")
        said = await chat.send(button.press(), by="1", chat="there")
        assert set(said) == {"Colour?", EXPIRED}
        assert "Size?" in await chat.press("blue", by="1", chat="there")
        assert "Size?" in await chat.press("red", by="1", chat="here")


@pytest.mark.anyio
async def test_a_press_on_a_button_of_an_ended_run_of_the_flow_changes_nothing() -> None:
    async with Chat(app_of(colours())) as chat:
        await chat.say("/start")
        old = chat.button("red")
        await chat.press("red")
        await chat.press("small")
        await chat.say("/start")
        assert set(await chat.send(old.press())) == {"Colour?", EXPIRED}
        assert "Size?" in await chat.press("blue")


CHARACTERS = st.characters(min_codepoint=33, max_codepoint=0x2FFF)


@st.composite
def damaged(draw: st.DrawFn, token: str) -> str:
    """The token cut, lengthened, or with one character or part changed; still with its prefix."""
    body = token.removeprefix(BUTTON_PREFIX)
    place = draw(st.integers(0, len(body) - 1))
    parts = body.split(".")
    which = draw(st.integers(0, len(parts) - 1))
    other = draw(st.sampled_from(["", "0", "1", "-1", "99", "x", "٣", "9" * 12, parts[which] * 2]))
    made = draw(
        st.sampled_from(
            [
                body[:place],
                body[:place] + draw(CHARACTERS) + body[place + 1 :],
                body + draw(CHARACTERS),
                body[:place] + body[place + 1 :],
                body[:place] + body[place].swapcase() + body[place + 1 :],
                ".".join([*parts[:which], other, *parts[which + 1 :]]),
                ".".join(reversed(parts)),
            ]
        )
    )
    return BUTTON_PREFIX + made


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_forged_or_damaged_token_changes_nothing_and_is_answered(data: st.DataObject) -> None:
    async def scenario() -> None:
        storage = MemoryStorage()
        async with Chat(app_of(colours()), storage=storage) as chat:
            await chat.say("/start")
            token = chat.button("red").data
            forged = data.draw(damaged(token).filter(lambda made: made != token))
            before = [scope.snapshot.state for scope in storage.database.scopes.values()]
            said = await chat.send(Press(id="forged", data=forged))
            ((press, notice),) = chat.notices
            assert press == "forged"
            assert notice in (EXPIRED, FOREIGN)
            assert set(said) == ({FOREIGN} if notice == FOREIGN else {EXPIRED, "Colour?"})
            after = [scope.snapshot.state for scope in storage.database.scopes.values()]
            assert after == before
            assert "Size?" in await chat.press("blue")

    asyncio.run(scenario())
