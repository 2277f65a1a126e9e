"""``demo``, ``run``, ``chat`` and ``worker``: a bot in conversation."""

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


Webhook = Annotated[
    bool | None,
    typer.Option(
        "--webhook/--polling",
        help="How updates come in; without either by webhook where "
        "HANDRAIL_TELEGRAM_WEBHOOK_URL is set.",
        show_default=False,
    ),
]


Web = Annotated[
    bool,
    typer.Option("--web", help="Serve a chat page instead, for a browser.", show_default=False),
]

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="HOST:PORT",
        help="Where the chat page is, instead of HANDRAIL_WEB_LISTEN.",
        show_default=False,
    ),
]

Monitor = Annotated[
    str | None,
    typer.Option(
        "--monitor",
        metavar="HOST:PORT",
        help="Serve /healthz, /readyz and /metrics there; without it where "
        "HANDRAIL_MONITOR_LISTEN says, or not at all.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(demo)
    app.command()(run)
    app.command()(chat)
    app.command()(worker)


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


def run(
    target: Target,
    webhook: Webhook = None,
    web: Web = False,
    at: At = None,
    monitor: Monitor = None,
) -> None:
    """Run a bot: on Telegram when HANDRAIL_TELEGRAM_TOKEN is set, else in the terminal.

    With --webhook, Telegram posts what people send to HANDRAIL_TELEGRAM_WEBHOOK_URL, with
    HANDRAIL_TELEGRAM_WEBHOOK_SECRET; a proxy with that address hands it on to
    HANDRAIL_TELEGRAM_WEBHOOK_LISTEN.

    With --web, people talk with it in a browser, at http://127.0.0.1:8080 unless --at or
    HANDRAIL_WEB_LISTEN says otherwise.

    Conversations are kept in the database that HANDRAIL_DATABASE_URL names, by default the
    file handrail.db in the current folder. SIGTERM and Ctrl-C stop it in good order.

    Example: HANDRAIL_TELEGRAM_TOKEN=123:abc handrail run examples.signup:app
    """
    if webhook is not None and web:
        raise typer.BadParameter(
            "it is for Telegram; leave it out, or leave out --web", param_hint="--webhook/--polling"
        )
    if at is not None and not web:
        raise typer.BadParameter(
            "it is the place of a chat page: give --web, too", param_hint="--at"
        )
    settings = _monitored(_settings(), monitor)
    app = load_app(target)
    if web:
        running.on_web(app, settings, listen=at)
    elif settings.telegram_token is None and not webhook:
        running.on_console(app, settings)
    else:
        running.on_telegram(app, settings, webhook=webhook)


def chat(target: Target) -> None:
    """Talk to a bot in the terminal, whether or not a Telegram token is set.

    Lines may be piped in as well: each is one message. /name is a command, a button is pressed
    by its label or number, !label presses an older one, @photo, @voice, @location 48.85 2.35
    and the like send something made up, and a backslash in front makes a line plain text.

    Example: printf '/start\\nAda\\n' | handrail chat examples.signup:app
    """
    running.on_console(load_app(target), _settings())


def worker(target: Target, webhook: Webhook = None, monitor: Monitor = None) -> None:
    """Run one of several workers of a bot, on Telegram and one shared database.

    Start as many as you like, on any machines, with the same settings: each takes a share of
    the chats, and the share of one that stops or dies goes to the others. One of them receives
    for all; by webhook, each takes what reaches it. SIGTERM and Ctrl-C stop it in good order.

    Example: HANDRAIL_DATABASE_URL=postgresql+asyncpg://localhost/bot handrail worker mybot:app
    """
    running.worker(load_app(target), _monitored(_settings(), monitor), webhook=webhook)


def _monitored(settings: Settings, place: str | None) -> Settings:
    return settings if place is None else settings.model_copy(update={"monitor_listen": place})


def _settings() -> Settings:
    for strange, meant in likely_typos():
        warn(f"nothing reads the environment variable {strange}. Did you mean {meant}?")
    return Settings.from_environment()
