"""What the engine and the channels say of themselves; people send none of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Opened:
    """The person opened the chat again (the console started, a page was reloaded).

    It asks for the current prompt, if there is one, and never counts as an answer.
    """

    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer of ours is due; ``name`` and ``body`` are what the turn that set it wrote."""

    name: str
    body: dict[str, Any]
    kind: Literal["timer"] = "timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Somebody outside of the conversation, an operator or a program, acts on it.

    Attributes:
        order: ``start`` a flow; ``resume`` what waits for an outside event or an operator;
            ``goto`` a step; ``repeat`` the question; ``cancel`` an instance; ``cancel_all`` of the
            conversation.
        instance: the id of the instance, but for ``start`` and ``cancel_all``.
        scope: the storage key of the state that it is kept in, but for ``start``.
        flow: the flow to start.
        data: the arguments to start it with.
        step: the name of the step to go to.
        token: the ticket of an outside event; empty for an operator's ``resume``.
        payload: what the event brings, or the operator's answer: JSON.
        reason: why it is cancelled.
    """

    order: Literal["start", "resume", "goto", "repeat", "cancel", "cancel_all"]
    instance: str = ""
    scope: str = ""
    flow: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    step: str = ""
    token: str = ""
    payload: Any = None
    reason: str = "cancelled"
    kind: Literal["order"] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastOrder:
    """Something is to be done about a broadcast; no conversation ever sees it.

    Attributes:
        order: ``send``: it begins; ``add``: more people for one that has begun; ``feed``: the next
            messages of it are due; ``pause``, ``resume`` and ``cancel`` it.
        source: for ``send``: channel and bot.
        body: for ``send``: the message, as the outbox keeps it.
        everybody: for ``send``: it goes to every private chat of the bot.
        lists: for ``send``: how many orders to ``add`` follow.
        rate: for ``send``: messages a second, at the most.
        report_to: for ``send``: the chat that is shown how far it is.
        locale: for ``send``: that in which it is shown; None: the App's default one.
        chats: for ``add``: the channel's ids of the chats.
        tick: for ``feed``: which one it is; an older one is not heeded.
    """

    order: Literal["send", "add", "feed", "pause", "resume", "cancel"]
    source: str = ""
    body: str = ""
    everybody: bool = False
    lists: int = 0
    rate: int = 0
    report_to: str | None = None
    locale: str | None = None
    chats: tuple[str, ...] = ()
    tick: int = 0
    kind: Literal["broadcast"] = "broadcast"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed:
    """A message of ours will never arrive.

    Attributes:
        slot: the name of the message, where it has one.
        blocked: nor will any other to this chat arrive.
        scope: the storage key of the conversation that has sent it; empty: it is not known.
    """

    slot: str | None
    reason: str
    blocked: bool
    scope: str = ""
    kind: Literal["send_failed"] = "send_failed"


@dataclass(frozen=True, slots=True)
class ChatMigrated:
    """The chat goes by another id from now on; its conversations go on."""

    to: str
    kind: Literal["migrated"] = "migrated"


@dataclass(frozen=True, slots=True)
class Other:
    """Something that has no type of its own yet.

    Attributes:
        name: the channel's word for it.
        silent: nobody waits for an answer to it: an edit, a service message, an album's rest.
    """

    name: str
    silent: bool = False
    kind: Literal["other"] = "other"
