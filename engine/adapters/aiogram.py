"""Flows inside a bot of aiogram 3: a middleware of its updates.

::

    flows = AiogramFlows(app, bot)
    flows.attach(dispatcher)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Bot, Dispatcher, Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.types import TelegramObject
from aiogram.types import Update as AiogramUpdate

from engine.adapters.aiogram_api import AiogramApi
from engine.adapters.hosted import HostedFlows
from engine.app import App
from engine.channels.telegram.allowed import allowed_updates
from engine.routes.claims import Claim, Leftovers
from flows.ports import FlowStorage

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class AiogramFlows(HostedFlows):
    """The flows of an App in front of the handlers of a dispatcher, and an outer middleware of
    its updates. ``attach`` does all that is to be done; by hand it is:

        dispatcher.update.outer_middleware(flows)
        dispatcher.startup.register(flows.start)
        dispatcher.shutdown.register(flows.stop)

    or ``async with flows:`` around what feeds the dispatcher. Polling has to ask Telegram for
    messages, edited messages and button presses then, and for whatever else the App's router
    has handlers for: ``allowed_updates``.

    Args:
        bot: what the flows talk by; updates of other bots are the host's.
        storage: where conversations are kept; None: what HANDRAIL_DATABASE_URL names.
        leftovers: who gets what a running flow asks about in vain, ``"host"`` or ``"flows"``.
        patience: seconds that an update may wait to be kept before StorageDown is raised; None:
            it waits as long as it takes.
        limits: whether what flows say keeps to Telegram's sending limits.

    Raises:
        DefinitionError: ``leftovers`` or ``patience`` cannot be.
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
            app, AiogramApi(bot),
            storage=storage, leftovers=leftovers, patience=patience, limits=limits,
        )  # fmt: skip
        self._bot_id = bot.id

    def attach(self, dispatcher: Dispatcher) -> None:
        """Puts the flows in front of the dispatcher's handlers, starts and stops them with it,
        and lets its polling ask for what they need.

        Middlewares of updates that were registered before this run before it.
        """
        dispatcher.update.outer_middleware(self)
        dispatcher.startup.register(self.start)
        dispatcher.shutdown.register(self.stop)
        dispatcher.include_router(_asking_for(allowed_updates(self._app.router.kinds())))

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Takes an update, or hands it on. Raises what ``HostedFlows.offer`` does."""
        bot: Bot = data["bot"]
        if not isinstance(event, AiogramUpdate) or bot.id != self._bot_id:
            return await handler(event, data)
        raw = event.model_dump(mode="json", by_alias=True, exclude_unset=True)
        offered = await self.offer(raw)
        if offered.claim is Claim.FLOWS:
            return None
        result = await handler(event, data)
        if offered.claim is Claim.HOST_FIRST and result is UNHANDLED:
            await self.take(offered)
            return None
        return result


def _asking_for(kinds: tuple[str, ...]) -> Router:
    """A router that handles nothing: polling asks Telegram for the kinds that have handlers."""
    router = Router(name="handrail")
    for kind in kinds:
        router.observers[kind].register(_nothing, _never)
    return router


async def _never(_event: TelegramObject) -> bool:
    return False


async def _nothing(_event: TelegramObject) -> None:
    return None
