"""Telling Telegram where to post updates, and asking what it knows of that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.backoff import Backoff
from engine.channels.telegram.api import Api
from engine.channels.telegram.client import AnswerLost, Busy, CallFailed, Refused
from engine.channels.telegram.redaction import redact
from engine.channels.telegram.webhook import Webhook
from flows.errors import ChannelStopped
from flows.ports import Clock

log = logging.getLogger("handrail.telegram")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookInfo:
    """What Telegram knows of a bot's webhook.

    Attributes:
        url: where it posts; empty: nowhere, the bot may poll.
        waiting: how many updates wait to be posted, or polled.
        allowed_updates: the types that it posts; empty: those that it posts by default.
        error, error_at: what went wrong with a post last, and when, if anything has.
    """

    url: str
    waiting: int
    connections: int | None
    allowed_updates: tuple[str, ...]
    error: str
    error_at: datetime | None


async def register(api: Api, webhook: Webhook, clock: Clock, allowed: Sequence[str]) -> None:
    """Sets the webhook; tries until Telegram can be reached. Updates that wait are kept.

    Args:
        allowed: the types of update to ask for.

    Raises:
        ChannelStopped: the token is revoked, or Telegram refuses the webhook.
    """
    params = {
        "url": webhook.url,
        "secret_token": webhook.secret,
        "allowed_updates": allowed,
        "max_connections": webhook.connections,
        "drop_pending_updates": False,
    }
    source = f"telegram:{api.bot_id}"
    backoff = Backoff(base=1, cap=60)
    while True:
        try:
            await api.call("setWebhook", params)
        except Refused as failure:
            reason = str(failure)
        except CallFailed as failure:
            asked = failure.seconds if isinstance(failure, Busy) else None
            seconds = backoff.next() if asked is None else asked
            log.warning(
                "%s: the webhook was not set (%s); trying again in %.1f s",
                source, failure, seconds,
            )  # fmt: skip
            await clock.sleep(seconds)
            continue
        else:
            log.info("%s: Telegram posts updates to %s", source, webhook.where)
            return
        raise ChannelStopped(
            f"Telegram refuses to post updates to {webhook.where}: {reason}. It posts to https "
            "at the ports 443, 80, 88 and 8443; look at HANDRAIL_TELEGRAM_WEBHOOK_URL."
        )


async def info(api: Api) -> WebhookInfo:
    """Asks what Telegram knows.

    Raises:
        CallFailed: it did not answer.
        ChannelStopped: the token is revoked.
    """
    known = await api.call("getWebhookInfo", {})
    if not isinstance(known, dict):
        raise AnswerLost("the answer to getWebhookInfo is no object")
    return _info(known)


async def remove(api: Api) -> None:
    """Removes the webhook, so that the bot may poll. Updates that wait are kept.

    Raises:
        CallFailed: Telegram did not do so.
        ChannelStopped: the token is revoked.
    """
    await api.call("deleteWebhook", {"drop_pending_updates": False})


def _info(known: dict[str, Any]) -> WebhookInfo:
    at = known.get("last_error_date")
    return WebhookInfo(
        url=redact(str(known.get("url", ""))),
        waiting=int(known.get("pending_update_count", 0)),
        connections=known.get("max_connections"),
        allowed_updates=tuple(known.get("allowed_updates", ())),
        error=redact(str(known.get("last_error_message", ""))),
        error_at=datetime.fromtimestamp(at, tz=UTC) if type(at) is int else None,
    )
