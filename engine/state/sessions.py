"""The session of a conversation while a turn runs: one model for handlers, one a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from flows.errors import HandrailError
from flows.models import DoesNotFit, dump_model, load_model, overwrite


class InvalidSession(HandrailError, ValueError):
    """The session cannot be stored, or what is stored does not validate."""

    def __init__(self, model: type[BaseModel], fault: DoesNotFit) -> None:
        self.field = fault.field
        super().__init__(
            f"the session is no valid {model.__name__}: {fault}. "
            "Give new fields a default, and keep old values valid."
        )


class SessionCell:
    """Holds the session in its JSON form and lends it out as a model.

    Whoever borrowed it writes back only the top-level fields that they changed, so that a step
    which is run again neither loses nor repeats what others wrote meanwhile.

    Attributes:
        value: the session in its JSON form.
        is_shared: turns write it that do not see all the steps which have read it.

    Args:
        default: makes the session where there is none; None: the model does.
    """

    def __init__(
        self,
        model: type[BaseModel] | None,
        value: dict[str, Any],
        default: Callable[[], BaseModel] | None = None,
        is_shared: bool = False,
    ) -> None:
        self.value = value
        self.is_shared = is_shared
        self._model = model
        self._default = default
        if model is None:
            return
        self._lent: dict[int, tuple[BaseModel, dict[str, Any]]] = {}

    def lend(self, *, entry: Mapping[str, Any] | None = None) -> Any:
        """The session as a model of its own, with the values of ``entry`` over it; None without
        a session model.

        Raises:
            InvalidSession: what is stored does not validate.
        """
        if self._model is None:
            return None
        if self._default is not None and not self.value:
            self.value = self._made(self._default)
        lent = _load(self._model, {**self.value, **(entry or {})})
        self._lent[id(lent)] = lent, dump_model(lent)
        return lent

    def as_of_entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The whole session as a step has seen it that asks now: its later runs see the same.

        Args:
            entry: values that others have changed since.
        """
        if self._model is None:
            return {}
        return dump_model(_load(self._model, {**self.value, **entry}))

    def _made(self, default: Callable[[], BaseModel]) -> dict[str, Any]:
        """The session of somebody who has none. It is kept even if nobody changes it: what a
        function makes may be another the next time.
        """
        made = default()
        try:
            return dump_model(made)
        except DoesNotFit as fault:
            raise InvalidSession(type(made), fault) from None

    def refresh(self, lent: Any) -> None:
        """Brings a model that was taken back up to date in its place, and lends it again: whoever
        holds it sees what others wrote meanwhile.
        """
        if self._model is None:
            return
        lent.__setstate__(_load(self._model, self.value).__getstate__())
        self._lent[id(lent)] = lent, dump_model(lent)

    def take_back(self, lent: Any) -> dict[str, Any]:
        """Writes the fields that the borrower changed over the session; answers the values that
        these fields had.

        Raises:
            InvalidSession: the result does not validate.
        """
        if self._model is None:
            return {}
        _, old = self._lent.pop(id(lent), (None, {}))
        try:
            current = dump_model(_load(self._model, self.value))
            written = overwrite(current, before=old, after=lent)
        except DoesNotFit as fault:
            raise InvalidSession(self._model, fault) from None
        if not written.changed:
            return {}
        self.value = written.data
        return {name: current[name] for name in written.changed if name in current}


def _load(model: type[BaseModel], value: Mapping[str, Any]) -> BaseModel:
    try:
        return load_model(model, value)
    except DoesNotFit as fault:
        raise InvalidSession(model, fault) from None
