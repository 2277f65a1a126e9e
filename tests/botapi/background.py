"""A server in a thread, for tests that have no loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.botapi.control import Control
from tests.botapi.server import BotApiServer


@contextmanager
def background_server() -> Iterator[Control]:
    """Runs a server. Leaving the block fails when a judge refused a request."""
    server = BotApiServer()
    started = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        over = asyncio.Event()
        async with server:
            running.append((asyncio.get_running_loop(), over))
            started.set()
            await over.wait()
            refused.extend(server.take_refused())

    refused: list[str] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="botapi", daemon=True)
    thread.start()
    if not started.wait(10):
        raise TimeoutError("the server has not started in 10 seconds")
    control = Control(server.url, server.token)
    try:
        yield control
    finally:
        control.close()
        loop, over = running[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
    assert refused == [], "the judges refused requests"
