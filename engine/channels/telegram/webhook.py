"""The webhook: an ASGI app to which Telegram posts a bot's updates."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from engine.channels.listening import Listener, Place
from engine.channels.telegram.addresses import is_address, place_of
from flows.errors import ChannelStopped

LARGEST_BODY = 1 << 20
"""Bytes of a post, at the most."""

BODY_SECONDS = 30.0
"""How long the body of a post may take to arrive."""

CONNECTIONS = 40
"""Posts that Telegram makes at the same time, at the most, unless it is said."""

LEAVING = 5.0
"""Seconds that posts under way get when no more are taken."""

AGAIN = 2
"""Seconds after which whoever posted while nothing is taken may try again."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_HEADER = b"x-telegram-bot-api-secret-token"

Take = Callable[[bytes], Awaitable[int]]
"""Takes the body of a post and answers the HTTP status that it gets."""


class Webhook:
    """Where Telegram posts the updates of one bot; hand it to its ``TelegramChannel``.

    It is an ASGI app: give it a route in a web application of your own, or let it listen by
    itself. What comes in while the bot does not run, or is being drained, is answered 503, and
    Telegram posts it again later.

    Args:
        url: the public address that Telegram posts to, https; only a Bot API server of your own
            takes http.
        secret: what proves that a post comes from Telegram: 1 to 256 of ``A-Za-z0-9_-``.
        listen: where to listen with a web server of its own: ``host:port``, or ``unix:`` and a
            path; it answers at the path of the URL, and speaks plain HTTP, for a reverse proxy
            in front. None: it does not, and has a route elsewhere.
        connections: how many posts Telegram makes at the same time, 1 to 100.

    Raises:
        ChannelStopped: one of them has not the form of one.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str,
        listen: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self.url = _checked_url(url)
        self.secret = _checked_secret(secret)
        self.connections = _checked_connections(connections)
        place = Place.parse(listen) if listen is not None else None
        self._listener = self._listening_at(place) if place is not None else None
        self._take: Take | None = None
        self._under_way = 0
        self._quiet = asyncio.Event()

    def _listening_at(self, place: Place) -> Listener:
        routes = [Route(urlsplit(self.url).path or "/", self)]
        return Listener(
            Starlette(routes=routes), place,
            what="the webhook", variable="HANDRAIL_TELEGRAM_WEBHOOK_LISTEN",
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Webhook(at {self.where})"

    @property
    def where(self) -> str:
        """The host of the address; its path may be a secret of its own."""
        return place_of(self.url)

    # --- for the channel ----------------------------------------------------------------

    async def open(self) -> None:
        """Listens, where it is to. Raises ChannelStopped where that cannot be done."""
        if self._listener is not None:
            await self._listener.open()

    @asynccontextmanager
    async def taking(self, take: Take) -> AsyncIterator[None]:
        """Hands posts to ``take`` while the block runs; leaving it waits a moment for those
        under way.

        Raises:
            ChannelStopped: another channel takes them already.
        """
        if self._take is not None:
            raise ChannelStopped(
                f"two bots take what is posted to {self.where}. Give each a Webhook of its own."
            )
        self._take = take
        try:
            yield
        finally:
            self._take = None
            with suppress(TimeoutError):  # a storage that hangs holds up no stop
                async with asyncio.timeout(LEAVING):
                    while self._under_way:
                        self._quiet.clear()
                        await self._quiet.wait()

    async def failed(self) -> None:
        """Raises what ends the web server of its own; else it waits for ever."""
        if self._listener is not None:
            await self._listener.failed()
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Listens no more."""
        if self._listener is not None:
            await self._listener.close()

    # --- the ASGI app -------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a post with 200 once its update is kept."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            raise RuntimeError(
                "a Webhook answers HTTP requests and has no lifespan: give it a route in a "
                "Starlette application, or a place to listen at."
            )

    async def _answer(self, request: Request) -> Response:
        """From the head of the request first: nothing is read of what Telegram has not sent."""
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "POST"})
        if not self._is_from_telegram(request):
            return Response(status_code=401)
        if not _is_json(request):
            return Response(status_code=415)
        if self._take is None:
            return _later()
        body = await _body_in_time(request)
        if isinstance(body, int):
            return Response(status_code=body)
        if (take := self._take) is None:  # it stopped meanwhile
            return _later()
        self._under_way += 1
        try:
            return Response(status_code=await take(body))
        finally:
            self._under_way -= 1
            self._quiet.set()

    def _is_from_telegram(self, request: Request) -> bool:
        """Compared as bytes, which a header is, and in constant time."""
        given = [value for name, value in request.headers.raw if name.lower() == _HEADER]
        wanted = self.secret.encode()
        return len(given) == 1 and hmac.compare_digest(given[0], wanted)


def _later() -> Response:
    return Response(status_code=503, headers={"retry-after": str(AGAIN)})


async def _body_in_time(request: Request) -> bytes | int:
    """The body, or the status that the request gets without it."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _body(request)
    except TimeoutError:
        return 408
    except ClientDisconnect:
        return 400  # nobody hears it


async def _body(request: Request) -> bytes | int:
    """The same; of a body that is too large no more is read than is needed to know."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > LARGEST_BODY:
        return 413
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return 413
    return bytes(body)


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def _checked_url(url: str) -> str:
    if not is_address(url):
        raise ChannelStopped(
            "the webhook's URL is no address that Telegram can post to. It looks like "
            "https://bot.example.org/telegram."
        )
    return url


def _checked_secret(secret: str) -> str:
    if not secret:
        raise ChannelStopped(
            "the webhook's secret is empty, so anybody could post updates. Make one: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if not _SECRET.fullmatch(secret):
        raise ChannelStopped(
            "the webhook's secret has not the form of one: 1 to 256 letters (A-Z, a-z), digits, "
            "'_' and '-'. Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


def _checked_connections(connections: int) -> int:
    if not 1 <= connections <= 100:
        raise ChannelStopped(f"a webhook has 1 to 100 connections, not {connections}")
    return connections
