"""All commands, put together."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from engine.cli import (
    broadcasting,
    database,
    definitions,
    exploring,
    inspecting,
    keys,
    letters,
    looking,
    operating,
    scaffold,
    talking,
    transcripts,
    webhooks,
)
from engine.cli.output import say
from engine.settings import PREFIX, Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Handrail runs long conversations for chat bots: nobody loses their place.\n\n"
    "Try it with `handrail demo`, then make a bot of your own with "
    "`handrail new mybot`.",
    epilog="Settings come from the environment: "
    + ", ".join(PREFIX + name.upper() for name in Settings.model_fields),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"handrail {version('handrail')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, not only a sentence.")
    ] = False,
) -> None:
    """The options of every command; ``main`` has taken ``--debug`` off the line already."""


talking.add_to(app)
scaffold.add_to(app)
definitions.add_to(app)
transcripts.add_to(app)
exploring.add_to(app)
looking.add_to(app)
operating.add_to(app)
letters.add_to(app)
inspecting.add_to(app)
app.add_typer(database.app, name="db", short_help="Look after the database's schema.")
app.add_typer(
    webhooks.app, name="webhook", short_help="See or remove where Telegram posts updates."
)
app.add_typer(keys.app, name="key", short_help="Look after the keys that encrypt what is stored.")
app.add_typer(broadcasting.app, name="broadcast", short_help="Send one message to many people.")
