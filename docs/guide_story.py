"""The day that the guide's pictures tell: a backend with the demo's district, and an edge that speaks.

Stands on the browser tests' backend and on the demo's drawn kitchens, so it needs the extras [demo],
[dev] and [browser]. Run ``guide_pictures.py``; this file only tells the story.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
from PIL import Image, ImageDraw
from sqlalchemy import update
from tests.backend import support
from tests.backend.stories import Chain, Violation, deliver, evidence_file, upload
from tests.backend.support import PASSWORD, Backend, make_settings, serving

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.app import create_app
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.seed import apply_district
from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraState
from kitchen_watch.demo.configuration import EDGE_ID
from kitchen_watch.demo.district import district
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.demo.scene import Figure, Scene, SceneSettings, Step
from kitchen_watch.events import EvidenceFile, EvidenceKind, ModelUsed, RuleUsed
from kitchen_watch.signing import new_secret

RATE = 6
CLIP_S = 4
SMALL = (960, 540)
MODEL = ModelUsed(name="kitchen-yolo26n", version="0.3.0", sha256="a1" * 32, precision="bf16")


@contextmanager
def backend() -> Iterator[Backend]:
    """A backend on loopback with the demo's district; everybody's password is the tests' one."""
    secret = new_secret()
    support.EDGE_SECRETS[EDGE_ID] = secret
    with tempfile.TemporaryDirectory() as directory:
        clock = SystemClock()
        app = create_app(make_settings(Path(directory)), clock=clock)
        specification = district(secret=secret)
        for person in specification["people"]:
            person |= {"password": PASSWORD, "must_change_password": False}
        parts = app.state.parts
        with parts.database.write() as session:
            apply_district(session, specification, vault=parts.vault, now=clock.now())
        with serving(app, clock) as running:
            yield running


@cache
def _scene(room: str, who: str, title: str) -> Scene:
    sample = {camera.scene.room: camera.scene for camera in SAMPLE_CAMERAS}[room]
    size = {"cat": 0.17, "hopper": 0.43}.get(who, 0.5)
    walk = Figure(who, size, (Step(0, 0.48), Step(3, 0.54), Step(6, 0.48)))
    return Scene(
        SceneSettings(
            room=room, title=title, seconds=6, figures=(walk,), steam=sample.steam, night=sample.night
        )
    )


def still(room: str, who: str, title: str, index: int = 0) -> Image.Image:
    """One picture of a drawn kitchen, RGB, 960 x 540."""
    picture = _scene(room, who, title).picture(index, RATE)
    return Image.fromarray(picture[:, :, ::-1]).resize(SMALL, Image.Resampling.BILINEAR)


def jpeg(image: Image.Image) -> bytes:
    """As the edge and phones send it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=84)
    return buffer.getvalue()


def _clip(room: str, who: str, title: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "clip.mp4"
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream(
                "libx264", rate=RATE, options={"preset": "veryfast", "g": str(RATE)}
            )
            stream.width, stream.height = SMALL
            stream.pix_fmt = "yuv420p"
            for index in range(RATE * CLIP_S):
                frame = av.VideoFrame.from_image(still(room, who, title, index))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()


@dataclass
class Edge:
    """The demo's edge: tells of violations with evidence, and of its cameras."""

    site: Backend
    chain: Chain = field(default_factory=lambda: Chain(EDGE_ID))

    def finds(
        self,
        camera_id: str,
        code: str,
        tier: int,
        *,
        room: str,
        who: str,
        title: str,
        box: tuple[int, int, int, int],
        ago: timedelta = timedelta(seconds=40),
        **parameters: Any,
    ) -> None:
        """A violation with both pictures and its clip. ``box`` is what was seen, in pixels of 960 x 540."""
        rule = RuleUsed(
            rule_id=code,
            version="0123456789ab",
            parameters={"tier": tier, "held_s": 10.0, "fraction": 0.7, "cooldown_s": 600.0, **parameters},
        )
        violation = Violation(
            camera_id=camera_id, edge_id=EDGE_ID, code=code, tier=tier, started_at=datetime.now(UTC) - ago
        )
        clean = still(room, who, title)
        marked = clean.copy()
        ImageDraw.Draw(marked).rectangle(box, outline=(255, 176, 0), width=4)
        shots = {EvidenceKind.CLEAN: jpeg(clean), EvidenceKind.ANNOTATED: jpeg(marked)}
        self._tell(violation, shots, rule, confidence=0.86, server_offset_ms=120)
        self._tell(violation, {EvidenceKind.CLIP: _clip(room, who, title)}, rule, confidence=0.88)

    def _tell(
        self, violation: Violation, contents: dict[EvidenceKind, bytes], rule: RuleUsed, **more: Any
    ) -> None:
        manifest = self.chain.seal(
            camera_id=violation.camera_id,
            violation_id=violation.violation_id,
            code=violation.code,
            files=[_dated(evidence_file(content, kind)) for kind, content in contents.items()],
        )
        deliver(self.site, violation.tell(evidence=manifest, rule=rule, model=MODEL, **more), edge_id=EDGE_ID)
        for content in contents.values():
            assert upload(self.site, content, edge_id=EDGE_ID).is_success

    def pulse(self) -> None:
        """A heartbeat: every camera streams but one."""
        now = self.site.clock.now()
        with self.site.parts.database.write() as session:
            session.merge(
                EdgeStateRow(
                    edge_id=EDGE_ID,
                    connection_id=uuid4(),
                    connected_at=now - timedelta(hours=5),
                    last_heard_at=now,
                    clock_offset_ms=120,
                    software_version="0.1.0",
                    outbox_pending=0,
                    outbox_oldest_s=None,
                    dead_letters=0,
                    disk_free_bytes=412_000_000_000,
                    warnings=[],
                )
            )
            for camera in SAMPLE_CAMERAS:
                away = camera.camera_id == "demo-washing"
                row = CameraStateRow(
                    camera_id=camera.camera_id,
                    state=CameraState.OFFLINE if away else CameraState.STREAMING,
                    since_at=now - timedelta(minutes=4 if away else 290),
                    heard_at=now,
                    reason="There is no picture from the camera." if away else None,
                )
                row.frames_received, row.frames_analysed, row.frames_dropped = 208_000, 87_000, 12
                row.frame_age_ms, row.width, row.height, row.codec = 180, 1280, 720, "h264"
                session.merge(row)


def _dated(file: EvidenceFile) -> EvidenceFile:
    at = datetime.now(UTC) - timedelta(seconds=30)
    ends = at + timedelta(seconds=CLIP_S) if file.ends_at else None
    return file.model_copy(update={"starts_at": at, "ends_at": ends})


def make_late(site: Backend, alert_id: int, by: timedelta) -> None:
    """Move the deadlines of an alert into the past: nobody waits hours for a picture."""
    at = site.clock.now() - by
    with site.parts.database.write() as session:
        session.execute(update(AlertRow).where(AlertRow.id == alert_id).values(due_at=at))
        session.execute(update(DeadlineRow).where(DeadlineRow.alert_id == alert_id).values(due_at=at))


def act(site: Backend, who: str, alert_id: int, step: str, **body: Any) -> None:
    """A step over the API, as the pages take it."""
    browser = site.logged_in(who)
    if step not in {"remind", "supervise", "contain"}:
        body["version"] = browser.get(f"/api/v1/alerts/{alert_id}/case").json()["version"]
    answer = browser.post(f"/api/v1/alerts/{alert_id}/{step}", json=body)
    assert answer.is_success, answer.text
