"""Looking at conversations and acting on them from outside."""

from engine.broadcast.views import BroadcastView
from engine.operate.audit import AuditEntry, AuditPage
from engine.operate.broadcasts import Broadcasts
from engine.operate.dead_letters import DeadLetterPage, DeadLetterRow
from engine.operate.erasing import Erased
from engine.operate.operator import Operator
from engine.operate.receipts import Receipt
from engine.operate.views import InstancePage, InstanceView, Traffic

__all__ = [
    "AuditEntry",
    "AuditPage",
    "BroadcastView",
    "Broadcasts",
    "DeadLetterPage",
    "DeadLetterRow",
    "Erased",
    "InstancePage",
    "InstanceView",
    "Operator",
    "Receipt",
    "Traffic",
]
