"""Before anything runs, `kitchen-watch check` says whether cameras in turn come round in the wished time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kitchen_watch.edge.check import _check_turns
from kitchen_watch.edge.opening import open_rules
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.signing import new_secret

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
RULES = open_rules(None, changes={}).check_labels(["person", "head", "no_hat", "rat"]).rule_set


@pytest.mark.parametrize(
    ("cameras", "ok", "says"),
    [
        (8, True, "8 cameras take turns; none goes without a look for longer than 90 s"),
        (20, False, "without a look for 270 s, longer than turns.longest_revisit_s (120 s)"),
    ],
)
def test_the_wish_is_checked_against_the_cameras(cameras: int, ok: bool, says: str) -> None:
    values = {
        "edge_id": "edge-1",
        "backend": {"url": "http://backend", "secret": new_secret()},
        "turns": {"mode": "always", "at_once": 2, "watch_s": 30, "longest_revisit_s": 120},
        "cameras": [
            {"camera_id": f"cam-{number}", "main": {"url": "rtsp://192.0.2.1/1"}} for number in range(cameras)
        ],
    }
    (finding,) = _check_turns(EdgeSettings.model_validate(values), RULES, NOON)
    assert (finding.ok, says in finding.says) == (ok, True), finding.says


def test_where_nobody_takes_turns_nothing_is_said() -> None:
    values = {"edge_id": "edge-1", "backend": {"url": "http://backend", "secret": new_secret()}}
    assert _check_turns(EdgeSettings.model_validate(values), RULES, NOON) == []
