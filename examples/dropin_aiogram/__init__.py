"""Flows inside a bot of aiogram that was there before."""

from examples.dropin_aiogram.booking import app

__all__ = ["app"]
