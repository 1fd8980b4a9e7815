"""A receiver's secret before the present one, valid for an overlap.

Revision: 0023
Before it: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("receivers", sa.Column("sealed_old_secret", sa.String(length=1000), nullable=True))
    op.add_column("receivers", sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("receivers", "old_secret_until")
    op.drop_column("receivers", "sealed_old_secret")
