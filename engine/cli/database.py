"""``db``: the schema of the database."""

from __future__ import annotations

import typer

from engine.cli.output import say
from engine.settings import Settings
from flows.errors import HandrailError

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the database's schema. The database is the one that HANDRAIL_DATABASE_URL "
    "names; SQLite files are also created and upgraded by themselves when a bot starts.",
)


class NoSchema(HandrailError, ValueError):
    """The storage that the URL names keeps no schema."""


@app.command()
def upgrade() -> None:
    """Create the tables, or bring them to the schema of this version.

    Example: HANDRAIL_DATABASE_URL=sqlite+aiosqlite:///bot.db handrail db upgrade
    """
    from storage.sql import migrate

    say(f"The database is at {migrate.upgrade(_url())}, the schema of this version.")


@app.command()
def current() -> None:
    """Show which schema the database has, and which one this version needs.

    Example: handrail db current
    """
    from storage.sql import migrate

    there, needed = migrate.current(_url()), migrate.head()
    if there is None:
        say("The database has no tables of Handrail yet. 'handrail db upgrade' makes them.")
    elif there == needed:
        say(f"The database is at {there}, the schema of this version.")
    else:
        say(f"The database is at {there}; this version needs {needed}. Run 'handrail db upgrade'.")


def _url() -> str:
    url = Settings.from_environment().database_url
    if url.startswith("memory:"):
        raise NoSchema("HANDRAIL_DATABASE_URL is memory://, which has no schema to look after.")
    if url.startswith(("redis:", "rediss:")):
        raise NoSchema(
            "HANDRAIL_DATABASE_URL names Redis, which has no tables to look after: a bot makes "
            "what it needs when it starts, and refuses what another version has written."
        )
    return url
