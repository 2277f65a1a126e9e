"""Steps that are written in one line: they ask, say, or only go on."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel

from flows.flow import Handler, Outcome
from flows.inputs import Input
from flows.messages.replies import Reply
from flows.turns.actions import Action
from flows.turns.turn import Turn

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps")
T = TypeVar("T")


def asking(
    prompt: str | Reply,
    accept: Input[T],
    *,
    into: str | None,
    save: Callable[[D, T], object] | None,
) -> Handler[Any, D, Any]:
    """A step that asks one question, keeps the answer and goes on."""

    async def asked(turn: Turn[Any, D, Any]) -> Action[Any]:
        keep = _kept(turn.data, into, accept) if into is not None else None
        value = await turn.ask(prompt, accept, keep=keep)
        if save is not None:
            save(turn.data, value)
        elif into is not None:
            setattr(turn.data, into, value)
        return turn.next()

    return asked


def saying(text: str | Reply) -> Handler[Any, Any, Any]:
    """A step that says something and goes on."""

    async def said(turn: Turn[Any, Any, Any]) -> Action[Any]:
        turn.reply(text)
        return turn.next()

    return said


def going_to(step: S) -> Outcome[S, Any, Any]:
    """What to do when the time is up: go there."""

    def gone(turn: Turn[S, Any, Any]) -> Action[S]:
        return turn.goto(step)

    return gone


async def going_on(turn: Turn[Any, Any, Any]) -> Action[Any]:
    """A step that only goes on: its branching or its fork says where."""
    return turn.next()


def _kept(data: BaseModel, field: str, accept: Input[T]) -> T | None:
    """What the field holds, where somebody has set it to what could be an answer."""
    held: T | None = getattr(data, field)
    default = (
        type(data)
        .model_fields[field]
        .get_default(call_default_factory=True, validated_data=dict(data))
    )
    return held if held != default and _takes(accept, held) else None


def _takes(accept: Input[Any], value: object) -> bool:
    """Whether the value is one that the input could have given."""
    try:
        accept.dump(value)
    except ValueError:
        return False
    return value is not None
