"""turns: what else a turn asked for, and what an unclear caller was to choose between."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    for column in ("matters", "choices"):
        op.add_column("turns", sa.Column(column, JSON, nullable=True))


def downgrade() -> None:
    for column in ("choices", "matters"):
        op.drop_column("turns", column)
