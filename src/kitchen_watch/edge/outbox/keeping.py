"""SQL for what may go when the disk fills up: packages that the backend holds whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kitchen_watch.edge.outbox.database import Connection
from kitchen_watch.edge.outbox.pending import ALL
from kitchen_watch.edge.outbox.records import StoredPackage
from kitchen_watch.edge.outbox.schema import micros, moment

_PACKAGES = """
    SELECT m.violation_id, min(m.folder) AS folder, max(m.created_at) AS created_at,
        min(m.created_at) AS began_at, coalesce(min(v.camera_id), '') AS camera_id,
        (SELECT coalesce(sum(u.size_bytes), 0) FROM uploads u JOIN manifests o USING (chain_index)
            WHERE o.violation_id = m.violation_id AND o.removed_at IS NULL) AS size_bytes,
        NOT EXISTS (SELECT 1 FROM events e WHERE e.violation_id = m.violation_id AND e.state != 'delivered')
        AND NOT EXISTS (SELECT 1 FROM uploads u JOIN manifests o USING (chain_index)
            WHERE o.violation_id = m.violation_id
            AND u.state IN ('waiting', 'pending', 'damaged')) AS delivered,
        coalesce(max(v.held), 0) AS held, coalesce(max(v.open), 0) AS open
    FROM manifests m LEFT JOIN violations v ON v.violation_id = m.violation_id
    WHERE m.removed_at IS NULL
    GROUP BY m.violation_id
    ORDER BY max(m.created_at), m.violation_id
    LIMIT :limit
"""


_FILES = """
    SELECT m.violation_id, u.name FROM manifests m JOIN uploads u ON u.chain_index = m.chain_index
    WHERE m.removed_at IS NULL ORDER BY u.upload_id
"""


def packages(connection: Connection, *, limit: int = ALL) -> list[StoredPackage]:
    """Packages whose files are still kept, oldest first."""
    files: dict[str, list[str]] = {}
    for row in connection.execute(_FILES):
        files.setdefault(row["violation_id"], []).append(row["name"])
    return [
        StoredPackage(
            violation_id=UUID(row["violation_id"]),
            folder=row["folder"],
            created_at=moment(row["created_at"]),
            size_bytes=row["size_bytes"],
            files=tuple(files.get(row["violation_id"], ())),
            delivered=bool(row["delivered"]),
            held=bool(row["held"]),
            open=bool(row["open"]),
            camera_id=row["camera_id"],
            began_at=moment(row["began_at"]),
        )
        for row in connection.execute(_PACKAGES, {"limit": limit})
    ]


def mark_removed(connection: Connection, violation_ids: Sequence[UUID], *, now: datetime) -> None:
    """The files of these violations are about to go; their manifests stay in the chain."""
    connection.executemany(
        "UPDATE manifests SET removed_at = ? WHERE violation_id = ? AND removed_at IS NULL",
        [(micros(now), str(violation_id)) for violation_id in violation_ids],
    )


def hold(connection: Connection, violation_id: UUID, *, held: bool) -> bool:
    """Protect a violation's evidence from deletion, or no longer; whether it is known here."""
    cursor = connection.execute(
        "UPDATE violations SET held = ? WHERE violation_id = ?", (int(held), str(violation_id))
    )
    return cursor.rowcount > 0


def forget(connection: Connection, *, before: datetime) -> int:
    """Delete the rows of violations that ended, were delivered and removed from disk before then.

    Manifest rows stay: they are the chain. The number of violations forgotten.
    """
    old = (
        "SELECT violation_id FROM violations v WHERE open = 0 AND held = 0 AND updated_at < :before"
        " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.violation_id = v.violation_id"
        "                 AND (e.state != 'delivered' OR e.settled_at >= :before))"
        " AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.violation_id = v.violation_id"
        "                 AND m.removed_at IS NULL)"
    )
    values = {"before": micros(before)}
    connection.execute(
        f"DELETE FROM uploads WHERE chain_index IN"  # noqa: S608
        f" (SELECT chain_index FROM manifests WHERE violation_id IN ({old}))",
        values,
    )
    ids = [row[0] for row in connection.execute(old, values)]
    for table in ("events", "violations"):
        connection.executemany(
            f"DELETE FROM {table} WHERE violation_id = ?",  # noqa: S608
            [(violation_id,) for violation_id in ids],
        )
    return len(ids)
