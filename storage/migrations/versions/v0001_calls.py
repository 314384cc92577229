"""calls, their turns and costs, the live feed, playbooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "call_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.Double(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "source_seq", name="uq_call_events_source"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_call_events_call", "call_events", ["call_id", "id"])
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="default", nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=False),
        sa.Column("our_number", sa.Text(), nullable=False),
        sa.Column("carrier_call_id", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("phase_ms", sa.Double(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("started_ms", sa.Double(), nullable=False),
        sa.Column("answered_ms", sa.Double(), nullable=True),
        sa.Column("ended_ms", sa.Double(), nullable=True),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("variables", JSON, nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("resolved", sa.Boolean(), nullable=True),
        sa.Column("follow_up", sa.Text(), nullable=True),
        sa.Column("crm_note", sa.Text(), nullable=True),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("recorded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index("ix_calls_caller_number", "calls", ["caller_number"])
    op.create_index(
        "ix_calls_live",
        "calls",
        ["started_ms", "call_id"],
        sqlite_where=sa.text("phase <> 'ended'"),
        postgresql_where=sa.text("phase <> 'ended'"),
    )
    op.create_index("ix_calls_newest", "calls", ["started_ms", "call_id"])
    op.create_index("ix_calls_tenant", "calls", ["tenant", "started_ms", "call_id"])
    op.create_table(
        "playbook_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.Double(), nullable=False),
        sa.Column("published_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "digest"),
    )
    op.create_index("ix_playbook_versions_latest", "playbook_versions", ["name", "published_ms"])
    op.create_table(
        "costs",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("unit_usd", sa.Double(), nullable=True),
        sa.Column("usd", sa.Double(), nullable=False),
        sa.Column("priced_on", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "ordinal"),
    )
    op.create_table(
        "turns",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("step_method", sa.Text(), nullable=False),
        sa.Column("step_confidence", sa.Double(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("layers", JSON, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("started_ms", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "turn"),
    )
    op.create_table(
        "tool_calls",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tool_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id", "turn"], ["turns.call_id", "turns.turn"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "turn", "ordinal"),
    )
    op.create_index("ix_tool_calls_name", "tool_calls", ["name"])


def downgrade() -> None:
    op.drop_index("ix_tool_calls_name", table_name="tool_calls")
    op.drop_table("tool_calls")
    op.drop_table("turns")
    op.drop_table("costs")
    op.drop_index("ix_playbook_versions_latest", table_name="playbook_versions")
    op.drop_table("playbook_versions")
    op.drop_index("ix_calls_tenant", table_name="calls")
    op.drop_index("ix_calls_newest", table_name="calls")
    op.drop_index("ix_calls_live", table_name="calls")
    op.drop_index("ix_calls_caller_number", table_name="calls")
    op.drop_table("calls")
    op.drop_index("ix_call_events_call", table_name="call_events")
    op.drop_table("call_events")
