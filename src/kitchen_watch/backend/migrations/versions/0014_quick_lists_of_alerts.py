"""Indexes for what pages ask of a million alerts: those that go on, and those of one kind.

Revision: 0014
Before it: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(op.f("ix_alerts_code_alerts_id"), "alerts", ["code", "id"], unique=False)
    op.create_index(
        "ix_alerts_ongoing",
        "alerts",
        ["id"],
        unique=False,
        postgresql_include=["premises_id", "camera_id", "tier", "state"],
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_alerts_ongoing", table_name="alerts")
    op.drop_index(op.f("ix_alerts_code_alerts_id"), table_name="alerts")
