"""Sending under the eyes of observers."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from engine.telemetry.ids import Ids
from engine.telemetry.observer import SendOutcome
from engine.telemetry.observing import Observing
from flows.errors import ChannelStopped
from flows.ports import SendResult

if TYPE_CHECKING:
    from engine.delivery.chats import Queue
    from engine.delivery.letters import Row


def ids_of_row(row: Row) -> Ids:
    """What is known of a message on its way: who says it, and the turn that has made it."""
    return Ids(conversation=row.conv, turn=row.turn)


async def watched_send(
    observing: Observing, queue: Queue, row: Row, run: Awaitable[SendResult | None]
) -> SendResult | None:
    """Tries to send the first message of a chat. Raises what that raises."""
    source, cuts = queue.address.source, queue.cuts
    begun = observing.send_begun(source, row)
    outcome: SendOutcome = "uncertain"  # where it is cut off
    try:
        result = await run
        outcome = "uncertain" if queue.cuts > cuts else _outcome(result)
        return result
    except ChannelStopped:
        outcome = "later"
        raise
    finally:
        observing.send_ended(source, row, outcome, begun=begun)


def _outcome(result: SendResult | None) -> SendOutcome:
    if result is None:
        return "waiting"
    match result.state:
        case "sent":
            return "sent"
        case "dead":
            return "refused"
    return "later"
