"""Who a request comes from: by a signed cookie, or by what the host application says.

A person without an account is whoever has their cookie. It holds a random id of 128 bits and an
HMAC of it, so that no id can be made up; pages cannot read it (HttpOnly), other sites cannot send
it along (SameSite). The key of the HMAC is made once and lies in the bot's own database, with
everything else that is secret there: so people stay who they are over restarts and in several
processes.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.responses import Response

from engine.channels.web.accepted import preferred
from engine.channels.web.people import Identify, WebPerson
from flows.errors import HandrailError

KEPT_SECONDS = 400 * 24 * 3600
"""How long a browser keeps the cookie after the last visit: browsers allow no more."""

_ID = re.compile(r"[0-9a-f]{32}")

log = logging.getLogger("handrail.web")


class CannotIdentify(HandrailError):
    """The host application has failed to say who it is; the log has its error."""


class Visitors:
    """Knows people by a request.

    Args:
        identify: the host application's word; None: the cookie.
    """

    def __init__(self, identify: Identify | None) -> None:
        self._identify = identify
        self._key = b""

    @property
    def ready(self) -> bool:
        """Whether cookies can be read and made."""
        return bool(self._key)

    def use(self, key: bytes) -> None:
        """Signs cookies with this key."""
        self._key = key

    async def person(self, connection: HTTPConnection) -> WebPerson | None:
        """Who it is; None: nobody that is known.

        Raises:
            CannotIdentify: the host application cannot tell.
        """
        if self._identify is not None:
            found = await self._identified(self._identify, connection)
        else:
            found = self._by_cookie(connection.cookies.get(self._cookie, ""))
        if found is None or found.language:
            return found
        return replace(found, language=language(connection))

    async def guest(self, connection: HTTPConnection) -> WebPerson | None:
        """The same for who loads the page: without a host application, somebody who is new
        becomes one.
        """
        person = await self.person(connection)
        if person is None and self._identify is None:
            return WebPerson(id=secrets.token_hex(16), language=language(connection))
        return person

    def remember(self, connection: HTTPConnection, response: Response, person: WebPerson) -> None:
        """Lets the person be known again by the answer to this request."""
        if self._identify is not None:
            return
        response.set_cookie(
            self._cookie,
            f"{person.id}.{self._signature(person.id)}",
            max_age=KEPT_SECONDS,
            path=connection.scope.get("root_path") or "/",
            secure=connection.url.scheme in ("https", "wss"),
            httponly=True,
            samesite="lax",
        )

    def mark(self, person: WebPerson) -> str:
        """Tells people of one browser apart, and tells a page nothing else."""
        return self._signature(f"mark {person.id}")[:16]

    async def _identified(self, identify: Identify, connection: HTTPConnection) -> WebPerson | None:
        try:
            return await identify(connection)
        except Exception as error:
            log.exception("identify has failed, so nobody knows who asks for the web chat")
            raise CannotIdentify(f"identify has failed: {error!r}") from error

    @property
    def _cookie(self) -> str:
        """Another name for each database: cookies do not tell the ports of a host apart."""
        return f"handrail-{hashlib.sha256(self._key).hexdigest()[:8]}"

    def _by_cookie(self, value: str) -> WebPerson | None:
        visitor, _, signature = value.partition(".")
        if _ID.fullmatch(visitor) is None or not signature.isascii():
            return None
        known = hmac.compare_digest(signature, self._signature(visitor))
        return WebPerson(id=visitor) if known else None

    def _signature(self, visitor: str) -> str:
        return hmac.new(self._key, visitor.encode(), hashlib.sha256).hexdigest()


def language(connection: HTTPConnection) -> str:
    """The language that the browser asks for."""
    return preferred(connection.headers.get("accept-language", ""))
