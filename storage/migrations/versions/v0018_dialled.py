"""When an attempt came to be dialled."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("dialled_ms", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "dialled_ms")
