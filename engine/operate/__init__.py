"""Looking at conversations and acting on them from outside."""

from engine.operate.erasing import Erased
from engine.operate.operator import Operator
from engine.operate.receipts import Receipt
from engine.operate.views import InstancePage, InstanceView

__all__ = ["Erased", "InstancePage", "InstanceView", "Operator", "Receipt"]
