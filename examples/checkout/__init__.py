"""A small shop: an address as a flow of its own, and a payment that comes from outside."""

from examples.checkout.bot import app

__all__ = ["app"]
