"""Conversations in the memory of this process: for tests, trials and bots that may forget."""

from __future__ import annotations

from storage.memory.database import MemoryDatabase
from storage.memory.storage import MemoryStorage

__all__ = ["MemoryDatabase", "MemoryStorage"]
