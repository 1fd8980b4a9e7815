"""Public pages with their codes, and inspection grades.

Revision: 0004
Before it: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "public_pages",
        sa.Column("premises_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_public_pages_made_by")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_public_pages_premises_id")),
        sa.PrimaryKeyConstraint("premises_id", name=op.f("pk_public_pages")),
        sa.UniqueConstraint("code", name=op.f("uq_public_pages_code")),
    )
    op.create_table(
        "inspection_grades",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column("authority", sa.String(length=100), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_inspection_grades_premises_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["people.id"], name=op.f("fk_inspection_grades_recorded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_grades")),
    )
    op.create_index(
        op.f("ix_inspection_grades_premises_id_inspection_grades_awarded_on"),
        "inspection_grades",
        ["premises_id", "awarded_on"],
        unique=False,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("inspection_grades")
    op.drop_table("public_pages")
