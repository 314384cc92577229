"""Documents of playbooks; turns: where in them an answer stands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("uploaded", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("passages", JSON, nullable=False),
        sa.Column("changed_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("playbook", "path"),
    )
    op.add_column("turns", sa.Column("told_from", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("turns", "told_from")
    op.drop_table("documents")
