"""Sums of months that are over, for statistics.

Revision: 0024
Before it: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "statistics_kept_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_statistics_kept_months")),
    )
    op.create_table(
        "statistics_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column(
            "sums",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_statistics_months_node_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("month", "node_id", name=op.f("pk_statistics_months")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("statistics_months")
    op.drop_table("statistics_kept_months")
