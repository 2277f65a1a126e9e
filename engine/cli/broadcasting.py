"""``broadcast``: one message for many people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from engine.broadcast.progress import bar
from engine.cli import beside
from engine.cli.following import counts, follow, left
from engine.cli.loading import load_app
from engine.cli.output import say, table
from engine.cli.talking import Target
from engine.clock import SystemClock
from engine.operate import Broadcasts, BroadcastView, Operator, Receipt
from flows.messages.broadcasts import RATE
from flows.messages.texts import Format

app = typer.Typer(no_args_is_help=True, help="Send one message to many people.")

Name = Annotated[str, typer.Argument(metavar="ID", help="Its id, as 'send' said it.")]


@app.command()
def send(
    target: Target,
    text: Annotated[str, typer.Argument(help="What is sent; @FILE: what stands in the file.")],
    format: Annotated[str, typer.Option(help="plain, html or markdown.")] = "plain",
    to: Annotated[
        Path | None,
        typer.Option(help="A file of chat ids, one a line; else everybody the bot knows."),
    ] = None,
    rate: Annotated[int, typer.Option(help="Messages a second, at the most.")] = RATE,
    report_to: Annotated[
        str | None, typer.Option(help="A chat that is shown how far it is.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the people.")] = False,
) -> None:
    """Begin a broadcast. The bot carries it out, now or when it runs next.

    Example: handrail broadcast send examples.signup:app "We are back" --dry-run
    """
    how = _format(format)
    message = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    names = None if to is None else _names(to)

    async def act(operator: Operator) -> None:
        if dry_run:
            count = len(set(names)) if names is not None else await operator.broadcasts.reach()
            say(f"It would go to {count} people. Nothing was sent.")
            return
        name = await operator.broadcasts.send(
            message, to=names, format=how, rate=rate, report_to=report_to
        )
        say(f"The broadcast {name} is kept. 'handrail broadcast status' tells how far it is.")

    _with(target, act, may_create=True)


@app.command()
def status(
    target: Target,
    name: Name,
    until_over: Annotated[
        bool, typer.Option("--follow", help="Go on telling until it is over; Ctrl-C ends that.")
    ] = False,
) -> None:
    """Tell how far a broadcast is.

    Example: handrail broadcast status examples.signup:app 5f0c12ab --follow
    """

    async def act(operator: Operator) -> None:
        broadcasts = operator.broadcasts
        looking = follow(broadcasts, name, SystemClock()) if until_over else broadcasts.status(name)
        for line in _lines(await looking):
            say(line)

    _with(target, act)


@app.command("list")
def list_(target: Target) -> None:
    """List the broadcasts, the newest first.

    Example: handrail broadcast list examples.signup:app
    """

    async def act(operator: Operator) -> None:
        found = await operator.broadcasts.list()
        if not found:
            say("There are no broadcasts.")
            return
        rows = [(one.id, one.state, f"{one.settled}/{one.total}", one.text[:40]) for one in found]
        table(("id", "state", "settled", "text"), rows)

    _with(target, act)


@app.command()
def pause(target: Target, name: Name) -> None:
    """Send no more for now."""
    _order(target, lambda broadcasts: broadcasts.pause(name))


@app.command()
def resume(target: Target, name: Name) -> None:
    """Go on where it was."""
    _order(target, lambda broadcasts: broadcasts.resume(name))


@app.command()
def cancel(target: Target, name: Name) -> None:
    """End it, for good."""
    _order(target, lambda broadcasts: broadcasts.cancel(name))


def _order(target: str, order: Callable[[Broadcasts], Awaitable[Receipt]]) -> None:
    async def act(operator: Operator) -> None:
        await order(operator.broadcasts)
        say("It is kept: the bot does it within a second, or when it runs next.")

    _with(target, act)


def _with(
    target: str, act: Callable[[Operator], Awaitable[None]], *, may_create: bool = False
) -> None:
    loaded = load_app(target)

    async def work() -> None:
        async with beside.operator(loaded, may_create=may_create) as operator:
            await act(operator)

    beside.run(work())


def _lines(shown: BroadcastView) -> list[str]:
    lines = [f"{shown.id}: {shown.state}"]
    if shown.total:
        percent = shown.settled * 100 // shown.total
        lines.append(f"{bar(shown.settled, shown.total)} {percent} %")
    lines.append(counts(shown))
    if time := left(shown):
        lines.append(f"{time}, at {shown.rate} a second")
    return lines


def _format(text: str) -> Format:
    match text:
        case "plain" | "html" | "markdown":
            return text
    raise typer.BadParameter(f"--format is plain, html or markdown, not {text!r}")


def _names(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line]
