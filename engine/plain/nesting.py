"""Running a plain handler inside the routers that it is included with."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from engine.steps.running import contained
from engine.turns.tracebacks import from_handler
from flows.errors import CorruptState
from flows.plain.context import Context
from flows.records import record
from flows.routing.router import Middleware, Router

_log = logging.getLogger("handrail.engine")

Call = Callable[[], Awaitable[None]]


@record(frozen=True, slots=True)
class Keeper:
    """What running inside a router takes of the turn.

    Attributes:
        keep: stores what was written to the session of the context, and lends it again.
        refresh: gives the context the session as it is.
        undoing: takes back all that the turn has done inside of it, should that fail.
    """

    keep: Callable[[Context[Any, Any]], None]
    refresh: Callable[[Context[Any, Any]], None]
    undoing: Callable[[], AbstractContextManager[None]]


async def call_inside(
    routers: Sequence[Router], context: Context[Any, Any], handler: Call, keeper: Keeper
) -> None:
    """Calls a handler inside the middleware of these routers, the outermost first. What fails
    goes to the ``catch`` of the innermost router that has one, then outwards.

    Raises:
        Exception: what no router has caught.
    """
    call = handler
    for router in reversed(routers):
        call = _inside(router, context, call, keeper)
    await call()


def _inside(router: Router, context: Context[Any, Any], handler: Call, keeper: Keeper) -> Call:
    call = _once(handler) if router.middlewares else handler
    for middleware in reversed(router.middlewares):
        call = around(middleware, context, call)
    return _caught(router, context, call, keeper)


async def catch_inside(
    routers: Sequence[Router], context: Context[Any, Any], call: Call, keeper: Keeper
) -> None:
    """Calls something for a handler of these routers, the outermost first, without their
    middleware: what fails goes to their ``catch`` as in ``call_inside``.

    Raises:
        Exception: what no router has caught.
    """
    for router in reversed(routers):
        call = _caught(router, context, call, keeper)
    await call()


def _caught(router: Router, context: Context[Any, Any], call: Call, keeper: Keeper) -> Call:
    catch = router.catch_handler
    if catch is None:
        return call

    async def caught() -> None:
        keeper.keep(context)  # what was written before belongs to the routers around this one
        try:
            with keeper.undoing():
                await call()
                keeper.keep(context)
        except CorruptState:
            raise  # it is no handler's doing
        except BaseException as error:  # whatever a handler raises
            failure = contained(error)
            _log.error(
                "a handler of router %r failed and is left to its catch handler: %s",
                router.name, failure, exc_info=from_handler(failure),
            )  # fmt: skip
            keeper.refresh(context)
            await catch(context, failure)

    return caught


def _once(call: Call) -> Call:
    handled = False

    async def once() -> None:
        nonlocal handled
        if handled:
            raise RuntimeError(
                "a middleware called call_next() twice. The update was handled the first time."
            )
        handled = True
        await call()

    return once


def around(middleware: Middleware, context: Context[Any, Any], call_next: Call) -> Call:
    """The call inside of a middleware."""

    async def call() -> None:
        await middleware(context, call_next)

    return call
