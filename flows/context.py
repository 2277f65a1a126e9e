"""What a plain handler (one without a flow) is given, and ``call_flow``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, overload

from typing_extensions import TypeVar

from flows.effects import NOTICE_LIMIT, Effects, StartRequest
from flows.flow import Flow
from flows.registry import FlowRegistry
from flows.replies import Format, Keyboard, Reply
from flows.updates import Person, Update

Session = TypeVar("Session", default=Any)
Deps = TypeVar("Deps", default=Any)


class Context(Generic[Session, Deps]):
    """One update, for a plain handler or a middleware.

    Attributes:
        update: what came in.
        payload: what the matching route took from it: a command's arguments, the text.
        session: the person's session, the App's session model; committed with the turn.
        deps: the App's dependencies.
    """

    def __init__(
        self, *, update: Update, payload: str, session: Session, deps: Deps, effects: Effects
    ) -> None:
        self.update = update
        self.payload = payload
        self.session = session
        self.deps = deps
        self._effects = effects

    @property
    def user(self) -> Person | None:
        """Who sent it; None for what has no sender."""
        return self.update.user

    def reply(
        self, text: str | Reply, *, format: Format = "plain", keyboard: Keyboard = ()
    ) -> None:
        """Sends a message, once the turn is committed."""
        reply = text if isinstance(text, Reply) else Reply(text=text, format=format)
        self._effects.emit(replace(reply, keyboard=keyboard) if keyboard else reply)

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._effects.notice = text[:NOTICE_LIMIT]

    def start_flow(self, request: StartRequest) -> None:
        """Starts a flow after the handler has returned; see ``call_flow``."""
        self._effects.starts.append(request)


class StartsFlows(Protocol):
    """What can start a flow: the context of a plain handler, or a step's turn."""

    def start_flow(self, request: StartRequest) -> None:
        """Starts a flow after the handler has come to rest."""
        ...


@overload
async def call_flow(
    ctx: StartsFlows,
    target: FlowRegistry,
    name: str,
    data: Mapping[str, Any] | None = None,
    /,
) -> None: ...


@overload
async def call_flow(
    ctx: StartsFlows, target: Flow[Any, Any], data: Mapping[str, Any] | None = None, /
) -> None: ...


async def call_flow(
    ctx: StartsFlows,
    target: FlowRegistry | Flow[Any, Any],
    *rest: Any,
) -> None:
    """Starts a flow from any handler: after the handler has returned, in the same turn.

    Args:
        ctx: the context of a plain handler, or the turn of a step.
        target: a registry, followed by the name of a flow; or a flow that is registered.
        rest: the name, if needed; then the fields of the flow's data that it starts with.

    Raises:
        UnknownFlow: the registry has no flow of that name.
        StartRefused: these arguments do not make the flow's data.
    """
    flow, arguments = _resolve(target, *rest)
    flow.start(arguments)
    ctx.start_flow(StartRequest(flow, arguments))


def _resolve(
    target: FlowRegistry | Flow[Any, Any], *rest: Any
) -> tuple[Flow[Any, Any], Mapping[str, Any]]:
    if isinstance(target, FlowRegistry):
        name, *data = rest
        return target.get(name), (data[0] if data else None) or {}
    return target, (rest[0] if rest else None) or {}
