"""Alerts, events, evidence, the feed, and what edges say.

Revision: 0002
Before it: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "alerts",
    "events",
    "feed_entries",
    "manifests",
    "evidence_files",
    "edge_states",
    "camera_states",
    "edge_configurations",
)


def upgrade() -> None:
    """Apply."""
    _alerts()
    _evidence()
    _edges()


def downgrade() -> None:
    """Take back."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("violation_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("server_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("zone_id", sa.String(length=100), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("model", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("rule", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("detections", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first_sequence", sa.Integer(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("events_received", sa.Integer(), nullable=False),
        sa.Column("reopenings", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.camera_id"], name=op.f("fk_alerts_camera_id")),
        sa.ForeignKeyConstraint(["edge_id"], ["edges.edge_id"], name=op.f("fk_alerts_edge_id")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_alerts_node_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_alerts_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("violation_id", name=op.f("uq_alerts_violation_id")),
    )
    op.create_index(op.f("ix_alerts_camera_id_alerts_id"), "alerts", ["camera_id", "id"], unique=False)
    op.create_index(op.f("ix_alerts_found_at"), "alerts", ["found_at"], unique=False)
    op.create_index(op.f("ix_alerts_node_id_alerts_id"), "alerts", ["node_id", "id"], unique=False)
    op.create_index(op.f("ix_alerts_premises_id_alerts_id"), "alerts", ["premises_id", "id"], unique=False)
    op.create_index(op.f("ix_alerts_state_alerts_id"), "alerts", ["state", "id"], unique=False)
    op.create_index(op.f("ix_alerts_tier_alerts_id"), "alerts", ["tier", "id"], unique=False)
    op.create_table(
        "events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("violation_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("server_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_events_alert_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        sa.UniqueConstraint("violation_id", "sequence", name=op.f("uq_events_violation_id_sequence")),
    )
    op.create_index(op.f("ix_events_alert_id"), "events", ["alert_id"], unique=False)
    op.create_index(op.f("ix_events_received_at"), "events", ["received_at"], unique=False)
    op.create_table(
        "feed_entries",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column(
            "node_path",
            sa.String(length=512).with_variant(sa.String(length=512, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_feed_entries_alert_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_feed_entries_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_entries")),
    )
    op.create_index(op.f("ix_feed_entries_alert_id"), "feed_entries", ["alert_id"], unique=False)


def _evidence() -> None:
    op.create_table(
        "manifests",
        sa.Column("manifest_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("chain_index", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=False),
        sa.Column("link", sa.String(length=32), nullable=False),
        sa.Column("link_reason", sa.String(length=300), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_manifests_alert_id")),
        sa.ForeignKeyConstraint(["edge_id"], ["edges.edge_id"], name=op.f("fk_manifests_edge_id")),
        sa.PrimaryKeyConstraint("manifest_id", name=op.f("pk_manifests")),
    )
    op.create_index(op.f("ix_manifests_alert_id"), "manifests", ["alert_id"], unique=False)
    op.create_index(
        op.f("ix_manifests_edge_id_manifests_chain_index"),
        "manifests",
        ["edge_id", "chain_index"],
        unique=False,
    )
    op.create_index(
        op.f("ix_manifests_edge_id_manifests_previous_sha256"),
        "manifests",
        ["edge_id", "previous_sha256"],
        unique=False,
    )
    op.create_index(
        op.f("ix_manifests_edge_id_manifests_sha256"), "manifests", ["edge_id", "sha256"], unique=False
    )
    op.create_table(
        "evidence_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manifest_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_evidence_files_alert_id")),
        sa.ForeignKeyConstraint(["edge_id"], ["edges.edge_id"], name=op.f("fk_evidence_files_edge_id")),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.manifest_id"], name=op.f("fk_evidence_files_manifest_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
    )
    op.create_index(op.f("ix_evidence_files_alert_id"), "evidence_files", ["alert_id"], unique=False)
    op.create_index(
        op.f("ix_evidence_files_edge_id_evidence_files_sha256"),
        "evidence_files",
        ["edge_id", "sha256"],
        unique=False,
    )
    op.create_index(op.f("ix_evidence_files_manifest_id"), "evidence_files", ["manifest_id"], unique=False)


def _edges() -> None:
    op.create_table(
        "edge_states",
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("software_version", sa.String(length=64), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=True),
        sa.Column("configuration_version", sa.String(length=100), nullable=True),
        sa.Column("outbox_pending", sa.Integer(), nullable=False),
        sa.Column("outbox_oldest_s", sa.Double(), nullable=True),
        sa.Column("dead_letters", sa.Integer(), nullable=False),
        sa.Column("disk_free_bytes", sa.BigInteger(), nullable=True),
        sa.Column("warnings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["edge_id"], ["edges.edge_id"], name=op.f("fk_edge_states_edge_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_edge_states")),
    )
    op.create_table(
        "camera_states",
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frames_received", sa.BigInteger(), nullable=False),
        sa.Column("frames_analysed", sa.BigInteger(), nullable=False),
        sa.Column("frames_dropped", sa.BigInteger(), nullable=False),
        sa.Column("frame_age_ms", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("codec", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.camera_id"], name=op.f("fk_camera_states_camera_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_camera_states")),
    )
    op.create_table(
        "edge_configurations",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("cameras", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("offered_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["edge_id"], ["edges.edge_id"], name=op.f("fk_edge_configurations_edge_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["offered_by"], ["people.id"], name=op.f("fk_edge_configurations_offered_by")
        ),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_edge_configurations")),
    )
    op.create_index(
        op.f("ix_edge_configurations_edge_id_edge_configurations_created_at"),
        "edge_configurations",
        ["edge_id", "created_at"],
        unique=False,
    )
