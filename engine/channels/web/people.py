"""Who is in front of the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import HTTPConnection

from flows.updates import Person

LONGEST_ID = 64
"""Characters of a person's id, quoted as in a URL: it is part of the keys of the storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPerson:
    """A person as the host application knows them.

    Attributes:
        id: the same for the same person, always; whoever has it is the person.
        name: as the bot may call them.
        username: by which others know them.
        language: an IETF tag such as ``pt-BR``; empty: what the browser asks for.
        phone: their number, if the application vouches for it: the contact that they can share.

    Raises:
        ValueError: the id is empty or too long.
    """

    id: str
    name: str = ""
    username: str = ""
    language: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(quote(self.id, safe="")) <= LONGEST_ID:
            raise ValueError(
                f"the id {self.id[:40]!r} of a person has to have 1 to {LONGEST_ID} characters, "
                "as a URL would quote them"
            )

    @property
    def person(self) -> Person:
        """The person as updates have it."""
        return Person(id=self.id, name=self.name, username=self.username, language=self.language)


Identify = Callable[[HTTPConnection], Awaitable[WebPerson | None]]
"""Tells who makes a request of the page, by a session or a header say; None: nobody who may."""
