"""Which triggers start which flows, and the commands that work inside every flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flows.errors import DefinitionError, UnknownFlow
from flows.flow import Flow
from flows.triggers import OnCommand, Trigger, command_name

if TYPE_CHECKING:
    from flows.router import Router

AnyFlow = Flow[Any, Any]


@dataclass(frozen=True, slots=True)
class FlowCommand:
    """A command that works inside every flow."""

    name: str
    description: str


class FlowRegistry:
    """The flows of a bot. Triggers are looked at in the order of their registration."""

    def __init__(self) -> None:
        self._flows: dict[str, AnyFlow] = {}
        self._triggers: list[tuple[Trigger, AnyFlow]] = []
        self.cancel: FlowCommand | None = None
        self.back: FlowCommand | None = None
        self.help: FlowCommand | None = None

    @property
    def flows(self) -> Mapping[str, AnyFlow]:
        """All registered flows by name."""
        return MappingProxyType(self._flows)

    @property
    def triggers(self) -> tuple[tuple[Trigger, AnyFlow], ...]:
        """What starts which flow, in order."""
        return tuple(self._triggers)

    def register(self, trigger: Trigger, flow: AnyFlow) -> None:
        """Lets ``trigger`` start ``flow``. One flow may have several triggers.

        Raises:
            DefinitionError: the command is taken, or another flow has this flow's name.
        """
        if isinstance(trigger, OnCommand):
            self._claim(trigger.name)
        self._add(flow)
        self._triggers.append((trigger, flow))

    def register_callable(self, flow: AnyFlow) -> None:
        """Lets ``call_flow`` start ``flow``, which has no trigger of its own.

        Raises:
            DefinitionError: another flow has this flow's name.
        """
        self._add(flow)

    def cancel_command(self, name: str, description: str = "stop what we are doing") -> None:
        """A command that ends the running flow."""
        self.cancel = self._command(name, description)

    def back_command(self, name: str, description: str = "go back a question") -> None:
        """A command that undoes the last answer."""
        self.back = self._command(name, description)

    def help_command(self, name: str, description: str = "what I can do") -> None:
        """A command that lists the commands and then shows the current question again."""
        self.help = self._command(name, description)

    def get(self, name: str) -> AnyFlow:
        """The flow of that name. Raises UnknownFlow, with the near matches."""
        try:
            return self._flows[name]
        except KeyError:
            raise UnknownFlow(name, self._flows) from None

    def apply_to_router(self, router: Router) -> None:
        """Puts these flows in front of the router's own handlers.

        Raises:
            DefinitionError: the router has a registry already.
        """
        router.attach(self)

    def commands(self) -> list[tuple[str, str]]:
        """(name, description) of every command, triggers first."""
        listed = [
            (trigger.name, trigger.description or flow.description or f"start {flow.name}")
            for trigger, flow in self._triggers
            if isinstance(trigger, OnCommand)
        ]
        extra = (command for command in (self.back, self.cancel, self.help) if command)
        return listed + [(command.name, command.description) for command in extra]

    def _command(self, name: str, description: str) -> FlowCommand:
        command = FlowCommand(command_name(name), description)
        self._claim(command.name)
        return command

    def _claim(self, name: str) -> None:
        if any(name == taken for taken, _ in self.commands()):
            raise DefinitionError(f"the command /{name} is registered twice. Remove one.")

    def _add(self, flow: AnyFlow) -> None:
        known = self._flows.setdefault(flow.name, flow)
        if known is not flow:
            raise DefinitionError(
                "another flow of this name is registered. Give one of them another name.",
                flow=flow.name,
            )
