"""The bot around the identity check."""

from __future__ import annotations

from engine import App
from examples.kyc.flow import kyc
from flows import FlowRegistry, OnCommand, Router

registry = FlowRegistry()
registry.register(OnCommand("kyc"), kyc)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

router = Router("kyc-bot")
registry.apply_to_router(router)

app = App(router)
