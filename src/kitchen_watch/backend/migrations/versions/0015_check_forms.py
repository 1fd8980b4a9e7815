"""Check forms and their versions.

Revision: 0015
Before it: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "check_forms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_forms")),
        sa.UniqueConstraint("code", name=op.f("uq_check_forms_code")),
    )
    op.create_index(op.f("ix_check_forms_kind"), "check_forms", ["kind"], unique=False)
    op.create_table(
        "check_form_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["check_forms.id"], name=op.f("fk_check_form_versions_form_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_check_form_versions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_form_versions")),
        sa.UniqueConstraint("form_id", "version", name=op.f("uq_check_form_versions_form_id_version")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("check_form_versions")
    op.drop_index(op.f("ix_check_forms_kind"), table_name="check_forms")
    op.drop_table("check_forms")
