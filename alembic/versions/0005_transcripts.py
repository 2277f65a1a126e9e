"""What channels record of conversations, such as the transcripts of the web chat.

Revision 0005, after 0004.
"""

import sqlalchemy as sa

from alembic import op
from storage.sql.steps import Steps

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op)
    steps.create_table(
        "transcripts",
        sa.Column("conv", steps.name, nullable=False),
        sa.Column("track", steps.name, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("name", steps.name, nullable=False),
        sa.Column("body", steps.text, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conv", "track", "n"),
        sa.UniqueConstraint("conv", "track", "name", name="uq_transcripts_conv_track_name"),
    )


def downgrade() -> None:
    op.drop_table("transcripts")
