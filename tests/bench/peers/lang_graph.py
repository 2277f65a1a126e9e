"""LangGraph: a node a question, interrupted until the answer comes, with its SQLite saver."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class Visitor(TypedDict, total=False):
    """The answers."""

    name: str
    email: str
    age: int
    town: str
    said: str


def name(state: Visitor) -> Visitor:
    """The first question."""
    return {"name": interrupt("What's your name?")}


def email(state: Visitor) -> Visitor:
    """An address."""
    answer = interrupt(f"What's your e-mail, {state['name']}?")
    while "@" not in answer:
        answer = interrupt("That is no e-mail.")
    return {"email": answer}


def age(state: Visitor) -> Visitor:
    """A number."""
    answer = interrupt("How old are you?")
    while not answer.isdigit():
        answer = interrupt("That is no number.")
    return {"age": int(answer)}


def town(state: Visitor) -> Visitor:
    """A text."""
    return {"town": interrupt("Where do you live?")}


def confirm(state: Visitor) -> Visitor:
    """The end."""
    interrupt(f"{state['name']}, {state['age']}, of {state['town']}: is that right?")
    return {"said": f"Thank you, {state['name']}."}


class LangGraph:
    """A graph with a thread a person. It has no Telegram: the answers are values."""

    async def open(self, folder: Path) -> None:
        """Compiles the graph."""
        steps = {"name": name, "email": email, "age": age, "town": town, "confirm": confirm}
        graph = StateGraph(Visitor)
        for called, step in steps.items():
            graph.add_node(f"ask_{called}", step)
        names = [START, *(f"ask_{called}" for called in steps), END]
        for before, after in pairwise(names):
            graph.add_edge(before, after)
        self._connection = sqlite3.connect(folder / "langgraph.db", check_same_thread=False)
        self._graph = graph.compile(checkpointer=SqliteSaver(self._connection))

    async def say(self, person: int, text: str) -> str:
        """Begins, or resumes, the person's thread. The saver is synchronous, and so is this."""
        config = {"configurable": {"thread_id": str(person)}}
        given: Any = {"said": ""} if text == "/start" else Command(resume=text)
        result = self._graph.invoke(given, config)
        interrupts = result.get("__interrupt__")
        return str(interrupts[0].value if interrupts else result["said"])

    async def close(self) -> None:
        """Closes the database."""
        self._connection.close()
