"""Conversations in Redis: one atomic script per call, several workers on one database."""

from __future__ import annotations

from storage.redis.storage import RedisStorage

__all__ = ["RedisStorage"]
