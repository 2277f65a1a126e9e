"""Where SQL databases differ, as far as statements go: one module each, behind ``base.Dialect``."""

from __future__ import annotations

from storage.sql.dialects.base import (
    ONE,
    Among,
    Cursor,
    Dialect,
    Find,
    Number,
    Race,
    Refused,
    Row,
    Work,
    Write,
)

__all__ = [
    "ONE",
    "Among",
    "Cursor",
    "Dialect",
    "Find",
    "Number",
    "Race",
    "Refused",
    "Row",
    "Work",
    "Write",
]
