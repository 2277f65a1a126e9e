"""Which kinds of updates triggers may match, so that a channel need not ask for the others."""

from __future__ import annotations

from flows.routing.deep_links import OnDeepLink
from flows.routing.hears import OnHears
from flows.routing.kind_triggers import OfKinds
from flows.routing.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger
from flows.updates import Update

ALL = frozenset(Update.kinds)


def kinds_of(trigger: Trigger) -> frozenset[str]:
    """The kinds of ``Update.kinds`` that a trigger may match: all, where it cannot be told."""
    # exactly these: what a subclass matches is its own affair
    if type(trigger) in (OnCommand, OnDeepLink):
        return frozenset(("command",))
    if type(trigger) in (OnText, OnHears):
        return frozenset(("text",))
    if type(trigger) is OnCallback:
        return frozenset(("press",))
    if type(trigger) is OnKind:
        return frozenset((trigger.kind,))
    if isinstance(trigger, OfKinds) and type(trigger).match is OfKinds.match:
        return trigger.kinds & ALL
    return ALL
