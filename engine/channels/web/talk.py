"""One open page, over its WebSocket.

Out goes everything after the last place that the page has, in order, from the records: what came
while nobody looked, and what comes. In comes what the person does. What is in flight when the
line breaks, the page asks for or sends again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from engine.channels.web.desk import AGAIN, Desk, Later
from engine.channels.web.folding import Window
from engine.channels.web.incoming import FRAMES, LONGEST_TEXT, Act, Hello, Older, Ping
from engine.channels.web.people import WebPerson
from engine.channels.web.records import Records
from engine.channels.web.rooms import Seat
from flows.errors import StorageDown
from flows.ports import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a page needs to know first.

    Attributes:
        me: tells the person's unsent messages from those of others in the same browser.
        contact: whether the person's own contact is known.
    """

    me: str
    title: str
    commands: tuple[tuple[str, str], ...]
    contact: bool
    upload_limit: int
    text_limit: int = LONGEST_TEXT
    t: str = "hello"


class Talk:
    """Talks with one page until it goes."""

    def __init__(
        self,
        socket: WebSocket,
        person: WebPerson,
        *,
        seat: Seat,
        records: Records,
        desk: Desk,
        welcome: Welcome,
        patience: float,
    ) -> None:
        self._socket = socket
        self._person = person
        self._seat = seat
        self._records = records
        self._desk = desk
        self._welcome = welcome
        self._patience = patience
        self._place = 0

    async def run(self) -> None:
        """Returns when the page has gone, or has sent what is no frame of ours."""
        with suppress(WebSocketDisconnect):
            hello = await self._first()
            if not isinstance(hello, Hello):
                await self._socket.close(1008, "a page says hello first")
                return
            self._place = hello.after
            await self._say(orjson.dumps(self._welcome))
            await self._both_ways()

    async def _first(self) -> Hello | Ping | Older | Act | None:
        """The first frame; None: it has not come in time, or is none of ours."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                return await self._next()
        return None

    async def _both_ways(self) -> None:
        telling = asyncio.ensure_future(self._tell())
        hearing = asyncio.ensure_future(self._hear())
        try:
            await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            hearing.cancel()
            await asyncio.wait((telling, hearing))
        for task in (telling, hearing):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    # --- out ----------------------------------------------------------------------------

    async def _tell(self) -> None:
        await self._catch_up()
        await self._say(b'{"t":"live"}')
        while True:
            words = await self._seat.stirred()
            await self._catch_up()
            for word in words:
                await self._say(word)

    async def _catch_up(self) -> None:
        """Says every line that the page does not have yet."""
        while True:
            try:
                more = await (self._go_on() if self._place else self._begin())
            except StorageDown:
                await asyncio.sleep(AGAIN)
                continue
            if not more:
                return

    async def _begin(self) -> bool:
        """Says the newest messages; whether there may be others by now."""
        window = await self._records.window(self._person.id)
        self._place = window.last
        if window.last:
            await self._say(_window("lines", window))
        return window.last > 0

    async def _go_on(self) -> bool:
        """Says what comes next; whether there may be more."""
        page = await self._records.after(self._person.id, self._place)
        if page is None:
            await self._say(b'{"t":"reset"}')
            self._place = 0
            return True
        if page:
            await self._say(orjson.dumps({"t": "lines", "lines": _lines(page)}))
            self._place = page[-1].n
        return bool(page)

    async def _say(self, frame: bytes) -> None:
        if self._socket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1012)  # the bot has hung up meanwhile
        await self._socket.send_text(frame.decode())

    # --- in -----------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            match await self._next():
                case None:
                    await self._say(orjson.dumps(self._desk.unreadable(self._person)))
                case Ping():
                    await self._say(b'{"t":"pong"}')
                    self._seat.stir()  # to see whether what it shows is still there
                case Older(before=place):
                    await self._go_back(place)
                case Hello():
                    await self._socket.close(1008, "a page says hello once")
                    return
                case act:
                    answer = await self._desk.take(self._person, act)
                    await self._say(orjson.dumps(answer))
                    if isinstance(answer, Later):
                        # a page that does not wait as it is asked to waits here
                        await asyncio.sleep(min(answer.seconds, AGAIN))

    async def _go_back(self, before: int) -> None:
        try:
            window = await self._records.window(self._person.id, before=before)
        except StorageDown:
            await self._say(b'{"t":"older","later":true}')
        else:
            await self._say(_window("older", window))

    async def _next(self) -> Hello | Ping | Older | Act | None:
        """The next frame; None: it is none of ours."""
        try:
            return FRAMES.validate_json(await self._socket.receive_text())
        except (ValidationError, KeyError):  # KeyError: it was bytes
            return None


def _window(kind: str, window: Window) -> bytes:
    about = {"first": window.first, "last": window.last, "more": window.more}
    return orjson.dumps({"t": kind, "lines": _lines(window.lines), **about})


def _lines(page: Sequence[Line]) -> list[dict[str, object]]:
    return [{"n": line.n, "at": line.at, "it": orjson.Fragment(line.body)} for line in page]
