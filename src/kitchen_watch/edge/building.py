"""Builds one camera from its settings: streams, ring, analysis, recorder, pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from kitchen_watch.clock import Clock
from kitchen_watch.edge.cameras import CameraStreams, RunningCamera
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.filming import ClipMaker
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import Snapshots
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.pipeline import CameraPipeline, Seen
from kitchen_watch.edge.recorder import ClipPlan, Labelling, Recorder, Shared
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.edge.settings import CameraSettings, EdgeSettings
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.turns.needs import needs_of
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.picture import newest_picture
from kitchen_watch.live.public import PublicPictures
from kitchen_watch.live.recording import LONGEST_S, Recording
from kitchen_watch.live.segments import Keeping, SegmentStore
from kitchen_watch.live.tracks import TrackFeed

RING_MARGIN = timedelta(seconds=15)
"""So long after the moment a cut may begin, and a keyframe lie before it."""
LONGEST = timedelta(seconds=LONGEST_S)


def build_streams(camera: CameraSettings, *, settings: EdgeSettings, clock: Clock) -> CameraStreams:
    """The connections of one camera and what their packets go to; they need neither model nor outbox."""
    # What comes after the moment is kept by the cut itself.
    seconds = settings.evidence.before_s + RING_MARGIN.total_seconds()
    ring = PacketRing(seconds=seconds, max_bytes=settings.evidence.ring_bytes)
    live = LiveCamera(
        camera.camera_id, has_sub=camera.sub is not None, mask=_mask(camera),
        public_delay=timedelta(seconds=settings.live.public_delay_s),
    )  # fmt: skip
    rate, fit = _rate(camera, settings), settings.analysis.fit
    if camera.sub is None:
        only = CameraStream(
            camera.camera_id, camera.main, clock=clock, rate=rate, fit=fit, packet_sinks=(ring, live.main)
        )
        return CameraStreams(camera, ring, live, only, None)
    analysis = CameraStream(
        camera.camera_id, camera.sub, clock=clock, rate=rate, fit=fit, packet_sinks=(live.sub,)
    )
    main = CameraStream(
        f"{camera.camera_id}/main", camera.main, clock=clock, rate=rate, fit=fit,
        packet_sinks=(ring, live.main), decode=settings.analysis.main_view.enabled,
    )  # fmt: skip
    main.only_on_demand()
    return CameraStreams(camera, ring, live, analysis, main)


def build_camera(
    streams: CameraStreams, *, settings: EdgeSettings, rule_set: RuleSet, shared: Shared
) -> RunningCamera:
    """One camera, ready to start.

    Raises:
        ConfigError: its rules or zones do not fit.
    """
    camera, ring, live = streams.settings, streams.ring, streams.live
    hours = camera.opening_hours or settings.opening_hours
    where = f"cameras.{camera.camera_id}"
    own_rules = rule_set.for_camera(
        CameraRules(rules=camera.rules, zones=camera.zones, hours=hours), where=where
    )
    rules = RuleBook(camera.camera_id, own_rules, zones=camera.zones, hours=hours)
    before = timedelta(seconds=settings.evidence.before_s)
    after = timedelta(seconds=settings.evidence.after_s)
    clock = shared.clock
    mask = _mask(camera)
    public_delay = timedelta(seconds=settings.live.public_delay_s)
    recorder = Recorder(
        shared,
        snapshots=Snapshots(
            shared.packages, shared.workshop, mask=mask, ring=ring if streams.main is not None else None
        ),
        clips=ClipMaker(shared.packages, shared.workshop, mask=mask, clock=clock),
        plan=ClipPlan(ring, before, after),
        labelling=Labelling(camera.name or camera.camera_id, ZoneInfo(hours.time_zone)),
    )
    health = HealthMonitor(settings.health)
    reference = shared.references.load(camera.camera_id)
    if reference is not None:
        health.set_reference(reference)
    analysis = build_analysis(
        detector=shared.detector,
        health=health,
        rules=rules,
        hours=hours,
        mask=mask,
        settings=settings.analysis,
        gated=True,
        main=streams.main,
    )
    pipeline = CameraPipeline(streams.analysis, analysis, recorder, clock=clock)
    live.picture = lambda: newest_picture(pipeline.shown, mask)
    pictures = PublicPictures(mask, live.sightings, clock, delay=public_delay)
    live.public_picture = lambda: _public_picture(pictures, pipeline)
    pipeline.listeners.append(lambda seen: live.sightings.note(seen.frame.captured_at, seen.detections))
    pipeline.listeners.append(lambda seen: pictures.saw(seen.frame))
    if shared.shadow is not None:
        pipeline.listeners.append(_unless_still(shared.shadow.saw))
    live.tracks = TrackFeed(live.sub, clock)
    pipeline.listeners.append(live.tracks.saw)
    live.recording = _recording(live, camera, settings, shared)
    live.continuous = camera.continuous.enabled
    return RunningCamera(
        streams=streams,
        pipeline=pipeline,
        recorder=recorder,
        sleep=clock.sleep,
        rate=_rate(camera, settings),
        needs=needs_of(own_rules, hours, frozen_after_s=settings.health.frozen_after.total_seconds()),
    )


def _rate(camera: CameraSettings, settings: EdgeSettings) -> float:
    return camera.frames_per_second or settings.analysis.frames_per_second


def _mask(camera: CameraSettings) -> PrivacyMask:
    return PrivacyMask(zone.polygon for zone in camera.privacy)


async def _public_picture(pictures: PublicPictures, pipeline: CameraPipeline) -> bytes | None:
    """None while the camera waits for its turn: what is minutes old is not the present."""
    return None if pipeline.resting else await asyncio.to_thread(pictures.newest)


def _unless_still(tell: Callable[[Seen], None]) -> Callable[[Seen], None]:
    """What compares models has nothing to compare in a frame that no model saw."""
    return lambda seen: None if seen.still else tell(seen)


def _recording(
    live: LiveCamera, camera: CameraSettings, settings: EdgeSettings, shared: Shared
) -> Recording | None:
    """The recording of a camera: its days if it is recorded continuously, else the last minutes."""
    ring = timedelta(minutes=settings.live.time_shift_minutes)
    continuous = camera.continuous
    if not continuous.enabled and not ring:
        return None
    floor = settings.evidence.disk_floor_free_bytes
    if continuous.enabled:
        keeping = Keeping(max(timedelta(days=continuous.keep_days), ring), continuous.keep_bytes, floor)
    else:
        keeping = Keeping(ring + LONGEST, settings.live.time_shift_bytes, floor)
    store = SegmentStore(settings.data_dir / "recordings" / camera.camera_id, keeping)
    if shared.holds is not None:
        store.held = partial(shared.holds.keeps, camera.camera_id)
    return Recording(live, store, shared.clock, quality=continuous.quality if continuous.enabled else "sub")
