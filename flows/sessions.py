"""What the session of a bot is: its model, whose it is, and where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from flows.errors import DefinitionError
from flows.keys import USER_IN_CHAT, Key, key_refusal
from flows.models import DoesNotFit

M = TypeVar("M", bound=BaseModel)


class SessionStorage(Protocol):
    """Keeps sessions elsewhere than with the conversations.

    What it does is in no transaction with the turn. ``persist`` is called when the handlers of a
    turn are done and before the turn is committed. Where the turn is run again after that, because
    the process died or another worker was faster, it finds what it has written before.
    """

    async def get(self, key: str) -> Mapping[str, Any] | None:
        """The session that was persisted last under the key, as JSON; None: there is none.

        Whatever it raises fails the turn.
        """
        ...

    async def persist(self, key: str, session: Mapping[str, Any]) -> None:
        """Keeps a session, as JSON, in place of the one of this key. Called only where it has
        changed. Whatever it raises fails the turn.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sessions(Generic[M]):
    """The sessions of a bot.

    Attributes:
        model: what a session is; every field needs a default, unless ``default`` is given.
        default: makes the session of somebody who has none yet. It is called once more when it is
            given, to check it.
        key: whose session it is, as flows are keyed: ``"user_in_chat"`` (each person's in each
            chat), ``"user"``, ``"chat"``, ``"topic"``, or a function of an update.
        persist: False: it is kept in the memory of the process alone, and is gone when that ends;
            of 10,000 sessions, the one that was used least recently is forgotten.
        storage: keeps the sessions in place of the bot's own storage.

    Raises:
        DefinitionError: a field without a default, a default or key that cannot be, or a
            ``storage`` together with ``persist=False``.
    """

    model: type[M]
    default: Callable[[], M] | None = None
    key: Key = USER_IN_CHAT
    persist: bool = True
    storage: SessionStorage | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.model, type) and issubclass(self.model, BaseModel)):
            raise DefinitionError(f"the session must be a pydantic model, not {self.model!r}")
        if (refusal := key_refusal(self.key)) is not None:
            raise DefinitionError(f"the session {self.model.__name__}: {refusal}")
        if self.storage is not None and not self.persist:
            raise DefinitionError(
                f"the session {self.model.__name__} has a storage and persist=False. Leave one out."
            )
        if self.default is None:
            _check_defaults(self.model)
        elif not isinstance(made := self.default(), self.model):
            raise DefinitionError(
                f"the default session is {made!r}, which is no {self.model.__name__}"
            )

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than the model does."""
        kept_as_usual = self.persist and self.storage is None
        return self.default is None and self.key == USER_IN_CHAT and kept_as_usual


def _check_defaults(model: type[BaseModel]) -> None:
    try:
        model()
    except ValidationError as error:
        field = DoesNotFit.of(error).field
        raise DefinitionError(
            f"the session model {model.__name__} needs a default for its field {field!r}: "
            "everybody starts with an empty session"
        ) from None


def checked_replacement(old: object, new: object) -> Any:
    """The session that takes the place of another one.

    Raises:
        TypeError: it is none of the same model.
    """
    if old is None or not isinstance(new, type(old)):
        wanted = f"it must be a {type(old).__name__}"
        reason = "there is no session model" if old is None else wanted
        raise TypeError(f"next_session({new!r}): {reason}")
    return new
