"""Conversations: loaded, and written by compare-and-set. Never an upsert: it would bring
erased people back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from sqlite3 import Cursor
from typing import NamedTuple

import orjson
from sqlalchemy import LargeBinary, bindparam, cast, insert, select, update

from flows.errors import CorruptState
from flows.ports import Committed, Snapshot, TurnCommit
from storage.sql.dialects import SqliteDialect
from storage.sql.tables import conversations


class Known(NamedTuple):
    """What a commit looks at before it writes, by key."""

    versions: dict[str, int]
    persons: dict[str, str | None]


class Scopes:
    """The table of conversations."""

    def __init__(self, sql: SqliteDialect) -> None:
        self._sql = sql
        row = conversations.c
        # As bytes: a text that is no UTF-8 would fail in the driver, without its key.
        state = cast(row.state, LargeBinary)
        self._load = sql.compile(
            select(row.key, row.version, row.cause, state).where(sql.any_of(row.key, "keys")),
            "keys",
        )
        self._known = sql.compile(
            select(row.key, row.version, row.person).where(sql.any_of(row.key, "keys")), "keys"
        )
        self._insert = sql.compile(
            insert(conversations),
            *("key", "part", "person", "version", "cause", "state", "updated"),
        )
        self._update = sql.compile(
            update(conversations)
            .values(
                version=bindparam("version_"),
                cause=bindparam("cause_"),
                state=bindparam("state_"),
                updated=bindparam("updated_"),
            )
            .where(row.key == bindparam("key_"), row.version == bindparam("loaded_")),
            *("version_", "cause_", "state_", "updated_", "key_", "loaded_"),
        )

        self._name = sql.compile(
            update(conversations)
            .values(person=bindparam("person_"))
            .where(row.key == bindparam("key_")),
            *("person_", "key_"),
        )

    def load(self, cursor: Cursor, keys: Collection[str]) -> dict[str, Snapshot]:
        """The scopes as last committed."""
        found = cursor.execute(self._load, (self._sql.listed(keys),)).fetchall()
        return {
            key: Snapshot(version, cause, _text(key, state)) for key, version, cause, state in found
        }

    def known(self, cursor: Cursor, keys: Collection[str]) -> Known:
        """Version and person of those scopes that exist."""
        rows = cursor.execute(self._known, (self._sql.listed(keys),)).fetchall()
        return Known(
            {key: version for key, version, _ in rows}, {key: person for key, _, person in rows}
        )

    def write(
        self,
        cursor: Cursor,
        done: Sequence[tuple[TurnCommit, Committed]],
        *,
        persons: Mapping[str, str | None],
        now: int,
    ) -> None:
        """Writes the scopes of turns whose versions were found to match, under lock.

        ``persons`` are those that were known before: an index hangs on them, so they are
        written only where they are new.
        """
        new: list[tuple[object, ...]] = []
        changed: list[tuple[object, ...]] = []
        named: list[tuple[str, str]] = []
        for turn, committed in done:
            for scope, version in zip(turn.scopes, committed.versions, strict=True):
                key, person, state = scope.key, scope.person, scope.state
                if state is None:
                    continue
                if scope.version is None:
                    new.append((key, scope.part, person, version, turn.cause, state, now))
                    continue
                changed.append((version, turn.cause, state, now, key, scope.version))
                if person is not None and persons.get(key) != person:
                    named.append((person, key))
        # New ones first: a batch may hold the first turn of a scope and its second.
        for statement, rows in (
            (self._insert, new),
            (self._update, changed),
            (self._name, named),
        ):
            if rows:
                cursor.executemany(statement, rows)


def _text(key: str, state: bytes) -> str:
    try:
        text = state.decode()
        orjson.loads(text)
    except ValueError as error:
        raise CorruptState(key, str(error)) from error
    return text


def keys_of(turns: Sequence[TurnCommit]) -> Mapping[str, None]:
    """The scopes that the turns have loaded, each once."""
    return dict.fromkeys(scope.key for turn in turns for scope in turn.scopes)
