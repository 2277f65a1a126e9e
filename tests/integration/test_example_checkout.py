"""The shop: a flow that a handler starts, one that it calls, and a payment from outside."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from engine.testing import Chat, VirtualClock
from examples.checkout import app
from examples.checkout.bot import payments
from flows.errors import NotRunning
from flows.ports import Query
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

REMINDER = "Your order is still waiting for its payment."
EXPIRED = "Your order has expired: it was not paid in time. /buy starts a new one."
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKOUT_PORT", "0")


async def ordered(chat: Chat) -> str:
    """Orders tea; answers the link to pay."""
    await chat.say("/buy")
    await chat.press("Add")
    await chat.say("1 Main St")
    return link_in(*await chat.say("Paris"))


def link_in(*said: str) -> str:
    (link,) = re.findall(r"http://127\.0\.0\.1:\d+/pay/\S+", said[-1])
    return str(link)


async def post(link: str) -> httpx.Response:
    """What the payment service does."""
    async with httpx.AsyncClient() as client:
        return await client.post(link)


async def paid(chat: Chat, link: str) -> tuple[str, ...]:
    """Pays; answers what the person reads."""
    before = len(chat.replies())
    answer = await post(link)
    assert (answer.status_code, answer.text[:5]) == (200, "Paid.")
    await chat.settle()
    return chat.replies()[before:]


# --- the order --------------------------------------------------------------------------


async def test_a_handler_starts_the_flow_with_what_is_bought() -> None:
    async with Chat(app) as chat:
        assert await chat.say("/buy coffee") == ("Coffee, 6.20 EUR a box.",)
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert await chat.say("/buy") == ("Tea, 4.50 EUR a box.",)
        chat.expect(buttons=["Add", "Add two"])


async def test_what_is_not_sold_starts_nothing() -> None:
    async with Chat(app) as chat:
        assert await chat.say("/buy a boat") == ("We have no such thing. There is: Tea, Coffee.",)
        assert "/buy" in (await chat.say("Add"))[0]


async def test_the_called_flow_goes_on_after_a_kill_and_returns_to_its_caller() -> None:
    async with Chat(app) as chat:
        await chat.say("/buy")
        await chat.press("Add two")
        for line, answer in (("1 Main St", "City?"), ("Paris", "2 x Tea to 1 Main St, Paris.")):
            await chat.crash()
            await chat.restart()
            assert answer in (await chat.say(line))[0]
        assert "9.00 EUR" in chat.replies()[0]


async def test_back_from_the_payment_offers_the_address_that_is_known() -> None:
    async with Chat(app) as chat:
        old = await ordered(chat)
        await chat.say("/back")
        await chat.press("Keep: 1 Main St")
        assert await chat.press("Keep: Paris")
        assert link_in(*chat.replies()) != old
        assert (await post(old)).status_code == 404


async def test_back_out_of_the_address_returns_to_the_goods() -> None:
    async with Chat(app) as chat:
        await chat.say("/buy")
        await chat.press("Add")
        assert await chat.say("/back") == ("Tea, 4.50 EUR a box.",)


# --- the payment ------------------------------------------------------------------------


async def test_the_person_reads_that_it_is_paid() -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        link = await ordered(chat)
        (told,) = await paid(chat, link)
        (row,) = (await storage.inspect(Query(what="instances"))).rows
    assert "paid (receipt" in told
    assert (row["flow"], row["status"]) == ("checkout", "completed")


async def test_a_second_post_is_refused_politely_and_changes_nothing() -> None:
    async with Chat(app) as chat:
        link = await ordered(chat)
        await paid(chat, link)
        before = len(chat.replies())
        answer = await post(link)
        await chat.settle()
        assert (answer.status_code, chat.replies()[before:]) == (404, ())
    assert "paid already" in answer.text


@pytest.mark.parametrize("token", ["2-0.guessed", "2-0", "nothing", "9-9.x", "%00", "a%20b"])
async def test_a_token_that_was_made_up_pays_nothing(token: str) -> None:
    async with Chat(app) as chat:
        link = await ordered(chat)
        answer = await post(f"{link.rpartition('/')[0]}/{token}")
        assert answer.status_code == 404
        assert await paid(chat, link)


async def test_an_order_is_paid_after_a_restart() -> None:
    async with Chat(app) as chat:
        ticket = (await ordered(chat)).rpartition("/")[2]
        await chat.crash()
        await chat.restart()
        assert ticket in (await chat.say("did it work?"))[0]
        assert "paid" in (await paid(chat, payments.link(ticket)))[0]


async def test_nobody_listens_when_the_bot_does_not_run() -> None:
    async with Chat(app) as chat:
        link = await ordered(chat)
    with pytest.raises(httpx.ConnectError):
        await post(link)
    with pytest.raises(NotRunning):
        await app.resume(link.rpartition("/")[2], {"number": "1"})


# --- time -------------------------------------------------------------------------------


async def test_the_reminder_and_the_end_come_once_though_the_process_was_killed() -> None:
    clock = VirtualClock()
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await ordered(chat)
        await chat.crash()
        await chat.restart()
        assert await chat.advance(9.9 * MINUTE) == ()
        reminder, question = await chat.advance(0.1 * MINUTE)
        assert (reminder, question.splitlines()[1]) == (REMINDER, "Please pay 4.50 EUR:")
        await chat.crash()
        await chat.restart()
        assert await chat.advance(19.9 * MINUTE) == ()
        assert await chat.advance(0.1 * MINUTE) == (EXPIRED,)
        assert await chat.advance(60 * MINUTE) == ()


async def test_what_was_due_while_no_process_ran_happens_at_the_start_and_once() -> None:
    clock = VirtualClock()
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await ordered(chat)
        await chat.crash()
        await chat.advance(31 * MINUTE)
        await chat.restart()
        assert chat.replies()[-1:] == (EXPIRED,)
        assert await chat.advance(60 * MINUTE) == ()


async def test_an_expired_order_cannot_be_paid() -> None:
    clock = VirtualClock()
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        link = await ordered(chat)
        await chat.advance(30 * MINUTE)
        assert (await post(link)).status_code == 404


async def test_a_paid_order_is_not_reminded_of() -> None:
    async with Chat(app, clock=VirtualClock()) as chat:
        await paid(chat, await ordered(chat))
        assert await chat.advance(60 * MINUTE) == ()
