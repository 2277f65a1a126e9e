"""What an exploration has found, as data and as a text for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.testing.transcript import Exchange
from engine.testing.watch import Watch
from flows.ports import TransitionRow
from flows.routing.registry import AnyFlow

Kind = Literal["crash", "dead end", "loop"]

END = "completed"
"""What a transition table calls the end of the flow."""

_COMPLETING = ("next", "complete", "join")
"""The causes of moves by which an instance succeeds, where no step follows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be.

    Attributes:
        what: what happened, in words.
        turn: the input after which it was seen first, from 1.
        transcript: the way there, to be played again; empty: it did not happen a second time.
    """

    kind: Kind
    what: str
    turn: int
    transcript: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a flow was seen.

    Attributes:
        steps: how many steps it has.
        missed: steps that were never entered.
        unused: declared edges that were never taken, as (step, step or ``completed``).
    """

    flow: str
    steps: int
    missed: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exploration:
    """The outcome: the same for the same app, turns, seed and texts."""

    turns: int
    seed: int
    flows: tuple[Coverage, ...]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.turns} turns with seed {self.seed}: {_counted(self.findings)}"
        for flow in self.flows:
            seen = flow.steps - len(flow.missed)
            yield f"flow {flow.flow}: {seen} of {flow.steps} steps reached"
            if flow.missed:
                yield f"  never entered: {', '.join(flow.missed)}"
            if flow.unused:
                yield f"  never taken: {', '.join(f'{a} -> {b}' for a, b in flow.unused)}"
        for finding in self.findings:
            yield ""
            yield f"{finding.kind} at turn {finding.turn}: {finding.what}"
            way = finding.transcript or "(it did not happen again when this was played again)"
            yield from (f"  {line}" for line in way.splitlines())


def coverage(flow: AnyFlow, watch: Watch) -> Coverage:
    """How much of a flow the committed moves went through."""
    moves = [move for move in watch.moves if move.flow == flow.name]
    entered = {move.target for move in moves}
    completed = {id for (_, id), row in watch.instances.items() if row.status == END}
    taken = {(move.source, move.target or _end(move, completed)) for move in moves}
    edges = ((step, target) for step, targets in flow.table.items() for target in targets)
    declared = [edge for edge in edges if edge[1] in flow.table or edge[1] == END]
    return Coverage(
        flow.name,
        len(flow.table),
        tuple(step for step in flow.table if step not in entered),
        tuple(edge for edge in declared if edge not in taken),
    )


def _end(move: TransitionRow, completed: Collection[str]) -> str:
    """What a move without a target leads to; the end of a called flow has no row of its own."""
    return END if move.instance in completed or move.cause in _COMPLETING else ""


def transcript_of(way: Iterable[Exchange]) -> str:
    """The transcript that goes this way."""
    lines: list[str] = []
    who: tuple[str, str | None] = ("1", None)
    for exchange in way:
        if (exchange.by, exchange.chat) != who:
            who = (exchange.by, exchange.chat)
            lines.append(" ".join(("* person", *(part for part in who if part))))
        lines.append(exchange.written)
    return "\n".join(lines)


def _counted(findings: Sequence[Finding]) -> str:
    if not findings:
        return "nothing was found"
    return f"{len(findings)} finding{'s' if len(findings) > 1 else ''}"
