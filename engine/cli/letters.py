"""``dead`` and ``replay``: what was given up, and another try for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated

import typer

from engine.broadcast.keys import broadcast_in
from engine.channels.console.plain import harmless
from engine.cli import beside
from engine.cli.loading import load_app
from engine.cli.looking import age
from engine.cli.output import complain, say, table
from engine.cli.talking import Target
from engine.operate import DeadLetterPage, DeadLetterRow, Operator
from engine.operate.words import moment, who
from flows.errors import UnknownDeadLetter

COLUMNS = ("id", "who", "origin", "tries", "age", "error")

SHORTENED = 60
"""Characters of an error that a list shows."""


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(dead)
    app.command()(replay)


def dead(
    target: Target,
    letter: Annotated[
        int | None,
        typer.Argument(metavar="[ID]", help="One of them, closely.", show_default=False),
    ] = None,
    conversation: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only those of a conversation, as 'show' names it."),
    ] = None,
    body: Annotated[
        bool, typer.Option("--body", help="With an ID: what it says, which are people's words.")
    ] = False,
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Go on there, as a page before said.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List the dead letters, the newest first: updates that could not be handled, and messages
    that could not be sent.

    They are kept until they are replayed, or their person is erased.

    Example: handrail dead examples.signup:app
    """
    if body and letter is None:
        raise typer.BadParameter("--body shows one dead letter: name its ID")
    app = load_app(target)
    if letter is not None:
        _close(target, letter, body=body)
        return

    async def look() -> DeadLetterPage:
        async with beside.operator(app) as operator:
            return await operator.dead_letters(conversation=conversation, after=after, limit=limit)

    page = beside.run(look())
    if not page.rows:
        say("There are no dead letters." if after is None else "There are no more.")
        return
    table(COLUMNS, map(_cells, page.rows))
    if page.next is not None:
        say(f"There are more: say --after '{page.next}', or --limit.")


def replay(
    target: Target,
    letters: Annotated[
        list[int] | None, typer.Argument(metavar="ID...", help="Which, as 'handrail dead' lists.")
    ] = None,
    all: Annotated[
        bool, typer.Option("--all", help="All that there are now, but those of broadcasts.")
    ] = False,
) -> None:
    """Put dead letters back where they came from: updates are handled once more, and messages are
    sent once more.

    Where a bot runs, it takes them up within a second; else when it runs next. What is given up
    again is a new dead letter.

    Example: handrail replay examples.signup:app 12 13
    """
    if all == bool(letters):
        raise typer.BadParameter("name dead letters by their IDs, or say --all, and not both")
    app = load_app(target)

    async def act() -> tuple[int, Sequence[UnknownDeadLetter]]:
        async with beside.operator(app) as operator:
            return await _replay(operator, letters)

    done, unknown = beside.run(act())
    if done or all:
        say(f"Put back: {done}.")
    for error in unknown:
        complain(str(error))
    if unknown:
        raise typer.Exit(1)


async def _replay(
    operator: Operator, letters: Sequence[int] | None
) -> tuple[int, Sequence[UnknownDeadLetter]]:
    """Replays these, or all; answers how many were, and what went wrong with the others."""
    done, unknown = 0, list[UnknownDeadLetter]()
    named = _all(operator) if letters is None else _these(letters)
    async for letter in named:
        try:
            await operator.replay(letter)
            done += 1
        except UnknownDeadLetter as error:
            unknown.append(error)
    # of all that there were, somebody else may have replayed some meanwhile
    return done, unknown if letters is not None else ()


async def _all(operator: Operator) -> AsyncIterator[int]:
    """From the newest on, so that what is given up again meanwhile does not come again. Those of
    broadcasts are passed over: nobody wants old news from whom they have blocked.
    """
    after: str | None = None
    while True:
        page = await operator.dead_letters(after=after, limit=1000)
        for row in page.rows:
            if broadcast_in(row.conversation) is None:
                yield row.id
        after = page.next
        if after is None:
            return


async def _these(letters: Sequence[int]) -> AsyncIterator[int]:
    for letter in letters:
        yield letter


def _close(target: str, letter: int, *, body: bool) -> None:
    app = load_app(target)

    async def look() -> DeadLetterRow:
        async with beside.operator(app) as operator:
            return await operator.dead_letter(letter)

    for name, value in _facts(beside.run(look()), target, body=body):
        say(f"{name:<10} {harmless(value)}")


def _facts(row: DeadLetterRow, target: str, *, body: bool) -> Iterator[tuple[str, str]]:
    came = "could not be handled" if row.origin == "inbox" else "could not be sent"
    yield "letter", str(row.id)
    yield "origin", f"{row.origin}: it {came}"
    yield "who", _who(row)
    yield "in", row.conversation or "(no conversation)"
    yield "tries", str(row.tries)
    yield "given up", f"{moment(row.at)}, {age(row.at)} ago"
    yield "error", row.error
    if body:
        yield "body", row.body
    else:
        yield "body", f"{len(row.body)} characters; --body shows them"
    yield "again", f"handrail replay {target} {row.id}"


def _cells(row: DeadLetterRow) -> tuple[str, ...]:
    error = " ".join(row.error.split())
    if len(error) > SHORTENED:
        error = error[: SHORTENED - 1] + "…"
    return (str(row.id), _who(row), row.origin, str(row.tries), age(row.at), error)


def _who(row: DeadLetterRow) -> str:
    return who(row.conversation) if row.conversation is not None else "(nobody)"
