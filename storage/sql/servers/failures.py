"""What an error of a server's driver means for the caller. Which is which the dialects say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from flows.errors import (
    HandrailError,
    OutcomeUnknown,
    SchemaMismatch,
    StorageDown,
    StorageError,
)
from storage.sql.dialects import Race, Refused
from storage.sql.failures import driver_error
from storage.sql.location import Server


class Kind(Enum):
    """What an error is about."""

    AGAIN = "a deadlock, or a lock that was not to be had: the same may work the next time"
    REFUSED = "a row that cannot be stored"
    LOST = "the connection is gone, or nobody answers"
    DOWN = "it does not work now"
    SCHEMA = "the tables are not those of this version"
    DAMAGED = "what is stored cannot be read"


@dataclass(frozen=True, slots=True)
class Meaning:
    """An error, understood.

    Attributes:
        advice: what to do.
        is_duplicate: for ``REFUSED``: a row with the same unique columns is there.
    """

    kind: Kind
    advice: str = ""
    is_duplicate: bool = False


class Again(Exception):
    """Nothing was written, and the same unit of work may succeed when it is run again."""


class Errors(Protocol):
    """Understands the errors of one driver."""

    def meaning(self, error: BaseException) -> Meaning:
        """What the driver's own error means."""
        ...


NOBODY_ANSWERS = "Look whether the server runs and can be reached from here"
UPGRADE = "Run 'handrail db upgrade' with this HANDRAIL_DATABASE_URL"


class Failures:
    """Puts the errors of one database into ours, with sentences."""

    def __init__(self, server: Server, errors: Errors) -> None:
        self._server = server
        self._errors = errors

    def translated(self, error: BaseException) -> BaseException:
        """What to raise for an error before the commit: nothing was written."""
        if isinstance(error, HandrailError | Race | Refused | Again):
            return error
        reason = driver_error(error)
        meaning = self._errors.meaning(reason)
        match meaning.kind:
            case Kind.AGAIN:
                return Again(_words(reason))
            case Kind.REFUSED:
                return Refused(_words(reason), is_duplicate=meaning.is_duplicate)
            case Kind.SCHEMA:
                return SchemaMismatch(
                    self._sentence("is not as this version knows it", meaning, reason)
                )
            case Kind.DAMAGED:
                return StorageError(self._sentence("is damaged", meaning, reason))
            case Kind.LOST:
                return StorageDown(self._sentence("cannot be reached now", meaning, reason))
        return StorageDown(self._sentence("cannot be used now", meaning, reason))

    def of_commit(self, error: BaseException) -> BaseException:
        """What to raise for an error of the commit itself."""
        reason = driver_error(error)
        if self.is_lost(reason):
            return OutcomeUnknown(
                f"the answer to a commit in the database {self._server} was lost "
                f"({_words(reason)}). Read the versions again before anything is repeated."
            )
        return self.translated(error)

    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection is gone, so that nobody knows what the server has done."""
        return self._errors.meaning(driver_error(error)).kind is Kind.LOST

    def given_up(self, error: BaseException) -> StorageDown:
        """The answer after too many tries."""
        return StorageDown(
            f"the database {self._server} is held up by other transactions ({_words(error)}). "
            "Look for one that lasts long and end it; nothing was written."
        )

    def _sentence(self, what: str, meaning: Meaning, reason: BaseException) -> str:
        advice = meaning.advice or "Look at the reason and at the server's log"
        return f"the database {self._server} {what} ({_words(reason)}): {advice}."


def _words(error: BaseException) -> str:
    """The first line of what the driver says; its class where it says nothing."""
    match error.args:
        case (int(), str(said)):
            pass  # MySQL's number, and the words
        case _:
            said = str(error)
    # SQLAlchemy's adapters put the driver's class before the words.
    text = said.strip().partition("\n")[0]
    _, separator, words = text.partition(">: ") if text.startswith("<class ") else ("", "", text)
    return (words if separator or words else text).rstrip(".") or type(error).__name__
