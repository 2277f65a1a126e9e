"""``explore``: talking with a bot at random, to find what is wrong with it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from engine.cli.loading import load_app
from engine.cli.output import say
from engine.cli.talking import Target


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command()(explore)


def explore(
    target: Target,
    turns: Annotated[int, typer.Option("--turns", min=1, help="How many inputs to send.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed sends other inputs.")] = 0,
    texts: Annotated[
        list[str] | None,
        typer.Option(
            "--say",
            metavar="TEXT",
            help="An answer that nobody could guess, such as a promotion code. May be repeated.",
        ),
    ] = None,
) -> None:
    """Talk with a bot at random: find crashes, dead ends and loops before people do.

    Several people answer, press old and new buttons, send junk and files, and are delivered
    twice; the process dies and time passes. All of it is in memory, and on a virtual clock; what
    the bot's own code does to the world outside, it does. Each finding comes with a transcript
    that leads there. The exit code is 1 when something was found.

    Example: handrail explore examples.signup:app --turns 2000 --seed 7
    """
    from engine.testing.explorer import explore as explored

    exploration = asyncio.run(explored(load_app(target), turns=turns, seed=seed, texts=texts or ()))
    for line in str(exploration).split("\n"):
        say(line)
    if exploration.findings:
        raise typer.Exit(1)
