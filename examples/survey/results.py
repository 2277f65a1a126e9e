"""What everybody has said: a SQLite file of the bot's own, and how it is shown."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiosqlite

from engine import App

T = TypeVar("T")

FILE = "SURVEY_RESULTS"
"""The environment variable with the name of the file."""

WIDTH = 10
"""Characters of the longest bar."""


class Results:
    """The counts. They belong to nobody's conversation, so they are kept beside them."""

    _file: aiosqlite.Connection

    @asynccontextmanager
    async def opened(self, app: App) -> AsyncIterator[None]:
        """Keeps the file open while the App runs."""
        name = os.environ.get(FILE, "survey-results.db")
        async with aiosqlite.connect(name, isolation_level=None) as self._file:
            await self._file.execute(
                "CREATE TABLE IF NOT EXISTS feedback"
                " (key TEXT PRIMARY KEY, satisfied INTEGER NOT NULL, recommended INTEGER NOT NULL)"
            )
            yield

    async def add(self, key: str, satisfied: int, *, recommended: bool) -> None:
        """Counts a feedback; the same key again takes the place of the one before."""
        await self._file.execute(
            "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?)", (key, satisfied, recommended)
        )

    async def shown(self) -> str:
        """Everything as bars."""
        rows = await self._file.execute_fetchall("SELECT satisfied, recommended FROM feedback")
        satisfied = Counter(row[0] for row in rows)
        recommended = Counter("Yes" if row[1] else "No" for row in rows)
        return "\n".join(
            (
                f"Answers so far: {satisfied.total()}",
                "\nSatisfied?",
                *_bars(satisfied, (5, 4, 3, 2, 1)),
                "\nRecommend us?",
                *_bars(recommended, ("Yes", "No")),
            )
        )


def _bars(counted: Counter[T], values: Iterable[T]) -> Iterable[str]:
    most = max(counted.values(), default=1)
    for value in values:
        bar = "\u2588" * round(WIDTH * counted[value] / most)
        yield f"{value} {bar} {counted[value]}".replace("  ", " ")
