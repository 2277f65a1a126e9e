"""The web chat as a channel: a page of the bot's own, which keeps what was said in its storage.

What it promises: what a person sends is acknowledged when it is durable, and is one update however
often their browser sends it. What the bot says is recorded once, by its name, before it counts as
sent, also at a crash; a page that comes, comes back or is reloaded shows all of it, once and in
order.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from engine.channels.listening import Listener, Place
from engine.channels.web.desk import Desk
from engine.channels.web.files import About, Files
from engine.channels.web.incoming import FILE_ID
from engine.channels.web.labels import Labels
from engine.channels.web.limits import Doors, Quota, WebLimits
from engine.channels.web.outgoing import bubble_of
from engine.channels.web.people import Identify, WebPerson
from engine.channels.web.records import Records
from engine.channels.web.rooms import Rooms
from engine.channels.web.site import Site
from engine.channels.web.spans import Span
from engine.channels.web.talk import Talk, Welcome
from engine.channels.web.visitors import Visitors
from engine.clock import SystemClock
from flows.errors import CallRefused, ChannelStopped
from flows.ports import Clock, Delivery, FlowStorage, Intake, Pause
from flows.updates import FileRef

log = logging.getLogger("handrail.web")

UPLOAD_LIMIT = 20 << 20
"""Bytes of a file, at the most, unless it is said."""

CATCH_UP = 5.0
"""Seconds after which the pages that were open have connected again: they try every 4 at most."""

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- nothing is bound here

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FILE = re.compile(rf"{FILE_ID}|[0-9a-f]{{32}}-[0-9]{{1,2}}")


class WebChannel:
    """A chat page (see ``flows.ports.Channel``).

    Mount ``asgi`` in an application of your own, or let it listen by itself.

    Args:
        name: of the bot, in the keys of its conversations; another one is another bot.
        title: what the page is called; empty: the name.
        listen: where to listen with a web server of its own, ``host:port`` or ``unix:`` and a
            path. None: it does not, and is mounted elsewhere.
        identify: tells who makes a request, for applications that know; None: a signed cookie.
        origins: those of other addresses that the page is reached by, such as
            ``https://www.example.org``, where a proxy does not hand on the host.
        upload_limit: bytes that a file may have.
        limits: how many pages may be open, and how much may be uploaded in a day.
        listening: is called with the address of the page, once it listens.

    Raises:
        ChannelStopped: the name or the place has not the form of one.
    """

    def __init__(
        self,
        name: str = "chat",
        *,
        title: str = "",
        listen: str | None = None,
        identify: Identify | None = None,
        origins: Collection[str] = (),
        upload_limit: int = UPLOAD_LIMIT,
        limits: WebLimits | None = None,
        listening: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if _NAME.fullmatch(name) is None:
            raise ChannelStopped(
                f"{name!r} is no name of a web chat: 1 to 32 letters (A-Z, a-z), digits, '_' "
                "and '-' are."
            )
        clock = clock or SystemClock()
        self.title = title or name
        self._source = f"web:{name}"
        self._records = Records(self._source, clock)
        self._visitors = Visitors(identify)
        self._rooms = Rooms()
        self._files = Files(self._records, clock, limit=upload_limit)
        self.labels = Labels()
        self._limits = limits or WebLimits()
        self._quota = Quota(self._limits, clock)
        self.doors = Doors(self._limits)
        self._desk = Desk(
            self._source,
            clock,
            records=self._records,
            files=self._files,
            rooms=self._rooms,
            labels=self.labels,
        )
        self._calls = WebCalls(self._rooms, self._files)
        self._commands: tuple[tuple[str, str], ...] = ()
        self._talks: set[WebSocket] = set()
        self._site = Site(self, origins=frozenset(origins))
        self._listening = listening
        self._listener = self._listener_at(listen) if listen is not None else None

    def _listener_at(self, listen: str) -> Listener:
        place = Place.parse(listen)
        return Listener(self.asgi, place, what="the web chat", variable="HANDRAIL_WEB_LISTEN")

    def __repr__(self) -> str:
        return f"WebChannel({self._source})"

    @property
    def asgi(self) -> ASGIApp:
        """The pages, an ASGI app, for any path of a web application."""
        return self._site.app

    @property
    def api(self) -> WebCalls:
        """Files and signs, for handlers."""
        return self._calls

    @property
    def source(self) -> str:
        """``web:`` and the name."""
        return self._source

    @property
    def shared(self) -> bool:
        """Pages hear of new lines from the process that they are connected to, so one serves all
        of them.
        """
        return False

    @property
    def everywhere(self) -> bool:
        """There is one process."""
        return False

    @property
    def catch_up(self) -> float:
        """Pages that were open come back by themselves, and send what they have not sent yet."""
        return CATCH_UP

    def keep_in(self, storage: FlowStorage) -> None:
        """Records what is said in the bot's storage."""
        self._records.keep_in(storage)

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Listens, where it is to.

        Raises:
            ChannelStopped: there is no listening at that place.
        """
        self._commands = tuple(commands)
        self._visitors.use(await self._records.key())
        if self._listener is None:
            return
        await self._listener.open()
        if self._listening is not None:
            self._listening(address(self._listener.place))

    async def receive(self, intake: Intake) -> None:
        """Takes what pages send until it is cancelled; they keep then what is not taken."""
        self._desk.intake = intake
        try:
            if self._listener is not None:
                await self._listener.failed()
            await asyncio.Event().wait()
        finally:
            self._desk.intake = None
            await self._hang_up()

    def allot(self, share: float) -> None:
        """Nothing limits what is sent."""

    def admit(self, chat: str) -> Pause | None:
        """A page takes everything."""
        return None

    async def send(self, delivery: Delivery) -> str | None:
        """Records a message, and shows it where somebody looks. One that was recorded before is
        not recorded again.

        Raises:
            SendRefused: a file in it cannot be read, or is too large.
            SendLater: it was not to go on.
            StorageDown: it was not recorded.
        """
        bubble = await bubble_of(delivery, self._files)
        await self._records.add(delivery.chat, bubble)
        self._rooms.stir(delivery.chat)
        if bubble.task == "delete":
            return None
        return bubble.edit or bubble.ref

    async def answer(self, press: str, notice: str | None) -> None:
        """Shows the notice, if there is one, in the pages that are open."""
        chat, _, id = press.rpartition("/")
        word = {"t": "pressed", "id": id, "notice": notice or ""}
        self._rooms.tell(chat, orjson.dumps(word))

    async def close(self) -> None:
        """Says good-bye to the pages, which try again until the bot is back."""
        await self._hang_up()
        if self._listener is not None:
            await self._listener.close()

    async def _hang_up(self) -> None:
        talks, self._talks = self._talks, set()
        await asyncio.gather(*(_closed(socket) for socket in talks))

    # --- for the pages ------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the bot runs and takes what pages send."""
        return self._desk.intake is not None

    async def person(self, connection: HTTPConnection) -> WebPerson | None:
        """Who it is."""
        return await self._visitors.person(connection)

    async def guest(self, connection: HTTPConnection) -> WebPerson | None:
        """Who loads the page."""
        return await self._visitors.guest(connection)

    def remember(self, connection: HTTPConnection, response: Response, person: WebPerson) -> None:
        """Lets the person be known again."""
        self._visitors.remember(connection, response, person)

    def mark(self, person: WebPerson) -> str:
        """Tells people of one browser apart."""
        return self._visitors.mark(person)

    async def talk(self, socket: WebSocket, person: WebPerson) -> None:
        """Talks with a page until it goes."""
        with self._rooms.seat(person.id) as seat:
            if seat is None:
                await socket.close(4429, "too many pages of this chat are open")
                return
            welcome = Welcome(
                me=self._visitors.mark(person),
                title=self.title,
                commands=self._commands,
                contact=bool(person.phone),
                upload_limit=self._files.limit,
            )
            self._talks.add(socket)
            try:
                await Talk(
                    socket, person, seat=seat, records=self._records, desk=self._desk,
                    welcome=welcome, patience=self._limits.hello,
                ).run()  # fmt: skip
            finally:
                self._talks.discard(socket)

    async def upload(
        self, person: WebPerson, file: str, request: Request, about: About
    ) -> FileRef | float:
        """Keeps an upload."""
        if re.fullmatch(FILE_ID, file) is None:
            raise ValueError("this is no id of a file")
        if seconds := self._desk.pace.wait(person.id):
            return max(1.0, seconds)
        return await self._files.put(person.id, file, self._counted(person, request), about)

    async def _counted(self, person: WebPerson, request: Request) -> AsyncIterator[bytes]:
        async for piece in request.stream():
            self._quota.take(person.id, len(piece))
            yield piece

    async def about(self, person: WebPerson, file: str) -> About | None:
        """What a file of the person's chat is."""
        if _FILE.fullmatch(file) is None:
            return None
        return await self._files.about(person.id, file)

    def pieces(self, person: WebPerson, file: str, span: Span | None) -> AsyncIterator[bytes]:
        """The bytes of a file of the person's chat."""
        return self._files.pieces(person.id, file, span=span)


class WebCalls:
    """What handlers can do besides messages, as ``flows.messages.bot.Api``: fetch files, and show
    that the bot is at work. There are no methods to call.
    """

    def __init__(self, rooms: Rooms, files: Files) -> None:
        self._rooms = rooms
        self.download = files.download
        self.chunks = files.chunks

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """There is nothing to call. Raises CallRefused."""
        raise CallRefused(
            method, 404, "the web chat has no methods to call. Look at 'update.source' before"
        )

    async def act(self, chat: str, topic: str | None, action: str) -> None:
        """Shows that the bot is at work, until it is cancelled."""
        with self._rooms.busy(chat):
            await asyncio.Event().wait()


def address(place: Place) -> str:
    """Where a browser finds what listens there."""
    if place.path is not None:
        return str(place)
    if place.host in _EVERYWHERE:
        return f"http://127.0.0.1:{place.port}/"
    return f"http://{place}/"


async def _closed(socket: WebSocket) -> None:
    try:
        await socket.close(1012, "the bot stops")
    except RuntimeError as error:  # the page has gone at the same moment
        log.debug("a page was not told that the bot stops: %s", error)
