"""The organisation in full, rule sets with zones and campaigns, and imports.

Revision: 0005
Before it: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""

    op.create_table(
        "camera_zone_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("areas", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.camera_id"], name=op.f("fk_camera_zone_versions_camera_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_camera_zone_versions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_zone_versions")),
        sa.UniqueConstraint("camera_id", "version", name=op.f("uq_camera_zone_versions_camera_id_version")),
    )
    op.create_table(
        "configurations_due",
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_configurations_due_asked_by")),
        sa.ForeignKeyConstraint(
            ["edge_id"], ["edges.edge_id"], name=op.f("fk_configurations_due_edge_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_configurations_due")),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("rows", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_imports_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_at"), "imports", ["at"], unique=False)
    op.create_index(op.f("ix_imports_person_id"), "imports", ["person_id"], unique=False)
    op.create_table(
        "rule_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("business_type", sa.String(length=64), nullable=True),
        sa.Column("area_type", sa.String(length=32), nullable=True),
        sa.Column("node_id", sa.Integer(), nullable=True),
        sa.Column("premises_id", sa.Integer(), nullable=True),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("rules", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.camera_id"], name=op.f("fk_rule_sets_camera_id")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_rule_sets_node_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_rule_sets_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_sets")),
    )
    op.create_index(
        op.f("ix_rule_sets_began_rule_sets_starts_at"), "rule_sets", ["began", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_rule_sets_camera_id"), "rule_sets", ["camera_id"], unique=False)
    op.create_index(
        op.f("ix_rule_sets_ended_rule_sets_ends_at"), "rule_sets", ["ended", "ends_at"], unique=False
    )
    op.create_index(op.f("ix_rule_sets_node_id"), "rule_sets", ["node_id"], unique=False)
    op.create_index(op.f("ix_rule_sets_premises_id"), "rule_sets", ["premises_id"], unique=False)
    op.create_table(
        "rule_set_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_rule_set_versions_person_id")),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["rule_sets.id"], name=op.f("fk_rule_set_versions_rule_set_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set_versions")),
        sa.UniqueConstraint("rule_set_id", "version", name=op.f("uq_rule_set_versions_rule_set_id_version")),
    )
    op.create_index(
        op.f("ix_audit_entries_action_audit_entries_id"), "audit_entries", ["action", "id"], unique=False
    )
    op.add_column("cameras", sa.Column("gb_device_id", sa.String(length=20), nullable=True))
    op.add_column("cameras", sa.Column("gb_channel_id", sa.String(length=20), nullable=True))
    op.add_column(
        "cameras", sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("cameras", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_index(
        op.f("ix_cameras_gb_device_id_cameras_gb_channel_id"),
        "cameras",
        ["gb_device_id", "gb_channel_id"],
        unique=False,
    )
    op.add_column(
        "edge_configurations",
        sa.Column(
            "made_of",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default="{}",
            nullable=False,
        ),
    )
    op.add_column("nodes", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("people", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("premises", sa.Column("latitude", sa.Double(), nullable=True))
    op.add_column("premises", sa.Column("longitude", sa.Double(), nullable=True))
    op.add_column("premises", sa.Column("risk_grade", sa.String(length=1), nullable=True))
    op.add_column(
        "premises", sa.Column("rollout_batch", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column("premises", sa.Column("uniform", sa.String(length=300), server_default="", nullable=False))
    op.add_column(
        "premises", sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("premises", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_index(op.f("ix_premises_rollout_batch"), "premises", ["rollout_batch"], unique=False)
    op.add_column(
        "supervision_groups", sa.Column("version", sa.Integer(), server_default="1", nullable=False)
    )


def downgrade() -> None:
    """Take back."""

    op.drop_column("supervision_groups", "version")
    op.drop_index(op.f("ix_premises_rollout_batch"), table_name="premises")
    op.drop_column("premises", "version")
    op.drop_column("premises", "active")
    op.drop_column("premises", "uniform")
    op.drop_column("premises", "rollout_batch")
    op.drop_column("premises", "risk_grade")
    op.drop_column("premises", "longitude")
    op.drop_column("premises", "latitude")
    op.drop_column("people", "version")
    op.drop_column("nodes", "version")
    op.drop_column("edge_configurations", "made_of")
    op.drop_index(op.f("ix_cameras_gb_device_id_cameras_gb_channel_id"), table_name="cameras")
    op.drop_column("cameras", "version")
    op.drop_column("cameras", "enabled")
    op.drop_column("cameras", "gb_channel_id")
    op.drop_column("cameras", "gb_device_id")
    op.drop_index(op.f("ix_audit_entries_action_audit_entries_id"), table_name="audit_entries")
    op.drop_table("rule_set_versions")
    op.drop_index(op.f("ix_rule_sets_premises_id"), table_name="rule_sets")
    op.drop_index(op.f("ix_rule_sets_node_id"), table_name="rule_sets")
    op.drop_index(op.f("ix_rule_sets_ended_rule_sets_ends_at"), table_name="rule_sets")
    op.drop_index(op.f("ix_rule_sets_camera_id"), table_name="rule_sets")
    op.drop_index(op.f("ix_rule_sets_began_rule_sets_starts_at"), table_name="rule_sets")
    op.drop_table("rule_sets")
    op.drop_index(op.f("ix_imports_person_id"), table_name="imports")
    op.drop_index(op.f("ix_imports_at"), table_name="imports")
    op.drop_table("imports")
    op.drop_table("configurations_due")
    op.drop_table("camera_zone_versions")
