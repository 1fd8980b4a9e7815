"""The figures of a run come from the edge's status and the backend's counters."""

from __future__ import annotations

from kitchen_watch.demo.summary import CameraLine, summary_of

STATUS = {
    "cameras": [
        {
            "camera_id": "demo-stove", "state": "streaming", "frames_received": 720,
            "frames_analysed": 290, "frames_dropped": 3,
        }
    ],
    "outbox": {"pending": 1, "delivered": 9, "dead": 0, "uploads_pending": 2},
    "violations": {"NO_MASK": 2, "NO_HAT": 1},
}  # fmt: skip
METRICS = """# TYPE kw_backend_events_total counter
kw_backend_events_total{verdict="duplicate"} 1.0
kw_backend_events_total{verdict="accepted"} 9.0
"""


def test_cameras_alerts_and_deliveries_are_taken_over() -> None:
    summary = summary_of(STATUS, METRICS)

    assert summary.cameras == (CameraLine("demo-stove", "streaming", 720, 290, 3),)
    assert list(summary.violations.items()) == [("NO_HAT", 1), ("NO_MASK", 2)]
    assert (summary.delivered, summary.pending, summary.uploads_pending, summary.dead) == (9, 1, 2, 0)
    assert summary.accepted_by_backend == 9


def test_an_edge_that_does_not_answer_gives_zeros_and_says_unknown() -> None:
    summary = summary_of({}, "")

    assert summary.cameras == ()
    assert summary.accepted_by_backend is None
