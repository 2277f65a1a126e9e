"""A plain handler that asks does what a flow of one step with the same questions does."""

from __future__ import annotations

from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import App
from engine.testing import Chat
from flows import (
    Action,
    Choice,
    Context,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Router,
    Text,
    Turn,
)
from tests.support import Names, One


async def handler(ctx: Context[Any, Any]) -> None:
    ctx.reply("Hello.")
    count = await ctx.ask("How many?", Integer(ge=0, le=2, tries=3))
    names = [await ctx.ask(f"Name {n}?") for n in range(count)]
    ctx.reply("Nearly done.")
    sure = await ctx.ask("Sure?", Choice(["yes", "no"]))
    ctx.reply(f"{names} {sure}")


async def step(turn: Turn[One, Names]) -> Action[One]:
    turn.reply("Hello.")
    count = await turn.ask("How many?", Integer(ge=0, le=2, tries=3))
    names = [await turn.ask(f"Name {n}?") for n in range(count)]
    turn.reply("Nearly done.")
    sure = await turn.ask("Sure?", Choice(["yes", "no"]))
    turn.reply(f"{names} {sure}")
    return turn.complete()


def commands(registry: FlowRegistry) -> FlowRegistry:
    registry.back_command("back")
    registry.cancel_command("cancel")
    other = FlowBuilder("other", One, Names).ask(One.ONLY, "Other?", Text(), into="first")
    registry.register(OnCommand("other"), other.build(initial=One.ONLY))
    return registry


def plain() -> App:
    router = Router("same")
    router.command("go")(handler)
    return App(router, registry=commands(FlowRegistry()), rerun_every_step=True)


def flow() -> App:
    registry = FlowRegistry()
    go = FlowBuilder("go", One, Names, again="restart").step(One.ONLY, step)
    registry.register(OnCommand("go"), go.build(initial=One.ONLY))
    return App(Router("same"), registry=commands(registry), rerun_every_step=True)


WORDS = st.sampled_from(
    ["/go", "/back", "/cancel", "/other", "0", "1", "2", "9", "Ada", "yes", "@photo", "!", "crash"]
)


async def told(app: App, words: list[str]) -> list[str]:
    """All that is said to these words; ``!`` presses the first button that there is."""
    async with Chat(app) as chat:
        for word in ["/go", *words]:
            match word:
                case "@photo":
                    await chat.send_file("photo")
                case "!" if chat.labels():
                    await chat.press(chat.labels()[-1])
                case "!":
                    pass
                case "crash":
                    await chat.crash()
                    await chat.restart()
                case _:
                    await chat.say(word)
        return [text for text in chat.replies() if "Try /" not in text]


@given(st.lists(WORDS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_it_says_the_same_whatever_people_do(words: list[str]) -> None:
    async def both() -> tuple[list[str], list[str]]:
        return await told(plain(), words), await told(flow(), words)

    as_handler, as_flow = anyio.run(both)
    assert as_handler == as_flow
