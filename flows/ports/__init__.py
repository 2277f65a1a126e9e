"""The ports: what the engine asks of a storage, a channel and a clock.

An implementation is checked by ``storage.testing``, the contract suite; each obligation of a
port has a test there. Times are milliseconds since the epoch (UTC) unless said.
"""

from __future__ import annotations

from flows.ports.channel import Channel, Delivery, Intake, KeepsRecords, Pause
from flows.ports.clock import Clock
from flows.ports.rows import (
    AuditRow,
    ChatPage,
    Committed,
    DeadLetter,
    Fence,
    InboxRow,
    InstanceRow,
    Limits,
    Line,
    LineRow,
    MessageName,
    OutboxRow,
    Outcome,
    OutgoingRow,
    Page,
    PendingRow,
    Query,
    ScopeWrite,
    SendResult,
    Snapshot,
    Swept,
    Tally,
    TimerDrop,
    TimerRow,
    TransitionRow,
    TurnCommit,
)
from flows.ports.storage import FlowStorage

__all__ = [
    "AuditRow",
    "Channel",
    "ChatPage",
    "Clock",
    "Committed",
    "DeadLetter",
    "Delivery",
    "Fence",
    "FlowStorage",
    "InboxRow",
    "InstanceRow",
    "Intake",
    "KeepsRecords",
    "Limits",
    "Line",
    "LineRow",
    "MessageName",
    "OutboxRow",
    "Outcome",
    "OutgoingRow",
    "Page",
    "Pause",
    "PendingRow",
    "Query",
    "ScopeWrite",
    "SendResult",
    "Snapshot",
    "Swept",
    "Tally",
    "TimerDrop",
    "TimerRow",
    "TransitionRow",
    "TurnCommit",
]
