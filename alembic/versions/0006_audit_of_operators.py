"""What operators did.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from sqlalchemy import Integer

from alembic import op
from storage.sql.steps import Steps

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op)
    steps.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(Integer, "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", steps.name, nullable=False),
        sa.Column("what", steps.name, nullable=False),
        sa.Column("target", steps.name, nullable=False),
        sa.Column("detail", steps.text, nullable=False),
        sa.Column("conv", steps.name, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    steps.create_index("ix_audit_conv", "audit", ["conv"])


def downgrade() -> None:
    op.drop_table("audit")
