"""The order of a form's questions, and which of them are to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flows.forms.answers import Answers, draft, is_answered, json_of
from flows.forms.nodes import Node, Section, Variants
from flows.inputs import Json
from flows.messages.translations import joined

When = Callable[[Any], object]
"""Whether a question is to be asked, by the answers before it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A step of the form.

    Attributes:
        gates: what other steps must have been answered, by path: the choice of a section.
        whens: what the definition says must hold.
        label: tells it from all other stops.
    """

    node: Node
    gates: Mapping[str, Json]
    whens: tuple[When, ...]
    label: str

    @property
    def path(self) -> str:
        """The path of the field, which names the step."""
        return self.node.path

    def may_follow(self, before: Stop) -> bool:
        """Whether no gate forbids this stop where ``before`` was asked."""
        shared = self.gates.keys() & before.gates.keys()
        return all(self.gates[path] == before.gates[path] for path in shared)

    def is_asked_with(self, other: Stop) -> bool:
        """Whether this stop is always asked where the other one is."""
        return not self.whens and self.gates.items() <= other.gates.items()


@dataclass(frozen=True, slots=True)
class Route:
    """The stops of a form in their order."""

    root: Section
    stops: tuple[Stop, ...]

    def shown(self, answers: Answers) -> Iterator[Stop]:
        """The stops that are to be asked, in their order.

        Lazily: the condition of a stop may look at the answers before it, and only once these
        are there.
        """
        paths: set[str] = set()
        for stop in self.stops:
            if self._is_open(stop, answers, paths):
                yield stop
                paths.add(stop.path)

    def _is_open(self, stop: Stop, answers: Answers, shown: set[str]) -> bool:
        for path, wanted in stop.gates.items():
            if path not in shown or path not in answers or answers[path] != wanted:
                return False
        if not stop.whens:
            return True
        so_far = draft(self.root, json_of(self.root, answers, shown))
        return all(when(so_far) for when in stop.whens)

    def after(self, path: str, answers: Answers) -> Stop | None:
        """The stop that comes after another one; None where none does."""
        order = [stop.path for stop in self.stops]
        later = set(order[order.index(path) + 1 :])
        return next((stop for stop in self.shown(answers) if stop.path in later), None)

    def unanswered(self, answers: Answers) -> Stop | None:
        """The first stop that is to be asked and was not answered."""
        shown = self.shown(answers)
        return next((stop for stop in shown if not is_answered(stop.node, answers)), None)

    def ways_on(self, place: int) -> tuple[list[Stop], bool]:
        """The stops that may come after the one at ``place``, and whether none may."""
        before, later = self.stops[place], self.stops[place + 1 :]
        ways: list[Stop] = []
        for number, stop in enumerate(later):
            passed = any(each.is_asked_with(stop) for each in later[:number])
            if stop.may_follow(before) and not passed:
                ways.append(stop)
            if stop.is_asked_with(before):
                return ways, False
        return ways, True

    def stop_of(self, location: tuple[int | str, ...]) -> Stop | None:
        """The stop that asks for what lies at pydantic's location of an error."""
        names = [str(each) for each in location]
        known = {stop.path: stop for stop in self.stops}
        found = (known.get(".".join(names[:length])) for length in range(len(names), 0, -1))
        return next((stop for stop in found if stop is not None), None)


def route_of(root: Section, whens: Mapping[str, When]) -> Route:
    """The route through the questions of a form."""
    stops = list(_stops(root, {}, (), (), whens))
    labels = [stop.node.label for stop in stops]
    alone = {label for label in labels if labels.count(label) == 1}
    return Route(
        root,
        tuple(
            replace(stop, label=stop.node.label) if stop.node.label in alone else stop
            for stop in stops
        ),
    )


def _stops(
    section: Section,
    gates: Mapping[str, Json],
    whens: tuple[When, ...],
    labels: tuple[str, ...],
    known: Mapping[str, When],
) -> Iterator[Stop]:
    for part in section.parts:
        own = (*whens, known[part.path]) if part.path in known else whens
        named = (*labels, part.label)
        if not isinstance(part, Section) or part.gated:
            yield Stop(part, gates, own, joined(named, ": "))
        if isinstance(part, Section):
            inner = {**gates, part.path: True} if part.gated else gates
            yield from _stops(part, inner, own, named, known)
        if isinstance(part, Variants):
            for tag, variant in part.sections.items():
                within = (*labels, variant.label)
                yield from _stops(variant, {**gates, part.path: tag}, own, within, known)
