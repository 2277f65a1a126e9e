"""Ready pre-handlers: one against doubled messages, one against too many.

Both look at what people write, press and send. What a service tells besides (edits, payments, who
has joined) passes: none of it may be lost, and nobody is told to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson

from flows.definition.checks import plain_call_refusal
from flows.errors import DefinitionError
from flows.messages.replies import BUTTON_PREFIX
from flows.routing.pre_handlers import Continue, PreContext, Stop
from flows.turns.timing import milliseconds
from flows.updates import Other, Press, Update

CHATTED = frozenset(
    {
        "text", "command", "press", "photo", "document", "voice", "audio", "video", "animation",
        "album", "sticker", "location", "contact", "web_app", "poll", "dice", "other",
    }
)  # fmt: skip
"""The kinds of updates that are what people write, press and send."""


class Dedup:
    """A pre-handler that stops what a person sends twice, the same within a time.

    Args:
        within: how long the same counts as a double.
        key: what makes two updates the same: a function that answers a text, or None for what
            is never a double. Unless said: their content. Presses of the engine's buttons are
            none: they know their question, and pressing one twice may be meant.

    Raises:
        DefinitionError: ``within`` is no time, or ``key`` no function of an update.
    """

    def __init__(
        self,
        within: timedelta = timedelta(seconds=2),
        *,
        key: Callable[[Update], str | None] | None = None,
    ) -> None:
        _check_span("Dedup: within", within)
        if key is not None and (refusal := plain_call_refusal(key, "update")) is not None:
            raise DefinitionError(f"Dedup: its key {refusal}")
        self._within = within
        self.key = key or said

    async def __call__(self, ctx: PreContext[Any]) -> Continue | Stop:
        """Stops a double; says nothing."""
        key = self.key(ctx.update)
        if key is None or ctx.once_within(f"dedup {key}", self._within):
            return Continue()
        return Stop(reason="the same was sent a moment ago")


class RateLimit:
    """A pre-handler that drops what a person sends beyond a rate: a token bucket for each person
    in each chat.

    Args:
        rate: how many updates ``per`` that time.
        burst: how many at once; None: as many as ``rate``.
        notice: what the person is told, once ``per`` that time; empty: nothing.
        name: tells several limits of one bot apart.

    Raises:
        DefinitionError: a number below 1, no time, or more than one update a millisecond.
    """

    def __init__(
        self,
        rate: int,
        per: timedelta,
        burst: int | None = None,
        *,
        notice: str = "That is too fast for me. Please wait a moment.",
        name: str = "",
    ) -> None:
        burst = rate if burst is None else burst
        if rate < 1 or burst < 1:
            raise DefinitionError(
                f"RateLimit({rate}, ..., burst={burst}): rate and burst must be 1 or more"
            )
        _check_span("RateLimit: per", per)
        if rate > milliseconds(per):
            raise DefinitionError(
                f"RateLimit({rate}, {per}): one update a millisecond is the most. Take a longer "
                "time, or no limit."
            )
        self._rate, self._per, self._burst = rate, per, burst
        self._notice = notice
        self.name = name

    async def __call__(self, ctx: PreContext[Any]) -> Continue | Stop:
        """Takes a token, or stops the update, if it is something that people send."""
        if not is_chatted(ctx.update):
            return Continue()
        if ctx.within_rate(self.name, rate=self._rate, per=self._per, burst=self._burst):
            return Continue()
        reason = f"more than {self._rate} updates in {self._per}"
        told = self._notice and ctx.once_within(f"rate notice {self.name}", self._per)
        return Stop(self._notice if told else "", reason=reason)


def check_guards(pre_handlers: Sequence[object]) -> None:
    """Raises DefinitionError where two of them would take each other's claims for their own."""
    limits = [one.name for one in pre_handlers if isinstance(one, RateLimit)]
    for name in limits:
        if limits.count(name) > 1:
            raise DefinitionError(
                f"two RateLimits have the name {name!r} and would share their tokens. Give each "
                "a name= of its own."
            )
    keys = [one.key for one in pre_handlers if isinstance(one, Dedup)]
    if any(keys.count(key) > 1 for key in keys):
        raise DefinitionError(
            "two Dedups look at the same, and the second would take everything for a double. "
            "Remove one of the two, or give it a key= of its own."
        )


def is_chatted(update: Update) -> bool:
    """Whether it is something that a person writes, presses or sends."""
    content = update.content
    if isinstance(content, Other) and content.silent:
        return False
    return content.kind in CHATTED


def said(update: Update) -> str | None:
    """What a person has sent, without what every update has for itself."""
    content = update.content
    if not is_chatted(update):
        return None
    if isinstance(content, Press):
        if content.data.startswith(BUTTON_PREFIX):
            return None
        return f"press {content.message} {content.data}"
    return orjson.dumps(content).decode()


def _check_span(name: str, span: object) -> None:
    if not isinstance(span, timedelta) or span < timedelta(milliseconds=1):
        raise DefinitionError(f"{name} must be a timedelta of a millisecond or more, not {span!r}")
