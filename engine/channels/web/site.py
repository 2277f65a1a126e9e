"""The ASGI app of the chat: the page, its two files, the WebSocket, and the uploads.

All addresses in it are relative, so it stands under any path. Nothing comes from elsewhere, and a
content security policy says so: no script but ours runs, whatever anybody writes.
"""

from __future__ import annotations

import logging
import re
from html import escape
from importlib.resources import files as resources

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from engine.channels.web.file_routes import FileRoutes
from engine.channels.web.host import Host
from engine.channels.web.limits import TooManyPages
from engine.channels.web.origins import Origins
from engine.channels.web.people import WebPerson
from engine.channels.web.responses import HARMLESS, json_of, soon
from engine.channels.web.visitors import CannotIdentify, language

_PAGE = {"chat.css": "text/css; charset=utf-8", "chat.js": "text/javascript; charset=utf-8"}
_PLACE = re.compile(r"\{\{(\w+)\}\}")

log = logging.getLogger("handrail.web")


class Site:
    """The pages of a chat.

    Args:
        origins: those of other addresses that the page is reached by, such as
            ``https://www.example.org``, where a proxy does not hand on the host.
    """

    def __init__(self, host: Host, *, origins: frozenset[str] = frozenset()) -> None:
        self._host = host
        self._origins = Origins(origins)
        files = FileRoutes(host, self._origins)
        self._index = _read("index.html").decode()
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/{name}", self._asset),
                Route("/files/{file}", files.fetch, methods=["GET"]),
                Route("/files/{file}", files.upload, methods=["POST"]),
                WebSocketRoute("/ws", self._talk),
            ]
        )

    async def _page(self, request: Request) -> Response:
        if not request.scope["path"].endswith("/"):  # relative addresses need it
            return RedirectResponse(f"{request.url.path}/", status_code=307)
        if not self._host.ready:
            return soon("The bot is starting.", seconds=2)
        try:
            person = await self._host.guest(request)
        except CannotIdentify:
            return soon("Something went wrong.", seconds=5)
        response = Response(
            self._filled(request, person),
            media_type="text/html",
            headers={**HARMLESS, "cache-control": "no-store"},
        )
        if person is not None:
            self._host.remember(request, response, person)
        return response

    def _filled(self, request: Request, person: WebPerson | None) -> str:
        """The page in the words of who loads it."""
        speaks = person.language if person is not None else language(request)
        labels = self._host.labels.page(speaks)
        values = {
            **labels,
            "lang": self._host.labels.locale(speaks),
            "title": self._host.title,
            "me": self._host.mark(person) if person is not None else "",
            "labels": orjson.dumps(labels).decode(),
        }
        return _PLACE.sub(lambda found: escape(values[found[1]]), self._index)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _PAGE:
            return json_of(404, {"reason": "There is no such page."})
        headers = {**HARMLESS, "cache-control": "no-cache"}
        return Response(_read(name), media_type=_PAGE[name], headers=headers)

    async def _talk(self, socket: WebSocket) -> None:
        await socket.accept()  # only then a browser tells the page why it is closed
        if not self._origins.own(socket):
            log.warning(
                "a page of %.200r was refused, which is not of this host (%.200r): if it is "
                "yours, name it in WebChannel(origins=...)",
                socket.headers.get("origin"),
                socket.headers.get("host"),
            )
            await socket.close(4403, "this page is of another host")
            return
        try:
            with self._host.doors.opened(socket.client.host if socket.client else ""):
                await self._seated(socket)
        except TooManyPages as refusal:
            await socket.close(refusal.code, str(refusal))

    async def _seated(self, socket: WebSocket) -> None:
        if not self._host.ready:
            await socket.close(1013, "the bot is starting")
            return
        try:
            person = await self._host.person(socket)
        except CannotIdentify:
            await socket.close(1011, "something went wrong")
            return
        if person is None:
            await socket.close(4401, "nobody is signed in")
            return
        await self._host.talk(socket, person)


def _read(name: str) -> bytes:
    return resources("engine.channels.web").joinpath("page", name).read_bytes()
