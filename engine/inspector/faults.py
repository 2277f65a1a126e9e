"""Pages about what cannot be shown or done."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from engine.inspector.rendering import Templates
from engine.inspector.visits import Nowhere, base_of
from flows.errors import (
    HandrailError,
    NotRunning,
    NotWaiting,
    StorageDown,
    UnknownConversation,
    UnknownDeadLetter,
    UnknownFlow,
    UnknownInstance,
    UnknownStep,
)


class Forbidden(HandrailError):
    """Somebody who is let in may not do that."""


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (Forbidden, 403),
    (Nowhere, 404),
    (UnknownInstance, 404),
    (UnknownConversation, 404),
    (UnknownDeadLetter, 404),
    (UnknownFlow, 404),
    (NotWaiting, 409),
    (NotRunning, 503),
    (StorageDown, 503),
    (ValueError, 422),
    (UnknownStep, 422),
)


class Faults:
    """Says what is wrong, on a page."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def told(self, request: Request, error: Exception) -> Response:
        """A page about an error that people can do something about."""
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        text = str(error)
        why = text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
        return self._templates.page("fault", status, base=base_of(request), why=why)

    async def nowhere(self, request: Request) -> Response:
        """There is no such page."""
        return self.told(request, Nowhere(f"there is no page {request.url.path}"))
