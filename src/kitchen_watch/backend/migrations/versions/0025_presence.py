"""Minutes in which cameras were seen, and coverage by day.

Revision: 0025
Before it: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "presence_moments",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_moments")),
    )
    op.create_table(
        "coverage_days",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("premises", sa.Integer(), nullable=False),
        sa.Column("covered", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_coverage_days_node_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "node_id", name=op.f("pk_coverage_days")),
    )
    op.create_table(
        "camera_days",
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("operating", sa.Integer(), nullable=False),
        sa.Column("watched", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.camera_id"], name=op.f("fk_camera_days_camera_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_camera_days_node_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_camera_days_premises_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", "day", name=op.f("pk_camera_days")),
    )
    op.create_index(
        op.f("ix_camera_days_day_camera_days_node_id"), "camera_days", ["day", "node_id"], unique=False
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_camera_days_day_camera_days_node_id"), table_name="camera_days")
    op.drop_table("camera_days")
    op.drop_table("coverage_days")
    op.drop_table("presence_moments")
