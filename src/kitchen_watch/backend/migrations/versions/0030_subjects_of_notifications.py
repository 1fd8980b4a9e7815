"""Notifications say what they are about, an alert or something else.

Revision: 0030
Before it: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_KIND = sa.Column("subject_kind", sa.String(length=32), nullable=False, server_default="service")

_FILL = """
UPDATE notifications SET
  subject_id = COALESCE(letter_id, alert_id),
  subject_kind = CASE
    WHEN letter_id IS NOT NULL THEN 'letter'
    WHEN alert_id IS NOT NULL THEN 'alert'
    WHEN source LIKE 'complaint/%' THEN 'complaint'
    WHEN source LIKE 'task/%' THEN 'task'
    WHEN source LIKE 'self-check/%' THEN 'self_check'
    ELSE 'service'
  END
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("notifications", _KIND)
    op.add_column("notifications", sa.Column("subject_id", sa.BigInteger(), nullable=True))
    op.execute(_FILL)
    rows = sa.table(
        "notifications",
        sa.column("id", sa.BigInteger),
        sa.column("facts", sa.JSON),
        sa.column("source", sa.String),
        sa.column("subject_kind", sa.String),
        sa.column("subject_id", sa.BigInteger),
    )
    connection = op.get_bind()
    older = connection.execute(
        sa.select(rows.c.id, rows.c.subject_kind, rows.c.facts, rows.c.source).where(
            rows.c.subject_kind.in_(["complaint", "task", "self_check"])
        )
    )
    for row_id, kind, facts, source in older.all():
        # The page of a complaint or task ends with its number; a self-check's source has the premises'.
        number = source.split("/")[1] if kind == "self_check" else str(facts["page"]).split("/")[-1]
        connection.execute(sa.update(rows).where(rows.c.id == row_id).values(subject_id=int(number)))


def downgrade() -> None:
    """Take back."""
    op.drop_column("notifications", "subject_id")
    op.drop_column("notifications", "subject_kind")
