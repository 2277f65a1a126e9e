"""Conversations in an SQL database: SQLite as yet."""

from __future__ import annotations

from storage.sql.storage import SqlStorage

__all__ = ["SqlStorage"]
