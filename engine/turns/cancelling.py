"""Cancellations: those of ours, and those that come up from what was awaited.

What a storage, a channel or a handler awaits may be cancelled by somebody else; then a
CancelledError comes up in a task that nobody has cancelled. It is a failure like any other: taken
for an end in good order, it would end a loop, or hold up a chat, without a word.
"""

from __future__ import annotations

import asyncio
from typing import Any


def being_cancelled() -> bool:
    """Whether somebody has cancelled the task that runs now."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def failure_of(task: asyncio.Task[Any]) -> BaseException | None:
    """What ended a task that is done and that nobody has cancelled; None: it came to its end."""
    if task.cancelled():
        return RuntimeError("what it awaited was cancelled")
    return task.exception()
