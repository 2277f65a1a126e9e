"""Tasks that begin at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any


def eager(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that runs at once up to its first real wait, where Python can do that (3.12)."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.ensure_future(work)
