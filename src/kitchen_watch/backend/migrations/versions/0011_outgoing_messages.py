"""Receivers, outgoing messages with their deliveries, and how far the feed was relayed.

Revision: 0011
Before it: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "feed_relays",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_relays")),
    )
    # What happened before there were receivers is told to nobody.
    op.execute("INSERT INTO feed_relays SELECT 'outgoing', COALESCE(MAX(id), 0) FROM feed_entries")
    op.create_table(
        "receivers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("shown_url", sa.String(length=400), nullable=False),
        sa.Column("sealed_url", sa.String(length=4000), nullable=False),
        sa.Column("sealed_secret", sa.String(length=1000), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=True),
        sa.Column("types", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("codes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("only_codes", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_receivers_created_by")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_receivers_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receivers")),
    )
    op.create_table(
        "outgoing_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("requeued", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_outgoing_messages_person_id")),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["receivers.id"], name=op.f("fk_outgoing_messages_receiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outgoing_messages_message_id")),
    )
    op.create_index(
        op.f("ix_outgoing_messages_lane"), "outgoing_messages", ["lane", "state", "id"], unique=False
    )
    op.create_index(
        op.f("ix_outgoing_messages_receiver_id_outgoing_messages_id"),
        "outgoing_messages",
        ["receiver_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_outgoing_messages_state_outgoing_messages_next_at"),
        "outgoing_messages",
        ["state", "next_at"],
        unique=False,
    )
    op.create_table(
        "outgoing_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("outgoing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["outgoing_id"], ["outgoing_messages.id"], name=op.f("fk_outgoing_deliveries_outgoing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_deliveries")),
    )
    op.create_index(
        op.f("ix_outgoing_deliveries_outgoing_id"), "outgoing_deliveries", ["outgoing_id"], unique=False
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_outgoing_deliveries_outgoing_id"), table_name="outgoing_deliveries")
    op.drop_table("outgoing_deliveries")
    op.drop_index(
        op.f("ix_outgoing_messages_state_outgoing_messages_next_at"), table_name="outgoing_messages"
    )
    op.drop_index(
        op.f("ix_outgoing_messages_receiver_id_outgoing_messages_id"), table_name="outgoing_messages"
    )
    op.drop_index(op.f("ix_outgoing_messages_lane"), table_name="outgoing_messages")
    op.drop_table("outgoing_messages")
    op.drop_table("receivers")
    op.drop_table("feed_relays")
