"""Telegram, over its Bot API."""

from engine.channels.telegram.channel import TelegramChannel
from engine.channels.telegram.webhook import Webhook

__all__ = ["TelegramChannel", "Webhook"]
