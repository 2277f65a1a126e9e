"""Answers of a test's own in place of a service, and the judges in front of them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import httpx

from tests.botapi.judges import judge
from tests.botapi.media import fields

Answer = Callable[[httpx.Request], Any]

refused: list[str] = []
"""What the judges have said against requests since the test began; see ``tests/conftest.py``."""


def take_refused() -> list[str]:
    """The refusals so far, which a test meant to provoke, and which then no longer count."""
    taken = refused.copy()
    refused.clear()
    return taken


class JudgedTransport(httpx.AsyncBaseTransport):
    """Gives each request to ``answer``, which may be a coroutine function, once it is judged."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Reads, judges and answers a request."""
        await request.aread()
        judge_request(request)
        response = self._answer(request)
        if isawaitable(response):
            response = await response
        assert isinstance(response, httpx.Response)
        return response


def judge_request(request: httpx.Request) -> None:
    """Notes what the judges have against a request that has been read."""
    if "/file/bot" in request.url.path:  # a file is fetched, which is no method
        return
    params = fields(request.content, request.headers.get("content-type", ""))
    files = params.pop("files", {})
    verdict = judge(request.url.path.rsplit("/", 1)[1], params, files)
    if verdict is not None:
        refused.append(verdict)


def judged(answer: Answer) -> httpx.AsyncClient:
    """A client whose requests are judged, then answered."""
    return httpx.AsyncClient(transport=JudgedTransport(answer))
