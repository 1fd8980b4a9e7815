"""Frozen half-year scores, and honours.

Revision: 0016
Before it: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rating_snapshots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("half", sa.String(length=6), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("formula_version", sa.String(length=40), nullable=False),
        sa.Column("formula", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("inputs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("lines", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_rating_snapshots_node_id")),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_rating_snapshots_premises_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_snapshots")),
        sa.UniqueConstraint("premises_id", "half", name=op.f("uq_rating_snapshots_premises_id_half")),
    )
    op.create_index(op.f("ix_rating_snapshots_frozen_at"), "rating_snapshots", ["frozen_at"], unique=False)
    op.create_index(
        op.f("ix_rating_snapshots_half_rating_snapshots_score"),
        "rating_snapshots",
        ["half", "score"],
        unique=False,
    )
    op.create_index(
        op.f("ix_rating_snapshots_node_id_rating_snapshots_half"),
        "rating_snapshots",
        ["node_id", "half"],
        unique=False,
    )
    op.create_table(
        "honours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("awarded_by", sa.Integer(), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["awarded_by"], ["people.id"], name=op.f("fk_honours_awarded_by")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_honours_node_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_honours_premises_id")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["people.id"], name=op.f("fk_honours_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_honours")),
    )
    op.create_index(
        op.f("ix_honours_node_id_honours_awarded_at"), "honours", ["node_id", "awarded_at"], unique=False
    )
    op.create_index(op.f("ix_honours_premises_id"), "honours", ["premises_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_honours_premises_id"), table_name="honours")
    op.drop_index(op.f("ix_honours_node_id_honours_awarded_at"), table_name="honours")
    op.drop_table("honours")
    op.drop_index(op.f("ix_rating_snapshots_node_id_rating_snapshots_half"), table_name="rating_snapshots")
    op.drop_index(op.f("ix_rating_snapshots_half_rating_snapshots_score"), table_name="rating_snapshots")
    op.drop_index(op.f("ix_rating_snapshots_frozen_at"), table_name="rating_snapshots")
    op.drop_table("rating_snapshots")
