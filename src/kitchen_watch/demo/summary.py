"""What came of one run of the demo, read from the edge's status and the backend's counters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_ACCEPTED = re.compile(r'^kw_backend_events_total\{verdict="accepted"\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True)
class CameraLine:
    """One camera's figures."""

    camera_id: str
    state: str
    received: int
    analysed: int
    dropped: int


@dataclass(frozen=True)
class Summary:
    """The run in numbers; ``violations`` are those opened, by code."""

    cameras: tuple[CameraLine, ...] = ()
    violations: Mapping[str, int] = field(default_factory=dict)
    delivered: int = 0
    pending: int = 0
    uploads_pending: int = 0
    dead: int = 0
    accepted_by_backend: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "violations": dict(self.violations)}


def summary_of(status: Mapping[str, Any], backend_metrics: str = "") -> Summary:
    """The summary in an edge's ``/status`` answer and the text of the backend's ``/metrics``."""
    outbox = status.get("outbox", {})
    accepted = _ACCEPTED.search(backend_metrics)
    return Summary(
        cameras=tuple(
            CameraLine(
                camera["camera_id"],
                camera["state"],
                camera.get("frames_received", 0),
                camera.get("frames_analysed", 0),
                camera.get("frames_dropped", 0),
            )
            for camera in status.get("cameras", ())
        ),
        violations=dict(sorted(status.get("violations", {}).items())),
        delivered=outbox.get("delivered", 0),
        pending=outbox.get("pending", 0),
        uploads_pending=outbox.get("uploads_pending", 0),
        dead=outbox.get("dead", 0),
        accepted_by_backend=int(float(accepted[1])) if accepted else None,
    )
