"""Sessions: what a cookie says, signed; and the proof that a form comes from a page of ours."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from secrets import compare_digest, token_urlsafe

import orjson

from engine.inspector.access import Role, Visitor

COOKIE = "handrail_inspector"

LASTS = 12 * 3600
"""Seconds after which one has to log in again."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie says.

    Attributes:
        id: random; forms prove by it that they come from a page of this session.
        until: when it ends, seconds since the epoch.
        role: what its owner may do; None: the host application says that each time.
        name: who it is.
    """

    id: str
    until: int
    role: str | None = None
    name: str = ""

    @property
    def visitor(self) -> Visitor | None:
        """Who has logged in."""
        return None if self.role is None else Visitor(Role(self.role), self.name)


class Sessions:
    """Signs and reads cookies.

    Args:
        key: what they are signed with: with another one all sessions are over.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, *, now: int, visitor: Visitor | None) -> Session:
        """A new session. ``now`` is in seconds since the epoch."""
        if visitor is None:
            return Session(token_urlsafe(18), now + LASTS)
        return Session(token_urlsafe(18), now + LASTS, visitor.role.value, visitor.name)

    def written(self, session: Session) -> str:
        """The value of the cookie."""
        said = urlsafe_b64encode(orjson.dumps(asdict(session))).decode()
        return f"{said}.{self._signed('session', said)}"

    def read(self, cookie: str | None, *, now: int) -> Session | None:
        """The session of a cookie; None where it is none of ours, or over."""
        said, _, signature = (cookie or "").rpartition(".")
        if not compare_digest(signature.encode(), self._signed("session", said).encode()):
            return None
        session = Session(**orjson.loads(urlsafe_b64decode(said)))
        return session if now < session.until else None

    def proof(self, session: Session) -> str:
        """What a form of a page of this session brings along."""
        return self._signed("form", session.id)

    def proves(self, session: Session, given: str) -> bool:
        """Whether a form comes from a page of this session."""
        return compare_digest(given.encode(), self.proof(session).encode())

    def _signed(self, what: str, text: str) -> str:
        return hmac.new(self._key, f"{what}:{text}".encode(), sha256).hexdigest()
