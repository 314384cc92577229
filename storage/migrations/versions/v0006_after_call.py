"""What follows a call: steps, dead letters, webhooks; calls: the caller's sentiment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
EMPTY = sa.text("''")


def upgrade() -> None:
    op.add_column("calls", sa.Column("sentiment", sa.Text(), nullable=True))
    op.create_table(
        "after_calls",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="default", nullable=False),
        sa.Column("caller_number", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("ended_ms", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("awaits_crm", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", JSON, nullable=True),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index("ix_after_calls_person", "after_calls", ["tenant", "caller_number", "ended_ms"])
    op.create_table(
        "dead_letters",
        sa.Column("letter_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.Double(), nullable=False),
        sa.Column("letter", JSON, nullable=False),
        sa.PrimaryKeyConstraint("letter_id"),
    )
    op.create_index("ix_dead_letters_status", "dead_letters", ["status", "changed_ms"])
    op.create_index("ix_dead_letters_call", "dead_letters", ["call_id"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("description", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until_ms", sa.Double(), nullable=True),
        sa.Column("created_ms", sa.Double(), nullable=False),
        sa.Column("rotated_ms", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("endpoint_id"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("first_ms", sa.Double(), nullable=False),
        sa.Column("last_ms", sa.Double(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("endpoint_id", "message_id"),
    )
    op.create_index("ix_webhook_deliveries_newest", "webhook_deliveries", ["endpoint_id", "last_ms"])


def downgrade() -> None:
    op.drop_index("ix_webhook_deliveries_newest", table_name="webhook_deliveries")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
    op.drop_index("ix_dead_letters_call", table_name="dead_letters")
    op.drop_index("ix_dead_letters_status", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index("ix_after_calls_person", table_name="after_calls")
    op.drop_table("after_calls")
    op.drop_column("calls", "sentiment")
