"""The identity check: branches in any order, an operator's word, reminders and an end by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from engine.state.conversation import Conversation
from engine.testing import Chat, VirtualClock
from examples.kyc import app
from examples.kyc.flow import Kyc
from flows import FileRef, FlowStorage, PhotoMessage
from flows.ports import Query
from flows.sensitive import MASK, masked
from flows.turns.instance import FlowInstance
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
PASSPORT = PhotoMessage(FileRef(id="passport-1"))
DONE = {"document": "passport-1", "phone": "+442079460958", "email": "ada@example.com"}
REVIEW = "Please review it: a document, +442079460958, ada@example.com.\n/back changes it."
INPUTS = ("document", "phone", "email", "yes")
ORDERS = [order for order in permutations(INPUTS) if order.index("email") < order.index("yes")]

every_order = pytest.mark.parametrize("order", ORDERS, ids="-".join)


async def give(chat: Chat, what: str) -> tuple[str, ...]:
    """One input of a branch."""
    match what:
        case "document":
            return await chat.send(PASSPORT)
        case "phone":
            return await chat.say("+44 20 7946 0958")
        case "email":
            return await chat.say("ada@example.com")
        case _:
            return await chat.press("Yes")


async def stored(storage: FlowStorage) -> FlowInstance:
    """The instance as it is stored."""
    (row,) = (await storage.inspect(Query(what="instances"))).rows
    found = (await storage.load([row["conv"]]))[row["conv"]]
    (instance,) = Conversation.decode(row["conv"], found.state).stack
    return instance


async def played(order: Sequence[str], *, disturbed: bool) -> tuple[Any, ...]:
    """Plays the branches in that order; answers what the person read last, and what is stored."""
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.say("/kyc")
        for what in order:
            said = await give(chat, what)
            if disturbed:
                await chat.again()
                await chat.crash()
                await chat.restart()
        instance = await stored(storage)
        return said[-1], instance.step, instance.data, [past.step for past in instance.history]


@every_order
async def test_every_order_ends_alike_with_and_without_a_restart_after_every_turn(
    order: Sequence[str],
) -> None:
    quiet = await played(order, disturbed=False)
    assert quiet[:3] == (REVIEW, "REVIEW", DONE)
    assert await played(order, disturbed=True) == quiet


async def test_the_progress_is_one_message_that_is_edited_in_place() -> None:
    async with Chat(app) as chat:
        await chat.say("/kyc")
        for what in INPUTS:
            await give(chat, what)
        hubs = [sent for sent in chat.deliveries if sent.text.startswith("Your identity check:")]
    assert [sent.edit is None for sent in hubs] == [True, False, False, False]
    assert [sent.text.splitlines()[0][-3:] for sent in hubs] == ["0/3", "1/3", "2/3", "3/3"]


async def test_a_button_of_the_hub_shows_the_question_of_its_branch() -> None:
    async with Chat(app) as chat:
        await chat.say("/kyc")
        assert chat.buttons() == ("Document", "Phone", "E-mail")
        assert await chat.press("E-mail") == ("What's your e-mail?",)
        assert await chat.press("Document") == (
            "Send a photo of your passport or identity card, or a file.",
        )
        assert "1/3" in (await give(chat, "phone"))[0]


async def test_a_file_is_taken_for_a_document_too() -> None:
    async with Chat(app) as chat:
        await chat.say("/kyc")
        assert "1/3" in (await chat.send_file("document"))[0]
        hint, _hub = await chat.send_file("voice")
    assert "I did not expect that now." in hint


async def test_a_finished_branch_is_redone_from_its_button_and_only_that() -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.say("/kyc")
        for what in ("phone", "email", "yes"):
            await give(chat, what)
        hub, asked = await chat.press("✓ E-mail")
        assert ("1/3" in hub, asked) == (True, "What's your e-mail?")
        await chat.say("grace@example.com")
        await chat.press("Yes")
        await give(chat, "document")
        assert (await stored(storage)).data == DONE | {"email": "grace@example.com"}


async def test_a_wrong_address_is_asked_for_again_and_not_offered() -> None:
    async with Chat(app) as chat:
        await chat.say("/kyc")
        await give(chat, "email")
        assert await chat.press("No") == ("What's your e-mail?",)
        assert chat.buttons() == ()


async def test_back_from_the_review_opens_the_hub_again() -> None:
    async with Chat(app) as chat:
        await chat.say("/kyc")
        for what in INPUTS:
            await give(chat, what)
        (hub,) = await chat.say("/back")
        assert "3/3" in hub
        assert chat.buttons() == ("✓ Document", "✓ Phone", "✓ E-mail", "Continue")
        assert "Please review" in (await chat.press("Continue"))[-1]


# --- the operator -----------------------------------------------------------------------


async def submit(chat: Chat) -> None:
    await chat.say("/kyc")
    for what in INPUTS:
        await give(chat, what)
    assert "Submitted." in (await chat.press("Submit"))[0]


@pytest.mark.parametrize(
    ("answer", "word", "status"),
    [("approve", "approved", "completed"), ("reject", "rejected", "cancelled")],
)
async def test_the_answer_of_the_operator_is_told_even_after_a_restart(
    answer: str, word: str, status: str
) -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await submit(chat)
        await chat.crash()
        await chat.restart()
        await app.decide((await stored(storage)).id, answer)
        await chat.settle()
        told = chat.replies()[-1]
        (row,) = (await storage.inspect(Query(what="instances"))).rows
    assert word in told
    assert row["status"] == status


async def test_the_person_waits_until_then_however_long_it_takes() -> None:
    async with Chat(app, clock=VirtualClock()) as chat:
        await submit(chat)
        assert await chat.advance(30 * DAY) == ()
        assert await chat.say("hello?") == ("A person is looking at it. Please wait.",)
        assert await chat.say("/kyc") == ("A person is looking at it. Please wait.",)


async def test_operators_see_that_there_is_something_and_not_what() -> None:
    data = Kyc.model_validate(DONE).model_dump(mode="json")
    assert masked(Kyc, data) == dict.fromkeys(DONE, MASK)


# --- time -------------------------------------------------------------------------------

REMINDER = "Your identity check is not complete yet."


async def test_a_branch_left_alone_for_a_day_is_reminded_of_once_also_after_a_kill() -> None:
    clock = VirtualClock()
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await chat.say("/kyc")
        await give(chat, "document")
        await give(chat, "phone")
        await chat.crash()
        await chat.restart()
        assert await chat.advance(timedelta(hours=23)) == ()
        assert await chat.advance(timedelta(hours=1)) == (REMINDER, "What's your e-mail?")
        assert await chat.advance(5 * DAY) == ()


async def test_branches_whose_time_comes_together_are_reminded_of_together() -> None:
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/kyc")
        reminder, *questions = await chat.advance(DAY)
        assert (reminder, len(questions)) == (REMINDER, 3)
        assert await chat.advance(5 * DAY) == ()


async def test_branches_that_are_left_at_different_times_are_reminded_of_apart() -> None:
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/kyc")
        await give(chat, "document")
        await chat.advance(timedelta(hours=5))
        await give(chat, "email")
        assert await chat.advance(timedelta(hours=19)) == (REMINDER, "What's your phone number?")
        question = "ada@example.com - is that right?"
        assert await chat.advance(timedelta(hours=5)) == (REMINDER, question)


async def test_after_seven_days_of_silence_the_check_expires_and_says_so() -> None:
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/kyc")
        await give(chat, "document")
        await chat.advance(6 * DAY)
        await give(chat, "phone")
        assert "This conversation has expired." not in await chat.advance(6 * DAY)
        assert await chat.advance(DAY) == ("This conversation has expired.",)
        assert "/kyc" in (await chat.say("ada@example.com"))[0]
