"""Letters: numbers, documents, their PDF and receipts.

Revision: 0012
Before it: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "letter_counters",
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_letter_counters_node_id")),
        sa.PrimaryKeyConstraint("node_id", "kind", "year", name=op.f("pk_letter_counters")),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("premises_side", sa.Boolean(), nullable=False),
        sa.Column("addressee", sa.String(length=300), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["issued_by"], ["people.id"], name=op.f("fk_letters_issued_by")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_letters_node_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["alert_notices.id"], name=op.f("fk_letters_notice_id")),
        sa.ForeignKeyConstraint(["premises_id"], ["premises.id"], name=op.f("fk_letters_premises_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint(
            "node_id", "kind", "year", "number", name=op.f("uq_letters_node_id_kind_year_number")
        ),
        sa.UniqueConstraint("notice_id", name=op.f("uq_letters_notice_id")),
    )
    op.create_index("ix_letters_premises", "letters", ["premises_id", "id"], unique=False)
    op.create_table(
        "letter_alerts",
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_letter_alerts_alert_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_alerts_letter_id")),
        sa.PrimaryKeyConstraint("letter_id", "alert_id", name=op.f("pk_letter_alerts")),
    )
    op.create_index(op.f("ix_letter_alerts_alert_id"), "letter_alerts", ["alert_id"], unique=False)
    op.create_table(
        "letter_pdfs",
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_pdfs_letter_id")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_letter_pdfs")),
    )
    op.create_table(
        "letter_receipts",
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_receipts_letter_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_letter_receipts_person_id")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_letter_receipts")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("letter_receipts")
    op.drop_table("letter_pdfs")
    op.drop_index(op.f("ix_letter_alerts_alert_id"), table_name="letter_alerts")
    op.drop_table("letter_alerts")
    op.drop_index("ix_letters_premises", table_name="letters")
    op.drop_table("letters")
    op.drop_table("letter_counters")
