"""``demo``, ``run`` and ``chat``: a bot in conversation."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from engine.cli import running
from engine.cli.loading import load_app, load_demo
from engine.cli.output import warn
from engine.settings import PREFIX, Settings, likely_typos

DEMO_DATABASE_URL = "sqlite+aiosqlite:///handrail-demo.db"
"""A file apart: the demo should not share a file with a bot in the same folder."""

Target = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:APP",
        help="Where the app is, such as examples.signup:app.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(demo)
    app.command()(run)
    app.command()(chat)


def demo() -> None:
    """Talk to a small signup bot, here in the terminal.

    Write /start to begin. Leave in the middle (Ctrl-D) and start again: you go on where you
    were. The place is kept in the file handrail-demo.db, unless HANDRAIL_DATABASE_URL names
    another database.

    Example: handrail demo
    """
    settings = _settings()
    chosen = os.environ.get(f"{PREFIX}DATABASE_URL", "").strip()
    url = settings.database_url if chosen else DEMO_DATABASE_URL
    running.on_console(load_demo(), settings, database_url=url)


def run(target: Target) -> None:
    """Run a bot: on Telegram when HANDRAIL_TELEGRAM_TOKEN is set, else in the terminal.

    Conversations are kept in the database that HANDRAIL_DATABASE_URL names, by default the
    file handrail.db in the current folder. SIGTERM and Ctrl-C stop it in good order.

    Example: HANDRAIL_TELEGRAM_TOKEN=123:abc handrail run examples.signup:app
    """
    settings = _settings()
    app = load_app(target)
    if settings.telegram_token is None:
        running.on_console(app, settings)
    else:
        running.on_telegram(app, settings)


def chat(target: Target) -> None:
    """Talk to a bot in the terminal, whether or not a Telegram token is set.

    Lines may be piped in as well: each is one message. /name is a command, a button is pressed
    by its label or number, !label presses an older one, @photo, @voice, @location 48.85 2.35
    and the like send something made up, and a backslash in front makes a line plain text.

    Example: printf '/start\\nAda\\n' | handrail chat examples.signup:app
    """
    running.on_console(load_app(target), _settings())


def _settings() -> Settings:
    for strange, meant in likely_typos():
        warn(f"nothing reads the environment variable {strange}. Did you mean {meant}?")
    return Settings.from_environment()
