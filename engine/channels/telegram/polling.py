"""Long polling: pages are acknowledged once they are kept, and failures heal."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from engine.backoff import Backoff
from engine.channels.telegram.api import Api
from engine.channels.telegram.client import AnswerLost, Busy, CallFailed, Conflict
from engine.channels.telegram.oddities import as_json, keep, read_page
from engine.channels.telegram.updates import UpdateReader
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, Intake

log = logging.getLogger("handrail.telegram")

POLL_SECONDS = 50
"""How long Telegram holds a poll that has nothing to say; it takes no more than 50."""

POLL_GRACE = 15.0
"""Seconds beyond that until the answer counts as lost."""

PAGE = 100

HANDOVER = 2
"""Conflicts in a row that are no error: another worker of the bot is taking over, or was stopped
while it polled and has not heard yet that it is not its turn any more.
"""

WEBHOOK_PAUSE = 10.0
"""Seconds between polls while a webhook is set: it does not go away by itself."""


async def poll(
    api: Api, reader: UpdateReader, clock: Clock, intake: Intake, allowed: Sequence[str]
) -> None:
    """Hands in page after page until it is cancelled.

    Args:
        allowed: the types of update to ask for.

    Raises:
        ChannelStopped: the token is revoked.
    """
    offset: int | None = None
    service = Backoff(base=1, cap=60)
    rivals = Backoff(base=2, cap=120)
    storage = Backoff(base=0.5, cap=30)
    while True:
        try:
            raw = await _updates(api, offset, allowed)
        except CallFailed as failure:
            await clock.sleep(_pause(failure, service, rivals, f"telegram:{api.bot_id}"))
            continue
        page, odd = read_page(reader, raw, now=clock.now())
        if raw and page.next_offset is None:
            log.error("none of %d updates has a valid update_id; asking again", len(raw))
            await clock.sleep(service.next())
            continue
        service.reset()
        rivals.reset()
        try:
            if page.updates:
                await intake.accept(page.updates)
            for item in odd:
                await keep(intake, f"telegram:{api.bot_id}", as_json(item), at=clock.now())
        except (StorageDown, OutcomeUnknown) as error:
            seconds = storage.next()
            log.warning("updates were not kept (%s); asking again in %.1f s", error, seconds)
            await clock.sleep(seconds)
            continue
        storage.reset()
        # Only now: a higher offset makes Telegram forget what lies below it. And not the
        # highest offset ever: after a quiet week the ids start anew, perhaps lower.
        offset = offset if page.next_offset is None else page.next_offset


async def _updates(api: Api, offset: int | None, allowed: Sequence[str]) -> list[object]:
    params: dict[str, Any] = {
        "timeout": POLL_SECONDS,
        "limit": PAGE,
        "allowed_updates": allowed,
    }
    if offset is not None:
        params["offset"] = offset
    result = await api.call("getUpdates", params, seconds=POLL_SECONDS + POLL_GRACE)
    if not isinstance(result, list):
        raise AnswerLost("the answer to getUpdates is no list of updates")
    return result


def _pause(failure: CallFailed, service: Backoff, rivals: Backoff, source: str) -> float:
    """Says what went wrong with a poll, and answers the seconds to wait."""
    if isinstance(failure, Conflict):
        webhook = _is_of_webhook(failure)
        seconds = max(rivals.next(), WEBHOOK_PAUSE if webhook else 0.0)
        is_new = rivals.failures == (1 if webhook else HANDOVER + 1)
        level = logging.ERROR if is_new else logging.DEBUG
        log.log(
            level, "%s: %s Trying again in %.0f s (%s)",
            source, _rival(failure), seconds, failure,
        )  # fmt: skip
        return seconds
    asked = failure.seconds if isinstance(failure, Busy) else None
    seconds = service.next() if asked is None else asked
    log.warning("%s: no updates (%s); trying again in %.1f s", source, failure, seconds)
    return seconds


def _rival(failure: Conflict) -> str:
    if _is_of_webhook(failure):
        return (
            "This bot has a webhook set, so Telegram gives no updates to polling. "
            "Remove it with 'handrail webhook delete', or run with it: 'handrail run --webhook'."
        )
    return (
        "Another process polls with the same token, and it is no worker on this database, so "
        "updates go to the one or the other. Stop one of the two."
    )


def _is_of_webhook(failure: Conflict) -> bool:
    return "webhook" in failure.reason.lower()
