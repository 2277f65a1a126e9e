"""Spans for OpenTelemetry; needs the extra ``handrail[otel]``, and an SDK that you set up.

A turn is a trace: ``handrail.turn`` with ``handrail.step``, ``handrail.commit`` and
``handrail.send`` beneath it, linked to the ``handrail.accept`` that has brought its update, where
that was in this process. The number of the turn is an attribute of all of them, so that what
happened in two processes can be brought together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from hashlib import blake2b
from time import time_ns
from typing import Literal

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode

from engine.telemetry.bounded import Bounded
from engine.telemetry.observer import (
    Accepted,
    CommitEnded,
    Observer,
    SendBegun,
    SendEnded,
    StepBegun,
    StepEnded,
    TurnBegun,
    TurnEnded,
)

Value = str | int | float | bool | Sequence[int]

Conversations = Literal["none", "hashed", "plain"]

TROUBLE = frozenset({"failed", "dead", "refused", "uncertain"})
"""Outcomes that mark a span as an error."""

_Open = tuple[Span, Token[Context]]
"""A span that is the current one, and what makes the one before current again."""

_open: ContextVar[tuple[_Open, ...]] = ContextVar("handrail_spans", default=())


class OpenTelemetry(Observer):
    """Makes spans. Hand it to ``App(observers=[...])``.

    Spans hold names of flows and steps, ids of instances, numbers, outcomes and types of
    exceptions; never a text of anybody, nor that of an exception. The span of a step is the
    current one while its handler runs, so that spans of your own lie beneath it.

    Args:
        tracer_provider: None: the one that is set globally.
        conversations: whether spans name their conversation, which holds ids of the chat and the
            person: ``hashed`` by a digest, ``plain`` as it is, ``none`` not at all.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        *,
        conversations: Conversations = "none",
    ) -> None:
        self._tracer = trace.get_tracer("handrail", tracer_provider=tracer_provider)
        self._conversations = conversations
        self._accepts: Bounded[int, SpanContext] = Bounded()
        self._turns: Bounded[int, Span] = Bounded()
        self._parents: Bounded[int, SpanContext] = Bounded()

    def accepted(self, page: Accepted) -> None:
        """A span for a page of updates."""
        span = self._past(
            "handrail.accept",
            page.seconds,
            {
                "handrail.source": page.source,
                "handrail.turns": list(page.turns),
                "handrail.duplicates": page.duplicates,
            },
        )
        for turn in page.turns:
            self._accepts[turn] = span

    def turn_begun(self, turn: TurnBegun) -> None:
        """Begins the span of a turn."""
        accept = self._accepts.pop(turn.turn, None)
        span = self._tracer.start_span(
            "handrail.turn",
            context=Context(),  # a trace of its own, whatever runs around it
            kind=SpanKind.CONSUMER,
            links=[Link(accept)] if accept is not None else [],
            attributes={
                "handrail.turn": turn.turn,
                "handrail.source": turn.source,
                "handrail.kind": turn.kind,
                "handrail.tries": turn.tries,
                **self._conversation(turn.conversation),
            },
        )
        if turn.late is not None:
            span.set_attribute("handrail.late", turn.late)
        self._turns[turn.turn] = span
        self._parents[turn.turn] = span.get_span_context()
        _enter(span)

    def turn_ran(self, turn: int) -> None:
        """The span is the current one no longer; it goes on until the commit is answered."""
        _leave()

    def turn_ended(self, turn: TurnEnded) -> None:
        """Ends the span of a turn."""
        span = self._turns.pop(turn.turn, None)
        if span is not None:
            _end(span, turn.outcome)

    def step_begun(self, step: StepBegun) -> None:
        """Begins the span of a run of a step."""
        span = self._tracer.start_span(
            "handrail.step",
            attributes={
                "handrail.turn": step.turn,
                "handrail.flow": step.flow,
                "handrail.step": step.step,
                "handrail.instance": step.instance,
                **self._conversation(step.conversation),
            },
        )
        _enter(span)

    def step_ended(self, step: StepEnded) -> None:
        """Ends the span of a run of a step."""
        span = _leave()
        if span is None:
            return
        if step.error is not None:
            span.set_attribute("error.type", step.error)
        _end(span, step.outcome)

    def committed(self, commit: CommitEnded) -> None:
        """A span for the part of each turn in a commit."""
        for turn, outcome in commit.outcomes.items():
            self._past(
                "handrail.commit",
                commit.seconds,
                {
                    "handrail.turn": turn,
                    "handrail.outcome": outcome,
                    "handrail.commit.turns": len(commit.outcomes),
                    "handrail.commit.size": commit.size,
                },
                parent=self._parents.get(turn),
            )

    def send_begun(self, send: SendBegun) -> None:
        """Begins the span of a try to send."""
        parent = self._parents.get(send.turn)
        span = self._tracer.start_span(
            "handrail.send",
            context=_under(parent),
            kind=SpanKind.PRODUCER,
            attributes={
                "handrail.turn": send.turn,
                "handrail.n": send.n,
                "handrail.source": send.source,
                **self._conversation(send.conversation),
            },
        )
        _enter(span)

    def send_ended(self, send: SendEnded) -> None:
        """Ends the span of a try to send."""
        span = _leave()
        if span is not None:
            _end(span, send.outcome)

    def timers_fired(self, count: int) -> None:
        """A span for a round of timers."""
        self._past("handrail.timers", 0.0, {"handrail.timers.fired": count})

    def _past(
        self,
        name: str,
        seconds: float,
        attributes: Mapping[str, Value],
        *,
        parent: SpanContext | None = None,
    ) -> SpanContext:
        """A span of what is over already."""
        end = time_ns()
        span = self._tracer.start_span(
            name,
            context=_under(parent),
            attributes=attributes,
            start_time=end - int(seconds * 1_000_000_000),
        )
        span.end(end)
        return span.get_span_context()

    def _conversation(self, name: str | None) -> dict[str, str]:
        if name is None or self._conversations == "none":
            return {}
        if self._conversations == "hashed":
            name = blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest()
        return {"handrail.conversation": name}


def _under(parent: SpanContext | None) -> Context:
    """A context in which that is the current span; or none is."""
    if parent is None:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def _enter(span: Span) -> None:
    """Makes it the current span."""
    token = attach(trace.set_span_in_context(span))
    _open.set((*_open.get(), (span, token)))


def _leave() -> Span | None:
    """Makes the span before it the current one; answers the one that was."""
    opened = _open.get()
    if not opened:
        return None
    *before, (span, token) = opened
    _open.set(tuple(before))
    detach(token)
    return span


def _end(span: Span, outcome: str) -> None:
    span.set_attribute("handrail.outcome", outcome)
    if outcome in TROUBLE:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
