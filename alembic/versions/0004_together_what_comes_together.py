"""Instances and references lie in the order in which they come, so that the turns of a time write
few pages.

Revision 0004, after 0003.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from storage.sql.steps import Steps

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

number = sa.BigInteger()


def upgrade() -> None:
    steps = Steps(op)
    rekey(steps, "instances", ["id", "conv"])
    steps.drop_index("ix_instances_id", "instances")
    steps.create_index("ix_instances_conv", "instances", ["conv"])
    rekey(steps, "messages", ["slot", "conv"])


def downgrade() -> None:
    steps = Steps(op)
    rekey(steps, "instances", ["conv", "id"])
    steps.drop_index("ix_instances_conv", "instances")
    steps.create_index("ix_instances_id", "instances", ["id"])
    rekey(steps, "messages", ["conv", "slot"])


def rekey(steps: Steps, table: str, key: Sequence[str]) -> None:
    """Gives a table another primary key, unless it has it."""
    if steps.primary_key(table) == list(key):
        return
    named = ", ".join(key)
    match op.get_bind().dialect.name:
        case "sqlite":
            make_anew(table, key)
        case "postgresql":
            op.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY ({named})"
            )
        case _:  # one statement, so that no kill can leave the table without a key
            op.execute(f"ALTER TABLE {table} DROP PRIMARY KEY, ADD PRIMARY KEY ({named})")


def make_anew(table: str, key: Sequence[str]) -> None:
    """SQLite cannot change the key of a table: another one takes its place."""
    columns = columns_of(table)
    names = ", ".join(column.name for column in columns)
    op.create_table(
        f"{table}_anew", *columns, sa.PrimaryKeyConstraint(*key), sqlite_with_rowid=False
    )
    op.execute(f"INSERT INTO {table}_anew ({names}) SELECT {names} FROM {table}")  # noqa: S608 -- names from here
    op.drop_table(table)
    op.rename_table(f"{table}_anew", table)


def columns_of(table: str) -> list[sa.Column[object]]:
    if table == "messages":
        return [
            sa.Column("conv", Steps.name, nullable=False),
            sa.Column("slot", Steps.name, nullable=False),
            sa.Column("ref", Steps.text, nullable=False),
            sa.Column("at", number, nullable=False),
        ]
    return [
        sa.Column("conv", Steps.name, nullable=False),
        sa.Column("id", Steps.name, nullable=False),
        sa.Column("flow", Steps.name, nullable=False),
        sa.Column("flow_version", number, nullable=False),
        sa.Column("step", Steps.name, nullable=False),
        sa.Column("status", Steps.name, nullable=False),
        sa.Column("result", Steps.text, nullable=True),
        sa.Column("updated", number, nullable=False),
        sa.Column("ended", number, nullable=True),
    ]
