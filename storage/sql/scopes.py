"""Conversations: loaded, and written by compare-and-set. Never an upsert: it would bring
erased people back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import select

from flows.errors import CorruptState
from flows.ports import Committed, Snapshot, TurnCommit
from storage.sql.dialects import Cursor, Dialect, Race, Refused
from storage.sql.tables import conversations

Done = Sequence[tuple[TurnCommit, Committed]]


class Known(NamedTuple):
    """What a commit looks at before it writes, by key."""

    versions: dict[str, int]
    persons: dict[str, str | None]


class Scopes:
    """The table of conversations."""

    def __init__(self, sql: Dialect) -> None:
        self._sql = sql
        row = conversations.c
        loaded = select(row.key, row.version, row.cause, sql.stored(row.state))
        self._load = sql.among(row.key, loaded.where)
        known = select(row.key, row.version, row.person)
        if sql.concurrent:
            known = sql.locked(known.order_by(row.key))
        self._known = sql.among(row.key, known.where)
        self._insert = sql.inserts(
            conversations, "key", "part", "person", "version", "cause", "state", "updated"
        )
        self._update = sql.updates(
            conversations,
            *("version", "cause", "state", "updated"),
            key=("key",),
            loaded=("version",),
        )
        self._name = sql.updates(conversations, "person", key=("key",))
        self._remove = sql.deletes(conversations, "key")

    def load(self, cursor: Cursor, keys: Collection[str]) -> dict[str, Snapshot]:
        """The scopes as last committed."""
        found = self._load(cursor, keys).fetchall()
        return {
            key: Snapshot(version, cause, _text(key, state)) for key, version, cause, state in found
        }

    def known(self, cursor: Cursor, keys: Collection[str]) -> Known:
        """Version and person of those scopes that exist; they stay so, where others write too."""
        rows = self._known(cursor, keys).fetchall()
        return Known(
            {key: version for key, version, _ in rows}, {key: person for key, _, person in rows}
        )

    def write(
        self, cursor: Cursor, done: Done, *, persons: Mapping[str, str | None], now: int
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
        self._create(cursor, done, new)
        self._update(cursor, changed)
        self._name(cursor, named)

    def _create(self, cursor: Cursor, done: Done, new: list[tuple[object, ...]]) -> None:
        """Inserts new scopes. Raises Race when somebody else was faster."""
        absent = _absent(done, {row[0] for row in new}) if self._sql.concurrent else []
        try:
            self._insert(cursor, [*new, *((key, 0, None, 0, 0, "", 0) for key in absent)])
        except Refused as error:
            if error.is_duplicate:
                raise Race(str(error)) from error
            raise
        self._remove(cursor, [(key,) for key in absent])


def _absent(done: Done, new: Collection[object]) -> list[str]:
    """Scopes that turns have found absent and leave so.

    There is no row that could be locked: so one is put there and taken away again, which keeps
    everybody else from creating it until the commit.
    """
    keys = {
        scope.key
        for turn, _ in done
        for scope in turn.scopes
        if scope.version is None and scope.state is None
    }
    return [key for key in keys if key not in new]


def _text(key: str, state: bytes | str) -> str:
    try:
        text = state if isinstance(state, str) else state.decode()
        orjson.loads(text)
    except ValueError as error:
        raise CorruptState(key, str(error)) from error
    return text


def keys_of(turns: Sequence[TurnCommit]) -> Mapping[str, None]:
    """The scopes that the turns have loaded, each once."""
    return dict.fromkeys(scope.key for turn in turns for scope in turn.scopes)
