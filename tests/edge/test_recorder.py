"""A step of a violation on disk: snapshot and event at once, the clip when it is in, or why there is none."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.filming import ClipMaker
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import Snapshots
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.outbox.records import ClipState
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.recorder import ClipPlan, Labelling, Recorder, Shared, settle_owed_clips
from kitchen_watch.edge.references import References
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import Event, EventKind, EvidenceKind
from tests.edge.streams.media import moving_box, write_video
from tests.edge.test_pipeline import Detector

ZONE = ZoneInfo("Asia/Shanghai")
RATE = 10


@dataclass
class Scene:
    recorder: Recorder
    shared: Shared
    ring: PacketRing
    film: Path

    def feed(self, began_at: datetime) -> None:
        """Let the film's packets into the ring, as if the camera had sent them from ``began_at`` on."""
        with av.open(str(self.film)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            self.ring.opened(
                VideoInfo("h264", context.width, context.height, context.extradata, Fraction(RATE),
                          stream.time_base or Fraction(1, RATE))
            )  # fmt: skip
            for packet in container.demux(stream):
                if packet.size == 0 or packet.pts is None or packet.time_base is None:
                    continue
                seconds = float(packet.pts * packet.time_base)
                at = began_at + timedelta(seconds=seconds)
                self.ring.packet(
                    StreamPacket(
                        seconds, seconds, packet.time_base, bytes(packet), packet.is_keyframe, at, at
                    )
                )

    async def events(self) -> list[Event]:
        leased = await self.shared.store.pending_events()
        return [item.event for item in leased]


def _frame(at: datetime) -> Frame:
    image = np.full((240, 320, 3), 120, np.uint8)
    return Frame("cam-1", 1.0, at, image, 320, 240, lambda: image)


def _violation(code: str, at: datetime) -> Violation:
    parameters = {"held_s": 1, "name": {"zh": "未戴厨师帽", "en": "No hat"}}
    return Violation(
        uuid4(), "cam-1", code, 2, code, "0123456789ab", parameters,
        None, at, at, None, 0.8, (1,), needs_model=not code.startswith("CAM_"),
    )  # fmt: skip


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mp4", moving_box(RATE * 20, (320, 240)), rate=RATE, gop=RATE)


@asynccontextmanager
async def scene(tmp_path: Path, film: Path) -> AsyncIterator[Scene]:
    clock = SystemClock()
    packages = Packages(tmp_path / "edge", zone=ZONE, reserve_bytes=0)
    workshop = Workshop()
    store = await OutboxStore.open(packages, edge_id="edge-1", clock=clock)
    shared = Shared(
        detector=Detector(), packages=packages, workshop=workshop, references=References(tmp_path / "edge"),
        store=store, clock=clock, server_offset=lambda: None, opened=Counter(),
    )  # fmt: skip
    ring, mask = PacketRing(), PrivacyMask()
    recorder = Recorder(
        shared,
        snapshots=Snapshots(packages, workshop, mask=mask),
        clips=ClipMaker(packages, workshop, mask=mask, clock=clock),
        plan=ClipPlan(ring, timedelta(seconds=5), timedelta(seconds=5)),
        labelling=Labelling("热厨灶台", ZONE),
    )
    try:
        yield Scene(recorder, shared, ring, film)
    finally:
        await recorder.close()
        await workshop.close()
        await store.close()


async def _settled(recorder: Recorder) -> None:
    async with asyncio.timeout(30):
        while recorder._filming:
            await asyncio.wait(recorder._filming)


async def test_the_opening_event_has_both_snapshots_and_the_clip_follows(tmp_path: Path, film: Path) -> None:
    async with scene(tmp_path, film) as s:
        now = datetime.now(UTC)
        s.feed(now - timedelta(seconds=12))
        moment = now - timedelta(seconds=5)
        change = ViolationChange(ChangeKind.OPENED, _violation("NO_HAT", moment), moment)
        await s.recorder(change, _frame(moment), ())
        await _settled(s.recorder)
        opened = (await s.events())[0]
        assert opened.kind is EventKind.OPENED
        assert opened.evidence is not None
        assert [file.kind for file in opened.evidence.files] == [EvidenceKind.CLEAN, EvidenceKind.ANNOTATED]
        journal = [entry async for entry in _all_events(s)]
        assert [event.sequence for event in journal] == [0, 1]
        assert journal[1].evidence is not None
        assert journal[1].evidence.files[0].kind is EvidenceKind.CLIP
        assert journal[1].evidence.previous_sha256 == opened.evidence.sha256
        assert s.shared.opened == {"NO_HAT": 1}


async def _all_events(s: Scene) -> AsyncIterator[Event]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp := s.shared.packages.data_dir / "outbox.sqlite3")) as database:
        assert tmp.exists()
        rows = database.execute("SELECT body FROM events ORDER BY number").fetchall()
    for (body,) in rows:
        yield Event.model_validate_json(body)


async def test_a_camera_that_went_away_shows_its_last_picture_and_seconds(tmp_path: Path, film: Path) -> None:
    async with scene(tmp_path, film) as s:
        now = datetime.now(UTC)
        began = now - timedelta(seconds=28)
        s.feed(began)
        s.ring.closed()
        last = _frame(began + timedelta(seconds=19))
        s.recorder.saw(last)
        change = ViolationChange(ChangeKind.OPENED, _violation("CAM_OFFLINE", now), now)
        await s.recorder(change, None, ())
        await _settled(s.recorder)
        events = [event async for event in _all_events(s)]
        assert events[0].evidence is not None
        assert events[0].evidence.files[0].starts_at == last.captured_at
        assert events[0].model is None
        assert events[1].evidence is not None, events[1].detail
        clip = events[1].evidence.files[0]
        assert clip.starts_at <= last.captured_at <= (clip.ends_at or clip.starts_at)


async def test_a_camera_that_never_gave_a_picture_is_told_all_the_same(tmp_path: Path, film: Path) -> None:
    async with scene(tmp_path, film) as s:
        now = datetime.now(UTC)
        await s.recorder(ViolationChange(ChangeKind.OPENED, _violation("CAM_OFFLINE", now), now), None, ())
        event = (await s.events())[0]
        assert event.evidence is None
        assert "given none" in (event.detail or "")


async def test_a_full_disk_costs_the_pictures_and_never_the_event(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, film) as s:

        def full(*_arguments: object, **_options: object) -> None:
            raise EvidenceError("the disk is full")

        monkeypatch.setattr(s.shared.packages, "put", full)
        now = datetime.now(UTC)
        change = ViolationChange(ChangeKind.OPENED, _violation("NO_HAT", now), now)
        await s.recorder(change, _frame(now), ())
        event = (await s.events())[0]
        assert event.evidence is None
        assert "the disk is full" in (event.detail or "")


async def test_an_outbox_that_cannot_be_written_is_tried_until_it_can(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, film) as s:
        append, failures = s.shared.store.append, [EvidenceError("full"), EvidenceError("still full")]

        async def sometimes(draft: object) -> object:
            if failures:
                raise failures.pop()
            return await append(draft)  # type: ignore[arg-type]  # handed through as it came

        monkeypatch.setattr(s.shared.store, "append", sometimes)
        monkeypatch.setattr("kitchen_watch.edge.waiting.RETRY_PAUSE", timedelta(0))
        now = datetime.now(UTC)
        violation = _violation("NO_HAT", now)
        await s.recorder(ViolationChange(ChangeKind.GREW, violation, now), _frame(now), ())
        assert len(s.recorder.waiting) == 1  # and the camera goes on being watched
        await s.recorder.waiting.settled()
        assert [event.violation_id for event in await s.events()] == [violation.violation_id]


async def test_a_clip_owed_by_an_earlier_process_is_settled_in_words(tmp_path: Path, film: Path) -> None:
    async with scene(tmp_path, film) as s:
        now = datetime.now(UTC)
        s.feed(now - timedelta(seconds=19))  # the post-roll is not in yet
        change = ViolationChange(ChangeKind.OPENED, _violation("NO_HAT", now), now)
        await s.recorder(change, _frame(now), ())
    async with scene(tmp_path, film) as again:
        owed = [entry.clip for entry in again.shared.store.recovery.violations]
        assert owed == [ClipState.DUE]
        await settle_owed_clips(again.shared.store, model=Detector.model, clock=SystemClock())
        events = [event async for event in _all_events(again)]
        assert "restarted before the clip" in (events[-1].detail or "")
        closed = replace(change.violation, ended_at=now)
        await again.recorder(ViolationChange(ChangeKind.CLOSED, closed, now), None, ())
    async with scene(tmp_path, film) as last:
        assert [entry.clip for entry in last.shared.store.recovery.violations] != [ClipState.DUE]
