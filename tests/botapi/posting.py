"""Posting updates to a webhook, as Telegram does: one of a queue at a time, until it gets a 2xx."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson

if TYPE_CHECKING:
    from tests.botapi.world import World

SECOND = 0.01
"""How long a second of a pause between two posts of an update takes here."""

PAUSES = (0, 2, 4, 8, 16, 32, 60)
"""Seconds until an update is posted again, the first time at once."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post of an update: the status that it got, 0 where nobody answered."""

    update_id: object
    status: int

    @property
    def acknowledged(self) -> bool:
        """Telegram takes any 2xx for it."""
        return 200 <= self.status < 300


class Posting:
    """Posts what waits. Messages wait in a queue a chat, presses in one a person.

    Attributes:
        posts: all posts so far.
        through: makes what the webhook is reached by; as it is, the network.
    """

    def __init__(self, world: World) -> None:
        self.posts: list[Post] = []
        self.through: Callable[[], httpx.AsyncBaseTransport] = httpx.AsyncHTTPTransport
        self._world = world
        self._url = self._secret = ""
        self._loop: asyncio.Task[None] | None = None
        self._queues: dict[object, asyncio.Task[None]] = {}

    def begin(self, url: str, secret: str) -> None:
        """From now on updates are posted there."""
        self._url, self._secret = url, secret
        if self._loop is None:
            self._loop = asyncio.ensure_future(self._run())

    async def end(self) -> None:
        """Nothing is posted any more."""
        tasks = [*self._queues.values(), *([self._loop] if self._loop is not None else [])]
        self._loop = None
        self._queues.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def post(self, body: bytes, **more: str) -> httpx.Response:
        """One post with the secret; ``more`` are headers in place of the usual ones."""
        headers = {"content-type": "application/json",
                   "x-telegram-bot-api-secret-token": self._secret} | more  # fmt: skip
        async with httpx.AsyncClient(transport=self.through()) as client:
            return await client.post(self._url, content=body, headers=headers, timeout=10)

    async def _run(self) -> None:
        while True:
            change = self._world.change()
            for update in list(self._world.updates):
                queue = _queue(update)
                if queue not in self._queues:
                    self._queues[queue] = asyncio.ensure_future(self._deliver(queue, update))
            await change

    async def _deliver(self, queue: object, update: Any) -> None:
        failures = 0
        while not await self._is_taken(update):
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)] * SECOND)
            failures += 1
        self._world.updates[:] = [one for one in self._world.updates if one is not update]
        self._queues.pop(queue, None)
        self._world.changed()

    async def _is_taken(self, update: Any) -> bool:
        status = 0
        with suppress(httpx.HTTPError):
            status = (await self.post(dumped(update))).status_code
        name = update.get("update_id") if isinstance(update, dict) else None
        post = Post(name, status)
        self.posts.append(post)
        self._world.changed()
        return post.acknowledged


def dumped(value: Any) -> bytes:
    """JSON; of updates that orjson cannot write (lone surrogates), as other servers write them."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def _queue(update: Any) -> object:
    """What an update is posted in order with."""
    if not isinstance(update, dict):
        return "odd"
    press = update.get("callback_query")
    if isinstance(press, dict):
        return "press", press.get("from", {}).get("id")
    for kind, body in update.items():
        if isinstance(body, dict) and isinstance(body.get("chat"), dict):
            return kind, body["chat"].get("id")
    return "other"
