"""A web chat that listens in this process, and pages of it that speak its WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine import App
from engine.channels.web import WebChannel
from flows import Context, PhotoMessage, Router
from storage import MemoryStorage


def echo() -> App:
    """Says again what it hears, and how often it has heard anything."""
    router = Router("echo")

    @router.fallback
    async def answer(ctx: Context) -> None:
        content = ctx.update.content
        if isinstance(content, PhotoMessage):
            data = [piece async for piece in ctx.bot.chunks(content.file)]
            ctx.reply(f"{content.file.name}: {len(b''.join(data))} bytes")
            return
        ctx.reply(f"you said {getattr(content, 'text', content.kind)}")

    return App(router)


class Site:
    """A chat that listens, and a client with a cookie."""

    def __init__(self, channel: WebChannel, url: str, client: httpx.AsyncClient) -> None:
        self.channel = channel
        self.url = url
        self.client = client

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    @asynccontextmanager
    async def page(
        self, *, after: int = 0, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[ClientConnection]:
        """A page that has said hello and has what was said before."""
        address = f"{self.url.replace('http', 'ws')}ws"
        async with connect(
            address, additional_headers={"cookie": self.cookie, **(headers or {})}, proxy=None
        ) as line:
            with suppress(ConnectionClosed):  # it may be refused before
                await line.send(json.dumps({"t": "hello", "after": after}))
            yield line


@asynccontextmanager
async def running(app: App, storage: MemoryStorage, **options: Any) -> AsyncIterator[Site]:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    channel = WebChannel("test", listen="127.0.0.1:0", listening=told.set_result, **options)
    stop = asyncio.Event()
    run = asyncio.ensure_future(app.run(channel=channel, storage=storage, stop=stop))
    try:
        url = await told
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            while (await client.get("")).status_code == 503:  # noqa: ASYNC110 -- as a browser asks
                await asyncio.sleep(0.01)
            yield Site(channel, url, client)
    finally:
        stop.set()
        await run


def frame(kind: str, number: int, **more: Any) -> str:
    """What a page sends for one thing that a person does."""
    return json.dumps({"t": kind, "id": f"c-{number:020}", **more})


async def until(line: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """The frames up to the first of a kind."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not frames or frames[-1]["t"] != kind:
            frames.append(json.loads(await line.recv()))
    return frames


def words(frames: list[dict[str, Any]]) -> list[str]:
    """What the lines in the frames say."""
    lines = [line for frame in frames if frame["t"] == "lines" for line in frame["lines"]]
    return ["".join(map(str, line["it"]["text"])) for line in lines]


async def heard(line: ClientConnection, wanted: list[str]) -> None:
    """Reads until the lines say what is wanted, from the first on."""
    found: list[str] = []
    async with asyncio.timeout(30):
        while found[: len(wanted)] != wanted:
            found += words([json.loads(await line.recv())])
