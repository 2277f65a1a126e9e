"""Two storages side by side, and what the numbers of each are called."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.ports import (
    Committed,
    Fence,
    FlowStorage,
    OutgoingRow,
)
from storage.testing.rows import (
    LISTINGS,
    conv,
)

USERS = ("ada", "bob")
NAMES = range(1, 9)
"""The causes that rules draw from; there may be more and fewer."""

SLOTS = [f"{name}.{n}" for name in NAMES for n in range(2)]

NEVER = 1 << 40
"""Added to the name of a cause that was never there."""

Read = Literal["now", "before", "never"]
READS: list[Read] = ["now", "now", "now", "before", "never"]
State = Literal["sent", "later", "dead"]


@dataclass(slots=True)
class Side:
    """One of the two storages, and what its numbers are called."""

    storage: FlowStorage
    fence: Fence = field(default_factory=lambda: Fence("me", {}))
    stale: Fence = field(default_factory=lambda: Fence("me", {}))
    causes: dict[int, int] = field(default_factory=dict)
    letters: dict[int, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    async def look(self) -> dict[str, object]:
        """All that there is to see; what is new gets its name, the oldest first."""
        pages = {query.what: (await self.storage.inspect(query)).rows for query in LISTINGS}
        _give_names(self.causes, [row["seq"] for row in pages["inbox"]])
        _give_names(self.letters, [row["id"] for row in pages["dead_letters"]])
        found = await self.storage.load([conv(user) for user in USERS])
        self.versions = {key: snapshot.version for key, snapshot in found.items()}
        return {
            **{what: sorted(map(self.row, rows), key=repr) for what, rows in pages.items()},
            "states": {key: (row.state, self.name(row.cause)) for key, row in found.items()},
            "aliases": await self.storage.aliases(),
            "references": [await self.storage.refs(conv(user), SLOTS) for user in USERS],
        }

    def cause(self, name: int) -> int:
        """The number of a cause."""
        return self.causes.get(name, NEVER + name)

    def name(self, number: int | None) -> int | None:
        """What a cause is called."""
        return next((name for name, known in self.causes.items() if known == number), None)

    def letter(self, number: int) -> int | None:
        """What a dead letter is called."""
        return next((name for name, known in self.letters.items() if known == number), None)

    def version(self, key: str, read: Read) -> int | None:
        """The version of a scope as a turn may have read it."""
        if read == "never":
            return 12
        return (self.versions if read == "now" else self.before).get(key)

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A listed row in names instead of numbers."""
        shown = dict(row)
        if "turn" in shown:
            shown["turn"] = self.name(shown["turn"])
        if "error" in shown:
            shown["id"] = self.letter(shown["id"])
        elif "slot" in shown:
            del shown["seq"]
            if shown["state"] != "later":
                del shown["due"]
        elif "seq" in shown:
            shown["seq"] = self.name(shown["seq"])
            if shown["ext"].startswith(("timer:", "replay:")):
                del shown["ext"]
        return shown


Call = Callable[[Side], Coroutine[Any, Any, Any]]
Shape = Callable[[Side, Any], Any]


def as_it_is(_: Side, answer: Any) -> Any:
    return list(answer) if isinstance(answer, Sequence) and not isinstance(answer, str) else answer


def names(side: Side, answer: Sequence[int | None]) -> list[int | None]:
    return [None if number is None else side.name(number) for number in answer]


def outcomes(_: Side, answer: Sequence[Committed]) -> list[object]:
    return [(committed.outcome, len(committed.versions)) for committed in answer]


def parts(_: Side, fence: Fence) -> object:
    return sorted(fence.epochs), fence.workers


def pending(side: Side, rows: Sequence[Any]) -> object:
    return [(side.name(row.seq), row.conv, row.body, row.notes, row.tries) for row in rows]


def fired(side: Side, answer: tuple[Sequence[int], float | None]) -> object:
    return names(side, answer[0]), answer[1]


def outgoing(side: Side, rows: Sequence[OutgoingRow]) -> object:
    return [(row.chat, side.name(row.turn), row.n, row.body, row.slot, row.tries) for row in rows]


def _give_names(names: dict[int, int], numbers: Iterable[int]) -> None:
    for number in sorted(set(numbers) - set(names.values())):
        names[len(names) + 1] = number
