"""What customers were told of their campaigns' results."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UNTOLD = sa.text("told_ms IS NULL")


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("told_ms", sa.Double(), nullable=True))
    op.add_column("contacts", sa.Column("done_ms", sa.Double(), nullable=True))
    op.add_column("contacts", sa.Column("told_ms", sa.Double(), nullable=True))
    op.create_index(
        "ix_contacts_untold",
        "contacts",
        ["campaign_id", "state", "contact_id"],
        sqlite_where=UNTOLD,
        postgresql_where=UNTOLD,
    )


def downgrade() -> None:
    op.drop_index("ix_contacts_untold", "contacts")
    op.drop_column("contacts", "told_ms")
    op.drop_column("contacts", "done_ms")
    op.drop_column("campaigns", "told_ms")
