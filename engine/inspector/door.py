"""Letting people in: by a link with a token, by a form, or by what the host application says."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from engine.inspector.access import NAMELESS, Authorise, Tokens, Visitor, asked
from engine.inspector.rendering import Templates
from engine.inspector.sessions import COOKIE, LASTS, Session, Sessions
from engine.inspector.throttle import Throttle
from engine.inspector.visits import BadForm, base_of, form_of, redirect
from flows.ports import Clock

LONGEST_NAME = 60
"""Characters of a visitor's name."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who is let in; ``is_new``: the answer has to bring the cookie."""

    visitor: Visitor
    session: Session
    is_new: bool = False


class Door:
    """Lets people in, and out.

    Args:
        tokens: None: ``authorise`` says who is let in.
    """

    def __init__(
        self,
        *,
        tokens: Tokens | None,
        authorise: Authorise | None,
        sessions: Sessions,
        templates: Templates,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._authorise = authorise
        self._sessions = sessions
        self._templates = templates
        self._clock = clock
        self._throttle = Throttle(clock)

    async def admit(self, request: Request) -> Admitted | None:
        """Who a request is from; None: somebody who has to log in first."""
        now = self._seconds()
        session = self._sessions.read(request.cookies.get(COOKIE), now=now)
        if self._authorise is None:
            visitor = session.visitor if session is not None else None
            return None if session is None or visitor is None else Admitted(visitor, session)
        visitor = await asked(self._authorise, request)
        if visitor is None:
            return None
        if session is None or session.role is not None:
            return Admitted(visitor, self._sessions.begin(now=now, visitor=None), is_new=True)
        return Admitted(visitor, session)

    async def login(self, request: Request) -> Response:
        """By a link (``?token=``, which leaves the address bar at once) or by the form."""
        if self._tokens is None:
            return self.closed(request)
        try:
            given = await self._given(request)
        except BadForm as error:
            return self._form(request, 422, f"{error}.".capitalize())
        token = given.get("token", "").strip()
        if not token:
            return self._form(request, 200, "")
        address = request.client.host if request.client is not None else ""
        if wait := self._throttle.wait(address):
            refused = self._form(request, 429, f"Too many wrong tokens. Wait {ceil(wait)} s.")
            refused.headers["Retry-After"] = str(ceil(wait))
            return refused
        role = self._tokens.role(token)
        if role is None:
            self._throttle.was_wrong(address)
            return self._form(request, 403, "That is not the token. Nobody was let in.")
        name = given.get("name", "").strip()[:LONGEST_NAME] or NAMELESS
        session = self._sessions.begin(now=self._seconds(), visitor=Visitor(role, name))
        answer = redirect(request, "/")
        self.keep(request, answer, session)
        return answer

    def logout(self, request: Request) -> Response:
        """Ends the session in this browser."""
        answer = redirect(request, "/login")
        answer.delete_cookie(COOKIE, path=self._path(request))
        return answer

    def closed(self, request: Request) -> Response:
        """What somebody gets who is not let in."""
        if self._tokens is None:
            why = "The application that the inspector is a part of does not let you in."
            return self._templates.page("closed", 403, base=base_of(request), why=why)
        return self._form(request, 401, "")

    def keep(self, request: Request, answer: Response, session: Session) -> None:
        """Gives the browser the session."""
        answer.set_cookie(
            COOKIE,
            self._sessions.written(session),
            max_age=LASTS,
            path=self._path(request),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def _given(self, request: Request) -> dict[str, str]:
        if request.method == "POST":
            return await form_of(request)
        return dict(request.query_params)

    def _form(self, request: Request, status: int, fault: str) -> Response:
        return self._templates.page("login", status, base=base_of(request), fault=fault)

    def _path(self, request: Request) -> str:
        return f"{base_of(request)}/"

    def _seconds(self) -> int:
        return self._clock.now() // 1000
