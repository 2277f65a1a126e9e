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
import re
import secrets
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.responses import Response

from engine.channels.web.people import Identify, WebPerson

KEPT_SECONDS = 400 * 24 * 3600
"""How long a browser keeps the cookie after the last visit: browsers allow no more."""

_ID = re.compile(r"[0-9a-f]{32}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


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
        """Who it is; None: nobody that is known."""
        if self._identify is not None:
            found = await self._identify(connection)
        else:
            found = self._by_cookie(connection.cookies.get(self._cookie, ""))
        if found is None or found.language:
            return found
        return replace(found, language=_language(connection))

    async def welcome(self, connection: HTTPConnection, response: Response) -> None:
        """Lets the person be known again by the answer to this request; somebody who is new
        becomes one.
        """
        if self._identify is not None:
            return
        person = await self.person(connection)
        visitor = person.id if person is not None else secrets.token_hex(16)
        response.set_cookie(
            self._cookie,
            f"{visitor}.{self._signature(visitor)}",
            max_age=KEPT_SECONDS,
            path=connection.scope.get("root_path") or "/",
            secure=connection.url.scheme in ("https", "wss"),
            httponly=True,
            samesite="lax",
        )

    def mark(self, person: WebPerson) -> str:
        """Tells people of one browser apart, and tells a page nothing else."""
        return self._signature(f"mark {person.id}")[:16]

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


def _language(connection: HTTPConnection) -> str:
    """What the browser asks for first."""
    found = _LANGUAGE.match(connection.headers.get("accept-language", "").strip())
    return found[0] if found is not None else ""
