"""The connections to the server. What is sent is sent once: only the caller may repeat it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut

from storage.redis.failures import lost, refused, unreachable
from storage.redis.location import Location
from storage.redis.scripts import Script, scripts_of

Answer = TypeVar("Answer")
Reply = Any
"""What the server answers: bytes, an int, None, or a list of these."""

Argument = bytes | str | int

PATIENCE = 5.0
"""Seconds that a connection, or an answer, may take; well under the time of a lease."""

CONNECTIONS = 16
"""The most connections of one handle; more calls at once wait for a free one."""


class Link:
    """Runs scripts and commands on one database.

    Args:
        patience: seconds that a connection, or an answer, may take.
    """

    def __init__(self, place: Location, *, patience: float = PATIENCE) -> None:
        self.place = place
        self._scripts = scripts_of(place.prefix)
        self._pool = BlockingConnectionPool(
            max_connections=CONNECTIONS, timeout=patience, **_settings(place, patience)
        )

    async def script(self, name: str, *arguments: Argument, lossy: bool = False) -> Reply:
        """Runs a script. ``lossy``: it must not be repeated blindly.

        Raises:
            OutcomeUnknown: it is ``lossy``, and the answer was lost.
            StorageDown: the server cannot be used now.
            StorageError: the server refused it; nothing was written.
        """
        script = self._scripts[name]
        return await _whole(self._run(script, arguments, lossy=lossy))

    async def command(self, *words: Argument) -> Reply:
        """Runs a single command that may be repeated; raises as ``script`` does."""
        return await _whole(self._answer(words))

    async def close(self) -> None:
        """Ends all connections."""
        await self._pool.disconnect()

    async def _answer(self, words: tuple[Argument, ...]) -> Reply:
        connection = await self._connected()
        try:
            return await self._ask(connection, words, lossy=False)
        except ResponseError as error:
            raise refused(self.place, error) from error
        finally:
            await self._pool.release(connection)

    async def _run(self, script: Script, arguments: tuple[Argument, ...], *, lossy: bool) -> Reply:
        connection = await self._connected()
        try:
            try:
                return await self._ask(connection, (*script.known, *arguments), lossy=lossy)
            except NoScriptError:
                # The server has not run anything: it was started anew, or is another one.
                return await self._ask(connection, (*script.whole, *arguments), lossy=lossy)
        except ResponseError as error:
            raise refused(self.place, error) from error
        finally:
            await self._pool.release(connection)

    async def _connected(self) -> AbstractConnection:
        try:
            # The driver's decorator hides the types.
            connection: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise unreachable(self.place, error) from error
        return connection

    async def _ask(
        self, connection: AbstractConnection, words: tuple[Argument, ...], *, lossy: bool
    ) -> Reply:
        try:
            await connection.send_packed_command([packed_command(*words)], check_health=False)
            return await connection.read_response()
        except (AuthenticationError, BusyLoadingError) as error:
            # Answers of the server, though the driver counts them as lost connections.
            raise refused(self.place, error) from error
        except (Disconnected, TimedOut, OSError) as error:
            await connection.disconnect(nowait=True)
            raise lost(self.place, error, wrote=lossy) from error


def connection_to(place: Location, *, patience: float | None, **more: Any) -> AbstractConnection:
    """A connection of its own, not connected yet."""
    settings = _settings(place, patience)
    kind: type[Connection] = settings.pop("connection_class")
    return kind(**settings, **more)


def packed_command(*words: Argument) -> bytes:
    """A command as it goes over the wire."""
    pieces = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        pieces.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(pieces)


def _settings(place: Location, patience: float | None) -> dict[str, Any]:
    """What a connection pool of the driver takes."""
    settings: dict[str, Any] = {
        "connection_class": SSLConnection if place.tls else Connection,
        "host": place.host,
        "port": place.port,
        "db": place.db,
        "username": place.username,
        "password": place.password,
        "protocol": 2,
        "socket_connect_timeout": PATIENCE if patience is None else patience,
        "socket_timeout": patience,
        # The driver would send a commit again whose answer was lost.
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
    }
    return {**settings, **place.files}


async def _whole(work: Coroutine[object, object, Answer]) -> Answer:
    """Awaits ``work`` to its end, even if the caller is cancelled: what is on its way to the
    server would otherwise be done after the caller has looked whether it was.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait((task,))
            if not task.cancelled():
                task.exception()  # nobody waits for it any more
