"""A survey that is made out of a pydantic model, and what everybody has said so far."""

from examples.survey.bot import app

__all__ = ["app"]
