"""Whose answers count."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any

from flows.errors import DefinitionError
from flows.turns.instance import FlowInstance
from flows.turns.journal import Run
from flows.turns.surroundings import Surroundings
from flows.updates import Person

if TYPE_CHECKING:
    from flows.flow import Flow

Who = Person | str | int
"""A person, or the channel's id of one."""

People = Who | Iterable[Who]
"""One person or several."""


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
        return self._others((from_,) if isinstance(from_, str | int | Person) else from_)

    def _others(self, named: Iterable[Who]) -> list[str]:
        """The people, each once.

        Raises:
            DefinitionError: there is nobody, or somebody who could never answer.
        """
        people = [person_id(one) for one in named]
        if not people or not all(people):
            raise DefinitionError(
                f"{people!r} names nobody who could answer. Name people, or leave it out to mean "
                "everybody.",
                flow=self._flow.name,
                step=self.step.name,
            )
        mine = self._around.user.id
        if not self._run.shared and (strangers := [one for one in people if one != mine]):
            raise DefinitionError(
                f"only person {mine} talks with this flow, and {', '.join(strangers)} could never "
                "answer. Give the flow that several people are to share key='chat' or 'topic'.",
                flow=self._flow.name,
                step=self.step.name,
            )
        return list(dict.fromkeys(people))


def person_id(person: Who) -> str:
    """The id of a person, as text."""
    return person.id if isinstance(person, Person) else str(person)
