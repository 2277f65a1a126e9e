"""Following a broadcast to its end: a bar at a terminal, elsewhere a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from engine.broadcast.progress import duration
from engine.cli.output import say
from engine.operate import Broadcasts, BroadcastView
from flows.ports import Clock

LOOK = 1.0
"""Seconds between two looks."""

TELL = 10.0
"""Seconds between two lines where there is no terminal, unless its state has changed."""

Show = Callable[[BroadcastView], None]


async def follow(broadcasts: Broadcasts, name: str, clock: Clock) -> BroadcastView:
    """Shows how far a broadcast is until it is over. Answers how it has ended.

    Raises:
        UnknownBroadcast: there is none of that id, or it was swept meanwhile.
    """
    shown = await broadcasts.status(name)
    with _screen(clock) as show:
        while shown.ended is None:
            show(shown)
            await clock.sleep(LOOK)
            shown = await broadcasts.status(name)
    return shown


def counts(shown: BroadcastView) -> str:
    """What has become of the messages so far."""
    return (
        f"{shown.settled} of {shown.total}: {shown.sent} sent, {shown.blocked} blocked, "
        f"{shown.failed} failed, {shown.gone} erased"
    )


def left(shown: BroadcastView) -> str:
    """How long it takes at the least; empty: it does not go on, or that is not known."""
    return f"at least {duration(shown.left)} left" if shown.left else ""


def _screen(clock: Clock) -> AbstractContextManager[Show]:
    console = Console(highlight=False)
    return _bar(console) if console.is_terminal else _lines(clock)


@contextmanager
def _bar(console: Console) -> Iterator[Show]:
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(
        *columns, TextColumn("{task.fields[told]}"), console=console, transient=True
    ) as progress:
        task = progress.add_task("", total=None, told="")

        def show(shown: BroadcastView) -> None:
            told = ", ".join(part for part in (counts(shown), left(shown)) if part)
            progress.update(
                task,
                description=f"{shown.id}: {shown.state}",
                completed=shown.settled,
                total=shown.total if shown.listed else None,
                told=told,
            )

        yield show


@contextmanager
def _lines(clock: Clock) -> Iterator[Show]:
    state, settled, at = "", 0, 0.0

    def show(shown: BroadcastView) -> None:
        nonlocal state, settled, at
        now = clock.monotonic()
        if shown.state == state and (shown.settled == settled or now < at + TELL):
            return
        state, settled, at = shown.state, shown.settled, now
        say(", ".join(part for part in (f"{shown.state}, {counts(shown)}", left(shown)) if part))

    yield show
