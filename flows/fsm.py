"""A small state machine for each person, for handlers without a flow: a state and some data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ValidationError

from flows.errors import DefinitionError, HandrailError
from flows.models import DoesNotFit

FsmKey = Literal["user_in_chat", "chat"]
"""Whose state it is: each person has their own in each chat, or all people of a chat share one."""


class _Keep:
    def __repr__(self) -> str:
        return "KEEP"


KEEP: Any = _Keep()
"""The data stays as it is."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What a handler answers to move on; see ``transition``."""

    state: str
    data: Any = KEEP


@dataclass(frozen=True, slots=True)
class Stay:
    """What a handler answers to stay; see ``stay``."""

    data: Any = KEEP


def transition(state: str, data: Any = KEEP) -> Transition:
    """For a handler to answer: the person goes to a state, with new data where it is given."""
    return Transition(state, data)


def stay(data: Any = KEEP) -> Stay:
    """For a handler to answer: the person stays in the state, with new data where it is given."""
    return Stay(data)


@dataclass(frozen=True, slots=True)
class FsmState:
    """Where somebody stands.

    Attributes:
        data: the App's model of it, else a dict; a copy, which ``set_state`` stores.
    """

    state: str
    data: Any


@dataclass(frozen=True, slots=True)
class Fsm:
    """What the state machine of a bot is like.

    Args:
        data: the model of the data; every field needs a default. None: a dict of JSON.
        key: whose state it is.

    Raises:
        DefinitionError: a field without a default, or a key that is none.
    """

    data: type[BaseModel] | None = None
    key: FsmKey = field(default="user_in_chat", kw_only=True)

    def __post_init__(self) -> None:
        if self.key not in ("user_in_chat", "chat"):
            raise DefinitionError(f"Fsm(key={self.key!r}): the key is 'user_in_chat' or 'chat'")
        if self.data is None:
            return
        try:
            self.data()
        except ValidationError as error:
            raise DefinitionError(
                f"the state data {self.data.__name__} needs a default for its field "
                f"{DoesNotFit.of(error).field!r}: whoever gets a state begins with empty data"
            ) from None


class Machine(Protocol):
    """The state of whom an update is from. What is set is stored with the turn; once that is over,
    everything here raises NoState.
    """

    @property
    def stored(self) -> dict[str, Any] | None:
        """The state at rest: ``state``, and ``data`` where there is any; for the engine, to put
        back what was there.
        """
        ...

    @stored.setter
    def stored(self, state: dict[str, Any] | None, /) -> None: ...

    def get_state(self) -> FsmState | None:
        """The state with its data; None: there is none.

        Raises:
            InvalidStateData: what is stored does not validate.
        """
        ...

    def set_state(self, state: str, data: Any = KEEP) -> None:
        """Goes to a state; data that is not given stays as it is.

        Raises:
            NoState: the update has nobody who could have a state.
            InvalidStateData: the data cannot be stored.
        """
        ...

    def set_data(self, data: Any) -> None:
        """Keeps the state and changes the data.

        Raises:
            NoState: there is no state to stay in.
            InvalidStateData: the data cannot be stored.
        """
        ...

    def init_state(self, state: str, data: Any = KEEP) -> FsmState:
        """The state; where there is none, it is set to this one first. Raises as the others do."""
        ...

    def reset_state(self) -> None:
        """Forgets the state and its data."""
        ...


class InvalidStateData(HandrailError, ValueError):
    """The data of a state cannot be stored, or what is stored does not validate."""

    def __init__(self, wanted: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the data of the state is no {wanted}: {reason}. Give new fields a default, keep old "
            "values valid, or forget the state with reset_state()."
        )


class NoState(HandrailError, LookupError):
    """There is no state to work on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
