"""Files on their way out by another library's client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson

from engine.channels.telegram.client import AnswerLost
from flows.errors import SendLater

UPLOAD_SECONDS = 60.0
"""How long Telegram may take for a file."""

_LOOK_SECONDS = 2.0


def named_in(params: Mapping[str, Any], name: str) -> bool:
    """Whether something in the parameters leads to the file of this name; else it is one itself."""
    return f'"attach://{name}"' in orjson.dumps(dict(params)).decode()


async def watched(work: Coroutine[Any, Any, object], go_on: Callable[[], bool] | None) -> object:
    """Awaits an upload, and asks every two seconds whether it is to go on.

    Returns:
        What it returns; AnswerLost where it was not to go on.

    Raises:
        SendLater: it was not to begin.
    """
    if go_on is not None and not go_on():
        work.close()
        raise SendLater(1, "the upload was stopped: its chat went to another worker")
    sending = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({sending}, timeout=_LOOK_SECONDS))[0]:
            if go_on is not None and not go_on():
                return AnswerLost("the chat went to another worker before there was an answer")
        return sending.result()
    finally:
        sending.cancel()
