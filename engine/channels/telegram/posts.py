"""What is posted to the webhook: from its bytes to the intake, and the status that it gets.

Telegram posts an update again until it gets a 2xx, and the next one of a chat not before that.
So an update that can never be handled is acknowledged, and kept as a dead letter; what is
refused with 400 is nothing that Telegram has sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from typing import Any

import orjson

from engine.channels.telegram import oddities
from engine.channels.telegram.updates import UpdateReader
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, Intake

log = logging.getLogger("handrail.telegram")

KEPT, MALFORMED, LATER = 200, 400, 503

KEEP_SECONDS = 50.0
"""How long keeping an update may take: Telegram waits for the answer to a post for 60."""

_LONG_NUMBER = re.compile(rb"\d{19}")
"""What may be beyond 64 bits."""


class Posts:
    """Takes the posts of one bot."""

    def __init__(self, reader: UpdateReader, clock: Clock, intake: Intake, source: str) -> None:
        self._reader = reader
        self._clock = clock
        self._intake = intake
        self._source = source

    async def take(self, body: bytes) -> int:
        """Hands in what a post holds and answers the HTTP status that it gets."""
        raw = parsed(body)
        if raw is None:
            log.warning("a post of %d bytes is no JSON object of ours; refused", len(body))
            return MALFORMED
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await self._keep(raw, body)
        except (StorageDown, OutcomeUnknown, TimeoutError) as error:
            reason = str(error) or "the storage did not answer in time"
            log.warning("an update was not kept (%s); Telegram posts it again", reason)
            return LATER
        except Exception:
            log.exception("an update was not kept; Telegram posts it again")
            return LATER
        return KEPT

    async def _keep(self, raw: dict[str, Any], body: bytes) -> None:
        if oddities.id_of(raw) is None:
            self._reader.skipped["update_id"] += 1
            log.warning("an update without a valid update_id is kept as a dead letter")
            await self._set_aside(body)
            return
        try:
            update = self._reader.read(raw, now=self._clock.now())
            if update is not None:
                await self._intake.accept([update])
        except (StorageDown, OutcomeUnknown):
            raise
        except Exception:  # a bug of ours would meet it again each time that it is posted
            log.exception("an update could not be taken; it is kept as a dead letter")
            await self._set_aside(body)

    async def _set_aside(self, body: bytes) -> None:
        text, now = body.decode("utf-8"), self._clock.now()
        await oddities.keep(self._intake, self._source, text, at=now)


def parsed(body: bytes) -> dict[str, Any] | None:
    """The JSON object; None where it is none, or holds a number beyond 64 bits, which no id is.

    Lone surrogates are taken: they are in what people write, and replaced where it is read.
    """
    value: object = None
    if _LONG_NUMBER.search(body) is None:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = _parsed_slowly(body)
    else:
        value = _parsed_slowly(body)
    return value if isinstance(value, dict) else None


def _parsed_slowly(body: bytes) -> object:
    try:
        return json.loads(
            body.decode("utf-8"), parse_int=_whole, parse_float=_finite, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else 2**63
    if not -(2**63) <= number < 2**63:
        raise ValueError("a number beyond 64 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):  # of 1e400 Python would make an infinity
        raise ValueError("a number beyond all that can be kept")
    return number


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
