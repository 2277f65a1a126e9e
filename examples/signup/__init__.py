"""A sign-up wizard: four questions, a summary, and any answer edited from there."""

from examples.signup.bot import app

__all__ = ["app"]
