"""What an edge says of itself: one plain value, read by the status page, the metrics and heartbeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kitchen_watch.control import CameraState, CameraStatus

FIRST_PICTURE_LIMIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """The outbox in numbers. ``oldest_s`` is the age of the oldest undelivered event in seconds."""

    pending: int = 0
    delivered: int = 0
    dead: int = 0
    uploads_pending: int = 0
    oldest_s: float | None = None


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One edge at one moment; counters only grow while the process lives."""

    edge_id: str
    ready: bool
    reasons: tuple[str, ...]
    """Why it is not ready; sentences."""
    cameras: tuple[CameraStatus, ...]
    outbox: OutboxReport
    violations: Mapping[str, int]
    """Violations opened since start, by code."""
    connected: bool
    """Whether the control connection to the backend is open."""
    frames_superseded: int = 0
    inference_ms: float | None = None
    """Mean inference time since the start in milliseconds."""
    analysis_failures: int = 0
    disk_free_bytes: int | None = None
    warnings: tuple[str, ...] = ()
    """What will soon be wrong, such as a filling disk; sentences."""
    reconnects: Mapping[str, int] = field(default_factory=dict)


def not_ready(cameras: Sequence[CameraStatus], waited: timedelta) -> tuple[str, ...]:
    """Why an edge that started so long ago is not ready: it is once a camera has streamed, and none of
    many is worth waiting for long."""
    if not cameras:
        return ("no camera is configured",)
    if all(camera.frames_analysed == 0 for camera in cameras):
        if waited < FIRST_PICTURE_LIMIT:
            return ("no camera has given a picture yet",)
        if all(camera.state is not CameraState.STREAMING for camera in cameras):
            return tuple(f"{camera.camera_id}: {camera.reason or camera.state}" for camera in cameras)
    return ()


class ReportCollector(Collector):
    """The report as Prometheus metrics, made anew at every scrape."""

    def __init__(self) -> None:
        self.report: NodeReport | None = None

    def collect(self) -> Iterable[Metric]:
        """Every figure of the last report."""
        report = self.report
        if report is None:
            return
        yield from _camera_metrics(report)
        yield from _outbox_metrics(report)
        violations = CounterMetricFamily(
            "kitchen_watch_violations_opened", "Violations opened since start", labels=["code"]
        )
        for code, count in sorted(report.violations.items()):
            violations.add_metric([code], count)
        yield violations
        yield GaugeMetricFamily(
            "kitchen_watch_backend_connected", "1 while the control connection is open",
            value=float(report.connected),
        )  # fmt: skip
        yield CounterMetricFamily(
            "kitchen_watch_frames_superseded", "Frames replaced by a newer one before inference",
            value=report.frames_superseded,
        )  # fmt: skip
        yield CounterMetricFamily(
            "kitchen_watch_analysis_failures", "Frames whose analysis failed",
            value=report.analysis_failures,
        )  # fmt: skip
        if report.inference_ms is not None:
            yield GaugeMetricFamily(
                "kitchen_watch_inference_milliseconds", "Mean inference time since the start",
                value=report.inference_ms,
            )  # fmt: skip
        if report.disk_free_bytes is not None:
            yield GaugeMetricFamily(
                "kitchen_watch_disk_free_bytes", "Free space where evidence is kept",
                value=report.disk_free_bytes,
            )  # fmt: skip


def _camera_metrics(report: NodeReport) -> Iterable[Metric]:
    labels = ["camera_id"]
    up = GaugeMetricFamily("kitchen_watch_camera_streaming", "1 while frames arrive", labels=labels)
    age = GaugeMetricFamily(
        "kitchen_watch_frame_age_milliseconds", "Age of the newest analysed frame", labels=labels
    )
    counters = {
        "frames_received": CounterMetricFamily(
            "kitchen_watch_frames_received", "Frames that arrived from the camera", labels=labels
        ),
        "frames_analysed": CounterMetricFamily(
            "kitchen_watch_frames_analysed", "Frames that the detector looked at", labels=labels
        ),
        "frames_still": CounterMetricFamily(
            "kitchen_watch_frames_still", "Frames of still scenes that the model need not see", labels=labels
        ),
        "frames_dropped": CounterMetricFamily(
            "kitchen_watch_frames_dropped", "Frames due for analysis that a newer one replaced", labels=labels
        ),
    }
    judged = GaugeMetricFamily(
        "kitchen_watch_camera_judged_share", "Of the frames due in the last seconds, how many were judged",
        labels=labels,
    )  # fmt: skip
    watched = GaugeMetricFamily(
        "kitchen_watch_camera_watched_share", "Of the time, lately, how much the camera was looked at",
        labels=labels,
    )  # fmt: skip
    revisit = GaugeMetricFamily(
        "kitchen_watch_camera_revisit_seconds", "The camera goes without a look for no longer", labels=labels
    )
    reconnects = CounterMetricFamily(
        "kitchen_watch_camera_reconnects", "Connections made anew after the first", labels=labels
    )
    for camera in report.cameras:
        up.add_metric([camera.camera_id], float(camera.state is CameraState.STREAMING))
        if camera.frame_age_ms is not None:
            age.add_metric([camera.camera_id], camera.frame_age_ms)
        if camera.judged_share is not None:
            judged.add_metric([camera.camera_id], camera.judged_share)
        if camera.turns is not None:
            watched.add_metric([camera.camera_id], camera.turns.share)
            revisit.add_metric([camera.camera_id], camera.turns.revisit_s)
        for name, family in counters.items():
            family.add_metric([camera.camera_id], getattr(camera, name))
        reconnects.add_metric([camera.camera_id], report.reconnects.get(camera.camera_id, 0))
    yield from (up, age, *counters.values(), judged, watched, revisit, reconnects)


def _outbox_metrics(report: NodeReport) -> Iterable[Metric]:
    outbox = report.outbox
    yield GaugeMetricFamily("kitchen_watch_outbox_pending", "Events not yet delivered", value=outbox.pending)
    yield GaugeMetricFamily("kitchen_watch_outbox_dead", "Events the backend refused", value=outbox.dead)
    yield GaugeMetricFamily(
        "kitchen_watch_uploads_pending", "Evidence files not yet uploaded", value=outbox.uploads_pending
    )
    yield GaugeMetricFamily(
        "kitchen_watch_outbox_oldest_seconds", "Age of the oldest undelivered event",
        value=outbox.oldest_s or 0.0,
    )  # fmt: skip
    yield CounterMetricFamily(
        "kitchen_watch_events_delivered", "Events that the backend acknowledged", value=outbox.delivered
    )
