"""Hints of other handles, by PUBLISH and SUBSCRIBE; they may be lost, the owner polls as well."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from redis.exceptions import RedisError

from storage.redis.keys import WAKES, full_name
from storage.redis.link import Reply, connection_to, packed_command
from storage.redis.location import Location
from storage.wakes import Wakes

_log = logging.getLogger(__name__)

PAUSE: Final = 1.0
"""Seconds before it connects again."""


class Listener:
    """Listens in the background from the first ``start`` until ``close``.

    Args:
        handle: who listens: its own hints are not for it.
    """

    def __init__(self, place: Location, wakes: Wakes, *, handle: str) -> None:
        self._place = place
        self._wakes = wakes
        self._handle = handle.encode()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen; once."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._listen())

    async def close(self) -> None:
        """Ends the connection."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    async def _listen(self) -> None:
        while not self._closed:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                _log.info("hints of Redis at %s pause: %s", self._place, error)
            if not self._closed:
                await asyncio.sleep(PAUSE)

    async def _hear(self) -> None:
        # Nobody speaks for hours, perhaps: so there is no time limit, but the system asks
        # whether the other end is there.
        connection = connection_to(self._place, patience=None, socket_keepalive=True)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # the driver's own
            channel = full_name(self._place.prefix, WAKES)
            await connection.send_packed_command([packed_command("SUBSCRIBE", channel)])
            while True:
                message: Reply = await connection.read_response()
                # The first message, that it listens, is a hint as well: who knows what came
                # while nobody did.
                _, _, who = message
                if who != self._handle:
                    self._wakes.hint()
        finally:
            await connection.disconnect(nowait=True)
