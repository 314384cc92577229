"""calls, turns: how long the assistant was heard, and how much of it while the caller spoke."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("calls", "turns"):
        for column in ("played_ms", "talk_over_ms"):
            op.add_column(table, sa.Column(column, sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for table in ("turns", "calls"):
        for column in ("talk_over_ms", "played_ms"):
            op.drop_column(table, column)
