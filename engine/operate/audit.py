"""The audit: who did what to whose conversation, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.operate.homes import Home
from flows.ports import AuditRow, Clock, FlowStorage, Query
from flows.updates import Order

LONGEST = 191
"""Characters of a name that every storage takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What an operator did; fields as of ``flows.ports.AuditRow``, and the number of the entry."""

    id: int
    at: int
    who: str
    what: str
    target: str
    detail: str
    conv: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """What operators did, the newest first; ``next`` is where to go on, or None."""

    rows: tuple[AuditEntry, ...]
    next: str | None


async def page(storage: FlowStorage, query: Query) -> AuditPage:
    """A page of the audit."""
    found = await storage.inspect(query)
    return AuditPage(tuple(map(_entry, found.rows)), found.next)


class Audit:
    """Keeps what somebody does, before it is done: what is kept may come to nothing, and nothing
    is done that is not kept.

    Args:
        who: the operator; None: a program, of which nothing is kept.
    """

    def __init__(self, storage: FlowStorage, clock: Clock, who: str | None) -> None:
        self._storage = storage
        self._clock = clock
        self._who = who

    async def order(self, order: Order, home: Home, detail: str) -> None:
        """An order that was found to be fit, and is about to be given.

        Args:
            detail: what there is to tell besides what the order says itself.
        """
        what = "decide" if order.order == "resume" and not order.token else order.order
        target = order.instance or order.flow or home.scope
        await self.keep(what, target, detail or _detail(order), conv=home.scope)

    async def keep(
        self, what: str, target: str, detail: str = "", *, conv: str | None = None
    ) -> None:
        """Anything else."""
        if self._who is None:
            return
        row = AuditRow(
            who=_short(self._who) or "somebody",
            what=what,
            target=_short(target),
            detail=detail,
            at=self._clock.now(),
            conv=conv,
        )
        await self._storage.audit(row)


def _detail(order: Order) -> str:
    """The operator's words. What an event brings, and what a flow starts with, may be meant for
    the flow alone.
    """
    match order.order:
        case "goto":
            return order.step
        case "cancel" | "cancel_all":
            return order.reason.replace("\0", " ")
        case _:
            return ""


def _short(name: str) -> str:
    return name.replace("\0", " ")[:LONGEST]


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**row)
