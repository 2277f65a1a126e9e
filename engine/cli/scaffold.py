"""``new``: a bot package to start from."""

from __future__ import annotations

import keyword
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from engine.cli.output import say
from flows.errors import HandrailError

RESERVED = frozenset({"flows", "engine", "storage", "examples"})
"""Names of Handrail's own packages: a folder of that name would hide them."""

_BOT = Template('''\
"""A bot that asks two questions. Talk to it: handrail run $name:app"""

from enum import StrEnum, auto

from pydantic import BaseModel

from engine import App
from flows import Action, FlowBuilder, FlowRegistry, Integer, OnCommand, Router, Text, Turn


class Step(StrEnum):
    NAME = auto()
    AGE = auto()


class Guest(BaseModel):
    name: str = ""
    age: int = 0


flow = FlowBuilder("welcome", Step, Guest, description="get to know each other")
flow.ask(Step.NAME, "What's your name?", Text(max_length=80), into="name")


@flow.step(Step.AGE)
async def age(turn: Turn[Step, Guest]) -> Action[Step]:
    turn.data.age = await turn.ask("And how old are you?", Integer(ge=0, le=150))
    turn.reply(f"Welcome, {turn.data.name}! {turn.data.age} is a fine age.")
    return turn.complete()


registry = FlowRegistry()
registry.register(OnCommand("start"), flow.build(initial=Step.NAME))
registry.cancel_command("cancel")
router = Router("$name")
registry.apply_to_router(router)
app = App(router)
''')

_TRANSCRIPT = Template("""\
# Played by: handrail test $name
> /start
< What's your name?
> Ada
< how old
> as old as my tongue
< number
> 36
< Welcome, Ada! 36
""")

_README = Template("""\
# $name

A bot made with Handrail. It asks for a name and an age, and remembers where everybody is.

    handrail run $name:app        # in the terminal; on Telegram with HANDRAIL_TELEGRAM_TOKEN set
    handrail check $name:app      # are the flows sound?
    handrail graph $name:app      # the steps, and where each may go
    handrail test $name           # plays transcript.txt
    handrail web $name:app        # the inspector: who is where, beside the running bot

Run these in the folder that holds `$name`. The conversations are kept in `handrail.db` there.
""")


class BadName(HandrailError, ValueError):
    """A name that no bot package can have; the message says why and what to do."""


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command()(new)


def new(
    name: Annotated[
        str,
        typer.Argument(
            help="The name of the bot: letters, digits and underscores, such as pizza_bot.",
            show_default=False,
        ),
    ],
) -> None:
    """Make a bot of your own: a folder with a small bot that runs at once.

    Example: handrail new pizza_bot
    """
    folder = create(name, Path.cwd())
    say(f"Made {folder.name}/ with a bot, a transcript and a README.", style="green")
    say(f"Talk to it:  handrail run {name}:app")
    say(f"Test it:     handrail test {name}")
    say(f"See inside:  handrail web {name}:app")


def create(name: str, parent: Path) -> Path:
    """Writes the package and answers its folder.

    Raises:
        BadName: the name cannot be imported, would hide something, or is taken.
    """
    _check(name, parent)
    folder = parent / name
    try:
        folder.mkdir()
        for file, template in (
            ("__init__.py", _BOT),
            ("transcript.txt", _TRANSCRIPT),
            ("README.md", _README),
        ):
            (folder / file).write_text(template.substitute(name=name), encoding="utf-8")
    except OSError as error:
        raise BadName(f"{folder} cannot be written: {error.strerror or error}.") from error
    return folder


def _check(name: str, parent: Path) -> None:
    if not (name.isidentifier() and name.isascii()):
        raise BadName(
            f"{name!r} cannot be imported. Use letters, digits and underscores, and begin with a "
            f"letter{_suggestion(name)}."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise BadName(f"{name!r} is a word of Python itself. Try {name}_bot.")
    if name.lower() in RESERVED:
        raise BadName(f"{name!r} would hide Handrail's own package of that name. Try {name}_bot.")
    if (parent / name).exists():
        raise BadName(f"{parent / name} exists already. Choose another name, or move it away.")
    if (parent / f"{name}.py").exists():
        raise BadName(f"{name!r} would hide the file {name}.py beside it. Try {name}_bot.")
    if _is_installed(name):
        raise BadName(f"{name!r} would hide the installed module of that name. Try {name}_bot.")


def _suggestion(name: str) -> str:
    tidy = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_")
    usable = tidy.isidentifier() and not keyword.iskeyword(tidy) and tidy.lower() not in RESERVED
    return f": {tidy}, say" if usable else ""


def _is_installed(name: str) -> bool:
    try:
        return name in sys.stdlib_module_names or find_spec(name) is not None
    except (ImportError, ValueError):  # found, and broken
        return True
