"""The ASGI app of the chat: the page, its two files, the WebSocket, and the uploads.

All addresses in it are relative, so it stands under any path. Nothing comes from elsewhere, and a
content security policy says so: no script but ours runs, whatever anybody writes. Files that
people have uploaded are shown only as what is harmless, to their own chat, and never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files as resources
from typing import Protocol
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from engine.channels.web.files import About
from engine.channels.web.people import WebPerson
from flows.errors import FileTooLarge, StorageError
from flows.updates import FileRef

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data: http: https:; media-src 'self' http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Pictures and films may come from elsewhere: a bot may send the address of one."""

_HARMLESS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_SHOWN = frozenset({
    "image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm",
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav",
})  # fmt: skip
"""What is shown in the page; everything else is only to be saved."""

_PAGE = {"chat.css": "text/css; charset=utf-8", "chat.js": "text/javascript; charset=utf-8"}

AGAIN = {"retry-after": "2"}


class Host(Protocol):
    """What stands behind the pages: the channel."""

    @property
    def title(self) -> str:
        """What the page is called."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the bot runs."""
        ...

    async def person(self, connection: HTTPConnection) -> WebPerson | None:
        """Who it is."""
        ...

    async def welcome(self, connection: HTTPConnection, response: Response) -> None:
        """Lets the person be known again."""
        ...

    async def talk(self, socket: WebSocket, person: WebPerson) -> None:
        """Talks with a page until it goes."""
        ...

    async def upload(
        self, person: WebPerson, file: str, request: Request, about: About
    ) -> FileRef | float:
        """Keeps an upload; or the seconds after which it may be tried again.

        Raises:
            FileTooLarge: it is.
            StorageError: it was not kept.
        """
        ...

    async def fetch(self, person: WebPerson, file: str) -> tuple[About, StreamingResponse] | None:
        """A file of the person's chat, what it is and its bytes; None: there is none."""
        ...


class Site:
    """The pages of a chat.

    Args:
        origins: those of other addresses that the page is reached by, such as
            ``https://www.example.org``, where a proxy does not hand on the host.
    """

    def __init__(self, host: Host, *, origins: frozenset[str] = frozenset()) -> None:
        self._host = host
        self._origins = origins
        self._index = _read("index.html").decode()
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/{name}", self._asset),
                Route("/files/{file}", self._fetch, methods=["GET"]),
                Route("/files/{file}", self._upload, methods=["POST"]),
                WebSocketRoute("/ws", self._talk),
            ]
        )

    async def _page(self, request: Request) -> Response:
        if not request.scope["path"].endswith("/"):  # relative addresses need it
            return RedirectResponse(f"{request.url.path}/", status_code=307)
        if not self._host.ready:
            return _starting()
        title = escape(self._host.title)
        response = Response(
            self._index.replace("{{title}}", title),
            media_type="text/html",
            headers={**_HARMLESS, "cache-control": "no-store"},
        )
        await self._host.welcome(request, response)
        return response

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _PAGE:
            return _told(404, "There is no such page.")
        headers = {**_HARMLESS, "cache-control": "no-cache"}
        return Response(_read(name), media_type=_PAGE[name], headers=headers)

    # --- the conversation ---------------------------------------------------------------

    async def _talk(self, socket: WebSocket) -> None:
        if not self._is_ours(socket):
            await socket.close(4403)
            return
        await socket.accept()
        if not self._host.ready:
            await socket.close(1013, "the bot is starting")
            return
        person = await self._host.person(socket)
        if person is None:
            await socket.close(4401, "nobody is signed in")
            return
        await self._host.talk(socket, person)

    def _is_ours(self, connection: HTTPConnection) -> bool:
        """Whether it comes from a page of this very address: another site may not speak for the
        person. What is no browser sends no origin, and has no cookie that is not its own.
        """
        origin = connection.headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        return urlsplit(origin).netloc == connection.headers.get("host")

    # --- files --------------------------------------------------------------------------

    async def _upload(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _told(403, "This upload comes from another site.")
        person = await self._host.person(request) if self._host.ready else None
        if not self._host.ready:
            return _told(503, "The bot is starting.", AGAIN)
        if person is None:
            return _told(401, "Nobody is signed in. Please load the page again.")
        try:
            kept = await self._host.upload(
                person, request.path_params["file"], request, _about(request.query_params, request)
            )
        except FileTooLarge as error:
            most = f"{error.limit / (1 << 20):g} MB"
            return _told(413, f"The file is too large: {most} is the most.")
        except ValueError as error:
            return _told(400, str(error))
        except ClientDisconnect:
            return _told(400, "The upload broke off.")
        except StorageError:
            return _told(503, "The file could not be kept just now.", AGAIN)
        if isinstance(kept, int | float):
            headers = {"retry-after": f"{kept:.0f}"}
            return _told(429, "That is a lot at once. Please wait a moment.", headers)
        return _json(200, {"size": kept.size or 0})

    async def _fetch(self, request: Request) -> Response:
        person = await self._host.person(request) if self._host.ready else None
        if person is None:
            return _told(401, "Nobody is signed in.")
        try:
            found = await self._host.fetch(person, request.path_params["file"])
        except StorageError:
            return _told(503, "The file cannot be read just now.", AGAIN)
        if found is None:
            return _told(404, "There is no such file any more.")
        about, response = found
        shown = about.mime in _SHOWN
        response.headers.update(_HARMLESS)
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        response.headers["content-type"] = about.mime if shown else "application/octet-stream"
        response.headers["content-length"] = str(about.size)
        response.headers["content-disposition"] = "inline" if shown else "attachment"
        response.headers["cache-control"] = "private, max-age=3600"
        return response


def _starting() -> Response:
    """For a browser, which comes again by itself."""
    return Response(
        "The bot is starting. This page loads again by itself.",
        status_code=503,
        media_type="text/plain",
        headers={**_HARMLESS, **AGAIN, "refresh": "2"},
    )


def _about(query: Mapping[str, str], request: Request) -> About:
    mime = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return About(
        name=query.get("name", "").replace("\0", "")[:255],
        mime=mime[:100],
        width=_pixels(query.get("width", "")),
        height=_pixels(query.get("height", "")),
    )


def _pixels(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _told(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"reason": reason}, headers)


def _json(
    status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type="application/json",
        headers={**_HARMLESS, **(headers or {})},
    )


def _read(name: str) -> bytes:
    return resources("engine.channels.web").joinpath("page", name).read_bytes()
