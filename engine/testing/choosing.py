"""What the explorer does next: mostly something sensible, sometimes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from engine.channels.console.made_up import KINDS
from engine.testing.answers import JUNK, Answers, answers_to, saying
from engine.testing.chat import Chat
from engine.testing.transcript import Exchange
from engine.testing.waiting import Place

PEOPLE: tuple[tuple[str, str | None], ...] = (
    ("1", None), ("2", None), ("3", "group"), ("4", "group"),
)  # fmt: skip
"""Who talks, and where: two alone, two in one group."""

SPANS = ("30s", "10m", "2h", "1d", "8d")

STAYS = 0.85
"""How likely the same person goes on."""

_RUNNING = {"answer": 60, "button": 14, "junk": 8, "command": 7, "old": 4, "else": 7}
_IDLE = {"command": 75, "junk": 10, "old": 5, "else": 10}


@dataclass(frozen=True, slots=True)
class Choice:
    """The next input. ``answers``: the place whose question it should pass."""

    exchange: Exchange
    answers: Place | None = None


class Choosing:
    """Makes inputs up, the same ones for the same seed and course.

    Args:
        commands: what the bot understands.
        texts: that are said besides.
    """

    def __init__(self, seed: int, commands: Sequence[str], texts: Sequence[str]) -> None:
        self._random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
        self._commands = tuple(commands)
        self._texts = tuple(texts)
        self._who = PEOPLE[0]
        self._known: dict[str, Answers] = {}

    def somebody(self) -> Exchange:
        """Who is next, as an exchange that says nothing yet."""
        if self._random.random() > STAYS:
            self._who = self._random.choice(PEOPLE)
        return Exchange(0, "say", "", by=self._who[0], chat=self._who[1])

    def next(self, who: Exchange, places: Sequence[Place], chat: Chat) -> Choice:
        """The next input of that person."""
        weights = _RUNNING if places else _IDLE
        kind = self._random.choices(list(weights), list(weights.values()))[0]
        choice = self._choice(kind, who, places, chat)
        return replace(choice, exchange=replace(choice.exchange, by=who.by, chat=who.chat))

    def _choice(self, kind: str, who: Exchange, places: Sequence[Place], chat: Chat) -> Choice:
        match kind:
            case "answer":
                return self._answer(places)
            case "button":
                return self._button(places, chat.buttons(who.chat or who.by))
            case "command":
                return Choice(Exchange(0, "say", f"/{self._command()}"))
            case "old":
                label = self._random.choice(chat.labels(who.chat or who.by) or ("Yes",))
                return Choice(Exchange(0, "event", f"press {self._random.randint(1, 4)} {label}"))
            case "junk":
                return Choice(saying(self._random.choice((*self._texts, *JUNK))))
            case _:
                return Choice(self._something())

    def _answer(self, places: Sequence[Place]) -> Choice:
        place = places[0] if self._random.random() < 0.7 else self._random.choice(places)
        answers = self._answers(place)
        if answers.good and self._random.random() < 0.85:
            return Choice(self._random.choice(answers.good), place)
        answers_it = None if answers.good else place  # what it reads is not to be guessed
        return Choice(self._random.choice(answers.bad or answers.good), answers_it)

    def _button(self, places: Sequence[Place], labels: Sequence[str]) -> Choice:
        fitting = [label for label in labels if label.strip() == label and label.isprintable()]
        if not fitting:
            return self._answer(places)
        return Choice(Exchange(0, "press", self._random.choice(fitting)), places[0])

    def _answers(self, place: Place) -> Answers:
        key = repr([one.to_json() for one in place.inputs])
        if key not in self._known:
            self._known[key] = answers_to(place.inputs, self._texts)
        return self._known[key]

    def _command(self) -> str:
        return self._random.choice((*self._commands, *self._commands, "start", "nonsense"))

    def _something(self) -> Exchange:
        """What services, time and machines do."""
        kind = self._random.choice(("again", "again", "restart", "crash", "wait", "file"))
        if kind == "wait":
            return Exchange(0, "event", f"wait {self._random.choice(SPANS)}")
        if kind == "file":
            return Exchange(0, "file", self._random.choice(KINDS))
        return Exchange(0, "event", kind)
