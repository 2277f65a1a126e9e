"""Delivery of the outbox: in order per chat, chats independent of each other."""

from engine.delivery.sender import Sender

__all__ = ["Sender"]
