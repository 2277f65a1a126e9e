"""The conversation of an order: the goods, the address, the payment."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum, auto

from pydantic import BaseModel

from examples.checkout.address import Address, address
from examples.checkout.payments import FakePayments, Receipt
from flows import Action, AskTimeout, Choice, FlowBuilder, Reminder, Turn


class Step(StrEnum):
    """Where a person can be."""

    GOODS = auto()
    ADDRESS = auto()
    PAYMENT = auto()


class Order(BaseModel):
    """What is bought; the first two come from the handler that starts the flow.

    Attributes:
        price: of one, in cents.
        receipt: number of the payment; empty until it is paid.
    """

    item: str
    price: int
    count: int = 0
    address: Address | None = None
    receipt: str = ""


REMINDER = Reminder(timedelta(minutes=10), "Your order is still waiting for its payment.")
PATIENCE = timedelta(minutes=30)

builder = FlowBuilder("checkout", Step, Order, deps=FakePayments, version=1)


@builder.step(Step.GOODS)
async def goods(turn: Turn[Step, Order, FakePayments]) -> Action[Step]:
    """Shows what it is, with buttons to put it into the cart."""
    order = turn.data
    order.count = await turn.ask(
        f"{order.item}, {euros(order.price)} a box.", Choice({"Add": 1, "Add two": 2})
    )
    return turn.next()


@builder.step(Step.ADDRESS)
async def delivery(turn: Turn[Step, Order, FakePayments]) -> Action[Step]:
    """Calls another flow; its result is an Address. One that is known already is offered."""
    turn.reply("Where should we send it?")
    turn.data.address = await turn.call(address, turn.data.address)
    return turn.next()


@builder.step(Step.PAYMENT)
async def payment(turn: Turn[Step, Order, FakePayments]) -> Action[Step]:
    """Waits for an event that no person can type: somebody posts to the link."""
    order, ticket = turn.data, turn.ticket()
    try:
        receipt = await turn.outside(
            ticket,
            Receipt,
            prompt=f"{order.count} x {order.item} to {order.address}.\n"
            f"Please pay {euros(order.count * order.price)}:\n{turn.deps.link(ticket)}",
            hint="I am waiting for your payment.",
            remind=REMINDER,
            timeout=PATIENCE,
        )
    except AskTimeout:
        turn.reply("Your order has expired: it was not paid in time. /buy starts a new one.")
        return turn.cancel("not paid in time")
    order.receipt = receipt.number
    turn.reply(f"Thank you, that is paid (receipt {receipt.number}). Your {order.item} is coming.")
    return turn.complete()


def euros(cents: int) -> str:
    """An amount as people write it."""
    return f"{cents // 100}.{cents % 100:02} EUR"


checkout = builder.build(initial=Step.GOODS)
