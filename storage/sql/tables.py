"""The tables, for every SQL database. Times are BIGINT milliseconds since the epoch (UTC).

Names and keys compare by their bytes. The Alembic migrations build these same tables; a test
holds the two together.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.dialects import mysql

from storage.limits import NAME_CHARS

metadata = MetaData()

# On PostgreSQL by bytes, whatever the database sorts by; on MySQL and MariaDB the tables say so.
Name = String(NAME_CHARS).with_variant(String(NAME_CHARS, collation="C"), "postgresql")

# Beyond 64 KiB; TEXT has no limit but on MySQL and MariaDB.
Text = PlainText().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

# SQLite gives out row numbers only for a column that is called INTEGER; its integers have
# 64 bits all the same.
Sequence = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Text, nullable=False),
)

partitions = Table(
    "partitions",
    metadata,
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Name),
    Column("epoch", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

# Every worker that has called, and until when it counts.
workers = Table(
    "workers",
    metadata,
    Column("name", Name, primary_key=True),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

chat_aliases = Table(
    "chat_aliases",
    metadata,
    Column("source", Name, primary_key=True),
    Column("chat", Name, primary_key=True),
    Column("canonical", Name, nullable=False),
    sqlite_with_rowid=False,
)

# Session and active instances in one row: one read, one compare-and-set. Half of each page is
# left free on PostgreSQL, so that a new version of a row finds room beside the old one and no
# index has to learn of it.
conversations = Table(
    "conversations",
    metadata,
    Column("key", Name, primary_key=True),
    Column("part", SmallInteger, nullable=False),
    Column("person", Name, index=True),
    Column("version", BigInteger, nullable=False),
    Column("cause", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
    postgresql_with={"fillfactor": "50"},
)

# A projection for listings; the instances that count are in conversations.state. Every turn
# writes it, so nothing is indexed that a turn changes. The key begins with the id, which begins
# with the number of a turn and so grows: those that are talked with now lie together, and a commit
# of many turns writes a few pages rather than one a turn. Besides, an event from outside knows the
# id and nothing else.
instances = Table(
    "instances",
    metadata,
    Column("conv", Name, nullable=False, index=True),
    Column("id", Name, nullable=False),
    Column("flow", Name, nullable=False),
    Column("flow_version", BigInteger, nullable=False),
    Column("step", Name, nullable=False),
    Column("status", Name, nullable=False),
    Column("result", Text),
    Column("updated", BigInteger, nullable=False),
    Column("ended", BigInteger),
    PrimaryKeyConstraint("id", "conv"),
    sqlite_with_rowid=False,
)

# `todo` is the partition while the row is undone. Body and notes are emptied when it is done.
# Numbers are never given out twice: a turn in flight knows its cause by number.
inbox = Table(
    "inbox",
    metadata,
    Column("seq", Sequence, primary_key=True),
    Column("source", Name, nullable=False),
    Column("ext", Name, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("conv", Name),
    Column("kind", Name, nullable=False),
    Column("body", Text),
    Column("notes", Text),
    Column("at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("todo", SmallInteger),
    Column("done", BigInteger),
    UniqueConstraint("source", "ext", name="uq_inbox_source_ext"),
    sqlite_autoincrement=True,
)
Index(
    "ix_inbox_todo",
    inbox.c.todo,
    inbox.c.seq,
    sqlite_where=inbox.c.todo.is_not(None),
    postgresql_where=inbox.c.todo.is_not(None),
)

# `todo` is the partition until the message is sent or given up; `due` is when it may go, and
# after that when it went. Names begin with the turn, which only grows: new ones lie together
# at the end of the index, and a commit touches few pages.
outbox = Table(
    "outbox",
    metadata,
    Column("seq", Sequence, primary_key=True),
    Column("part", SmallInteger, nullable=False),
    Column("chat", Name, nullable=False),
    Column("conv", Name, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("slot", Name),
    Column("body", Text),
    Column("state", Name, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("todo", SmallInteger),
    UniqueConstraint("turn", "n", "conv", name="uq_outbox_turn_n_conv"),
)
Index(
    "ix_outbox_todo",
    outbox.c.todo,
    outbox.c.chat,
    outbox.c.seq,
    sqlite_where=outbox.c.todo.is_not(None),
    postgresql_where=outbox.c.todo.is_not(None),
)

# What later turns edit: the channel's reference of a message that was sent. A slot begins with the
# id of an instance, so the key grows, as that of instances does.
messages = Table(
    "messages",
    metadata,
    Column("conv", Name, nullable=False),
    Column("slot", Name, nullable=False),
    Column("ref", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("slot", "conv"),
    sqlite_with_rowid=False,
)

# `id` names one setting of the timer, so that a replaced one and its successor are two causes.
timers = Table(
    "timers",
    metadata,
    Column("conv", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    Column("id", Name, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("source", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("id", name="uq_timers_id"),
    Index("ix_timers_part_due", "part", "due"),
    sqlite_with_rowid=False,
)

# The key begins with the turn for the same reason, and the log needs no index by time.
transitions = Table(
    "transitions",
    metadata,
    Column("turn", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("conv", Name, primary_key=True),
    Column("instance", Name, nullable=False),
    Column("flow", Name, nullable=False),
    Column("source", Name),
    Column("target", Name),
    Column("cause", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What channels record of a conversation to show it later. Read in order, from a place on; the
# unique name keeps what is recorded again from being there twice.
transcripts = Table(
    "transcripts",
    metadata,
    Column("conv", Name, nullable=False),
    Column("track", Name, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("name", Name, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("conv", "track", "n"),
    UniqueConstraint("conv", "track", "name", name="uq_transcripts_conv_track_name"),
)

# With what it takes to put it back: `source`, `ext` and `kind` of a cause, `chat`, `turn`, `n`
# and `slot` of a message.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Sequence, primary_key=True),
    Column("part", SmallInteger, nullable=False),
    Column("conv", Name, index=True),
    Column("origin", Name, nullable=False),
    Column("body", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("source", Name),
    Column("ext", Name),
    Column("kind", Name),
    Column("chat", Name),
    Column("turn", BigInteger),
    Column("n", BigInteger),
    Column("slot", Name),
    sqlite_autoincrement=True,
)

# What operators did, for good. Few rows, so that erasing somebody goes through them all.
audit = Table(
    "audit",
    metadata,
    Column("id", Sequence, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Name, nullable=False),
    Column("what", Name, nullable=False),
    Column("target", Name, nullable=False),
    Column("detail", Text, nullable=False),
    Column("conv", Name, index=True),
    sqlite_autoincrement=True,
)
