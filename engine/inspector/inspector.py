"""The inspector as an ASGI application, alone or mounted in another one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from secrets import token_bytes
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from engine.app import App
from engine.inspector.access import SHORTEST, Authorise, Tokens
from engine.inspector.actions import Actions
from engine.inspector.door import Door
from engine.inspector.faults import Faults, Forbidden
from engine.inspector.guard import LOOPBACK, Guard
from engine.inspector.numbers import Counts
from engine.inspector.pages import Pages
from engine.inspector.rendering import Templates
from engine.inspector.sessions import Sessions
from engine.inspector.source import Source
from engine.inspector.visits import BadForm, Nowhere, Page, Visit, form_of
from flows.errors import DefinitionError, HandrailError
from flows.ports import FlowStorage

NUMBER = "{letter:int}"

Endpoint = Callable[[Request], Awaitable[Response]]


class Inspector:
    """Pages for operators. It is an ASGI application: serve it, or mount it in your own::

        Mount("/inspector", Inspector(app, authorise=role_of))

    While nobody looks it does nothing: no connection is open, and nothing runs.

    Args:
        app: the bot; its flows are what the pages tell of.
        storage: a handle of its own on the bot's storage, for an inspector beside a bot that runs
            elsewhere; it is opened when somebody looks first, and closed by ``close``. None: the
            App runs in this process.
        authorise: says of each request who it is from, see ``Visitor``, or what they may do, or
            None: they are not let in. It may be async.
        operate_token: what lets people in who may act, where there is no ``authorise``.
        read_token: what lets people in who may only look, where there is no ``authorise``.
        signing_key: what its cookies are signed with, where there is an ``authorise`` and several
            processes, or later ones, are to know them; 16 characters or more. None: a random
            one, and a form that was opened before a restart is refused. Tokens need none.
        hosts: the names that it is reached by, without ports. None: those of this machine's
            loopback; or any, where ``authorise`` says who is let in.

    Raises:
        DefinitionError: nobody could ever be let in, or a token could be guessed.
    """

    def __init__(
        self,
        app: App,
        *,
        storage: FlowStorage | None = None,
        authorise: Authorise | None = None,
        operate_token: str | None = None,
        read_token: str | None = None,
        signing_key: str | None = None,
        hosts: Collection[str] | None = None,
    ) -> None:
        if authorise is not None and (operate_token or read_token):
            raise DefinitionError(
                "the inspector was given authorise= and tokens, and one of them says who is let "
                "in. Leave the other one out."
            )
        tokens = None if authorise is not None else Tokens(operate_token, read_token)
        if hosts is None and authorise is None:
            hosts = LOOPBACK
        self._source = Source(app, storage)
        self._sessions = Sessions(_key(tokens, signing_key))
        templates = Templates(app.clock)
        counts = Counts(app.clock)
        self._pages = Pages(app, templates, counts)
        self._actions = Actions(app, self._pages, counts)
        self._faults = Faults(templates)
        self._door = Door(
            tokens=tokens,
            authorise=authorise,
            sessions=self._sessions,
            templates=templates,
            clock=app.clock,
        )
        self._asgi = Guard(Starlette(routes=self._routes(), lifespan=self._lifespan), hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asgi(scope, receive, send)

    async def __aenter__(self) -> Self:
        """Nothing yet: it opens what it needs when somebody looks."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the storage, if it was opened."""
        await self._source.close()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self.close()

    def _routes(self) -> list[BaseRoute]:
        pages, actions, door = self._pages, self._actions, self._door
        return [
            Mount("/static", StaticFiles(packages=[("engine.inspector", "static")])),
            Route("/login", door.login, methods=["GET", "POST"]),
            self._post("/logout", self._logout, acts=False),
            self._get("/", pages.overview),
            self._get("/flows/{flow}", pages.flow),
            self._get("/instances", pages.instances),
            self._get("/instances/{instance}", pages.instance),
            self._get("/conversation", pages.conversation),
            self._get("/escalated", pages.escalated),
            self._get("/letters", pages.letters),
            self._get(f"/letters/{NUMBER}", pages.letter),
            self._get("/audit", pages.audit),
            self._get("/instances/{instance}/{action}", actions.confirm, acts=True),
            self._post("/instances/{instance}/{action}", actions.act),
            self._get("/erase", actions.confirm_erase, acts=True),
            self._post("/erase", actions.erase),
            self._get("/end", actions.confirm_end, acts=True),
            self._post("/end", actions.end),
            self._post(f"/letters/{NUMBER}/replay", actions.replay),
            Route("/{path:path}", self._faults.nowhere, methods=["GET"]),
        ]

    def _get(self, path: str, page: Page, *, acts: bool = False) -> Route:
        return Route(path, self._visited(page, acts=acts), methods=["GET"])

    def _post(self, path: str, page: Page, *, acts: bool = True) -> Route:
        return Route(path, self._visited(page, acts=acts), methods=["POST"])

    def _visited(self, page: Page, *, acts: bool) -> Endpoint:
        """A page for those who are let in, and, where it ``acts``, may act."""

        async def endpoint(request: Request) -> Response:
            try:
                return await self._answered(request, page, acts=acts)
            except (HandrailError, BadForm, Nowhere) as error:
                return self._faults.told(request, error)

        return endpoint

    async def _answered(self, request: Request, page: Page, *, acts: bool) -> Response:
        admitted = await self._door.admit(request)
        if admitted is None:
            return self._door.closed(request)
        visitor, session = admitted.visitor, admitted.session
        if acts and not visitor.may_act:
            raise Forbidden("you may look here, and not act: your role is 'read'")
        form: Mapping[str, str] = {}
        if request.method == "POST":
            form = await form_of(request)
            if not self._sessions.proves(session, form.get("proof", "")):
                raise Forbidden(
                    "this form comes from no page of your session, or from one that is over. "
                    "Nothing was done. Open the page again"
                )
        operator = (await self._source.operator()).on_behalf_of(visitor.name)
        proof = self._sessions.proof(session)
        answer = await page(Visit(request, visitor, proof, operator, form))
        if admitted.is_new:
            self._door.keep(request, answer, session)
        return answer

    async def _logout(self, visit: Visit) -> Response:
        return self._door.logout(visit.request)


def _key(tokens: Tokens | None, signing_key: str | None) -> bytes:
    """What sessions are signed with. Where there are tokens it is made of them, so that sessions
    are known to other processes and after a restart, and over when a token is changed.
    """
    if tokens is not None:
        if signing_key is not None:
            raise DefinitionError(
                "the inspector was given a signing_key= and tokens, and cookies are signed with "
                "what the tokens give. Leave signing_key= out."
            )
        said = f"tokens\0{tokens.operate or ''}\0{tokens.read or ''}"
    elif signing_key is None:
        return token_bytes(32)
    elif len(signing_key) < SHORTEST:
        raise DefinitionError(
            f"the signing_key= of the inspector has fewer than {SHORTEST} characters, and could "
            "be guessed."
        )
    else:
        said = f"signing key\0{signing_key}"
    return sha256(f"handrail inspector\0{said}".encode()).digest()
