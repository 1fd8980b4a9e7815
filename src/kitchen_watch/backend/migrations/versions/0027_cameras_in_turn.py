"""Cameras that take turns: how, and the minutes in which they were really looked at.

Revision: 0027
Before it: 0026
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TURNS: dict[str, sa.types.TypeEngine[Any]] = {
    "judged_share": sa.Float(),
    "turn_share": sa.Float(),
    "turn_watch_s": sa.Float(),
    "turn_revisit_s": sa.Float(),
    "turn_now": sa.Boolean(),
    "turn_kept": sa.Boolean(),
}


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "camera_states", sa.Column("frames_still", sa.BigInteger(), server_default="0", nullable=False)
    )
    for name, kind in _TURNS.items():
        op.add_column("camera_states", sa.Column(name, kind, nullable=True))
    op.add_column("camera_days", sa.Column("streamed", sa.Integer(), server_default="0", nullable=False))
    # Until now every camera whose picture came was looked at all the time.
    op.execute("UPDATE camera_days SET streamed = watched")


def downgrade() -> None:
    """Take back."""
    op.drop_column("camera_days", "streamed")
    for name in reversed(_TURNS):
        op.drop_column("camera_states", name)
    op.drop_column("camera_states", "frames_still")
