"""Flows inside a bot of python-telegram-bot 22: a handler in front of all others.

::

    flows = PtbFlows(app, application.bot)
    flows.attach(application)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Bot
from telegram import Update as PtbUpdate
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    CallbackContext,
    InvalidCallbackData,
    TypeHandler,
)

from engine.adapters.hosted import HostedFlows
from engine.adapters.python_telegram_bot_api import PtbApi
from engine.app import App
from engine.routes.claims import Claim, Leftovers
from flows.ports import FlowStorage

AnyApplication = Application[Any, Any, Any, Any, Any, Any]
AnyContext = CallbackContext[Any, Any, Any, Any]
Hook = Callable[[AnyApplication], Coroutine[Any, Any, None]]

GROUP = -1
"""The group of handlers that the flows are in: before those of groups 0 and up."""


class PtbFlows(HostedFlows):
    """The flows of an App in front of the handlers of an application. ``attach`` does all that is
    to be done; where the application is started by hand, and its hooks are not called, add the
    handler, and be inside of ``async with flows:`` while it runs:

        application.add_handler(flows.handler, group=-1)
        async with application, flows:
            ...

    Args:
        bot: what the flows talk by: ``application.bot``.
        storage: where conversations are kept; None: what HANDRAIL_DATABASE_URL names.
        leftovers: who gets what a running flow asks about in vain, ``"host"`` or ``"flows"``.
        patience: seconds that an update may wait to be kept before StorageDown is raised; None:
            it waits as long as it takes.
        limits: whether what flows say keeps to Telegram's sending limits.

    Raises:
        DefinitionError: ``leftovers`` or ``patience`` cannot be.
        ChannelStopped: the bot's token has not the form of one.
    """

    def __init__(
        self,
        app: App,
        bot: Bot,
        *,
        storage: FlowStorage | None = None,
        leftovers: Leftovers = "host",
        patience: float | None = None,
        limits: bool = True,
    ) -> None:
        super().__init__(
            app, PtbApi(bot),
            storage=storage, leftovers=leftovers, patience=patience, limits=limits,
        )  # fmt: skip
        self.handler: TypeHandler[Any, Any, Any] = TypeHandler(PtbUpdate, self._handle)

    def attach(self, application: AnyApplication, *, group: int = GROUP) -> None:
        """Puts the flows in front of the application's handlers, and starts and stops them with
        ``run_polling`` and ``run_webhook``: after its own ``post_init``, before its own
        ``post_stop``.

        Args:
            group: the flows' group of handlers. Groups with lower numbers run before it.
        """
        application.add_handler(self.handler, group=group)
        application.post_init = _both(application.post_init, self._start)
        # not in post_shutdown: the bot cannot send any more by then
        application.post_stop = _both(self._stop_with, application.post_stop)

    async def _start(self, _application: AnyApplication) -> None:
        await self.start()

    async def _stop_with(self, _application: AnyApplication) -> None:
        await self.stop()

    async def _handle(self, update: PtbUpdate, context: AnyContext) -> None:
        """Takes an update, or lets it go on to the groups behind."""
        try:
            theirs = await self._takes(update, context)
        except Exception as error:  # whatever it is: the groups behind would run after it
            await context.application.process_error(update, error)
            raise ApplicationHandlerStop from None
        if theirs:
            raise ApplicationHandlerStop

    async def _takes(self, update: PtbUpdate, context: AnyContext) -> bool:
        offered = await self.offer(_raw(update))
        if offered.claim is Claim.FLOWS:
            return True
        if offered.claim is not Claim.HOST_FIRST or self._is_handled(update, context.application):
            return False
        await self.take(offered)
        return True

    def _is_handled(self, update: PtbUpdate, application: AnyApplication) -> bool:
        """Whether a handler of the application would take the update."""
        return any(
            handler.check_update(update) not in (None, False)
            for handlers in application.handlers.values()
            for handler in handlers
            if handler is not self.handler
        )


def _both(first: Hook | None, second: Hook | None) -> Hook:
    async def hook(application: AnyApplication) -> None:
        for one in (first, second):
            if one is not None:
                await one(application)

    return hook


def _raw(update: PtbUpdate) -> dict[str, Any]:
    """The update as Telegram sent it."""
    raw = update.to_dict()
    if update.callback_query is not None:
        raw["callback_query"]["data"] = _pressed(update.callback_query.data)
    sent: dict[str, Any] = json.loads(json.dumps(raw), object_hook=_as_sent)
    return sent


def _pressed(data: object) -> str:
    """The data of a button. Arbitrary callback data is kept in the bot's cache, where our buttons
    never were; what is found there is the host's.
    """
    if isinstance(data, InvalidCallbackData):
        data = data.callback_data
    return data if isinstance(data, str) else ""


_CREATED = (
    "delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created",
)  # fmt: skip


def _as_sent(fields: dict[str, Any]) -> dict[str, Any]:
    """An object without what the library adds to every message; Telegram leaves it out."""
    return {
        name: value for name, value in fields.items() if value is not False or name not in _CREATED
    }
