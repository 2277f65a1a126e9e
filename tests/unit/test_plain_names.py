"""What the conversations of plain handlers are stored as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial, wraps
from typing import Any

import pytest

from engine import App
from engine.plain.flow import plain_flow
from flows import Context, DefinitionError, Router, as_flow
from flows.plain.names import plain_name
from flows.plain.options import LONGEST

Ctx = Context[Any, Any]


def asking() -> Callable[[Ctx], Awaitable[None]]:
    """A handler that asks; all of them have one name."""

    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    return handler


def silent() -> Callable[[Ctx], Awaitable[None]]:
    """A handler that does not ask; all of them have one name."""

    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")

    return handler


async def feedback(ctx: Ctx) -> None:
    await ctx.wait_text("What do you think?")


class Callable_:  # noqa: N801 - named for what it is
    async def __call__(self, ctx: Ctx) -> None:
        await ctx.ask("Name?")


def test_the_name_is_of_the_router_and_the_function() -> None:
    assert plain_name("shop", feedback) == "shop:feedback"


def test_a_partial_and_an_object_have_the_names_of_what_is_called() -> None:
    assert plain_name("shop", partial(feedback)) == "shop:feedback"
    assert plain_name("shop", Callable_()) == "shop:Callable_"


def test_what_is_wrapped_keeps_its_name_and_what_was_said_of_it() -> None:
    @as_flow("old-feedback")
    async def marked(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    @wraps(marked)
    async def wrapped(ctx: Ctx) -> None:
        await marked(ctx)

    assert plain_name("shop", wrapped) == "old-feedback"


def test_a_long_name_is_cut_and_still_its_own() -> None:
    names = {plain_name("r" * 200 + end, feedback) for end in "ab"}
    assert [len(name) for name in names] == [LONGEST, LONGEST]


def test_two_handlers_of_one_name_are_refused_where_one_asks() -> None:
    router = Router("shop")
    router.command("one")(silent())
    router.command("two")(silent())
    router.command("three")(asking())
    with pytest.raises(DefinitionError, match=r"would both be stored as 'shop:asking\.<locals>"):
        router.command("four")(asking())


def test_one_handler_may_have_several_triggers() -> None:
    router = Router("shop")
    handler = asking()
    router.command("one")(handler)
    router.text("hello")(handler)
    router.fallback(handler)
    assert list(App(router).flows) == [plain_name("shop", handler)]


def test_a_name_of_its_own_tells_two_apart() -> None:
    router = Router("shop")
    router.command("one")(as_flow("first")(asking()))
    router.command("two")(as_flow("second")(asking()))
    assert list(App(router).flows) == ["first", "second"]


def test_plain_handlers_are_not_among_the_registered_flows() -> None:
    router = Router("shop")
    router.command("go")(feedback)
    app = App(router)
    assert app.check() == []
    assert list(app.registry.flows) == []


def test_what_is_said_of_a_handler_is_that_of_its_flow() -> None:
    day = timedelta(days=1)
    handler = as_flow("x", ttl=day, max_age=2 * day, interrupt="refuse")(asking())
    flow = plain_flow("x", handler, Router("x").found)
    assert (flow.ttl, flow.max_age, flow.interrupt) == (day, 2 * day, "refuse")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": " "}, "takes 1 to 120 characters"),
        ({"name": "x" * 121}, "takes 1 to 120 characters"),
        ({"ttl": timedelta(0)}, "a timedelta longer than nothing"),
        ({"max_age": 5}, "a timedelta longer than nothing"),
        ({"interrupt": "ignore"}, "is one of stack, replace, refuse"),
    ],
)
def test_what_cannot_be_said_of_a_handler_is_refused(options: Any, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        as_flow(**options)


def test_what_cannot_be_marked_is_refused() -> None:
    with pytest.raises(DefinitionError, match="Put it on an async function"):
        as_flow("x")(len)


def test_two_apps_may_have_one_router() -> None:
    router = Router("shop")
    router.command("go")(feedback)
    assert list(App(router).flows) == list(App(router).flows) == ["shop:feedback"]
