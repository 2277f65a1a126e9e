"""Telegram, over its Bot API."""

from engine.channels.telegram.channel import TelegramChannel

__all__ = ["TelegramChannel"]
