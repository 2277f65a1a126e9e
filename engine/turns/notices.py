"""What the engine itself says to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.messages.translations import gettext, phrase, said
from flows.turns.progress import Progress


@dataclass(frozen=True, slots=True)
class Notices:
    """The engine's own texts, in the languages that it speaks; give an App another one to change
    them.
    """

    cancelled: str = gettext("Cancelled.")
    nothing_to_cancel: str = gettext("There is nothing to cancel.")
    nothing_to_undo: str = gettext("There is nothing to go back to.")
    at_start: str = gettext("This is the start, there is no question before it.")
    stale_press: str = gettext("This button has expired.")
    foreign_press: str = gettext("This button is for somebody else.")
    apology: str = gettext("Sorry, something went wrong. Please try that again.")
    expired: str = gettext("This conversation has expired.")
    restarted: str = gettext("This question has changed. Let us start it again.")
    quarantined: str = gettext(
        "Sorry, this conversation cannot go on right now. Nothing is lost; somebody has to look "
        "at it."
    )
    too_many_tries: str = gettext("That did not work out, so I have stopped here.")
    not_now: str = gettext("I did not expect that now.")
    lost: str = gettext("I did not understand that.")
    help: str = gettext("Here is what I can do:")
    done_mark: str = "\u2713"
    go_on: str = gettext("Continue")
    reminder: str = gettext("This is a reminder.")
    timed_out: str = gettext("That took too long, so I have stopped here.")
    escalated: str = gettext("A person is looking at it. Please wait.")
    running_already: str = gettext("We are in the middle of that already.")
    start_over_question: str = gettext("We are in the middle of that already. Start over?")
    start_over: str = gettext("Start over")
    busy: str = gettext("Let us finish this first.")
    answered_already: str = gettext("You have answered already.")
    not_allowed: str = gettext("You may not do that.")
    for_somebody_else: str = gettext("That question is for somebody else.")

    def progress(self, progress: Progress[Any, Any]) -> str:
        """The hub of a fork: how many branches are done, and which."""
        count = f"{min(progress.done, progress.need)}/{progress.need}"
        lines = (f"{self.done_mark} {one.label}" for one in progress if one.done)
        return "\n".join((count, *lines))

    def counted(self, answers: int, need: int) -> str:
        """What somebody reads whose answer is one of several that are needed."""
        return phrase("Thank you. {answers} of {need} have answered.", answers=answers, need=need)

    def commands(self, commands: Sequence[tuple[str, str]]) -> str:
        """The list of commands, a line each."""
        lines = (f"/{name} - {text}" if text else f"/{name}" for name, text in commands)
        return "\n".join((said(self.help), *lines))

    def hint(self, commands: Sequence[tuple[str, str]]) -> str:
        """What to say where nothing runs and nothing took the update."""
        if not commands:
            return self.lost
        known = ", ".join("/" + name for name, _ in commands)
        return phrase("{lost} Try {commands}.", lost=self.lost, commands=known)
