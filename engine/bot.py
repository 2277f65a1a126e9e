"""What every turn of a bot shares: its flows and handlers, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from engine.notices import Notices
from flows.registry import FlowRegistry
from flows.router import Router


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot without its channel and its storage.

    Attributes:
        session: the model of the session; None: there is none.
        deps: the dependencies object, handed to every handler and never stored.
        texts: what the engine itself says.
        rerun_every_step: for tests: run each step again at every question and compare.
    """

    router: Router
    session: type[BaseModel] | None = None
    deps: Any = None
    texts: Notices = field(default_factory=Notices)
    rerun_every_step: bool = False

    @property
    def registry(self) -> FlowRegistry:
        """The flows."""
        return self.router.registry

    def commands(self) -> list[tuple[str, str]]:
        """(name, description) of every command, in the order in which help lists them."""
        return self.router.commands()
