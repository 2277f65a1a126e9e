"""Pre-handlers: what looks at an update before anything else does, and may stop it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic

from typing_extensions import TypeVar

from flows.messages.replies import Format, Keyboard, Reply
from flows.plain.marks import Marks
from flows.turns.effects import Effects
from flows.turns.timing import milliseconds
from flows.updates import Person, Update

Deps = TypeVar("Deps", default=Any)


@dataclass(frozen=True, slots=True)
class Continue:
    """The update goes on, to the next pre-handler and then to the bot."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The update goes no further: it is done, and nothing else sees it.

    Attributes:
        reply: what the person is told: a text is a notice where a button was pressed; empty:
            nothing.
        reason: for the log, at level DEBUG.
    """

    reply: str | Reply = ""
    reason: str = ""


class PreContext(Generic[Deps]):
    """One update, for a pre-handler.

    Attributes:
        update: what came in.
        deps: the App's dependencies.
    """

    def __init__(self, *, update: Update, deps: Deps, effects: Effects, marks: Marks) -> None:
        self.update = update
        self.deps = deps
        self._effects = effects
        self._marks = marks

    @property
    def user(self) -> Person | None:
        """Who sent it; None for what has no sender."""
        return self.update.user

    def reply(
        self, text: str | Reply, *, format: Format = "plain", keyboard: Keyboard = ()
    ) -> None:
        """Sends a message, once the turn is committed."""
        reply = text if isinstance(text, Reply) else Reply(text=text, format=format)
        self._effects.emit(replace(reply, keyboard=keyboard) if keyboard else reply)

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._effects.remark(text)

    def once_within(self, key: str, span: timedelta) -> bool:
        """Whether this person in this chat has not claimed the key in the ``span`` before this
        update was sent; it is claimed from now on.

        The claim is stored with the person's conversation, in the transaction of the turn: two
        updates never both get it, whichever workers handle them, and a turn that fails or is run
        again has claimed nothing. What has no person or no chat always gets it. Of a person,
        64 claims and rates are remembered; beyond that, those that end first are forgotten.
        """
        return self._marks.claim(f"once {key}", max(milliseconds(span), 1))

    def within_rate(self, key: str, *, rate: int, per: timedelta, burst: int) -> bool:
        """Whether this person in this chat still has a token in the bucket of the key; it is taken
        out. The bucket holds ``burst`` of them, and ``rate`` come in ``per`` that time.

        It is kept as ``once_within`` keeps a claim, but that a turn which fails has spent its
        token all the same.
        """
        interval = max(-(-milliseconds(per) // rate), 1)
        return self._marks.spend(f"rate {key}", interval=interval, burst=burst)


PreHandler = Callable[[PreContext[Any]], Awaitable[Continue | Stop]]
"""An async function of a PreContext."""
