"""Conversations: loaded, and written by compare-and-set. Never an upsert: it would bring
erased people back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from sqlite3 import Cursor

import orjson
from sqlalchemy import LargeBinary, bindparam, cast, func, insert, select, update

from flows.errors import CorruptState
from flows.ports import Committed, ScopeWrite, Snapshot, TurnCommit
from storage.sql.dialects import SqliteDialect
from storage.sql.tables import conversations

Written = tuple[ScopeWrite, TurnCommit, int]
"""A scope with a new state, its turn, and the new version."""


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
        self._versions = sql.compile(
            select(row.key, row.version).where(sql.any_of(row.key, "keys")), "keys"
        )
        self._insert = sql.compile(
            insert(conversations),
            *("key", "part", "person", "version", "cause", "state", "updated"),
        )
        self._update = sql.compile(
            update(conversations)
            .values(
                person=func.coalesce(bindparam("person_"), row.person),
                version=bindparam("version_"),
                cause=bindparam("cause_"),
                state=bindparam("state_"),
                updated=bindparam("updated_"),
            )
            .where(row.key == bindparam("key_"), row.version == bindparam("loaded_")),
            *("person_", "version_", "cause_", "state_", "updated_", "key_", "loaded_"),
        )

    def load(self, cursor: Cursor, keys: Collection[str]) -> dict[str, Snapshot]:
        """The scopes as last committed."""
        found = cursor.execute(self._load, (self._sql.listed(keys),)).fetchall()
        return {
            key: Snapshot(version, cause, _text(key, state)) for key, version, cause, state in found
        }

    def versions(self, cursor: Cursor, keys: Collection[str]) -> dict[str, int]:
        """The versions of those scopes that exist."""
        return dict(cursor.execute(self._versions, (self._sql.listed(keys),)).fetchall())

    def write(self, cursor: Cursor, done: Sequence[tuple[TurnCommit, Committed]], now: int) -> None:
        """Writes the scopes of turns whose versions were found to match, under lock."""
        new: list[tuple[object, ...]] = []
        changed: list[tuple[object, ...]] = []
        for turn, committed in done:
            for scope, version in zip(turn.scopes, committed.versions, strict=True):
                if scope.state is None:
                    continue
                if scope.version is None:
                    new.append(
                        (scope.key, scope.part, scope.person, version, turn.cause, scope.state, now)
                    )
                else:
                    changed.append(
                        (
                            *(scope.person, version, turn.cause, scope.state, now),
                            *(scope.key, scope.version),
                        )
                    )
        # New ones first: a batch may hold the first turn of a scope and its second.
        if new:
            cursor.executemany(self._insert, new)
        if changed:
            cursor.executemany(self._update, changed)


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
