"""``key``: the keys that stored conversations are encrypted with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from engine import composition
from engine.cli import beside
from engine.cli.output import say, warn
from engine.settings import Settings
from flows.errors import SecretKeyMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.ports import FlowStorage

STRIDE = 10_000
"""Texts between two words about how far it has come."""

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the keys that stored conversations are encrypted with: those of "
    "HANDRAIL_SECRET_KEY, with commas between. The first one encrypts, all of them decrypt.",
)


@app.command()
def new() -> None:
    """Print a fresh key.

    Example: export HANDRAIL_SECRET_KEY=$(handrail key new)
    """
    from storage.crypto.keys import new_key

    say(new_key())


@app.command("list")
def list_() -> None:
    """List the ids of the keys, those of HANDRAIL_SECRET_KEY and those that the database needs.

    Example: handrail key list
    """
    from storage.crypto import marks

    settings = Settings.from_environment()
    held = _held(settings)

    async def used() -> list[str]:
        async with _database(settings) as storage:
            return list(await marks.in_use(storage))

    needed = beside.run(used())
    for key in [*held, *(one for one in needed if one not in held)]:
        say(", ".join(_what_is_known(key, held, needed)))
    if not held and not needed:
        say("There is no key, and the database needs none.")


@app.command()
def rotate() -> None:
    """Encrypt everything that is stored with the first key, also what never was encrypted.

    First put the new key in front of the old one, HANDRAIL_SECRET_KEY=NEW,OLD, and start every
    bot anew with that. Then run this beside them; it may be stopped and started again. When it
    is through, it says which key is not needed any more.

    Example: HANDRAIL_SECRET_KEY=NEW,OLD handrail key rotate
    """
    from storage import Keyring
    from storage.crypto import marks
    from storage.crypto.rotating import Rotated
    from storage.crypto.rotating import rotate as bring_under

    settings = Settings.from_environment()
    if settings.secret_key is None:
        raise SecretKeyMissing(
            "HANDRAIL_SECRET_KEY is not set, so there is nothing to encrypt with. "
            "'handrail key new' makes a key."
        )
    with composition.bad_keys_named():
        keys = Keyring.parse(settings.secret_key.get_secret_value())

    async def work() -> Rotated:
        async with _database(settings) as storage:
            # With a key that is mistyped, the database would need that one from now on.
            await marks.check(storage, keys.ids)
            return await bring_under(storage, keys, looked=_progress())

    rotated = beside.run(work())
    say(f"Encrypted anew with the key {keys.primary}: {rotated.rows} rows.")
    for key, texts in sorted(rotated.unread.items()):
        warn(
            f"{texts} texts are encrypted with the key {key}, which HANDRAIL_SECRET_KEY does not "
            "hold, or were changed since. They were left as they are."
        )
    for key in rotated.retired:
        say(f"Nothing is encrypted with the key {key} any more: take it out.")
    if rotated.busy:
        warn(
            "something goes on being written without this key. Start every bot anew with "
            "this HANDRAIL_SECRET_KEY, and run this again; until then keep the old keys."
        )
        raise typer.Exit(1)


@app.command()
def forget(
    key: Annotated[str, typer.Argument(metavar="ID", help="As 'handrail key list' shows it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Let bots start without a key that is lost. What it has encrypted cannot be read.

    Example: handrail key forget 1a2b3c4d
    """
    from storage.crypto import marks

    if not yes:
        typer.confirm(
            f"Go on without the key {key}? Conversations that are encrypted with it cannot be "
            "read, and what comes in for them becomes dead letters",
            abort=True,
        )

    async def retire() -> bool:
        async with _database(Settings.from_environment()) as storage:
            known = key in await marks.in_use(storage)
            if known:
                await marks.retire(storage, key)
            return known

    if not beside.run(retire()):
        raise SecretKeyMissing(f"the database needs no key {key}. 'handrail key list' shows them.")
    say(f"Bots start without the key {key} now. With the key, they read what it has encrypted.")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[FlowStorage]:
    """The database without its encryption."""
    from storage import open_storage

    await beside.check_database(settings.database_url, may_create=False)
    storage = open_storage(settings.database_url)
    try:
        await storage.open()
        yield storage
    finally:
        await storage.close()


def _held(settings: Settings) -> list[str]:
    from storage import Keyring

    if settings.secret_key is None:
        return []
    with composition.bad_keys_named():
        return list(Keyring.parse(settings.secret_key.get_secret_value()).ids)


def _what_is_known(key: str, held: list[str], needed: list[str]) -> list[str]:
    words = [key]
    if key in held:
        words.append("encrypts" if key == held[0] else "decrypts")
    else:
        words.append("MISSING in HANDRAIL_SECRET_KEY")
    words.append("the database needs it" if key in needed else "the database does not need it")
    return words


def _progress() -> Callable[[], None]:
    looked = 0

    def count() -> None:
        nonlocal looked
        looked += 1
        if looked % STRIDE == 0:
            say(f"{looked} texts looked at ...")

    return count
