"""What a function is called in messages."""

from __future__ import annotations


def shown(function: object) -> str:
    """Its module and name, such as ``bot.start``; of what has no name, how Python shows it."""
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if isinstance(name, str) else repr(function)
