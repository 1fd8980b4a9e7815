"""Kept months also by code, tier and business type; months kept so far are summed anew.

Revision: 0031
Before it: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "statistics_slices",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("sums", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_statistics_slices_node_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("month", "kind", "value", "node_id", name=op.f("pk_statistics_slices")),
    )
    op.create_table(
        "statistics_kept_types",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("business_type", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["premises_id"],
            ["premises.id"],
            name=op.f("fk_statistics_kept_types_premises_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("month", "premises_id", name=op.f("pk_statistics_kept_types")),
    )
    op.execute("DELETE FROM statistics_months")
    op.execute("DELETE FROM statistics_kept_months")
    zone = sa.Column("time_zone", sa.String(length=64), nullable=False, server_default="Asia/Shanghai")
    op.add_column("statistics_kept_months", zone)


def downgrade() -> None:
    """Take back."""
    op.drop_column("statistics_kept_months", "time_zone")
    op.drop_table("statistics_kept_types")
    op.drop_table("statistics_slices")
