"""The page of commands, made from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from engine.cli.commands import app

PROGRAM = "handrail"
Command = Any  # Typer brings its own copy of Click, whose types it does not export


def commands_page() -> str:
    """Every command with its help, arguments and options."""
    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "What `handrail --help` and `handrail COMMAND --help` say, on one page. "
        "[Settings](settings.md) come from the environment.",
        "",
        *_options(root, root.make_context(PROGRAM, [], resilient_parsing=True)),
    ]
    for words, command in _walk(root, (PROGRAM,)):
        lines += _section(words, command)
    return "\n".join(lines) + "\n"


def _walk(group: Command, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Each command below a group, in the group's order, with the words that call it."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        words = (*above, name)
        if hasattr(command, "commands"):
            yield from _walk(command, words)
        else:
            yield words, command


def _section(words: tuple[str, ...], command: Command) -> list[str]:
    *above, name = words
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join((*above, name, *command.collect_usage_pieces(context)))
    about, *examples = inspect.cleandoc(command.help or "").split("\nExample: ")
    shown = [f"```sh\n{example.strip()}\n```\n" for example in examples]
    return [
        f"## {' '.join(words)}",
        "",
        f"```text\n{usage}\n```",
        "",
        about.strip(),
        "",
        *shown,
        *_options(command, context),
    ]


def _options(command: Command, context: Any) -> list[str]:
    """A list of the arguments and options, with a blank line behind it."""
    records = (parameter.get_help_record(context) for parameter in command.params)
    told = [f"- `{record[0]}`: {' '.join(record[1].split())}" for record in records if record]
    return [*told, ""] if told else []
