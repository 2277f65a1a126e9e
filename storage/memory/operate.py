"""Timers that fire, and what operators do: sweep, erase, inspect, replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from heapq import nsmallest
from itertools import islice
from typing import Any, TypeVar

from flows.ports import ChatPage, InboxRow, Page, Query, Swept, Tally
from storage.listings import Look, look, page
from storage.memory.database import MemoryDatabase, Message
from storage.people import ERASED, belongs, is_conversation, new_chats_of, prefix_of, private_chat

Name = TypeVar("Name")
Row = TypeVar("Row")


def fire(database: MemoryDatabase, name: tuple[str, str]) -> int | None:
    """Turns one timer into an inbox row."""
    timer = database.timers.pop(name)
    row = timer.row
    return database.put_cause(
        InboxRow(
            source=row.source,
            ext=timer.id,
            part=row.part,
            conv=row.conv,
            kind=row.kind,
            body=row.body,
            at=row.due,
        )
    )


def sweep(database: MemoryDatabase, before: int, limit: int) -> Swept:
    """Removes what ended before ``before``, at most ``limit`` rows of a table."""
    live = {name for name, row in database.instances.items() if row.ended is None}
    convs = database.live_convs()
    causes = _drop(
        database.inbox, lambda _, cause: cause.done is not None and cause.done < before, limit
    )
    for cause in causes.values():
        del database.accepted[cause.source, cause.ext]
    outbox = _drop(
        database.outbox,
        lambda name, row: (
            row.seq not in database.unsent and row.due < before and name[0] not in convs
        ),
        limit,
    )
    messages = _drop(
        database.messages, lambda name, kept: kept[1] < before and name[0] not in convs, limit
    )
    transitions = _drop(
        database.transitions,
        lambda name, row: row.at < before and (name[0], row.instance) not in live,
        limit,
    )
    lines = _drop(
        database.lines, lambda name, line: line.at < before and name[0] not in convs, limit
    )
    instances = _drop(
        database.instances, lambda _, row: row.ended is not None and row.ended < before, limit
    )
    tables: dict[str, Mapping[Any, Any]] = {
        "inbox": causes,
        "outbox": outbox,
        "messages": messages,
        "transitions": transitions,
        "transcripts": lines,
        "instances": instances,
    }
    return Swept(rows={name: len(rows) for name, rows in tables.items()})


def erase(database: MemoryDatabase, person: str) -> int:
    """Removes a person from every table. Answers how many scopes there were."""
    scopes = {key for key, scope in database.scopes.items() if scope.person == person}
    convs = scopes | {conv for conv in database.convs() if conv and belongs(conv, person)}
    chats = {chat for chat in map(private_chat, convs) if chat}
    everything = len(database.inbox)
    for cause in _drop(database.inbox, lambda _, cause: cause.conv in convs, everything).values():
        del database.accepted[cause.source, cause.ext]
        database.undone.pop(cause.seq, None)
    outbox = _drop(
        database.outbox, lambda _, row: row.conv in convs or row.chat in chats, len(database.outbox)
    )
    for message in outbox.values():
        database.unsent.pop(message.seq, None)
    _drop(database.instances, lambda name, _: name[0] in convs, len(database.instances))
    _drop(database.messages, lambda name, _: name[0] in convs, len(database.messages))
    _drop(database.timers, lambda name, _: name[0] in convs, len(database.timers))
    _drop(database.transitions, lambda name, _: name[0] in convs, len(database.transitions))
    _drop(database.lines, lambda name, _: name[0] in convs, len(database.lines))
    _drop(database.dead, lambda _, dead: dead.conv in convs, len(database.dead))
    for number, row in database.audit.items():
        if row.conv in convs or row.target == person:
            database.audit[number] = replace(row, target=ERASED, detail="", conv=None)
    dropped = _drop(database.scopes, lambda key, _: key in convs, len(database.scopes))
    return sum(map(is_conversation, dropped))


def private_chats(database: MemoryDatabase, source: str, after: str | None, limit: int) -> ChatPage:
    """The private chats of a bot, a page at a time."""
    prefix = prefix_of(source)
    theirs = (key for key in database.scopes if key.startswith(prefix))
    keys = nsmallest(limit, (key for key in theirs if after is None or key > after))
    return ChatPage(new_chats_of(keys, after), keys[-1] if len(keys) == limit else None)


def inspect(database: MemoryDatabase, query: Query) -> Page:
    """A page of rows for people to read."""
    looked = look(query)
    listing = looked.listing
    rows = [
        row
        for row in _rows(database, query.what, listing.columns)
        if _matches(database, row, looked)
    ]

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[column] for column in listing.order)

    rows.sort(key=place, reverse=listing.newest_first)
    after = looked.after
    if after is not None:
        rows = [
            row
            for row in rows
            if (place(row) < after if listing.newest_first else place(row) > after)
        ]
    return page(rows[: looked.limit + 1], looked)


def _matches(database: MemoryDatabase, row: Mapping[str, Any], looked: Look) -> bool:
    if any(row[column] != value for column, value in looked.matches.items()):
        return False
    if looked.live is not None and (row["ended"] is None) is not looked.live:
        return False
    if looked.step is not None and f" {looked.step} " not in f" {row['step']} ":
        return False
    if looked.before is not None and row["updated"] >= looked.before:
        return False
    if looked.text is not None and not (looked.text in row["id"] or looked.text in row["conv"]):
        return False
    if looked.person is None:
        return True
    scope = database.scopes.get(row["conv"])
    return scope is not None and scope.person == looked.person


def tally(database: MemoryDatabase) -> list[Tally]:
    """How many instances there are of each flow, step and status."""
    counts = Counter((row.flow, row.step, row.status) for row in database.instances.values())
    return [Tally(*name, count) for name, count in counts.items()]


def replay(database: MemoryDatabase, dead: int) -> int | None:
    """Puts a dead letter back where it came from, and forgets it."""
    letter = database.dead.pop(dead, None)
    if letter is None:
        return None
    match letter.row:
        case Message() as message:
            return _send_again(database, message, letter.body)
        case InboxRow() as cause:
            again = replace(
                cause, ext=f"replay:{dead}", body=letter.body, conv=letter.conv, at=letter.at
            )
            return database.put_cause(again)


def _send_again(database: MemoryDatabase, message: Message, body: str) -> int:
    database.put_message(
        replace(
            message,
            seq=database.next_message(),
            body=body,
            state="new",
            tries=0,
            due=0,
        )
    )
    return message.turn


def _rows(
    database: MemoryDatabase, what: str, columns: Iterable[str]
) -> Iterable[Mapping[str, Any]]:
    tables: dict[str, Iterable[object]] = {
        "instances": database.instances.values(),
        "transitions": database.transitions.values(),
        "dead_letters": database.dead.values(),
        "audit": database.audit.values(),
        "inbox": [cause.pending() for cause in database.undone.values()],
        "outbox": database.unsent.values(),
        "timers": [timer.row for timer in database.timers.values()],
    }
    names = list(columns)
    return [{name: getattr(row, name) for name in names} for row in tables[what]]


def _drop(
    table: dict[Name, Row], which: Callable[[Name, Row], bool], limit: int
) -> dict[Name, Row]:
    """Takes up to ``limit`` rows out of a table and answers them."""
    found = dict(islice(((name, row) for name, row in table.items() if which(name, row)), limit))
    for name in found:
        del table[name]
    return found
