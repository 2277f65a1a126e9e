"""What SQL says to each table. Compiling it takes as long as opening a database, so a process does
it once for each kind of database, whatever number of storages it opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from storage.clock import Milliseconds
from storage.sql.commit import Commit
from storage.sql.dead_letters import DeadLetters
from storage.sql.dialects import Dialect
from storage.sql.inbox import Inbox
from storage.sql.lines import Lines
from storage.sql.outbox import Outbox
from storage.sql.partitions import Partitions
from storage.sql.scopes import Scopes
from storage.sql.timers import Timers

KEPT = 8
"""Of how many pairs of dialect and clock: a bot has one, and tests have clocks of their own."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements by table. Nothing in them changes, so storages share them."""

    partitions: Partitions
    inbox: Inbox
    scopes: Scopes
    lines: Lines
    timers: Timers
    outbox: Outbox
    commit: Commit


@lru_cache(maxsize=KEPT)
def statements_of(dialect: type[Dialect], clock: Milliseconds | None) -> Statements:
    """The statements in a dialect.

    Args:
        clock: stands in for the database's own, see ``Partitions``.
    """
    sql = dialect()
    partitions = Partitions(sql, clock)
    inbox, scopes, dead_letters = Inbox(sql, partitions), Scopes(sql), DeadLetters(sql)
    timers = Timers(sql, partitions, inbox)
    return Statements(
        partitions=partitions,
        inbox=inbox,
        scopes=scopes,
        lines=Lines(sql),
        timers=timers,
        outbox=Outbox(sql, partitions=partitions, inbox=inbox, dead_letters=dead_letters),
        commit=Commit(
            sql,
            partitions=partitions,
            inbox=inbox,
            scopes=scopes,
            timers=timers,
            dead_letters=dead_letters,
        ),
    )
