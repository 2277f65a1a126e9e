"""Whose answers count."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from flows.errors import DefinitionError
from flows.instance import FlowInstance
from flows.journal import Run
from flows.surroundings import Surroundings
from flows.updates import Person

if TYPE_CHECKING:
    from flows.flow import Flow

People = Person | str | Sequence[Person | str]
"""One person or several, or their ids."""


class Answerers:
    """The part of a turn that knows who may answer."""

    __slots__ = ()

    step: Enum
    _run: Run
    _flow: Flow[Any, Any, Any]
    _instance: FlowInstance
    _around: Surroundings

    def _people(self, from_: People | None) -> list[str]:
        """Whom the question names, else whom the flow was handed over to."""
        if from_ is None:
            return [self._instance.assignee] if self._instance.assignee is not None else []
        people = (from_,) if isinstance(from_, str | Person) else from_
        return self._others([person_id(one) for one in people])

    def _others(self, people: list[str]) -> list[str]:
        """The people, each once. Raises DefinitionError where some of them could never answer."""
        mine = self._around.user.id
        if not self._run.shared and (strangers := [one for one in people if one != mine]):
            raise DefinitionError(
                f"only person {mine} talks with this flow, and {', '.join(strangers)} could never "
                "answer. Give the flow that several people are to share key='chat' or 'topic'.",
                flow=self._flow.name,
                step=self.step.name,
            )
        return list(dict.fromkeys(people))


def person_id(person: Person | str) -> str:
    """The id of a person."""
    return person.id if isinstance(person, Person) else person
