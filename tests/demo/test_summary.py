"""The figures of a run come from the edge's status and the backend's counters."""

from __future__ import annotations

from kitchen_watch.demo.summary import CameraLine, counts_of, summary_of

STATUS = {
    "cameras": [
        {
            "camera_id": "demo-stove", "state": "streaming", "frames_received": 720,
            "frames_analysed": 290, "frames_dropped": 3, "frames_still": 7,
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
    summary = summary_of(STATUS, METRICS, seconds=60.0, wanted_per_second=5.0)

    assert summary.cameras == (CameraLine("demo-stove", "streaming", 720, 290, 3, 4.8, 7),)
    assert (summary.seconds, summary.wanted_per_second) == (60.0, 5.0)
    assert list(summary.violations.items()) == [("NO_HAT", 1), ("NO_MASK", 2)]
    assert (summary.delivered, summary.pending, summary.uploads_pending, summary.dead) == (9, 1, 2, 0)
    assert (summary.accepted_by_backend, summary.known_to_backend) == (9, 1)


def test_what_earlier_runs_delivered_is_not_counted() -> None:
    """The outbox counts on over all starts, the backend begins at zero."""
    before = counts_of({"outbox": {"delivered": 104}}, "# nothing yet\n")
    later = {"outbox": {"delivered": 130}}

    summary = summary_of(later, 'kw_backend_events_total{verdict="accepted"} 26.0\n', before=before)

    assert (summary.delivered, summary.accepted_by_backend, summary.known_to_backend) == (26, 26, 0)


def test_a_backend_that_began_to_count_anew_is_unknown_instead_of_wrong() -> None:
    before = counts_of({}, 'kw_backend_events_total{verdict="accepted"} 5.0\n')

    summary = summary_of(STATUS, 'kw_backend_events_total{verdict="accepted"} 2.0\n', before=before)

    assert summary.accepted_by_backend is None


def test_an_edge_that_does_not_answer_gives_zeros_and_says_unknown() -> None:
    summary = summary_of({}, "")

    assert summary.cameras == ()
    assert summary.accepted_by_backend is None
