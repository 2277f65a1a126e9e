"""The console channel: a conversation in the terminal, or on a pipe."""

from engine.channels.console.channel import ConsoleChannel

__all__ = ["ConsoleChannel"]
