"""A district with finished cases and their evidence, and nights in which retention runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from kitchen_watch.backend.app import make_retention
from kitchen_watch.backend.retention.running import Retention
from kitchen_watch.clock import ManualClock
from tests.backend.stories import CLIP, PICTURE, Chain, deliver, opening_with_evidence, upload
from tests.backend.support import Backend

QUIET: dict[str, Any] = {
    "outgoing": {"send_here": False},
    "deadline_look_s": 3600.0,
    "retention": {"look_every_s": 3600.0, "disk_floor_bytes": 0},
}
"""Nothing runs by itself but what a test starts."""


def evidence(backend: Backend, *cameras: str) -> None:
    """One alert with a picture and a clip of its own per camera, in the order given."""
    chain = Chain()
    for number, camera in enumerate(cameras):
        files: dict[str, Any] = {
            "annotated_snapshot": PICTURE + bytes([number]),
            "clip": CLIP + bytes([number]),
        }
        deliver(backend, opening_with_evidence(camera, chain=chain, **files))
        for content in files.values():
            assert upload(backend, content).status_code == 200


def finish(backend: Backend, *alert_ids: int, username: str = "regulator") -> None:
    """They were false alarms: the cases are finished."""
    browser = backend.logged_in(username)
    for alert_id in alert_ids:
        body = {"version": 0, "reason": "too_small", "note": ""}
        answer = browser.post(f"/api/v1/alerts/{alert_id}/reject", json=body)
        assert answer.status_code == 200, answer.text


def later(backend: Backend, **length: float) -> None:
    """Time passes."""
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(timedelta(**length))


def retention(backend: Backend, **more: Any) -> Retention:
    """Another process that looks after retention."""
    return make_retention(backend.parts, **more)


def files(browser: httpx.Client, alert_id: int) -> dict[str, Any]:
    """The files of an alert by their kind."""
    detail = browser.get(f"/api/v1/alerts/{alert_id}").json()
    return {file["kind"]: file for manifest in detail["manifests"] for file in manifest["files"]}
