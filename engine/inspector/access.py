"""Who may look and who may act: by a token, or as the host application says."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from secrets import compare_digest

from starlette.requests import HTTPConnection

from flows.errors import DefinitionError

SHORTEST = 16
"""Characters of a token: what is shorter can be guessed."""

NAMELESS = "inspector"
"""Who acts, for the audit, where nobody has given a name."""


class Role(StrEnum):
    """What somebody may do in the inspector."""

    READ = "read"
    """Look."""
    OPERATE = "operate"
    """Look and act."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is let in; ``name`` is kept in the audit with what they do."""

    role: Role
    name: str = NAMELESS

    @property
    def may_act(self) -> bool:
        """Whether they may do more than look."""
        return self.role is Role.OPERATE


Allowed = Visitor | Role | None

Authorise = Callable[[HTTPConnection], "Allowed | Awaitable[Allowed]"]
"""What a host application says of a request: who it is, or their role; None: nobody to be let in.
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that let people in.

    Attributes:
        operate: for those who may act; None: nobody may.
        read: for those who may only look.
    """

    operate: str | None
    read: str | None

    def __post_init__(self) -> None:
        given = [token for token in (self.operate, self.read) if token is not None]
        if not given:
            raise DefinitionError(
                "nobody could log in to the inspector. Give it operate_token= or read_token=, or "
                "authorise=, a function that says who may look and who may act."
            )
        if any(len(token) < SHORTEST for token in given):
            raise DefinitionError(
                f"a token of the inspector has fewer than {SHORTEST} characters, and could be "
                "guessed. 'python -c \"import secrets; print(secrets.token_urlsafe())\"' makes one."
            )
        if len(given) > 1 and given[0] == given[1]:
            raise DefinitionError(
                "the token of the inspector for looking is the one for acting. Make it another one."
            )

    def role(self, token: str) -> Role | None:
        """The role of who knows the token; it takes the same time whichever it is."""
        acts = self.operate is not None and _same(token, self.operate)
        looks = self.read is not None and _same(token, self.read)
        if acts:
            return Role.OPERATE
        return Role.READ if looks else None


async def asked(authorise: Authorise, connection: HTTPConnection) -> Visitor | None:
    """What the host application says of a request."""
    answer = authorise(connection)
    found = await answer if inspect.isawaitable(answer) else answer
    return Visitor(found) if isinstance(found, Role) else found


def _same(given: str, wanted: str) -> bool:
    return compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
