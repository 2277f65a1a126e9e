"""The first trigger that matches, found without asking all of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flows.filters import Facts
from flows.routing.hears import OnHears
from flows.routing.kind_triggers import OnAny, OnAnyText, OnMessage, OnPhoto
from flows.routing.matching import Matching
from flows.routing.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger
from flows.updates import (
    Command,
    Content,
    FileRef,
    PhotoMessage,
    Press,
    TextMessage,
    Update,
    VoiceMessage,
)


@dataclass(frozen=True)
class Containing:
    """A trigger of somebody's own; ``asked`` are the contents that it has seen."""

    word: str
    asked: list[Content]

    def match(self, content: Content) -> str | None:
        self.asked.append(content)
        return self.word if self.word in getattr(content, "text", "") else None


TRIGGERS: tuple[Trigger, ...] = (
    OnText("^order [0-9]+$"),
    OnCommand("start"),
    OnText("(?i)help"),
    Containing("help", []),
    OnCallback("buy:*"),
    OnCallback("buy:book"),
    OnCallback("[ab]?"),
    OnKind("press"),
    OnText("order"),
    OnText("(a|b)+"),
    OnCommand("stop"),
    OnHears("help", "abba", pattern=["my", "^HE"]),
    OnCallback(regex="^[a-c][0-9]?$"),
    OnPhoto(),
    OnAnyText(),
    OnKind("text"),
    OnMessage(),
    OnAny(),
)

CONTENTS: tuple[Content, ...] = (
    TextMessage("order 7"),
    TextMessage("my order"),
    TextMessage("HELP"),
    TextMessage("help"),
    TextMessage("abba"),
    TextMessage(""),
    TextMessage("\N{GRINNING FACE} x"),
    Command("start", "deep"),
    Command("stop"),
    Command("help"),
    Press(id="1", data="buy:book"),
    Press(id="1", data="buy:"),
    Press(id="1", data="a1"),
    Press(id="1", data="c"),
    PhotoMessage(FileRef(id="1"), "order"),
    VoiceMessage(FileRef(id="1")),
)


def facts(content: Content) -> Facts:
    """An update of that content, from nobody in particular."""
    return Facts(Update(source="test:bot", ext="1", content=content, at=0), None)


def one_by_one(triggers: tuple[Trigger, ...], content: Content) -> tuple[int, str] | None:
    """What asking all of them in order would find."""
    for place, trigger in enumerate(triggers):
        payload = trigger.match(content)
        if payload is not None:
            return place, payload
    return None


@pytest.mark.parametrize("content", CONTENTS, ids=repr)
@pytest.mark.parametrize("drop", range(len(TRIGGERS)))
def test_the_same_is_found_as_by_asking_all_in_order(content: Content, drop: int) -> None:
    triggers = TRIGGERS[drop:] + TRIGGERS[:drop]
    matching = Matching([(trigger, None, place) for place, trigger in enumerate(triggers)])
    assert matching.first(facts(content)) == one_by_one(triggers, content)


def test_patterns_that_do_not_go_together_are_tried_one_by_one() -> None:
    triggers = (OnText("(?P<n>[0-9])x"), OnText("(?P<n>[0-9])y"))
    matching = Matching([(trigger, None, place) for place, trigger in enumerate(triggers)])
    assert matching.first(facts(TextMessage("1y"))) == (1, "1y")
    assert matching.first(facts(TextMessage("1z"))) is None


def test_a_trigger_behind_the_one_that_matches_is_not_asked() -> None:
    late = Containing("order", [])
    matching = Matching([(OnText("order"), None, 0), (late, None, 1)])
    assert matching.first(facts(TextMessage("order"))) == (0, "order")
    assert late.asked == []
