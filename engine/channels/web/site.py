"""The ASGI app of the chat: the page, its two files, the WebSocket, and the uploads.

All addresses in it are relative, so it stands under any path. Nothing comes from elsewhere, and a
content security policy says so: no script but ours runs, whatever anybody writes. Files that
people have uploaded are shown only as what is harmless, to their own chat, and never run.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping
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
from engine.channels.web.labels import Labels
from engine.channels.web.limits import Doors, TooManyPages, TooMuchUploaded
from engine.channels.web.people import WebPerson
from engine.channels.web.spans import NoSuchSpan, Span, span_of
from engine.channels.web.visitors import CannotIdentify, language
from flows.errors import FileTooLarge, StorageError
from flows.translations import gettext
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

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_NOBODY = gettext("Nobody is signed in. Please load the page again.")
_WRONG = gettext("Something went wrong. Please try again.")

log = logging.getLogger("handrail.web")


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

    @property
    def labels(self) -> Labels:
        """What it says by itself."""
        ...

    @property
    def doors(self) -> Doors:
        """Counts the pages that are open."""
        ...

    async def person(self, connection: HTTPConnection) -> WebPerson | None:
        """Who it is. Raises CannotIdentify."""
        ...

    async def guest(self, connection: HTTPConnection) -> WebPerson | None:
        """Who loads the page; somebody who is new becomes one, if they can. Raises
        CannotIdentify.
        """
        ...

    def remember(self, connection: HTTPConnection, response: Response, person: WebPerson) -> None:
        """Lets the person be known again."""
        ...

    def mark(self, person: WebPerson) -> str:
        """Tells people of one browser apart."""
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
            TooMuchUploaded: as much was uploaded in a day as may be.
            StorageError: it was not kept.
        """
        ...

    async def about(self, person: WebPerson, file: str) -> About | None:
        """What a file of the person's chat is; None: there is none."""
        ...

    def pieces(self, person: WebPerson, file: str, span: Span | None) -> AsyncIterator[bytes]:
        """The bytes of a file of the person's chat, all or those of a span."""
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
        try:
            person = await self._host.guest(request)
        except CannotIdentify:
            return _trouble()
        response = Response(
            self._filled(request, person),
            media_type="text/html",
            headers={**_HARMLESS, "cache-control": "no-store"},
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
            return _json(404, {"reason": "There is no such page."})
        headers = {**_HARMLESS, "cache-control": "no-cache"}
        return Response(_read(name), media_type=_PAGE[name], headers=headers)

    # --- the conversation ---------------------------------------------------------------

    async def _talk(self, socket: WebSocket) -> None:
        await socket.accept()  # only then a browser tells the page why it is closed
        if not self._is_ours(socket):
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
            return self._told(request, 403, gettext("This upload comes from another site."))
        if not self._host.ready:
            return self._told(request, 503, gettext("The bot is starting."), AGAIN)
        try:
            person = await self._host.person(request)
        except CannotIdentify:
            return self._told(request, 503, _WRONG, AGAIN)
        if person is None:
            return self._told(request, 401, _NOBODY)
        return await self._put(request, person)

    async def _put(self, request: Request, person: WebPerson) -> Response:
        about = _about(request.query_params, request)
        try:
            kept = await self._host.upload(person, request.path_params["file"], request, about)
        except FileTooLarge as error:
            most = f"{error.limit / (1 << 20):g} MB"
            reason = gettext("The file is too large: {most} is the most.", most=most)
            return self._told(request, 413, reason)
        except TooMuchUploaded as error:
            return self._told(request, 413, _too_much(error))
        except ValueError as error:
            return _json(400, {"reason": str(error)})
        except ClientDisconnect:
            return self._told(request, 400, gettext("The upload broke off."))
        except StorageError:
            reason = gettext("The file could not be kept just now.")
            return self._told(request, 503, reason, AGAIN)
        if isinstance(kept, int | float):
            reason = gettext("That is a lot at once. Please wait a moment.")
            return self._told(request, 429, reason, {"retry-after": f"{kept:.0f}"})
        return _json(200, {"size": kept.size or 0})

    async def _fetch(self, request: Request) -> Response:
        file = request.path_params["file"]
        try:
            person = await self._host.person(request) if self._host.ready else None
            if person is None:
                return self._told(request, 401, _NOBODY)
            about = await self._host.about(person, file)
        except CannotIdentify:
            return self._told(request, 503, _WRONG, AGAIN)
        except StorageError:
            return self._told(request, 503, gettext("The file cannot be read just now."), AGAIN)
        if about is None:
            return self._told(request, 404, gettext("There is no such file any more."))
        # a file never changes, so a condition of If-Range would always hold
        try:
            span = span_of(request.headers.get("range", ""), about.size)
        except NoSuchSpan:
            whole = {**_HARMLESS, "content-range": f"bytes */{about.size}"}
            return Response(status_code=416, headers=whole)
        return StreamingResponse(
            self._host.pieces(person, file, span),
            status_code=200 if span is None else 206,
            headers=_file_headers(about, span),
        )

    def _told(
        self,
        request: Request,
        status: int,
        reason: str,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A reason in the words of the browser."""
        said = self._host.labels.said(reason, language(request))
        return _json(status, {"reason": said}, headers)


def _file_headers(about: About, span: Span | None) -> dict[str, str]:
    shown = about.mime in _SHOWN
    headers = {
        **_HARMLESS,
        "content-security-policy": "default-src 'none'; sandbox",
        "content-type": about.mime if shown else "application/octet-stream",
        "content-length": str(about.size if span is None else span.size),
        "content-disposition": "inline" if shown else "attachment",
        "cache-control": "private, max-age=3600",
        "accept-ranges": "bytes",
    }
    if span is not None:
        headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{about.size}"
    return headers


def _too_much(error: TooMuchUploaded) -> str:
    if not error.limit:
        return gettext(
            "So much was uploaded today that there is no room for more. Please try again in "
            "{hours} h.",
            hours=error.hours,
        )
    return gettext(
        "You have uploaded a lot: {most} a day is the most. Please try again in {hours} h.",
        most=f"{error.limit / (1 << 20):g} MB",
        hours=error.hours,
    )


def _trouble() -> Response:
    """For a browser, while the host application cannot say who it is."""
    return Response(
        "Something went wrong. This page loads again by itself.",
        status_code=503,
        media_type="text/plain",
        headers={**_HARMLESS, "retry-after": "5", "refresh": "5"},
    )


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
