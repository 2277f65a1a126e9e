"""Every text that people may have said, coded anew where it lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from flows.ports import InstanceRow, Line
from storage.memory.database import Cause, Dead, MemoryDatabase, Message, Scope, Timer

PAGE = 100
"""How many rows one step of the loop looks at, so that turns go on meanwhile."""

Name = TypeVar("Name")
Row = TypeVar("Row")
Change = Callable[[str], str]


async def recode(database: MemoryDatabase, change: Change) -> int:
    """Puts ``change(text)`` in place of every text. Answers how many rows it changed."""
    return (
        await _each(database.scopes, lambda scope: _scope(scope, change))
        + await _each(database.instances, lambda row: _instance(row, change))
        # What is done or settled has been emptied.
        + await _each(database.undone, lambda cause: _cause(cause, change))
        + await _each(database.unsent, lambda message: _message(message, change))
        + await _each(database.messages, lambda kept: _reference(kept, change))
        + await _each(database.timers, lambda timer: _timer(timer, change))
        + await _each(database.lines, lambda line: _line(line, change))
        + await _each(database.dead, lambda dead: _dead(dead, change))
    )


async def _each(table: dict[Name, Row], recoded: Callable[[Row], Row | None]) -> int:
    """Goes over the rows that there are now, as they are when it comes to them."""
    changed = 0
    for place, name in enumerate(list(table), start=1):
        row = table.get(name)
        new = None if row is None else recoded(row)
        if new is not None:
            table[name] = new
            changed += 1
        if place % PAGE == 0:
            await asyncio.sleep(0)
    return changed


def _scope(scope: Scope, change: Change) -> Scope | None:
    state = change(scope.snapshot.state)
    if state == scope.snapshot.state:
        return None
    # In place, as with causes and messages: two tables may hold the same object.
    scope.snapshot = replace(scope.snapshot, state=state)
    return scope


def _cause(cause: Cause, change: Change) -> Cause | None:
    body = change(cause.body)
    notes = None if cause.notes is None else change(cause.notes)
    if (body, notes) == (cause.body, cause.notes):
        return None
    cause.body, cause.notes = body, notes
    return cause


def _message(message: Message, change: Change) -> Message | None:
    body = None if message.body is None else change(message.body)
    if body == message.body:
        return None
    message.body = body
    return message


def _instance(row: InstanceRow, change: Change) -> InstanceRow | None:
    result = None if row.result is None else change(row.result)
    return None if result == row.result else replace(row, result=result)


def _reference(kept: tuple[str, int], change: Change) -> tuple[str, int] | None:
    ref, at = kept
    new = change(ref)
    return None if new == ref else (new, at)


def _timer(timer: Timer, change: Change) -> Timer | None:
    body = change(timer.row.body)
    return None if body == timer.row.body else replace(timer, row=replace(timer.row, body=body))


def _line(line: Line, change: Change) -> Line | None:
    body = change(line.body)
    return None if body == line.body else replace(line, body=body)


def _dead(dead: Dead, change: Change) -> Dead | None:
    body, error = change(dead.body), change(dead.error)
    same = (body, error) == (dead.body, dead.error)
    return None if same else replace(dead, body=body, error=error)
