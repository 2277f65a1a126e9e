"""A web server of our own for a channel, where the bot lives in no other web application."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from flows.errors import ChannelStopped

log = logging.getLogger("handrail.listening")

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: Telegram, browsers and proxies use theirs again."""

CLOSING = 5
"""Seconds that requests under way get when it closes."""

BACKLOG = 128

FRAME = 64 * 1024
"""Bytes that a WebSocket message may have, unless it is said."""

_HERE = "unix"
"""The address of who comes over a Unix socket."""

_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:/\s]*)):([0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: at a host and port, or at a Unix socket.

    Attributes:
        path: of the socket; None: it is a port.
    """

    host: str = ""
    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that ``host:port``, ``[host]:port`` or ``unix:path`` names.

        Raises:
            ChannelStopped: it is none of these.
        """
        scheme, colon, path = text.partition(":")
        if scheme == "unix" and colon and path:
            return cls(path=Path(path))
        match = _PLACE.fullmatch(text)
        if match is None or int(match[3]) > 65535:
            raise ChannelStopped(
                f"{text!r} is no place to listen at. It looks like 127.0.0.1:8080, or like "
                "unix:/run/bot/webhook.sock."
            )
        return cls(host=match[1] or match[2] or "0.0.0.0", port=int(match[3]))  # noqa: S104

    def bound(self) -> socket.socket:
        """A socket that listens there. Raises OSError."""
        if self.path is None:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            return socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        self._make_way(self.path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self.path))
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
        return listening

    def left(self) -> None:
        """Nobody listens there any more."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _make_way(self, path: Path) -> None:
        """Removes a socket that a dead process has left; one that somebody listens at is kept."""
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                return
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()


class Listener:
    """Serves an ASGI app, from ``open`` to ``close``.

    Args:
        what: what listens, such as ``the webhook``, for people to read.
        variable: the environment variable that names its place.
        frame: bytes that a WebSocket message may have.

    Attributes:
        place: where it listens; once it does, with the port that it got where it asked for any.
    """

    def __init__(
        self, app: ASGIApp, place: Place, *, what: str, variable: str, frame: int = FRAME
    ) -> None:
        self.place = place
        self._app = app
        self._what = what
        self._variable = variable
        self._frame = frame
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._listening: socket.socket | None = None

    async def open(self) -> None:
        """Listens.

        Raises:
            ChannelStopped: that cannot be done at this place.
        """
        config = self._config()
        try:
            listening = self.place.bound()
        except (OSError, OverflowError) as error:
            raise ChannelStopped(
                f"{self._what} cannot listen at {self.place} ({error}). Name another place with "
                f"{self._variable}, or stop what listens there."
            ) from None
        self._listening = listening
        if self.place.path is None:
            self.place = replace(self.place, port=listening.getsockname()[1])
        self._server = _Server(config)
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listening]))
        log.info("%s listens at %s", self._what, self.place)

    def _config(self) -> uvicorn.Config:
        """What the server is made of; raises ChannelStopped where a part of it is missing, before
        anything is bound.
        """
        over_a_path = self.place.path is not None
        config = uvicorn.Config(
            _FromProxies(self._app) if over_a_path else self._app,
            proxy_headers=not over_a_path,
            ws="wsproto",
            ws_max_size=self._frame,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=CLOSING,
        )
        try:
            config.load()
        except ImportError as error:
            raise ChannelStopped(
                f"{self._what} cannot serve: {error}. Install what is missing, such as with "
                "'pip install wsproto'."
            ) from error
        return config

    async def failed(self) -> None:
        """Raises when the server has ended by itself, once it says why and listens again.

        Raises:
            ChannelStopped: it cannot listen again.
        """
        if self._serving is None:
            raise RuntimeError("the web server is not open")
        await asyncio.wait((self._serving,))
        error = None if self._serving.cancelled() else self._serving.exception()
        self._serving = None
        why = "it does not say why" if error is None else repr(error)
        log.error("%s has ended by itself: %s", self._what, why, exc_info=error)
        if self._listening is not None:
            self._listening.close()  # or it would stand in the way of the next one
        await self.open()
        raise RuntimeError(f"the web server had ended ({why}), and was started again") from error

    async def close(self) -> None:
        """Listens no more; requests under way get a moment to end."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await asyncio.wait((self._serving,))
        self._server = self._serving = None
        self.place.left()


class _FromProxies:
    """What comes over a Unix socket comes from a proxy on this machine, so what it says of whom
    it serves, and whether by https, is believed, as of one at 127.0.0.1.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._believing = ProxyHeadersMiddleware(self._known, trusted_hosts=[_HERE])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["client"] is None:
            scope["client"] = (_HERE, 0)
        await self._believing(scope, receive, send)  # type: ignore[arg-type]

    async def _known(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["client"] == (_HERE, 0):  # the proxy has not said whom it serves
            scope["client"] = None
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    """A server that leaves signals to the App."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
