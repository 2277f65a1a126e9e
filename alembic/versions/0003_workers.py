"""Every worker that has called, so that each knows how many there are.

Revision 0003, after 0002.
"""

import sqlalchemy as sa

from alembic import op
from storage.sql.steps import Steps

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op)
    steps.create_table(
        "workers",
        sa.Column("name", steps.name, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("workers")
