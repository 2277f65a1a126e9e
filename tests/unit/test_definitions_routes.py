"""Mistakes in registries, routers, triggers, buttons and apps are refused where they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from flows import (
    Button,
    CallNext,
    Context,
    DefinitionError,
    Flow,
    FlowBuilder,
    FlowRegistry,
    OnCallback,
    OnCommand,
    OnKind,
    OnText,
    Pattern,
    Router,
    Text,
    UnknownFlow,
    keyboard,
)
from flows.errors import UnboundedPattern
from tests.support import Names, One


def flow_of(name: str = "one", data: type[BaseModel] = Names) -> Flow[One, Any]:
    """A flow of one question."""
    builder = FlowBuilder(name, One, data)
    builder.ask(One.ONLY, "Well?", Text(), save=lambda data, value: None)
    return builder.build(initial=One.ONLY)


async def handler(ctx: Context) -> None:
    """A plain handler."""


def refused(act: Callable[[], object], words: str) -> None:
    """Checks that ``act`` is refused with these words."""
    with pytest.raises(DefinitionError) as caught:
        act()
    assert words in str(caught.value)


# --- registry ---------------------------------------------------------------------------


def test_a_command_that_starts_two_flows_is_refused() -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow_of("one"))
    refused(
        lambda: registry.register(OnCommand("/start", "again"), flow_of("two")),
        "the command /start is registered twice",
    )
    assert list(registry.flows) == ["one"]


@pytest.mark.parametrize("command", ["cancel_command", "back_command", "help_command"])
def test_a_flow_command_with_the_name_of_a_trigger_is_refused(command: str) -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow_of())
    refused(lambda: getattr(registry, command)("start"), "the command /start is registered twice")


@pytest.mark.parametrize("command", ["cancel_command", "back_command", "help_command"])
def test_a_second_command_for_the_same_purpose_is_refused(command: str) -> None:
    registry = FlowRegistry()
    getattr(registry, command)("one")
    refused(lambda: getattr(registry, command)("two"), "would take the place of /one")


def test_two_flows_of_one_name_are_refused_with_the_name() -> None:
    registry = FlowRegistry()
    registry.register_callable(flow_of("one"))
    refused(lambda: registry.register_callable(flow_of("one")), "flow 'one': another flow of this")


def test_one_flow_may_have_several_triggers() -> None:
    registry, flow = FlowRegistry(), flow_of()
    registry.register(OnCommand("start"), flow)
    registry.register(OnCallback("one:*"), flow)
    registry.register(OnText("^one"), flow)
    assert len(registry.triggers) == 3


def test_a_trigger_that_is_registered_already_is_refused() -> None:
    registry = FlowRegistry()
    registry.register(OnText("^hi"), flow_of("one"))
    refused(
        lambda: registry.register(OnText("^hi"), flow_of("two")),
        "OnText(pattern='^hi') is registered twice",
    )


def test_a_builder_in_place_of_its_flow_is_refused() -> None:
    builder: Any = FlowBuilder("one", One, Names)
    refused(
        lambda: FlowRegistry().register(OnCommand("start"), builder),
        "Register what FlowBuilder's build(initial=...) answers",
    )


@pytest.mark.parametrize("trigger", ["start", OnCommand, None])
def test_what_is_no_trigger_is_refused(trigger: Any) -> None:
    refused(lambda: FlowRegistry().register(trigger, flow_of()), "is no trigger")
    refused(lambda: Router("r").on(trigger), "is no trigger")


class Needy(BaseModel):
    """Data that cannot start by itself."""

    order: int
    note: str = ""


def test_a_trigger_for_data_that_needs_arguments_is_refused_with_the_field() -> None:
    refused(
        lambda: FlowRegistry().register(OnCommand("start"), flow_of("needy", Needy)),
        "flow 'needy': a trigger starts it without arguments, which its data needs: "
        "field 'order': Field required",
    )


def test_data_that_needs_arguments_can_be_called() -> None:
    registry, flow = FlowRegistry(), flow_of("needy", Needy)
    registry.register_callable(flow)
    assert registry.get("needy").start({"order": 7}) == {"order": 7, "note": ""}


def test_a_flow_name_that_nobody_holds_is_answered_with_near_ones() -> None:
    registry = FlowRegistry()
    registry.register_callable(flow_of("checkout"))
    with pytest.raises(UnknownFlow, match="Did you mean 'checkout'"):
        registry.get("chekout")


# --- router -----------------------------------------------------------------------------


def test_a_second_registry_for_a_router_is_refused() -> None:
    router = Router("bot")
    FlowRegistry().apply_to_router(router)
    refused(lambda: FlowRegistry().apply_to_router(router), "router 'bot' has a registry already")


def test_a_command_of_a_handler_and_a_flow_is_refused_in_either_order() -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow_of())
    router = Router("bot")
    router.command("start")(handler)
    refused(lambda: registry.apply_to_router(router), "the command /start has a flow and a handler")

    router = Router("bot")
    registry.apply_to_router(router)
    refused(lambda: router.command("start"), "registered twice in router 'bot'")
    refused(lambda: router.on(OnCommand("start")), "registered twice in router 'bot'")


def test_a_flow_that_comes_after_the_handler_of_its_command_is_refused() -> None:
    registry, router = FlowRegistry(), Router("bot")
    registry.apply_to_router(router)
    router.command("start")(handler)
    refused(
        lambda: registry.register(OnCommand("start"), flow_of()),
        "the command /start is registered twice",
    )


def test_a_handler_that_is_not_async_is_refused() -> None:
    def plain(ctx: Context) -> None: ...

    broken: Any = plain
    refused(lambda: Router("bot").command("x")(broken), "router 'bot': its handler")
    refused(lambda: Router("bot").fallback(broken), "it is not async")
    refused(lambda: Router("bot").stale_press(broken), "it is not async")
    refused(lambda: Router("bot").middleware(broken), "it is not async")


def test_a_middleware_that_does_not_take_call_next_is_refused() -> None:
    broken: Any = handler
    refused(lambda: Router("bot").middleware(broken), "must be 'async def (ctx, call_next)'")


def test_a_handler_that_takes_more_than_a_context_is_refused() -> None:
    async def middleware(ctx: Context, call_next: CallNext) -> None: ...

    broken: Any = middleware
    refused(lambda: Router("bot").text()(broken), "missing a required argument: 'call_next'")


@pytest.mark.parametrize(
    "decorator", ["on", "command", "deep_link", "text", "hears", "callback", "kind", "state"]
)
def test_a_decorator_without_parentheses_is_refused(decorator: str) -> None:
    bare: Any = getattr(Router("bot"), decorator)
    refused(lambda: bare(handler), f"Write @bot.{decorator}(...)")


def test_a_function_is_called_by_its_name_in_a_refusal() -> None:
    def plain(ctx: Context) -> None: ...

    broken: Any = plain
    refused(lambda: Router("bot").fallback(broken), f"its handler {__name__}.{plain.__qualname__} ")


def test_a_second_fallback_is_refused() -> None:
    router = Router("bot")
    router.fallback(handler)
    refused(lambda: router.fallback(handler), "would take the place of")
    router.stale_press(handler)
    refused(lambda: router.stale_press(handler), "would take the place of")


# --- triggers and patterns --------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "/", "Start", "a b", "start now", "naïve", "a" * 33, "a\n"])
def test_what_is_no_command_name_is_refused(name: str) -> None:
    refused(lambda: OnCommand(name), "is no command name")
    refused(lambda: FlowRegistry().help_command(name), "is no command name")


def test_the_slash_of_a_command_is_dropped() -> None:
    assert OnCommand("/start").name == "start"


def test_callback_patterns_that_can_never_match_are_refused() -> None:
    refused(lambda: OnCallback(""), "needs a pattern")
    refused(lambda: OnCallback("hr~*"), "belongs to the engine's own buttons")
    refused(lambda: OnCallback("x" * 65), "at most 64 bytes")


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    refused(lambda: OnKind("foto"), "The kinds are text, command, press, photo")


@pytest.mark.parametrize("source", [r"(a)\1", r"a(?=b)", r"(?<!a)b", r"(?>a)", "a{1001}"])
@pytest.mark.parametrize("make", [OnText, Pattern, Router("bot").text])
def test_patterns_that_cannot_run_in_bounded_time_are_refused(
    make: Callable[[str], object], source: str
) -> None:
    with pytest.raises(UnboundedPattern, match="cannot run in bounded time") as caught:
        make(source)
    assert caught.value.pattern == source


@pytest.mark.parametrize("make", [OnText, Pattern])
def test_what_is_no_pattern_is_refused(make: Callable[[str], object]) -> None:
    refused(lambda: make("(a"), "is no regular expression")


# --- buttons ----------------------------------------------------------------------------


def test_a_button_without_label_is_refused() -> None:
    refused(lambda: Button(" ", "data"), "a button needs a label")


def test_a_button_does_one_thing() -> None:
    refused(lambda: Button("Go"), "needs either data or a url")
    refused(lambda: Button("Go", "data", "https://example.org"), "needs either data or a url")


@pytest.mark.parametrize("data", ["x" * 65, "é" * 33, ""])
def test_data_that_no_channel_takes_is_refused(data: str) -> None:
    refused(lambda: Button("Go", data), f"has {len(data.encode())} bytes of data; 1 to 64")


def test_data_of_64_bytes_is_taken() -> None:
    assert keyboard(Button("Go", "é" * 32)) == ((Button("Go", "é" * 32),),)


def test_data_that_pretends_to_be_the_engines_is_refused() -> None:
    refused(lambda: keyboard([Button("Go", "hr~x")]), "data may not start with 'hr~'")


# --- app --------------------------------------------------------------------------------


def test_a_session_field_without_default_is_refused_with_the_field() -> None:
    refused(
        lambda: App(Router("bot"), session=Needy), "Needy needs a default for its field 'order'"
    )


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_handler_timeout_that_is_none_is_refused(seconds: float) -> None:
    refused(lambda: App(Router("bot"), handler_timeout=seconds), "must be above 0")


def test_a_second_registry_for_an_app_is_refused() -> None:
    router = Router("bot")
    FlowRegistry().apply_to_router(router)
    refused(lambda: App(router, registry=FlowRegistry()), "has a registry already")


def test_check_lists_the_flows() -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow_of())
    app = App(Router("bot"), registry=registry)
    assert app.check() == ["one: version 1, starts at ONLY, steps: ONLY"]
