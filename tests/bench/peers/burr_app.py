"""Burr: an action an answer, with its SQLite persister."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burr.core import Application, ApplicationBuilder, State, action
from burr.core.persistence import SQLitePersister


@action(  # type: ignore[untyped-decorator]  # its types are not installed with ours
    reads=["step", "name", "age", "town"], writes=["step", "name", "email", "age", "town", "said"]
)
def answer(state: State, text: str) -> State:
    """Takes one answer and asks the next question."""
    match state["step"], text:
        case _, "/start":
            return state.update(step="name", said="What's your name?")
        case "name", _:
            return state.update(step="email", name=text, said=f"What's your e-mail, {text}?")
        case "email", _ if "@" not in text:
            return state.update(said="That is no e-mail.")
        case "email", _:
            return state.update(step="age", email=text, said="How old are you?")
        case "age", _ if not text.isdigit():
            return state.update(said="That is no number.")
        case "age", _:
            return state.update(step="town", age=int(text), said="Where do you live?")
        case "town", _:
            said = f"{state['name']}, {state['age']}, of {text}: is that right?"
            return state.update(step="confirm", town=text, said=said)
        case _:
            return state.update(step="", said=f"Thank you, {state['name']}.")


class Burr:
    """An application a person, kept in memory, and its state in the database after each action.
    It has no Telegram: the answers are values.
    """

    async def open(self, folder: Path) -> None:
        """Opens the database."""
        self._persister = SQLitePersister(str(folder / "burr.db"))
        self._persister.initialize()
        self._applications: dict[int, Application[Any]] = {}

    async def say(self, person: int, text: str) -> str:
        """Runs the one action."""
        if person not in self._applications:
            self._applications[person] = self._build(person)
        _, _, state = self._applications[person].run(halt_after=["answer"], inputs={"text": text})
        return str(state["said"])

    def _build(self, person: int) -> Application[Any]:
        fresh = {"step": "", "name": "", "email": "", "age": 0, "town": "", "said": ""}
        return (
            ApplicationBuilder()
            .with_actions(answer)
            .with_transitions(("answer", "answer"))
            .initialize_from(
                self._persister,
                resume_at_next_action=True,
                default_state=fresh,
                default_entrypoint="answer",
            )
            .with_state_persister(self._persister)
            .with_identifiers(app_id=str(person))
            .build()
        )

    async def close(self) -> None:
        """Closes the database."""
        self._persister.cleanup()
