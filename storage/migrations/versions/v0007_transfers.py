"""Transfers to representatives, and callers who are to be called back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("transfer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("whisper", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("tried", JSON, nullable=False),
        sa.Column("callback", sa.Boolean(), nullable=False),
        sa.Column("started_ms", sa.Double(), nullable=False),
        sa.Column("accepted_ms", sa.Double(), nullable=True),
        sa.Column("bridged_ms", sa.Double(), nullable=True),
        sa.Column("ended_ms", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "transfer"),
    )
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.Double(), nullable=False),
        sa.Column("completed_ms", sa.Double(), nullable=True),
        sa.Column("completed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("callback_id"),
    )
    op.create_index("ix_callbacks_newest", "callbacks", ["created_ms", "callback_id"])


def downgrade() -> None:
    op.drop_table("callbacks")
    op.drop_table("transfers")
