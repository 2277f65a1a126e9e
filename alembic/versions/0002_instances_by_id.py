"""An instance is found by its id alone.

Revision 0002, after 0001.
"""

from alembic import op
from storage.sql.steps import Steps

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    Steps(op).create_index("ix_instances_id", "instances", ["id"])


def downgrade() -> None:
    op.drop_index("ix_instances_id", "instances")
