"""``test``: playing transcripts."""

from __future__ import annotations

import asyncio
import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import logs
from engine.cli.loading import load_app, load_package
from engine.cli.output import say
from engine.settings import Settings
from flows.errors import HandrailError

if TYPE_CHECKING:
    from engine.app import App

TRANSCRIPTS = "transcript*.txt"
_TARGET = re.compile(r"[\w.]+:\w+")
_NEVER_LOOKED_INTO = {"node_modules", "__pycache__", "site-packages", "build", "dist"}


class NoTranscript(HandrailError, LookupError):
    """There is nothing to play; the message says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """A transcript, and MODULE:APP, or None for the package that it lies in."""

    path: Path
    target: str | None

    def app(self) -> App:
        """The app to play it to."""
        return load_app(self.target) if self.target else load_package(self.path.parent)


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("test")(play_transcripts)


def play_transcripts(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH [MODULE:APP]]...",
            help="A transcript, or a folder to be searched for files named transcript*.txt; by "
            "default the current one. A MODULE:APP after a path is the app to play it to; else "
            "it is the 'app' of the package that the transcript lies in.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Play transcripts: conversations written down, that the bot must follow.

    In a transcript, > says something, < expects words in the replies to it, ! presses a button
    by its label, @ sends a photo, a location and the like, and # begins a comment.

    Example: handrail test examples/signup
    """
    settings = Settings.from_environment()
    logs.set_up(level=settings.log_level or "WARNING", format=settings.log_format)
    results = [_passes(job) for job in _jobs(paths or ["."])]
    say(f"{results.count(True)} passed, {results.count(False)} failed")
    if not all(results):
        raise typer.Exit(1)


def _jobs(words: Sequence[str]) -> list[Job]:
    jobs: list[Job] = []
    for index, word in enumerate(words):
        if _is_target(word):
            continue
        following = words[index + 1] if index + 1 < len(words) else ""
        target = following if _is_target(following) else None
        jobs += [Job(path, target) for path in _transcripts(Path(word))]
    if _is_target(words[0]):
        raise NoTranscript(f"{words[0]} names an app; its transcript goes in front of it.")
    return jobs


def _is_target(word: str) -> bool:
    return _TARGET.fullmatch(word) is not None and not Path(word).exists()


def _transcripts(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NoTranscript(f"there is no file or folder {path}. Name a transcript, or its folder.")
    found = sorted(_search(path))
    if not found:
        raise NoTranscript(f"there is no {TRANSCRIPTS} in {path}, nor in the folders below it.")
    return found


def _search(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in _NEVER_LOOKED_INTO
        ]
        for name in sorted(fnmatch.filter(files, TRANSCRIPTS)):
            yield Path(here) / name


def _passes(job: Job) -> bool:
    # Imported by other commands as well, which play nothing.
    from engine.testing.transcript import TranscriptMismatch, play, read_transcript

    try:
        transcript = read_transcript(job.path)
        asyncio.run(play(job.app(), transcript))
    except TranscriptMismatch as mismatch:
        _fail(f"{job.path}, line {mismatch.line}: expected {mismatch.expected}")
        for text in mismatch.came:
            for line in text.split("\n"):
                say(f"        | {line}")
        if not mismatch.came:
            say("        the bot said nothing")
        return False
    except (HandrailError, OSError) as error:
        _fail(f"{job.path}: {error}")
        return False
    say(f"PASS  {job.path}", style="green")
    return True


def _fail(what: str) -> None:
    say(f"FAIL  {what}", style="bold red")
