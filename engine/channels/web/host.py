"""What stands behind the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from engine.channels.web.files import About
from engine.channels.web.labels import Labels
from engine.channels.web.limits import Doors
from engine.channels.web.people import WebPerson
from engine.channels.web.spans import Span
from flows.updates import FileRef


class Host(Protocol):
    """The channel, as the pages see it."""

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
