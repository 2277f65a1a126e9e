"""The bot around the sign-up flow."""

from __future__ import annotations

from pydantic import BaseModel

from engine import App
from examples.signup.flow import signup
from flows import CallNext, Context, FlowRegistry, OnCommand, OnMessage, Router


class Visitor(BaseModel):
    """What the bot remembers of a person outside of flows."""

    messages: int = 0


MESSAGES = OnMessage.kinds | {"other"}  # and what has no type of its own, such as a game

registry = FlowRegistry()
registry.register(OnCommand("start"), signup)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

router = Router("signup-bot")
registry.apply_to_router(router)


@router.middleware
async def count(ctx: Context[Visitor], call_next: CallNext) -> None:
    """Counts what a person sends, in flows and outside them; presses are no messages."""
    if ctx.user is not None and ctx.update.content.kind in MESSAGES:
        ctx.session.messages += 1
    await call_next()


@router.command("whoami", "how many messages you have sent")
async def whoami(ctx: Context[Visitor]) -> None:
    """A plain handler: no flow, one answer."""
    ctx.reply(f"You have sent {ctx.session.messages} messages.")


app = App(router, session=Visitor)
