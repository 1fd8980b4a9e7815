"""Patrols: checks with findings and pictures, absences, rules of the sweep, and its warnings.

Revision: 0018
Before it: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "patrol_policies",
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("period_days", sa.Integer(), nullable=False),
        sa.Column("looks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_patrol_policies_node_id")),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_patrol_policies")),
    )
    op.create_table(
        "patrol_warnings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("first_late_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("premises", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_patrol_warnings_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_warnings")),
        sa.UniqueConstraint("node_id", "day", name=op.f("uq_patrol_warnings_node_id_day")),
    )
    op.create_index(op.f("ix_patrol_warnings_day"), "patrol_warnings", ["day"], unique=False)
    op.create_table(
        "patrol_absences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("entered_by", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entered_by"], ["people.id"], name=op.f("fk_patrol_absences_entered_by")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_patrol_absences_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_absences")),
    )
    op.create_index(op.f("ix_patrol_absences_person_id"), "patrol_absences", ["person_id"], unique=False)
    op.create_table(
        "patrol_checks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("form_version_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("announced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["check_form_versions.id"], name=op.f("fk_patrol_checks_form_version_id")
        ),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_patrol_checks_node_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_patrol_checks_person_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_patrol_checks_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_checks")),
    )
    op.create_index(
        "ix_patrol_checks_last", "patrol_checks", ["premises_id", "state", "finished_at"], unique=False
    )
    op.create_index(
        op.f("ix_patrol_checks_node_id_patrol_checks_finished_at"),
        "patrol_checks",
        ["node_id", "finished_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_patrol_checks_person_id_patrol_checks_finished_at"),
        "patrol_checks",
        ["person_id", "finished_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_patrol_checks_state_patrol_checks_lapses_at"),
        "patrol_checks",
        ["state", "lapses_at"],
        unique=False,
    )
    op.create_index(
        "uq_patrol_checks_open",
        "patrol_checks",
        ["premises_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "patrol_findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rounds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["check_id"], ["patrol_checks.id"], name=op.f("fk_patrol_findings_check_id")),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_patrol_findings_premises_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_findings")),
    )
    op.create_index(op.f("ix_patrol_findings_check_id"), "patrol_findings", ["check_id"], unique=False)
    op.create_index(
        "ix_patrol_findings_waiting", "patrol_findings", ["premises_id", "settled_at", "due_at"], unique=False
    )
    op.create_table(
        "patrol_pictures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("look", sa.String(length=16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.camera_id"], name=op.f("fk_patrol_pictures_camera_id")
        ),
        sa.ForeignKeyConstraint(["check_id"], ["patrol_checks.id"], name=op.f("fk_patrol_pictures_check_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_patrol_pictures_person_id")),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("fk_patrol_pictures_premises_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_pictures")),
    )
    op.create_index(op.f("ix_patrol_pictures_check_id"), "patrol_pictures", ["check_id"], unique=False)
    op.create_index(op.f("ix_patrol_pictures_premises_id"), "patrol_pictures", ["premises_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_patrol_pictures_premises_id"), table_name="patrol_pictures")
    op.drop_index(op.f("ix_patrol_pictures_check_id"), table_name="patrol_pictures")
    op.drop_table("patrol_pictures")
    op.drop_index("ix_patrol_findings_waiting", table_name="patrol_findings")
    op.drop_index(op.f("ix_patrol_findings_check_id"), table_name="patrol_findings")
    op.drop_table("patrol_findings")
    op.drop_index(
        "uq_patrol_checks_open",
        table_name="patrol_checks",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.drop_index(op.f("ix_patrol_checks_state_patrol_checks_lapses_at"), table_name="patrol_checks")
    op.drop_index(op.f("ix_patrol_checks_person_id_patrol_checks_finished_at"), table_name="patrol_checks")
    op.drop_index(op.f("ix_patrol_checks_node_id_patrol_checks_finished_at"), table_name="patrol_checks")
    op.drop_index("ix_patrol_checks_last", table_name="patrol_checks")
    op.drop_table("patrol_checks")
    op.drop_index(op.f("ix_patrol_absences_person_id"), table_name="patrol_absences")
    op.drop_table("patrol_absences")
    op.drop_index(op.f("ix_patrol_warnings_day"), table_name="patrol_warnings")
    op.drop_table("patrol_warnings")
    op.drop_table("patrol_policies")
