"""Which triggers start which flows, and the commands that work inside every flow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from flows.errors import DefinitionError, StartRefused, UnknownFlow
from flows.flow import Flow
from flows.keys import Key
from flows.triggers import OnCommand, Trigger, check_trigger, command_name

if TYPE_CHECKING:
    from flows.router import Router

AnyFlow = Flow[Any, Any, Any]


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
        self._keys: dict[Key, None] = {}
        self._elsewhere: list[Callable[[], Iterable[str]]] = []
        self.cancel: FlowCommand | None = None
        self.back: FlowCommand | None = None
        self.help: FlowCommand | None = None
        self.cancel_scope: Literal["top", "all"] = "top"

    @property
    def flows(self) -> Mapping[str, AnyFlow]:
        """All registered flows by name."""
        return MappingProxyType(self._flows)

    @property
    def keys(self) -> Collection[Key]:
        """What the registered flows are keyed by, each once, in order."""
        return self._keys.keys()

    @property
    def triggers(self) -> tuple[tuple[Trigger, AnyFlow], ...]:
        """What starts which flow, in order."""
        return tuple(self._triggers)

    def register(self, trigger: Trigger, flow: AnyFlow) -> None:
        """Lets ``trigger`` start ``flow``. One flow may have several triggers. The flows that its
        steps call are registered with it.

        Raises:
            DefinitionError: the command is taken, another flow has this flow's name, the same
                trigger is registered already, or the data cannot start without arguments,
                which a trigger does not give.
        """
        check_trigger(trigger)
        if isinstance(trigger, OnCommand):
            self._claim(trigger.name)
        if any(trigger == known for known, _ in self._triggers):
            raise DefinitionError(f"{trigger} is registered twice. Remove one of the two.")
        self._add(flow)
        _check_start(flow)
        self._triggers.append((trigger, flow))

    def register_callable(self, flow: AnyFlow) -> None:
        """Lets ``call_flow`` start ``flow``, which has no trigger of its own.

        Raises:
            DefinitionError: another flow has this flow's name.
        """
        self._add(flow)

    def cancel_command(
        self,
        name: str,
        description: str = "stop what we are doing",
        *,
        scope: Literal["top", "all"] = "top",
    ) -> None:
        """A command that ends the running flow, or with ``scope="all"`` those beneath as well."""
        self.cancel_scope = scope
        self.cancel = self._command(self.cancel, name, description)

    def back_command(self, name: str, description: str = "go back a question") -> None:
        """A command that undoes the last answer."""
        self.back = self._command(self.back, name, description)

    def help_command(self, name: str, description: str = "what I can do") -> None:
        """A command that lists the commands and then shows the current question again."""
        self.help = self._command(self.help, name, description)

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

    def take_names(self, elsewhere: Callable[[], Iterable[str]]) -> None:
        """The commands that ``elsewhere`` answers are not free any more."""
        self._elsewhere.append(elsewhere)

    def _command(self, known: FlowCommand | None, name: str, description: str) -> FlowCommand:
        command = FlowCommand(command_name(name), description)
        if known is not None:
            raise DefinitionError(
                f"the command /{command.name} would take the place of /{known.name}, which does "
                "the same. Keep one of the two."
            )
        self._claim(command.name)
        return command

    def _claim(self, name: str) -> None:
        elsewhere = {taken for names in self._elsewhere for taken in names()}
        if name in elsewhere or any(name == taken for taken, _ in self.commands()):
            raise DefinitionError(
                f"the command /{name} is registered twice. Remove one of the two."
            )

    def _add(self, flow: AnyFlow) -> None:
        if not isinstance(flow, Flow):
            raise DefinitionError(
                f"{flow!r} is no flow. Register what FlowBuilder's build(initial=...) answers."
            )
        known = self._flows.setdefault(flow.name, flow)
        if known is not flow:
            raise DefinitionError(
                "another flow of this name is registered. Give one of them another name.",
                flow=flow.name,
            )
        for child in flow.children:
            self._add(child)
        self._keys.setdefault(flow.key)


def _check_start(flow: AnyFlow) -> None:
    try:
        flow.start({})
    except StartRefused as refused:
        raise DefinitionError(
            f"a trigger starts it without arguments, which its data needs: field "
            f"{refused.field!r}: {refused.reason}. Give the field a default, or start the flow "
            "with call_flow and register it with register_callable.",
            flow=flow.name,
        ) from None
