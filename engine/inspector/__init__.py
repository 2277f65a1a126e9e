"""The inspector: pages for operators, to look at what runs and to act on it."""

from engine.inspector.access import Role, Visitor
from engine.inspector.inspector import Inspector

__all__ = ["Inspector", "Role", "Visitor"]
