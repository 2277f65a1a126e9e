"""Which triggers start which flows, and the commands that work inside every flow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from flows.errors import DefinitionError, StartRefused, UnknownFlow
from flows.filters import Condition, Facts, Filter, filter_of
from flows.flow import Flow
from flows.keys import Key
from flows.menus import MenuCommand, described_once, languages_of_menu
from flows.messages.translations import gettext
from flows.routing.matching import Matching
from flows.routing.roles import Requirement, requirement_of
from flows.routing.triggers import OnCommand, Trigger, check_trigger, command_name

if TYPE_CHECKING:
    from flows.routing.router import Router

AnyFlow = Flow[Any, Any, Any]

NO_LANGUAGES: Mapping[str, str] = MappingProxyType({})
"""A command that is described in one language alone."""


@dataclass(frozen=True, slots=True)
class FlowCommand:
    """A command that works inside every flow."""

    name: str
    description: str
    languages: tuple[tuple[str, str], ...] = ()


class FlowRegistry:
    """The flows of a bot. Triggers are looked at in the order of their registration."""

    def __init__(self) -> None:
        self._flows: dict[str, AnyFlow] = {}
        self._seen = MappingProxyType(self._flows)
        self._matching: Matching[AnyFlow] | None = None
        self._triggers: list[tuple[Trigger, Filter | None, AnyFlow]] = []
        self._keys: dict[Key, None] = {}
        self._requirements: dict[str, Requirement | None] = {}
        self._elsewhere: list[Callable[[], Iterable[str]]] = []
        self.cancel: FlowCommand | None = None
        self.back: FlowCommand | None = None
        self.help: FlowCommand | None = None
        self.cancel_scope: Literal["top", "all"] = "top"

    @property
    def flows(self) -> Mapping[str, AnyFlow]:
        """All registered flows by name."""
        return self._seen

    @property
    def keys(self) -> Collection[Key]:
        """What the registered flows, and what else is kept, are keyed by, each once, in order."""
        return self._keys.keys()

    @property
    def triggers(self) -> tuple[tuple[Trigger, AnyFlow], ...]:
        """What starts which flow, in order."""
        return tuple((trigger, flow) for trigger, _, flow in self._triggers)

    @property
    def matching(self) -> Matching[AnyFlow]:
        """What finds the flow that an update starts."""
        if self._matching is None:
            self._matching = Matching(self._triggers)
        return self._matching

    def started_by(self, facts: Facts) -> tuple[AnyFlow, str] | None:
        """The flow that an update starts, with its payload; None: no trigger matches. Deep links
        are asked before, by ``matching.first_link``.
        """
        return self.matching.first(facts)

    def register(
        self,
        trigger: Trigger,
        flow: AnyFlow,
        *,
        where: Condition | None = None,
        requires: Requirement | str | None = None,
    ) -> None:
        """Lets ``trigger`` start ``flow``. One flow may have several triggers. The flows that its
        steps call are registered with it.

        Args:
            where: what the update has to be, too: one of ``flows.filters``, or a function of the
                update.
            requires: the role that a person needs to start the flow by a trigger, or
                ``requires(...)``; others are refused. It is the same for all triggers of a flow;
                handlers (``call_flow``) and operators start it for anybody.

        Raises:
            DefinitionError: the command is taken, another flow has this flow's name, the same
                trigger is registered already, the flow has a trigger with another requirement,
                or the data cannot start without arguments, which a trigger does not give.
        """
        check_trigger(trigger)
        wanted = filter_of(where) if where is not None else None
        requirement = requirement_of(requires)
        if isinstance(trigger, OnCommand):
            self._claim(trigger.name, filtered=wanted is not None)
        if any((trigger, wanted) == known[:2] for known in self._triggers):
            raise DefinitionError(f"{trigger} is registered twice. Remove one of the two.")
        self._add(flow)
        _check_start(flow)
        self._require(flow, requirement)
        self._triggers.append((trigger, wanted, flow))
        self._matching = None

    def register_callable(self, flow: AnyFlow) -> None:
        """Lets ``call_flow`` start ``flow``, which has no trigger of its own.

        Raises:
            DefinitionError: another flow has this flow's name.
        """
        self._add(flow)

    def cancel_command(
        self,
        name: str,
        description: str = gettext("stop what we are doing"),
        *,
        scope: Literal["top", "all"] = "top",
        languages: Mapping[str, str] = NO_LANGUAGES,
    ) -> None:
        """A command that ends the running flow, or with ``scope="all"`` those beneath as well."""
        self.cancel_scope = scope
        self.cancel = self._command(self.cancel, name, description, languages)

    def back_command(
        self,
        name: str,
        description: str = gettext("go back a question"),
        *,
        languages: Mapping[str, str] = NO_LANGUAGES,
    ) -> None:
        """A command that undoes the last answer."""
        self.back = self._command(self.back, name, description, languages)

    def help_command(
        self,
        name: str,
        description: str = gettext("what I can do"),
        *,
        languages: Mapping[str, str] = NO_LANGUAGES,
    ) -> None:
        """A command that lists the commands and then shows the current question again."""
        self.help = self._command(self.help, name, description, languages)

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
        """(name, description) of every command, each once, triggers first."""
        return described_once(self.menu())

    def menu(self) -> list[MenuCommand]:
        """Every command, triggers first; one with filters may stand there several times."""
        listed = [
            trigger.in_menu(flow.description or gettext("start {flow}", flow=flow.name))
            for trigger, _, flow in self._triggers
            if isinstance(trigger, OnCommand)
        ]
        return listed + [_in_menu(command) for command in self._everywhere()]

    def settles(self, name: str, *, in_states: bool = False) -> bool:
        """Whether the command never gets to the handlers of a router.

        Args:
            in_states: to those for people who are in a state, which go before triggers.
        """
        if any(command.name == name for command in self._everywhere()):
            return True
        return not in_states and any(
            where is None and isinstance(trigger, OnCommand) and trigger.name == name
            for trigger, where, _ in self._triggers
        )

    def requirement(self, flow: str) -> Requirement | None:
        """What a person needs who starts the flow by a trigger; None: nothing."""
        return self._requirements.get(flow)

    @property
    def requirements(self) -> list[Requirement]:
        """All that is needed for a flow."""
        return [needed for needed in self._requirements.values() if needed is not None]

    def take_key(self, key: Key) -> None:
        """Something besides the flows is kept by this key."""
        self._keys.setdefault(key)

    def take_names(self, elsewhere: Callable[[], Iterable[str]]) -> None:
        """The commands that ``elsewhere`` answers are not free any more."""
        self._elsewhere.append(elsewhere)

    def _everywhere(self) -> Iterator[FlowCommand]:
        """The commands that work inside every flow."""
        return (command for command in (self.back, self.cancel, self.help) if command)

    def _command(
        self,
        known: FlowCommand | None,
        name: str,
        description: str,
        languages: Mapping[str, str],
    ) -> FlowCommand:
        command = FlowCommand(command_name(name), description, languages_of_menu(languages))
        if known is not None:
            raise DefinitionError(
                f"the command /{command.name} would take the place of /{known.name}, which does "
                "the same. Keep one of the two."
            )
        self._claim(command.name)
        if any(command.name == taken for taken, _ in self.commands()):
            self._refuse(command.name)
        return command

    def _claim(self, name: str, *, filtered: bool = False) -> None:
        """What has a filter leaves the rest of the updates to what comes behind it."""
        elsewhere = {taken for names in self._elsewhere for taken in names()}
        if self.settles(name) or (name in elsewhere and not filtered):
            self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise DefinitionError(f"the command /{name} is registered twice. Remove one of the two.")

    def _require(self, flow: AnyFlow, requirement: Requirement | None) -> None:
        known = self._requirements.setdefault(flow.name, requirement)
        if known != requirement:
            raise DefinitionError(
                f"one of its triggers requires {known}, and another one {requirement}. Say the "
                "same for all of them, or the flow has a back door.",
                flow=flow.name,
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


def _in_menu(command: FlowCommand) -> MenuCommand:
    return MenuCommand(command.name, command.description, command.languages)
