"""Where a conversation stands, said of the model and of the engine in the same words."""

from __future__ import annotations

from dataclasses import dataclass

from flows.turns import instance as stored
from flows.turns.journal import TIMED_OUT
from flows.turns.visit import Answer as StoredAnswer
from tests.reference.state import Answer, Cancelled, Fork, Line, Run


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line: its step, what was answered there, its times, and the way there."""

    head: str
    done: bool
    step: str | None
    answers: tuple[str, ...]
    waits: bool
    deadline: int | None
    remind: int | None
    past: tuple[tuple[str, bool], ...]
    child: Seen | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A run."""

    flow: str
    data: tuple[tuple[str, str], ...]
    silent: int | None
    focus: str | None
    joined: bool
    lines: tuple[SeenLine, ...]


def of_model(run: Run) -> Seen:
    """Where a run of the model stands."""
    fork = run.fork
    return Seen(
        flow=run.flow,
        data=tuple(run.data.items()),
        silent=run.silent,
        focus=fork.focus if fork is not None else None,
        joined=fork is not None and fork.joined,
        lines=tuple(_model_line(line) for line in _model_lines(run, fork)),
    )


def _model_lines(run: Run, fork: Fork | None) -> list[Line]:
    return [run.main, *(fork.branches if fork is not None else ())]


def _model_line(line: Line) -> SeenLine:
    visit = line.visit
    waiting = visit.waiting if visit is not None else None
    child = visit.child if visit is not None else None
    return SeenLine(
        head=line.head,
        done=line.done,
        step=visit.step if visit is not None else None,
        answers=tuple(map(_model_answer, visit.answers)) if visit is not None else (),
        waits=waiting is not None,
        deadline=waiting.deadline if waiting is not None else None,
        remind=waiting.remind if waiting is not None else None,
        past=tuple((one.step, one.asked) for one in line.past),
        child=of_model(child) if child is not None else None,
    )


def _model_answer(answer: Answer) -> str:
    match answer:
        case str():
            return answer
        case Cancelled(reason):
            return f"cancelled: {reason}"
    return "timed out"


def of_engine(run: stored.FlowInstance) -> Seen:
    """Where an instance of the engine stands."""
    fork = run.fork
    return Seen(
        flow=run.flow,
        data=tuple(run.data.items()),
        silent=run.silent,
        focus=fork.focus if fork is not None else None,
        joined=fork is not None and fork.joined,
        lines=tuple(_line(line) for line in [run, *(fork.branches if fork is not None else ())]),
    )


def _line(line: stored.Line) -> SeenLine:
    visit = line.visit
    waiting = visit.waiting if visit is not None else None
    child = visit.child if visit is not None else None
    return SeenLine(
        head=line.head if isinstance(line, stored.Branch) else "",
        done=isinstance(line, stored.Branch) and line.done,
        step=visit.step if visit is not None else None,
        answers=tuple(map(_answer, visit.answers)) if visit is not None else (),
        waits=waiting is not None,
        deadline=waiting.deadline if waiting is not None else None,
        remind=waiting.rungs[0].due if waiting is not None and waiting.rungs else None,
        past=tuple((one.step, one.asked) for one in line.history),
        child=of_engine(child) if child is not None else None,
    )


def _answer(answer: StoredAnswer) -> str:
    match answer.value:
        case {"data": {"a": result}}:
            return str(result)
        case {"cancelled": reason}:
            return f"cancelled: {reason}"
    return "timed out" if answer.kind == TIMED_OUT else str(answer.value)
