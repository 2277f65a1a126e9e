"""A stand-in for a payment service: whoever posts to the link of an order has paid it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine import App
from flows.errors import NotRunning, UnknownToken

PORT = "CHECKOUT_PORT"
"""The environment variable with the port to listen at; 0 takes a free one."""


class Receipt(BaseModel):
    """What the service tells about a payment."""

    number: str


class FakePayments:
    """Takes no money. A real service would be given the ticket, and call the same address with
    it and with a signature, which has to be verified before anything else.
    """

    def __init__(self) -> None:
        self._port = 0

    def link(self, ticket: str) -> str:
        """Where an order is paid."""
        return f"http://127.0.0.1:{self._port}/pay/{ticket}"

    @asynccontextmanager
    async def serve(self, app: App) -> AsyncIterator[None]:
        """Listens on loopback while the App runs. Raises OSError where the port is taken."""
        with socket.create_server(("127.0.0.1", int(os.environ.get(PORT, "8808")))) as listening:
            self._port = listening.getsockname()[1]
            server = _Server(uvicorn.Config(_web(app), lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield
            finally:
                server.should_exit = True
                await serving


class _Server(uvicorn.Server):
    """A server that leaves signals to the App."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _web(app: App) -> Starlette:
    async def pay(request: Request) -> Response:
        receipt = Receipt(number=uuid4().hex[:8])
        try:
            await app.resume(request.path_params["token"], receipt)
        except NotRunning:
            return PlainTextResponse("The bot starts or stops. Try again.\n", status_code=503)
        except UnknownToken:
            return PlainTextResponse(
                "Nothing is to be paid here: it was paid already, has expired, or never was.\n",
                status_code=404,
            )
        return PlainTextResponse(f"Paid. Receipt {receipt.number}.\n")

    return Starlette(routes=[Route("/pay/{token}", pay, methods=["POST"])])
