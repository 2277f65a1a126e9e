"""What stands around every page: which hosts are served, and what browsers may do with pages."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Serves requests to the hosts that it knows, and those that no page of others has sent.

    A name of somebody else's that leads to this address (DNS rebinding) is refused, whatever
    cookies the browser has.

    Args:
        hosts: names without ports; None: the host application sees to that.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return PlainTextResponse(
                f"The inspector is not served as {host!r}. If that is its name, add it to "
                "HANDRAIL_WEB_HOSTS, or to Inspector(hosts=...).\n",
                status_code=421,
            )
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers, host):
            return PlainTextResponse(
                "This was sent by a page of another site, and not by one of the inspector. "
                "Nothing was done.\n",
                status_code=403,
            )
        return None


def _is_foreign(headers: Headers, host: str) -> bool:
    """Whether the browser says that another site's page has sent it. Our own forms have the origin
    ``null``, since pages tell nobody where they lead from; the proof in each form is looked at
    besides.
    """
    origin = headers.get("origin", "null")
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    return origin != "null" and urlsplit(origin).netloc.lower() != host.lower()


def _name(host: str) -> str:
    """A host without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # brackets that do not close
        return ""
