"""Finding the first of many triggers that matches, without asking each of them.

What a bot answers must not cost more the more flows it has: commands, kinds and exact texts are
looked up, the patterns of texts are run in one pass, and of the patterns of presses only those are
tried whose beginning fits. Filters are asked last, of what is left and in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import re2

from flows.errors import DefinitionError
from flows.filters import Facts, Filter, both
from flows.messages.translations import Translatable
from flows.routing.deep_links import OnDeepLink
from flows.routing.hears import OnHears
from flows.routing.kind_triggers import OfKinds, OnFiltered
from flows.routing.patterns import BoundedPattern, compile_pattern
from flows.routing.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger
from flows.updates import Command, Content, Press, TextMessage

T = TypeVar("T")


class Matching(Generic[T]):
    """Triggers in their order, each with its filter and what it stands for.

    Attributes:
        has_links: whether any of them is a deep link.
    """

    def __init__(self, entries: Sequence[tuple[Trigger, Filter | None, T]]) -> None:
        self._entries = [
            (trigger, both(where, _own_filter(trigger)), target)
            for trigger, where, target in entries
        ]
        self._others: list[int] = []
        self._commands: dict[str, list[int]] = {}
        self._links: dict[str, list[int]] = {}
        self._kinds: dict[str, list[int]] = {}
        self._exact: dict[str, list[int]] = {}
        self._presses: dict[str, list[int]] = {}
        texts: list[tuple[str, int]] = []
        for place, (trigger, _, _) in enumerate(entries):
            self._put(trigger, place, texts)
        self._texts = _Patterns(texts)
        self.has_links = bool(self._links)

    def _put(self, trigger: Trigger, place: int, texts: list[tuple[str, int]]) -> None:
        # exactly these: what a subclass matches is its own affair
        if type(trigger) is OnCommand:
            self._commands.setdefault(trigger.name, []).append(place)
        elif type(trigger) is OnDeepLink:
            self._links.setdefault(trigger.link.name, []).append(place)
        elif type(trigger) is OnKind:
            self._kinds.setdefault(trigger.kind, []).append(place)
        elif isinstance(trigger, OfKinds) and type(trigger).match is OfKinds.match:
            for kind in trigger.kinds:
                self._kinds.setdefault(kind, []).append(place)
        elif type(trigger) is OnText:
            texts.append((trigger.pattern, place))
        elif type(trigger) is OnHears:
            for text in trigger.texts:
                self._exact.setdefault(text, []).append(place)
                if isinstance(text, Translatable):  # what it is in other languages is not known
                    self._others.append(place)
            texts.extend((pattern, place) for pattern in trigger.patterns)
        elif type(trigger) is OnCallback:
            self._presses.setdefault(_beginning(trigger.pattern), []).append(place)
        else:
            self._others.append(place)

    def first(self, facts: Facts) -> tuple[T, str] | None:
        """What the first trigger that matches, and whose filter passes, stands for, with its
        payload; None: none does. Deep links are not looked at.
        """
        return self._first(self._candidates(facts.update.content), facts)

    def first_link(self, facts: Facts) -> tuple[T, str] | None:
        """The same for deep links alone."""
        content = facts.update.content
        name = content.args.partition("_")[0] if isinstance(content, Command) else ""
        return self._first(self._links.get(name, ()), facts)

    def _first(self, candidates: Iterable[int], facts: Facts) -> tuple[T, str] | None:
        for place in sorted(set(candidates)):
            trigger, where, target = self._entries[place]
            payload = trigger.match(facts.update.content)
            if payload is not None and (where is None or where.passes(facts)):
                return target, payload
        return None

    def _candidates(self, content: Content) -> Iterator[int]:
        """The places of those that may match."""
        yield from self._others
        yield from self._kinds.get(content.kind, ())
        match content:
            case TextMessage(text=text):
                yield from self._exact.get(text.strip(), ())
                yield from self._texts.found_in(text)
            case Command(name=name):
                yield from self._commands.get(name, ())
            case Press(data=data):
                for beginning, places in self._presses.items():
                    if data.startswith(beginning):
                        yield from places


class _Patterns:
    """Patterns of texts, looked for in one pass.

    Two automata: one that tells whether any is found, and one that tells which. The second may
    give up where memory is short, and then says the same as where nothing is found: so it is only
    asked where something is.
    """

    def __init__(self, patterns: Sequence[tuple[str, int]]) -> None:
        self._places = [place for _, place in patterns]
        sources = [source for source, _ in patterns]
        self._any = _any_of(sources) if len(patterns) > 1 else None
        self._which = _which_of(sources) if self._any is not None else None

    def found_in(self, text: str) -> Sequence[int]:
        """The places of patterns that may be found in the text: all, where it cannot be told."""
        if self._any is None:
            return self._places
        if self._any.search(text) is None:
            return ()
        found = self._which.Match(text) if self._which is not None else None
        return [self._places[index] for index in found] if found else self._places


def _any_of(sources: Sequence[str]) -> BoundedPattern | None:
    """What finds any of the patterns; None where together they are no pattern that RE2 takes."""
    try:
        return compile_pattern("|".join(f"(?:{source})" for source in sources))
    except DefinitionError:
        return None


def _which_of(sources: Sequence[str]) -> Any:
    options = re2.Options()
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    try:
        for source in sources:
            found.Add(source)
        found.Compile()
    except re2.error:
        return None
    return found


def _beginning(pattern: str) -> str:
    """The part of a pattern of ``OnCallback`` before its first special character."""
    for place, char in enumerate(pattern):
        if char in "*?[":
            return pattern[:place]
    return pattern


def _own_filter(trigger: Trigger) -> Filter | None:
    """The filter that a trigger brings itself."""
    return trigger.filter if type(trigger) is OnFiltered else None
