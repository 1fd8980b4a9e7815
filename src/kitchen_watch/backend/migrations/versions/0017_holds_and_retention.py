"""Holds, runs of retention and deletions; notifications about no alert.

Revision: 0017
Before it: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("swept_id", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("deleted_files", sa.Integer(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("kept_by_holds", sa.Integer(), nullable=False),
        sa.Column("deleted_entries", sa.Integer(), nullable=False),
        sa.Column("still_short", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_retention_runs_key")),
    )
    op.create_table(
        "deletions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("premises_id", sa.Integer(), nullable=True),
        sa.Column("object_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_deletions_alert_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_deletions_premises_id")),
        sa.ForeignKeyConstraint(["run_id"], ["retention_runs.id"], name=op.f("fk_deletions_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
    )
    op.create_index(op.f("ix_deletions_alert_id"), "deletions", ["alert_id"], unique=False)
    op.create_index(op.f("ix_deletions_at"), "deletions", ["at"], unique=False)
    op.create_index(op.f("ix_deletions_premises_id"), "deletions", ["premises_id"], unique=False)
    op.create_index(op.f("ix_deletions_run_id"), "deletions", ["run_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=64), server_default="", nullable=False),
        sa.Column("placed_by", sa.Integer(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_holds_alert_id")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.camera_id"], name=op.f("fk_holds_camera_id")),
        sa.ForeignKeyConstraint(["placed_by"], ["people.id"], name=op.f("fk_holds_placed_by")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_holds_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_alert_id"), "holds", ["alert_id"], unique=False)
    op.create_index(
        op.f("ix_holds_premises_id_holds_lifted_at"), "holds", ["premises_id", "lifted_at"], unique=False
    )
    op.create_index(op.f("ix_holds_source"), "holds", ["source"], unique=False)
    op.create_table(
        "hold_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_entries_hold_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_hold_entries_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_entries")),
    )
    op.create_index(op.f("ix_hold_entries_hold_id"), "hold_entries", ["hold_id"], unique=False)
    op.add_column("evidence_files", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_evidence_files_sha256"), "evidence_files", ["sha256"], unique=False)
    with op.batch_alter_table("notifications") as notifications:
        notifications.alter_column("alert_id", existing_type=_ID, nullable=True)
    op.add_column("rectification_photos", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("rectification_photos", "deleted_at")
    op.execute("DELETE FROM notifications WHERE alert_id IS NULL")
    with op.batch_alter_table("notifications") as notifications:
        notifications.alter_column("alert_id", existing_type=_ID, nullable=False)
    op.drop_index(op.f("ix_evidence_files_sha256"), table_name="evidence_files")
    op.drop_column("evidence_files", "deleted_at")
    op.drop_index(op.f("ix_hold_entries_hold_id"), table_name="hold_entries")
    op.drop_table("hold_entries")
    op.drop_index(op.f("ix_holds_source"), table_name="holds")
    op.drop_index(op.f("ix_holds_premises_id_holds_lifted_at"), table_name="holds")
    op.drop_index(op.f("ix_holds_alert_id"), table_name="holds")
    op.drop_table("holds")
    op.drop_index(op.f("ix_deletions_run_id"), table_name="deletions")
    op.drop_index(op.f("ix_deletions_premises_id"), table_name="deletions")
    op.drop_index(op.f("ix_deletions_at"), table_name="deletions")
    op.drop_index(op.f("ix_deletions_alert_id"), table_name="deletions")
    op.drop_table("deletions")
    op.drop_table("retention_runs")
