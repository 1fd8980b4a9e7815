"""Files of deletions that could not be removed yet; deleted files of tasks and self-checks.

Revision: 0026
Before it: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FILES = ("task_attachments", "self_check_photos")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stuck_files",
        sa.Column("deletion_id", _ID, autoincrement=False, nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["deletion_id"], ["deletions.id"], name=op.f("fk_stuck_files_deletion_id")),
        sa.PrimaryKeyConstraint("deletion_id", name=op.f("pk_stuck_files")),
    )
    op.create_index(op.f("ix_stuck_files_tried_at"), "stuck_files", ["tried_at"], unique=False)
    for table in _FILES:
        op.add_column(table, sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
        op.create_index(op.f(f"ix_{table}_sha256"), table, ["sha256"], unique=False)


def downgrade() -> None:
    """Take back."""
    for table in _FILES:
        op.drop_index(op.f(f"ix_{table}_sha256"), table_name=table)
        op.drop_column(table, "deleted_at")
    op.drop_index(op.f("ix_stuck_files_tried_at"), table_name="stuck_files")
    op.drop_table("stuck_files")
