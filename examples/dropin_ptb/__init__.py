"""Flows inside a bot of python-telegram-bot that was there before."""

from examples.dropin_ptb.feedback import app

__all__ = ["app"]
