"""What the engine itself says to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.progress import Progress


@dataclass(frozen=True, slots=True)
class Notices:
    """The engine's own texts; give an App another one to change them."""

    cancelled: str = "Cancelled."
    nothing_to_cancel: str = "There is nothing to cancel."
    nothing_to_undo: str = "There is nothing to go back to."
    at_start: str = "This is the start, there is no question before it."
    stale_press: str = "This button has expired."
    foreign_press: str = "This button is for somebody else."
    apology: str = "Sorry, something went wrong. Please try that again."
    expired: str = "This conversation has expired."
    restarted: str = "This question has changed. Let us start it again."
    quarantined: str = (
        "Sorry, this conversation cannot go on right now. Nothing is lost; somebody has to look "
        "at it."
    )
    too_many_tries: str = "That did not work out, so I have stopped here."
    not_now: str = "I did not expect that now."
    lost: str = "I did not understand that."
    help: str = "Here is what I can do:"
    done_mark: str = "\u2713"
    go_on: str = "Continue"
    reminder: str = "This is a reminder."
    timed_out: str = "That took too long, so I have stopped here."
    escalated: str = "A person is looking at it. Please wait."
    running_already: str = "We are in the middle of that already."
    busy: str = "Let us finish this first."
    answered_already: str = "You have answered already."
    for_somebody_else: str = "That question is for somebody else."

    def progress(self, progress: Progress[Any, Any]) -> str:
        """The hub of a fork: how many branches are done, and which."""
        count = f"{min(progress.done, progress.need)}/{progress.need}"
        lines = (f"{self.done_mark} {one.label}" for one in progress if one.done)
        return "\n".join((count, *lines))

    def counted(self, answers: int, need: int) -> str:
        """What somebody reads whose answer is one of several that are needed."""
        return f"Thank you. {answers} of {need} have answered."

    def commands(self, commands: Sequence[tuple[str, str]]) -> str:
        """The list of commands, a line each."""
        lines = (f"/{name} - {text}" if text else f"/{name}" for name, text in commands)
        return "\n".join((self.help, *lines))

    def hint(self, commands: Sequence[tuple[str, str]]) -> str:
        """What to say where nothing runs and nothing took the update."""
        if not commands:
            return self.lost
        return f"{self.lost} Try {', '.join('/' + name for name, _ in commands)}."
