"""Reports, their supplements, publication and receipts; nobody changes what was issued.

Revision: 0022
Before it: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SEALED = ("reports", "report_supplements")
WITHDRAWN = sa.text("to_state IN ('false_alarm', 'merged')")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "report_clocks",
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("next_day", sa.Date(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.id"], name=op.f("fk_report_clocks_node_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_id", "kind", name=op.f("pk_report_clocks")),
    )
    op.create_index(op.f("ix_report_clocks_next_at"), "report_clocks", ["next_at"], unique=False)
    op.create_table(
        "report_counters",
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_report_counters_node_id")),
        sa.PrimaryKeyConstraint("node_id", "kind", "year", name=op.f("pk_report_counters")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["issued_by"], ["people.id"], name=op.f("fk_reports_issued_by")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_reports_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("node_id", "kind", "day", name=op.f("uq_reports_node_id_kind_day")),
        sa.UniqueConstraint(
            "node_id", "kind", "year", "number", name=op.f("uq_reports_node_id_kind_year_number")
        ),
    )
    op.create_index("ix_reports_until", "reports", ["node_id", "until_at"], unique=False)
    op.create_table(
        "report_publications",
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_report_publications_person_id")),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_report_publications_report_id")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_report_publications")),
    )
    op.create_table(
        "report_receipts",
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_report_receipts_person_id")),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_report_receipts_report_id")),
        sa.PrimaryKeyConstraint("report_id", "person_id", name=op.f("pk_report_receipts")),
    )
    op.create_index(op.f("ix_report_receipts_person_id"), "report_receipts", ["person_id"], unique=False)
    op.create_table(
        "report_supplements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["issued_by"], ["people.id"], name=op.f("fk_report_supplements_issued_by")),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_report_supplements_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_supplements")),
        sa.UniqueConstraint("report_id", "number", name=op.f("uq_report_supplements_report_id_number")),
    )
    op.create_index(
        "ix_alert_transitions_withdrawn",
        "alert_transitions",
        ["at"],
        unique=False,
        postgresql_where=WITHDRAWN,
        sqlite_where=WITHDRAWN,
    )
    for table in SEALED:
        _seal(table)


def _seal(table: str) -> None:
    """Let the database refuse every change of an issued row."""
    words = f"{table}: what was issued is never changed"
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_sealed() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_sealed()"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_alert_transitions_withdrawn", table_name="alert_transitions")
    op.drop_table("report_supplements")
    op.drop_index(op.f("ix_report_receipts_person_id"), table_name="report_receipts")
    op.drop_table("report_receipts")
    op.drop_table("report_publications")
    op.drop_index("ix_reports_until", table_name="reports")
    op.drop_table("reports")
    op.drop_table("report_counters")
    op.drop_index(op.f("ix_report_clocks_next_at"), table_name="report_clocks")
    op.drop_table("report_clocks")
    if op.get_bind().dialect.name == "postgresql":
        for table in SEALED:
            op.execute(f"DROP FUNCTION {table}_sealed()")
