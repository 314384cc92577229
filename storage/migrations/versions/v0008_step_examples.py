"""Examples of steps that calls have brought, and what was learnt from them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "step_examples",
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("created_ms", sa.Double(), nullable=False),
        sa.Column("decided_ms", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("example_id"),
    )
    op.create_index("ix_step_examples_newest", "step_examples", ["created_ms", "example_id"])
    op.create_index("ix_step_examples_playbook", "step_examples", ["playbook", "review", "created_ms"])
    op.create_table(
        "step_fits",
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("grown", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("learnt_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("playbook", "version", "method"),
    )


def downgrade() -> None:
    op.drop_table("step_fits")
    op.drop_table("step_examples")
