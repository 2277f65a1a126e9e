"""Long polling: pages are acknowledged once they are kept, and failures heal."""

from __future__ import annotations

import logging
from typing import Any

from engine.channels.telegram.backoff import Backoff
from engine.channels.telegram.client import AnswerLost, BotApi, Busy, CallFailed, Conflict
from engine.channels.telegram.updates import UpdateReader
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, Intake

log = logging.getLogger("handrail.telegram")

POLL_SECONDS = 50
"""How long Telegram holds a poll that has nothing to say; it takes no more than 50."""

POLL_GRACE = 15.0
"""Seconds beyond that until the answer counts as lost."""

PAGE = 100

ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
"""Sent with each poll: Telegram would go on with the set of whoever polled before."""


async def poll(api: BotApi, reader: UpdateReader, clock: Clock, intake: Intake) -> None:
    """Hands in page after page until it is cancelled.

    Raises:
        ChannelStopped: the token is revoked.
    """
    offset: int | None = None
    service = Backoff(base=1, cap=60)
    rivals = Backoff(base=10, cap=120)
    storage = Backoff(base=0.5, cap=30)
    while True:
        try:
            raw = await _updates(api, offset)
        except CallFailed as failure:
            await clock.sleep(_pause(failure, service, rivals))
            continue
        page = reader.page(raw, now=clock.now())
        if raw and page.next_offset is None:
            log.error("none of %d updates has a valid update_id; asking again", len(raw))
            await clock.sleep(service.next())
            continue
        service.reset()
        rivals.reset()
        try:
            if page.updates:
                await intake.accept(page.updates)
        except (StorageDown, OutcomeUnknown) as error:
            seconds = storage.next()
            log.warning("updates were not kept (%s); asking again in %.1f s", error, seconds)
            await clock.sleep(seconds)
            continue
        storage.reset()
        # Only now: a higher offset makes Telegram forget what lies below it. And not the
        # highest offset ever: after a quiet week the ids start anew, perhaps lower.
        offset = offset if page.next_offset is None else page.next_offset


async def _updates(api: BotApi, offset: int | None) -> list[object]:
    params: dict[str, Any] = {
        "timeout": POLL_SECONDS,
        "limit": PAGE,
        "allowed_updates": ALLOWED_UPDATES,
    }
    if offset is not None:
        params["offset"] = offset
    result = await api.call("getUpdates", params, seconds=POLL_SECONDS + POLL_GRACE)
    if not isinstance(result, list):
        raise AnswerLost("the answer to getUpdates is no list of updates")
    return result


def _pause(failure: CallFailed, service: Backoff, rivals: Backoff) -> float:
    """Says what went wrong with a poll, and answers the seconds to wait."""
    if isinstance(failure, Conflict):
        seconds = rivals.next()
        level = logging.ERROR if rivals.failures == 1 else logging.DEBUG
        log.log(level, "%s Trying again in %.0f s (%s)", _rival(failure), seconds, failure)
        return seconds
    seconds = failure.seconds if isinstance(failure, Busy) else service.next()
    log.warning("no updates from Telegram (%s); trying again in %.1f s", failure, seconds)
    return seconds


def _rival(failure: Conflict) -> str:
    if "webhook" in failure.reason.lower():
        return (
            "This bot has a webhook set, so Telegram gives no updates to polling. "
            "Remove it with deleteWebhook, or run with the webhook."
        )
    return (
        "Another process polls with the same token, so updates go to the one or the other. "
        "Stop one of the two."
    )
