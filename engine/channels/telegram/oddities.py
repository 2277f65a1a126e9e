"""What Telegram sends and nothing can be made of: it is kept, and holds up nothing else."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence

from pydantic import ValidationError

from engine.channels.telegram.shapes import Received
from engine.channels.telegram.updates import Page, UpdateReader
from flows.ports import Intake
from flows.updates import Update

log = logging.getLogger("handrail.telegram")


def id_of(raw: object) -> int | None:
    """The update's id; None where it has no valid one."""
    try:
        return Received.model_validate(raw).update_id
    except ValidationError:
        return None


async def keep(intake: Intake, source: str, text: str, *, at: int) -> None:
    """Keeps it as a dead letter; the same once more, as it comes where our answer was lost, is
    known by what it says.

    Args:
        text: the JSON that came in.
        at: when, milliseconds since the epoch.
    """
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    await intake.set_aside(source, f"odd:{name}", text, at=at)


def read_page(
    reader: UpdateReader, raw: Sequence[object], *, now: int
) -> tuple[Page, list[object]]:
    """Reads a page; answers it with what the reader has failed at, which is a bug of ours: it
    would meet the same update in each page from here on.
    """
    try:
        return reader.page(raw, now=now), []
    except Exception:
        log.exception("a page could not be read; its updates are read one by one")
    updates: list[Update] = []
    odd: list[object] = []
    last: int | None = None
    for item in raw:
        try:
            updates += reader.page([item], now=now).updates
        except Exception:  # it is in the log already, for the whole page
            odd.append(item)
        number = id_of(item)
        last = last if number is None else max(number, -1 if last is None else last)
    return Page(tuple(updates), None if last is None else last + 1), odd


def as_json(raw: object) -> str:
    """The JSON text of it, lone surrogates and all."""
    return json.dumps(raw)
