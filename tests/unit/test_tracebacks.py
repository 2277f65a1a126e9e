"""What is logged of an error begins where the user's code does."""

from __future__ import annotations

import traceback
from types import TracebackType

from engine.turns.tracebacks import from_handler


def failing() -> None:
    raise LookupError("here")


def raised_by_the_engine(body: str) -> BaseException:
    """An error that has come up through frames of a module of ours."""
    space = {"__name__": "engine.turns.turn", "failing": failing}
    exec(f"def inner():\n    {body}\n\ndef outer():\n    inner()", space)  # noqa: S102
    outer = space["outer"]
    try:
        outer()  # type: ignore[operator]  # made by the line above
    except LookupError as error:
        trace = error.__traceback__
        return error.with_traceback(trace.tb_next if trace is not None else None)
    raise AssertionError("it did not fail")


def names(trace: TracebackType | None) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(trace)]


def test_it_begins_where_the_users_code_does() -> None:
    kind, error, trace = from_handler(raised_by_the_engine("failing()"))
    assert kind is LookupError
    assert str(error) == "here"
    assert names(trace) == ["failing"]


def test_the_error_itself_keeps_its_frames() -> None:
    error = raised_by_the_engine("failing()")
    from_handler(error)
    assert names(error.__traceback__) == ["outer", "inner", "failing"]


def test_an_error_of_the_engines_own_keeps_all_frames() -> None:
    trace = from_handler(raised_by_the_engine("raise LookupError"))[2]
    assert names(trace) == ["outer", "inner"]


def test_an_error_that_was_never_raised_has_no_frames() -> None:
    assert from_handler(ValueError("made"))[2] is None
