"""Conversations in an SQL database: SQLite, PostgreSQL, MariaDB or MySQL."""

from __future__ import annotations

from storage.sql.storage import SqlStorage

__all__ = ["SqlStorage"]
