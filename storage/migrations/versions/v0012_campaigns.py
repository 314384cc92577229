"""Campaigns: whom they call, each attempt, who must not be called, who has consented."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
OPEN = sa.text("ended_ms IS NULL")


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("created_ms", sa.Double(), nullable=False),
        sa.Column("started_ms", sa.Double(), nullable=True),
        sa.Column("ended_ms", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    op.create_index("ix_campaigns_newest", "campaigns", ["created_ms", "campaign_id"])
    op.create_table(
        "contacts",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("stated_zone", sa.Text(), nullable=False),
        sa.Column("variables", JSON, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.Double(), nullable=False),
        sa.Column("outcomes", JSON, nullable=False),
        sa.Column("hindrance", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "contact_id"),
        sa.UniqueConstraint("campaign_id", "number", name="uq_contacts_number"),
    )
    op.create_index("ix_contacts_due", "contacts", ["campaign_id", "state", "due_ms"])
    op.create_table(
        "attempts",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.Double(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("missed_ms", sa.Double(), nullable=True),
        sa.Column("zones", JSON, nullable=False),
        sa.Column("consent", JSON, nullable=True),
        sa.Column("carrier_call_id", sa.Text(), nullable=True),
        sa.Column("ended_ms", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id"),
        sa.UniqueConstraint("campaign_id", "contact_id", "attempt", name="uq_attempts_contact"),
    )
    op.create_index(
        "uq_attempts_open_number", "attempts", ["number"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("ix_attempts_number", "attempts", ["number", "opened_ms"])
    op.create_index("ix_attempts_ended", "attempts", ["campaign_id", "ended_ms"])
    op.create_table(
        "dnc",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("added_ms", sa.Double(), nullable=False),
        sa.Column("removed_ms", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("number", "scope", "of"),
    )
    op.create_index("ix_dnc_newest", "dnc", ["added_ms", "number"])
    op.create_table(
        "consents",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("given_ms", sa.Double(), nullable=False),
        sa.Column("revoked_ms", sa.Double(), nullable=True),
        sa.Column("expires_ms", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number"),
    )
    op.create_table(
        "dial_rate",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("free_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )


def downgrade() -> None:
    for table in ("dial_rate", "consents", "dnc", "attempts", "contacts", "campaigns"):
        op.drop_table(table)
