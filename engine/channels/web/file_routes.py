"""Files that people send and see. What they have uploaded is shown only as what is harmless, to
their own chat, and never run.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from engine.channels.web.files import About
from engine.channels.web.host import Host
from engine.channels.web.limits import TooMuchUploaded
from engine.channels.web.origins import Origins
from engine.channels.web.people import WebPerson
from engine.channels.web.responses import AGAIN, HARMLESS, json_of
from engine.channels.web.spans import NoSuchSpan, Span, span_of
from engine.channels.web.visitors import CannotIdentify, language
from flows.errors import FileTooLarge, StorageError
from flows.messages.translations import gettext

_SHOWN = frozenset({
    "image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm",
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav",
})  # fmt: skip
"""What is shown in the page; everything else is only to be saved."""

_NOBODY = gettext("Nobody is signed in. Please load the page again.")
_WRONG = gettext("Something went wrong. Please try again.")


class FileRoutes:
    """Takes and gives files."""

    def __init__(self, host: Host, origins: Origins) -> None:
        self._host = host
        self._origins = origins

    async def upload(self, request: Request) -> Response:
        """Keeps a file that a page sends."""
        if not self._origins.own(request):
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
            return json_of(400, {"reason": str(error)})
        except ClientDisconnect:
            return self._told(request, 400, gettext("The upload broke off."))
        except StorageError:
            reason = gettext("The file could not be kept just now.")
            return self._told(request, 503, reason, AGAIN)
        if isinstance(kept, int | float):
            reason = gettext("That is a lot at once. Please wait a moment.")
            return self._told(request, 429, reason, {"retry-after": f"{kept:.0f}"})
        return json_of(200, {"size": kept.size or 0})

    async def fetch(self, request: Request) -> Response:
        """Gives a file of the person's chat, or a part of it."""
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
            whole = {**HARMLESS, "content-range": f"bytes */{about.size}"}
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
        return json_of(status, {"reason": said}, headers)


def _file_headers(about: About, span: Span | None) -> dict[str, str]:
    shown = about.mime in _SHOWN
    headers = {
        **HARMLESS,
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
