"""Handrail, with its Telegram channel."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
from pydantic import BaseModel

from engine import App
from engine.channels.telegram import TelegramChannel
from flows import (
    Action,
    Email,
    Flow,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Router,
    Text,
    Turn,
)
from storage import open_storage
from tests.bench.peers.telegram import TOKEN, Outbox, update


class Step(StrEnum):
    """The questions."""

    NAME = auto()
    EMAIL = auto()
    AGE = auto()
    TOWN = auto()
    CONFIRM = auto()


class Visitor(BaseModel):
    """The answers."""

    name: str = ""
    email: str = ""
    age: int = 0
    town: str = ""


async def name(turn: Turn[Step, Visitor]) -> Action[Step]:
    """The first question."""
    turn.data.name = await turn.ask("What's your name?", Text(max_length=80))
    return turn.next()


async def email(turn: Turn[Step, Visitor]) -> Action[Step]:
    """An address, checked."""
    turn.data.email = await turn.ask(f"What's your e-mail, {turn.data.name}?", Email())
    return turn.next()


async def age(turn: Turn[Step, Visitor]) -> Action[Step]:
    """A number."""
    turn.data.age = await turn.ask("How old are you?", Integer(ge=1, le=150))
    return turn.next()


async def town(turn: Turn[Step, Visitor]) -> Action[Step]:
    """A text."""
    turn.data.town = await turn.ask("Where do you live?")
    return turn.next()


async def confirm(turn: Turn[Step, Visitor]) -> Action[Step]:
    """The end."""
    data = turn.data
    await turn.ask(f"{data.name}, {data.age}, of {data.town}: is that right?")
    turn.reply(f"Thank you, {data.name}.")
    return turn.complete()


def _flow() -> Flow[Step, Visitor]:
    flow = FlowBuilder("visitor", Step, Visitor)
    for step, handler in zip(Step, (name, email, age, town, confirm), strict=True):
        flow.step(step, handler)
    return flow.build(initial=Step.NAME)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is looked at of an answer; the stubs of the others build no HTTP answer either."""

    content: bytes
    status_code: int = 200


class Network(httpx.AsyncClient):
    """An HTTP client that answers by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self._queue: deque[dict[str, Any]] = deque()
        self._written = asyncio.Event()
        self._answers: dict[int, asyncio.Future[str]] = {}

    async def say(self, person: int, text: str) -> str:
        """Writes, and waits for the answer."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers[person] = future
        self._queue.append(update(person, text))
        self._written.set()
        return await future

    async def post(self, url: Any, *, content: Any = None, **rest: Any) -> httpx.Response:
        """The Bot API."""
        method = str(url).rpartition("/")[2]
        if method == "getUpdates":
            return cast(httpx.Response, Answer(await self._updates()))
        body = self.outbox.answer(method, orjson.loads(content))
        for person in list(self.outbox.texts):
            self._answers.pop(person).set_result(self.outbox.taken(person))
        return cast(httpx.Response, Answer(body))

    async def _updates(self) -> bytes:
        await asyncio.sleep(0)
        await self._written.wait()
        page = [self._queue.popleft() for _ in range(min(100, len(self._queue)))]
        if not self._queue:
            self._written.clear()
        return orjson.dumps({"ok": True, "result": page})


class Ours:
    """The App, at work.

    Args:
        url: of the storage; ``{folder}`` stands for where files go.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = asyncio.Event()
        self._network: Network

    async def open(self, folder: Path) -> None:
        """Runs the App."""
        self._network = Network()
        registry = FlowRegistry()
        registry.register(OnCommand("start"), _flow())
        router = Router("bench")
        registry.apply_to_router(router)
        channel = TelegramChannel(TOKEN, limits=False, client=self._network)
        storage = open_storage(self._url.format(folder=folder))
        self._running = asyncio.ensure_future(
            App(router).run(channel=channel, storage=storage, stop=self._stop)
        )

    async def say(self, person: int, text: str) -> str:
        """By way of Telegram."""
        return await self._network.say(person, text)

    async def close(self) -> None:
        """Stops it."""
        self._stop.set()
        await self._running
