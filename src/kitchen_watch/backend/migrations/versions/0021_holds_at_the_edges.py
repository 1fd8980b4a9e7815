"""What each edge has said it holds.

Revision: 0021
Before it: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "edge_holds",
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("packages", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edges.edge_id"], name=op.f("fk_edge_holds_edge_id")),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_edge_holds")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("edge_holds")
