"""The first tables, with a row for each partition and the mark that the database is ours.

Revision 0001, after none.
"""

import sqlalchemy as sa

from alembic import op
from storage.sql.steps import Steps

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONS = 64

name = Steps.name
text = Steps.text
number = sa.BigInteger()
part = sa.SmallInteger()
sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
undone = sa.text("todo IS NOT NULL")


def upgrade() -> None:
    steps = Steps(op)
    create_keeping(steps)
    create_conversations(steps)
    create_inbox(steps)
    create_outbox(steps)
    create_timers(steps)
    create_log(steps)


def downgrade() -> None:
    for table in (
        *("dead_letters", "transitions", "timers", "messages", "outbox", "inbox"),
        *("instances", "conversations", "chat_aliases", "partitions", "meta"),
    ):
        op.drop_table(table)


def create_keeping(steps: Steps) -> None:
    steps.create_table(
        "meta",
        sa.Column("name", name, nullable=False),
        sa.Column("value", text, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    steps.fill("meta", [{"name": "application", "value": "handrail"}])
    steps.create_table(
        "partitions",
        sa.Column("part", part, autoincrement=False, nullable=False),
        sa.Column("owner", name, nullable=True),
        sa.Column("epoch", number, nullable=False),
        sa.Column("until", number, nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    rows = [{"part": place, "owner": None, "epoch": 0, "until": 0} for place in range(PARTITIONS)]
    steps.fill("partitions", rows)
    steps.create_table(
        "chat_aliases",
        sa.Column("source", name, nullable=False),
        sa.Column("chat", name, nullable=False),
        sa.Column("canonical", name, nullable=False),
        sa.PrimaryKeyConstraint("source", "chat"),
        sqlite_with_rowid=False,
    )


def create_conversations(steps: Steps) -> None:
    steps.create_table(
        "conversations",
        sa.Column("key", name, nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("person", name, nullable=True),
        sa.Column("version", number, nullable=False),
        sa.Column("cause", number, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("updated", number, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        postgresql_with={"fillfactor": "50"},
    )
    steps.create_index("ix_conversations_person", "conversations", ["person"])
    steps.create_table(
        "instances",
        sa.Column("conv", name, nullable=False),
        sa.Column("id", name, nullable=False),
        sa.Column("flow", name, nullable=False),
        sa.Column("flow_version", number, nullable=False),
        sa.Column("step", name, nullable=False),
        sa.Column("status", name, nullable=False),
        sa.Column("result", text, nullable=True),
        sa.Column("updated", number, nullable=False),
        sa.Column("ended", number, nullable=True),
        sa.PrimaryKeyConstraint("conv", "id"),
        sqlite_with_rowid=False,
    )


def create_inbox(steps: Steps) -> None:
    steps.create_table(
        "inbox",
        sa.Column("seq", sequence, nullable=False),
        sa.Column("source", name, nullable=False),
        sa.Column("ext", name, nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("conv", name, nullable=True),
        sa.Column("kind", name, nullable=False),
        sa.Column("body", text, nullable=True),
        sa.Column("notes", text, nullable=True),
        sa.Column("at", number, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("todo", part, nullable=True),
        sa.Column("done", number, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("source", "ext", name="uq_inbox_source_ext"),
        sqlite_autoincrement=True,
    )
    steps.create_index(
        "ix_inbox_todo", "inbox", ["todo", "seq"], sqlite_where=undone, postgresql_where=undone
    )


def create_outbox(steps: Steps) -> None:
    steps.create_table(
        "outbox",
        sa.Column("seq", sequence, nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("chat", name, nullable=False),
        sa.Column("conv", name, nullable=False),
        sa.Column("turn", number, nullable=False),
        sa.Column("n", number, nullable=False),
        sa.Column("slot", name, nullable=True),
        sa.Column("body", text, nullable=True),
        sa.Column("state", name, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", number, nullable=False),
        sa.Column("todo", part, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("turn", "n", "conv", name="uq_outbox_turn_n_conv"),
    )
    steps.create_index(
        "ix_outbox_todo",
        "outbox",
        ["todo", "chat", "seq"],
        sqlite_where=undone,
        postgresql_where=undone,
    )
    steps.create_table(
        "messages",
        sa.Column("conv", name, nullable=False),
        sa.Column("slot", name, nullable=False),
        sa.Column("ref", text, nullable=False),
        sa.Column("at", number, nullable=False),
        sa.PrimaryKeyConstraint("conv", "slot"),
        sqlite_with_rowid=False,
    )


def create_timers(steps: Steps) -> None:
    steps.create_table(
        "timers",
        sa.Column("conv", name, nullable=False),
        sa.Column("name", name, nullable=False),
        sa.Column("id", name, nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("due", number, nullable=False),
        sa.Column("generation", number, nullable=False),
        sa.Column("source", name, nullable=False),
        sa.Column("kind", name, nullable=False),
        sa.Column("body", text, nullable=False),
        sa.PrimaryKeyConstraint("conv", "name"),
        sa.UniqueConstraint("id", name="uq_timers_id"),
        sqlite_with_rowid=False,
    )
    steps.create_index("ix_timers_part_due", "timers", ["part", "due"])


def create_log(steps: Steps) -> None:
    steps.create_table(
        "transitions",
        sa.Column("turn", number, autoincrement=False, nullable=False),
        sa.Column("n", number, autoincrement=False, nullable=False),
        sa.Column("conv", name, nullable=False),
        sa.Column("instance", name, nullable=False),
        sa.Column("flow", name, nullable=False),
        sa.Column("source", name, nullable=True),
        sa.Column("target", name, nullable=True),
        sa.Column("cause", text, nullable=False),
        sa.Column("at", number, nullable=False),
        sa.PrimaryKeyConstraint("turn", "n", "conv"),
        sqlite_with_rowid=False,
    )
    steps.create_table(
        "dead_letters",
        sa.Column("id", sequence, nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("conv", name, nullable=True),
        sa.Column("origin", name, nullable=False),
        sa.Column("body", text, nullable=False),
        sa.Column("error", text, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", number, nullable=False),
        sa.Column("source", name, nullable=True),
        sa.Column("ext", name, nullable=True),
        sa.Column("kind", name, nullable=True),
        sa.Column("chat", name, nullable=True),
        sa.Column("turn", number, nullable=True),
        sa.Column("n", number, nullable=True),
        sa.Column("slot", name, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    steps.create_index("ix_dead_letters_conv", "dead_letters", ["conv"])
