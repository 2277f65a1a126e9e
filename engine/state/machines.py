"""The state machine of whom an update is from, as its conversation keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from engine.state.conversation import Conversation
from engine.turns.conversations import Conversations
from engine.turns.scopes import chat_key
from flows.fsm import KEEP, Fsm, FsmState, InvalidStateData, NoState
from flows.models import DoesNotFit, dump_model, load_model
from flows.updates import Update

EMPTY: Mapping[str, Any] = {}


class PersonMachine:
    """Reads and writes the state in its JSON form (see ``flows.fsm.Machine``).

    Attributes:
        written: data that was set in this turn.
    """

    __slots__ = ("_conversations", "_fsm", "_over", "_update", "written")

    def __init__(self, fsm: Fsm, conversations: Conversations, update: Update) -> None:
        self._fsm = fsm
        self._conversations = conversations
        self._update = update
        self.written: tuple[Mapping[str, Any], ...] = ()
        self._over = False

    def close(self) -> None:
        """The turn is over: who still holds a context of it changes nothing any more."""
        self._over = True

    @property
    def stored(self) -> dict[str, Any] | None:
        """The state in its JSON form, to put it back."""
        home = self._home()
        return home.fsm if home is not None else None

    @stored.setter
    def stored(self, state: dict[str, Any] | None) -> None:
        home = self._home()
        if home is not None:
            home.fsm = state

    @property
    def current(self) -> str | None:
        """The name of the state."""
        home = self._home()
        return home.fsm["state"] if home is not None and home.fsm is not None else None

    def get_state(self) -> FsmState | None:
        """See ``Machine.get_state``."""
        home = self._home()
        if home is None or home.fsm is None:
            return None
        return FsmState(home.fsm["state"], self._loaded(home.fsm.get("data", EMPTY)))

    def set_state(self, state: str, data: Any = KEEP) -> None:
        """See ``Machine.set_state``."""
        if not isinstance(state, str) or not state:
            raise TypeError(f"the name of a state is a text, and {state!r} is none")
        home = self._home()
        if home is None:
            key = "a chat" if self._fsm.key == "chat" else "a person in a chat"
            raise NoState(f"a state belongs to {key}, which this update has not")
        old = home.fsm.get("data", EMPTY) if home.fsm is not None else EMPTY
        stored = old if data is KEEP else self._dumped(data)
        if data is not KEEP:
            self.written = (*self.written, stored)
        home.fsm = {"state": str.__str__(state), **({"data": stored} if stored else {})}

    def set_data(self, data: Any) -> None:
        """See ``Machine.set_data``."""
        state = self.current
        if state is None:
            raise NoState("there is no state to stay in. Set one first, with its data.")
        self.set_state(state, data)

    def init_state(self, state: str, data: Any = KEEP) -> FsmState:
        """See ``Machine.init_state``."""
        if self.current is None:
            self.set_state(state, data)
        found = self.get_state()
        if found is None:  # set_state has set one, or raised
            raise NoState("there is no state")
        return found

    def reset_state(self) -> None:
        """See ``Machine.reset_state``."""
        home = self._home()
        if home is not None:
            home.fsm = None

    def _home(self) -> Conversation | None:
        update = self._update
        if self._over:
            raise NoState(
                "the turn of this context is over. Work on the state while its handler runs."
            )
        if update.address is None:
            return None
        if self._fsm.key == "chat":
            return self._conversations.by_key.get(chat_key(update.address, update))
        return self._conversations.own if update.user is not None else None

    def _loaded(self, stored: Mapping[str, Any]) -> Any:
        model = self._fsm.data
        if model is None:
            return orjson.loads(orjson.dumps(stored))  # whoever gets it may change it
        try:
            return load_model(model, stored)
        except DoesNotFit as fault:
            raise InvalidStateData(model.__name__, str(fault)) from None

    def _dumped(self, data: Any) -> Mapping[str, Any]:
        model = self._fsm.data
        if model is None:
            return _plain(data)
        try:
            given = data if isinstance(data, model) else load_model(model, data)
            return dump_model(load_model(model, dump_model(given)))
        except (DoesNotFit, TypeError) as fault:
            raise InvalidStateData(model.__name__, str(fault)) from None


def _plain(data: Any) -> Mapping[str, Any]:
    """A copy in JSON."""
    if not isinstance(data, dict):
        kind = "model (see App's fsm=)" if isinstance(data, BaseModel) else type(data).__name__
        raise InvalidStateData("dict of JSON", f"it is a {kind}")
    try:
        copied: dict[str, Any] = orjson.loads(orjson.dumps(data))
    except orjson.JSONEncodeError as error:
        raise InvalidStateData("dict of JSON", str(error)) from None
    return copied
