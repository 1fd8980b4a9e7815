"""A picture of what a camera shows now: marked with viewer and time, hashed, written down."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.edges.control import picture_in
from kitchen_watch.backend.live.watermark import marked
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.parts import Parts
from kitchen_watch.errors import Conflict


@dataclass(frozen=True, slots=True)
class Snapshot:
    """JPEG with who took it and when burnt in, and its SHA-256 as the audit log has it."""

    content: bytes
    sha256: str
    at: datetime


async def snapshot(parts: Parts, person: Person, visitor: Visitor, camera_id: str, purpose: str) -> Snapshot:
    """Ask the camera's edge for the picture of this moment, mark it and write it down.

    Raises:
        NotFound: there is no such camera in the person's scope.
        Conflict: the edge gives no picture.
    """
    now = parts.clock.now()
    viewer = f"{person.display_name} ({person.username})"

    def look() -> tuple[str, str, ZoneInfo]:
        with parts.database.read() as session:
            camera = visible_camera(session, person, camera_id)
            premises = session.get_one(PremisesRow, camera.premises_id)
            label = f"{premises.name} {camera.name or camera_id}"
            return camera.edge_id, label, ZoneInfo(premises.time_zone)

    edge_id, label, zone = await run_in_threadpool(look)
    answer = await parts.control.send_command(edge_id, camera_id=camera_id, action="snapshot")
    if not answer.accepted or answer.data is None:
        raise Conflict(answer.reason or "The edge gives no picture of this camera.")
    content = picture_in(answer)
    if content is None:
        raise Conflict("The edge sent no picture that can be read.")

    def mark_and_note() -> Snapshot:
        picture = marked(content, viewer=viewer, camera=label, at=now, zone=zone)
        digest = hashlib.sha256(picture).hexdigest()
        with parts.database.write() as session:
            camera = visible_camera(session, person, camera_id)  # a right may have ended meanwhile
            record(
                session, Actor(person.id, visitor.address), "live_snapshot_taken", at=now,
                about=("camera", camera_id), premises_id=camera.premises_id, purpose=purpose, sha256=digest,
            )  # fmt: skip
        return Snapshot(picture, digest, now)

    return await run_in_threadpool(mark_and_note)
