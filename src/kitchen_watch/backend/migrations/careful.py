"""What a migration must not do to a table that grows without end: hold up everybody else for long.

Read from the SQL that a migration gives to PostgreSQL. A process that migrates does so while others take
events: a lock that waits for a scan or a rewrite of such a table would keep edges waiting for minutes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script.revision import Revision

LARGE = frozenset(
    {
        "alerts", "alert_notices", "alert_transitions", "audit_entries", "camera_days", "deadlines",
        "deletions", "events", "evidence_files", "feed_entries", "manifests", "notifications",
        "outgoing_messages", "rectification_photos", "rectifications",
    }
)  # fmt: skip
"""Tables that have a row or more for every alert, camera and day, or request."""

_NAME = r'(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(?P<table>\w+)"?'
_RULES: tuple[tuple[str, str, str], ...] = (
    (
        rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON {_NAME}",
        "builds an index while nobody can write",
        "build it CONCURRENTLY, outside of the transaction",
    ),
    (
        rf"ALTER TABLE {_NAME} ADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL",
        "adds a column that rows in it cannot have",
        "give it a server_default, or let it be empty",
    ),
    (
        rf"ALTER TABLE {_NAME} ADD COLUMN .*\bDEFAULT\b.*\w\(",
        "adds a column whose default is another one for every row, so all are written anew",
        "add it empty and fill it bit by bit",
    ),
    (rf"ALTER TABLE {_NAME} ALTER COLUMN \S+ TYPE", "may write every row anew", "add a new column"),
    (
        rf"ALTER TABLE {_NAME} ALTER COLUMN \S+ SET NOT NULL",
        "reads the whole table while nobody can use it",
        "add a CHECK that is NOT VALID, and validate it later",
    ),
    (
        rf"ALTER TABLE {_NAME} ADD (CONSTRAINT \S+ )?(FOREIGN KEY|CHECK)(?!.*NOT VALID)",
        "reads the whole table while nobody can write",
        "add it NOT VALID, and validate it later",
    ),
    (
        rf"ALTER TABLE {_NAME} ADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY)(?! USING INDEX)",
        "builds an index while nobody can use the table",
        "build the index CONCURRENTLY and use it",
    ),
    (rf"UPDATE {_NAME} SET", "writes every row in one transaction", "fill it bit by bit while running"),
    (rf"DELETE FROM {_NAME}\b", "deletes in one transaction", "delete bit by bit while running"),  # noqa: S608
)


def sql_of(migration: Revision) -> str:
    """What a migration tells PostgreSQL, without a database."""
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said}
    )
    with Operations.context(context):
        migration.module.upgrade()  # type: ignore[attr-defined]
    return said.getvalue()


def refusals(sql: str) -> Iterator[str]:
    """What is wrong with it, in sentences; tables that it makes itself are empty, and no matter."""
    statements = [" ".join(one.split()) for one in sql.split(";")]
    own = {
        found["table"]
        for one in statements
        if (found := re.match(rf"CREATE TABLE {_NAME}", one, re.IGNORECASE)) is not None
    }
    for statement in statements:
        for pattern, why, instead in _RULES:
            found = re.match(pattern, statement, re.IGNORECASE)
            if found is not None and found["table"] in LARGE - own:
                yield f"{statement[:90]}: {why}; {instead}"
