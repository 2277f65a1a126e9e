"""``check`` and ``graph``: looking at flows without running them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.app import App
from engine.cli.fitting import judge_database
from engine.cli.loading import load_app
from engine.cli.output import say
from engine.cli.talking import Target
from flows.definition import graph as pictures
from flows.errors import HandrailError, UnknownFlow


class CannotDraw(HandrailError, RuntimeError):
    """A picture that cannot be made; the message says why and what to do."""


class PictureFormat(StrEnum):
    """What ``graph`` can write."""

    TEXT = "text"
    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


_BY_SUFFIX = {
    ".mmd": PictureFormat.MERMAID,
    ".dot": PictureFormat.DOT,
    ".gv": PictureFormat.DOT,
    ".svg": PictureFormat.SVG,
}


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(check)
    app.command()(graph)


def check(
    target: Target,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A database of the bot: do all that run in it go on with this code? Nothing is "
            "written to it.",
        ),
    ] = None,
    languages: Annotated[
        bool,
        typer.Option("--languages", help="Also list what the catalogues of its languages lack."),
    ] = False,
) -> None:
    """Check a bot's flows, and list their steps; before a deploy, also what runs in a database.

    A mistake in a flow (a step that nothing leads to, say) is reported with its flow and step.
    With --database, the exit code is 1 if instances would be set aside (quarantined); with
    --languages, if a text lacks its translation.

    Example: handrail check examples.signup:app --database sqlite+aiosqlite:///handrail.db
    """
    app = load_app(target)
    lines = app.check()
    for line in lines:
        say(line)
    if not lines:
        say(
            "The app has no flow, only plain handlers."
            if app.flows
            else "The app has no flow. Was its registry given to it, or applied to its router?"
        )
    say("No mistakes found.", style="green")
    complete = not languages or _judge_languages(app)
    if (database is not None and not judge_database(app, database)) or not complete:
        raise typer.Exit(1)


def _judge_languages(app: App) -> bool:
    """Tells what the catalogues of the app lack, and whether that is nothing."""
    if app.languages is None:
        say("The app has no languages. Give it App(languages=Languages(...)).")
        return True
    from engine.languages.lacking import faults  # it loads Babel

    found = list(faults(app.languages))
    for line in found:
        say(line)
    if not found:
        say(f"Everything is translated: {', '.join(app.languages.locales)}.", style="green")
    return not found


def graph(
    target: Target,
    flow: Annotated[
        str | None, typer.Argument(metavar="[FLOW]", help="The name of one flow; else all of them.")
    ] = None,
    format: Annotated[
        PictureFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="How to draw; by default as the ending of --output says (.mmd, .dot, .svg), "
            "else text. SVG needs the program dot of Graphviz.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, instead of stdout.")
    ] = None,
) -> None:
    """Draw the steps of a flow and where each may go.

    Example: handrail graph examples.signup:app signup --format mermaid
    """
    chosen = format or _BY_SUFFIX.get(output.suffix if output else "", PictureFormat.TEXT)
    drawn = _draw(_chosen_flows(load_app(target).registry.flows, flow), chosen)
    if output is None:
        sys.stdout.write(drawn)
        return
    try:
        output.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise CannotDraw(f"{output} cannot be written: {error.strerror or error}.") from error
    say(f"Written to {output}.")


def _chosen_flows(
    flows: Mapping[str, pictures.Drawable], name: str | None
) -> Sequence[pictures.Drawable]:
    if name is None:
        return tuple(flows.values())
    if name not in flows:
        raise UnknownFlow(name, flows)
    return (flows[name],)


def _draw(flows: Sequence[pictures.Drawable], format: PictureFormat) -> str:
    if not flows:
        raise CannotDraw(
            "the app has no flow. Register one: registry.register(OnCommand(...), flow)."
        )
    match format:
        case PictureFormat.TEXT:
            return "\n".join(map(pictures.text, flows))
        case PictureFormat.MERMAID:
            return "\n".join(map(pictures.mermaid, flows))
        case PictureFormat.DOT:
            return "\n".join(map(pictures.dot, flows))
        case PictureFormat.SVG:
            return _svg(flows)


def _svg(flows: Sequence[pictures.Drawable]) -> str:
    if len(flows) > 1:
        names = ", ".join(flow.name for flow in flows)
        raise CannotDraw(f"an SVG file shows one flow. Name one of {names} after MODULE:APP.")
    program = shutil.which("dot")
    if program is None:
        raise CannotDraw(
            "drawing SVG takes the program dot, which is not there. Install Graphviz "
            "(https://graphviz.org/download), or use --format mermaid."
        )
    drawn = subprocess.run(  # noqa: S603 (the program was found on PATH, its input is ours)
        [program, "-Tsvg"],
        input=pictures.dot(flows[0]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if drawn.returncode != 0:
        raise CannotDraw(f"dot failed with exit code {drawn.returncode}: {drawn.stderr.strip()}")
    return drawn.stdout
