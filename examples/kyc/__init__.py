"""An identity check: three branches in any order, and a person who decides at the end."""

from examples.kyc.bot import app

__all__ = ["app"]
