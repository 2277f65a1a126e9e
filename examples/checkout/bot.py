"""The bot around the order: a plain handler starts the flow with what is bought."""

from __future__ import annotations

from engine import App
from examples.checkout.flow import checkout
from examples.checkout.payments import FakePayments
from flows import Context, FlowRegistry, Router, call_flow

PRICES = {"Tea": 450, "Coffee": 620}
"""What there is, and what a box of it costs in cents."""

registry = FlowRegistry()
registry.register_callable(checkout)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

router = Router("checkout-bot")
registry.apply_to_router(router)


@router.command("buy", "order tea, or coffee: /buy coffee")
async def buy(ctx: Context) -> None:
    """Any handler can start a flow, and give it data to start with."""
    item = ctx.payload.strip().capitalize() or "Tea"
    if item not in PRICES:
        ctx.reply(f"We have no such thing. There is: {', '.join(PRICES)}.")
        return
    await call_flow(ctx, registry, "checkout", {"item": item, "price": PRICES[item]})


payments = FakePayments()
app = App(router, deps=payments, lifespan=payments.serve)
