"""The head of a definition: its name, its enum of steps, its data, and what holds for all of it."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, get_args

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.chart import COMPLETED, is_mark
from flows.errors import DefinitionError
from flows.flow import Again, Interrupt
from flows.keys import Key, key_refusal

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Head(Generic[S, D, Deps]):
    """What every part of a definition knows; ``FlowBuilder`` explains it."""

    name: str
    steps: type[S]
    data: type[D]
    deps: type[Deps] | None
    version: int
    ttl: timedelta | None
    max_age: timedelta | None
    again: Again
    interrupt: Interrupt
    key: Key
    description: str

    def _check_head(self) -> None:
        self._check_names()
        self._check_rules()

    def _check_names(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise DefinitionError(
                f"the flow name {self.name!r} is not usable. Take a lower-case letter, then up to "
                "63 lower-case letters, digits, '_' or '-'."
            )
        if not (isinstance(self.steps, type) and issubclass(self.steps, Enum)):
            raise self._refuse(f"the steps must be an Enum class, not {self.steps!r}")
        if not (isinstance(self.data, type) and issubclass(self.data, BaseModel)):
            raise self._refuse(f"the data must be a pydantic model class, not {self.data!r}")
        if not list(self.steps):
            raise self._refuse(f"the enum {self.steps.__name__} has no members")
        for name, member in self.steps.__members__.items():
            if name != member.name:
                raise self._refuse(
                    f"it is an alias of {member.name}. Give it a value of its own.", step=name
                )
            if name == COMPLETED:
                raise self._refuse(f"{name!r} is the name of the end. Call it otherwise.", name)
            if is_mark(name):
                raise self._refuse("a name of a step starts with no bracket.", name)

    def _check_rules(self) -> None:
        if not isinstance(self.version, int) or self.version < 1:
            raise self._refuse(f"the version must be 1 or more, not {self.version!r}")
        if (reason := key_refusal(self.key)) is not None:
            raise self._refuse(reason)
        for what, span in (("ttl", self.ttl), ("max_age", self.max_age)):
            if span is not None and (not isinstance(span, timedelta) or span <= timedelta(0)):
                raise self._refuse(
                    f"the {what} must be a timedelta longer than nothing, not {span!r}"
                )
        for word, said, known in (
            ("again", self.again, get_args(Again)),
            ("interrupt", self.interrupt, get_args(Interrupt)),
        ):
            if said not in known:
                raise self._refuse(f"{word}= is one of {', '.join(known)}, not {said!r}")

    def _member(self, step: object) -> str:
        if not isinstance(step, self.steps):
            raise self._refuse(f"{step!r} is no member of {self.steps.__name__}")
        return step.name

    def _refuse(self, message: str, step: str | None = None) -> DefinitionError:
        return DefinitionError(message, flow=self.name, step=step)
