"""Self-checks with photos and reminders, and closed days.

Revision: 0020
Before it: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "self_check_reminders",
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_self_check_reminders_premises_id")
        ),
        sa.PrimaryKeyConstraint("premises_id", "kind", "period", name=op.f("pk_self_check_reminders")),
    )
    op.create_table(
        "premises_closures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_premises_closures_person_id")),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_premises_closures_premises_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premises_closures")),
    )
    op.create_index(
        op.f("ix_premises_closures_premises_id"), "premises_closures", ["premises_id"], unique=False
    )
    op.create_table(
        "self_checks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("corrects_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("form_version_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("alerts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["corrects_id"], ["self_checks.id"], name=op.f("fk_self_checks_corrects_id")),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["check_form_versions.id"], name=op.f("fk_self_checks_form_version_id")
        ),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_self_checks_node_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_self_checks_premises_id")),
        sa.ForeignKeyConstraint(["started_by"], ["people.id"], name=op.f("fk_self_checks_started_by")),
        sa.ForeignKeyConstraint(["submitted_by"], ["people.id"], name=op.f("fk_self_checks_submitted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_checks")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_self_checks_corrects_id")),
        sa.UniqueConstraint(
            "premises_id",
            "kind",
            "period",
            "revision",
            name=op.f("uq_self_checks_premises_id_kind_period_revision"),
        ),
    )
    op.create_index(
        op.f("ix_self_checks_due_at_self_checks_premises_id"),
        "self_checks",
        ["due_at", "premises_id"],
        unique=False,
    )
    op.create_index(op.f("ix_self_checks_submitted_at"), "self_checks", ["submitted_at"], unique=False)
    op.create_table(
        "self_check_photos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["self_checks.id"], name=op.f("fk_self_check_photos_check_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_self_check_photos_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_check_photos")),
    )
    op.create_index(op.f("ix_self_check_photos_check_id"), "self_check_photos", ["check_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_self_check_photos_check_id"), table_name="self_check_photos")
    op.drop_table("self_check_photos")
    op.drop_index(op.f("ix_self_checks_submitted_at"), table_name="self_checks")
    op.drop_index(op.f("ix_self_checks_due_at_self_checks_premises_id"), table_name="self_checks")
    op.drop_table("self_checks")
    op.drop_index(op.f("ix_premises_closures_premises_id"), table_name="premises_closures")
    op.drop_table("premises_closures")
    op.drop_table("self_check_reminders")
