"""For contributors: write the next migration from what the tables have become.

``python -m kitchen_watch.backend.migrations.draft 0002 "What it does"``; read the result before
committing it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.migrations.apply import alembic_config, upgrade


def draft(revision: str, message: str) -> None:
    """Write ``versions/<revision>_<message>.py`` against an empty database at the present head."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{Path(directory) / 'draft.sqlite3'}")
        upgrade(database)
        with database.engine.begin() as connection:
            command.revision(alembic_config(connection), message=message, rev_id=revision, autogenerate=True)
        database.close()


if __name__ == "__main__":
    draft(sys.argv[1], sys.argv[2])
