"""What is wrong with a function, a text or a question that a definition is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from flows.definition.naming import shown
from flows.inputs import Input
from flows.messages.replies import Reply


def call_refusal(function: object, *parameters: str) -> str | None:
    """Why this is no async function of these parameters; None where it is one."""
    wanted = f"async def ({', '.join(parameters)})"
    called = getattr(function, "__call__", None)  # noqa: B004 - the method itself is inspected
    if isinstance(function, type) or not callable(function):
        return f"must be '{wanted}', not {function!r}"
    if not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(called):
        return f"{shown(function)} must be '{wanted}'; it is not async"
    return _binding_refusal(function, wanted, parameters)


def outcome_refusal(function: object) -> str | None:
    """Why this is no function of a turn, async or not; None where it is one."""
    return _plain_refusal(function, "def (turn)", "turn")


def plain_call_refusal(function: object, parameter: str) -> str | None:
    """Why this is no plain function of one parameter; None where it is one."""
    wanted = f"def ({parameter})"
    if inspect.iscoroutinefunction(function):
        return f"{shown(function)} must be '{wanted}'; it is async"
    return _plain_refusal(function, wanted, parameter)


def _plain_refusal(function: object, wanted: str, parameter: str) -> str | None:
    if not callable(function):
        return f"must be '{wanted}', not {function!r}"
    return _binding_refusal(function, wanted, (parameter,))


def _binding_refusal(
    function: Callable[..., object], wanted: str, parameters: Sequence[str]
) -> str | None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # written in C, such as max
        return None
    try:
        signature.bind(*parameters)
    except TypeError as error:
        return f"{shown(function)} must be '{wanted}'. Called like that: {error}"
    return None


def saying_refusal(text: object) -> str | None:
    """Why nothing can be said with this; None where something can."""
    said = isinstance(text, Reply) and not text.blank
    if not said and not (isinstance(text, str) and text.strip()):
        return f"it says {text!r}, which no channel can send. Give it a text."
    return None


def question_refusal(prompt: object, accept: object) -> str | None:
    """Why this cannot be asked; None where it can."""
    if not isinstance(accept, Input):
        example = f"{accept.__name__}()" if isinstance(accept, type) else "Text()"
        return f"it asks for {accept!r}, which is no input. Write one such as {example}."
    return saying_refusal(prompt)
