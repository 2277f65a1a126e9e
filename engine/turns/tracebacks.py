"""Tracebacks of what handlers raise, as they are logged.

They begin at the handler: the engine's frames before it are the same every time, and everybody
waits while they are formatted, which takes longer than a turn does.
"""

from __future__ import annotations

from types import TracebackType

ENGINE = frozenset({"engine", "flows", "storage"})
"""The packages whose frames come before those of a handler."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def from_handler(error: BaseException) -> ExcInfo:
    """What a log record takes as its ``exc_info``. What no handler has raised keeps all frames."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    return type(error), error, trace if trace is not None else error.__traceback__


def _is_ours(trace: TracebackType) -> bool:
    module = trace.tb_frame.f_globals.get("__name__", "")
    return isinstance(module, str) and module.partition(".")[0] in ENGINE
