"""Looking back: pieces of a recording, snapshots and track boxes, for those who may, each written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.detect.detection import Box
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.tracks import Track
from kitchen_watch.live import recording as recording_module
from kitchen_watch.live.tracks import TrackFeed
from tests.backend.live.edges import Edge, edge_of, picture_in
from tests.backend.live.test_live import audited, backend_copy, log_out, wait_for
from tests.backend.support import Backend
from tests.edge.evidence.cameras import START, at, picture
from tests.live.test_masked import check_masked, decoded, is_black

pytestmark = pytest.mark.integration
RECORDING = "/api/v1/cameras/cam-a1/recording"
SPAN = {"since_at": (START - timedelta(hours=1)).isoformat(), "until_at": at(600).isoformat()}
NOTHING = "20260302T040000000Z-6000"


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "SEGMENT_S", 1.5)


def pieces(browser: httpx.Client, **more: str) -> list[dict[str, Any]]:
    answer = browser.get(RECORDING, params={**SPAN, **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["pieces"]
    return found


@pytest.mark.parametrize("masked", [False, True])
def test_a_piece_is_listed_fetched_plays_and_is_written_down(
    backend: Backend, tmp_path: Path, *, masked: bool
) -> None:
    with edge_of(backend, masked=masked, recorded=tmp_path / "recorded") as edge:
        browser = backend.logged_in("manager_a")
        wait_for(lambda: pieces(browser), seconds=30)
        first = pieces(browser, purpose="what happened")[0]
        answer = browser.get(first["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) == first["size"]
        shown = list(decoded(answer.content, "mp4"))
        assert len(shown) >= 10
        for one in shown:
            if masked:
                check_masked(one)
            else:
                assert not is_black(one, 0.25)
        wait_for(lambda: edge.desk.views == 0)
        gone = browser.get(f"{RECORDING}/20000101T000000000Z-6000")
        assert (gone.status_code, "no longer kept" in gone.json()["detail"]) == (409, True)
    assert audited(backend, "recording_listed")[-1].purpose == "what happened"
    (watched, _) = audited(backend, "recording_watched")
    assert watched.object_id == "cam-a1"
    assert first["url"].endswith(watched.facts["piece"])


@pytest.mark.parametrize(
    ("who", "wanted"), [(None, 401), ("manager_b", 404), ("regulator2", 404), ("supervisor2", 404)]
)
def test_who_may_not_see_the_camera_gets_nothing_of_it(
    backend: Backend, tmp_path: Path, who: str | None, wanted: int
) -> None:
    with edge_of(backend, recorded=tmp_path / "recorded"):
        owner = backend.logged_in("manager_a")
        wait_for(lambda: pieces(owner), seconds=30)
        browser = backend.client() if who is None else backend.logged_in(who)
        for method, path in (
            ("GET", RECORDING),
            ("GET", pieces(owner)[0]["url"]),
            ("GET", "/api/v1/cameras/cam-a1/live/tracks"),
            ("POST", "/api/v1/cameras/cam-a1/live/snapshot"),
        ):
            assert browser.request(method, path).status_code == wanted, path
    assert {row.person_id for row in audited(backend, "recording_watched")} == set()
    assert audited(backend, "live_snapshot_taken") == []


def test_spans_that_make_no_sense_and_edges_that_are_away_are_said_in_words(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    backwards = {"since_at": at(10).isoformat(), "until_at": at(0).isoformat()}
    assert browser.get(RECORDING, params=backwards).status_code == 422
    long = {"since_at": at(0).isoformat(), "until_at": at(100_000).isoformat()}
    assert browser.get(RECORDING, params=long).status_code == 422
    early = {"until_at": "0001-01-01T00:01:00+00:00"}
    assert browser.get(RECORDING, params=early).status_code == 422
    assert browser.get(f"{RECORDING}/..%2Fsecret").status_code in {404, 422}
    for path in (RECORDING, f"{RECORDING}/{NOTHING}"):
        assert "not connected" in browser.get(path).json()["detail"]
    with edge_of(backend):
        assert "is not recorded" in browser.get(RECORDING).json()["detail"]


@pytest.mark.parametrize("masked", [False, True])
def test_a_snapshot_says_who_took_it_and_its_hash_is_written_down(backend: Backend, *, masked: bool) -> None:
    with edge_of(backend, masked=masked):
        browser = backend.logged_in("regulator")
        answer = browser.post("/api/v1/cameras/cam-a1/live/snapshot", params={"purpose": "patrol"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["x-content-sha256"] == digest
    (row,) = audited(backend, "live_snapshot_taken")
    assert (row.facts["sha256"], row.purpose, row.object_id) == (digest, "patrol", "cam-a1")
    image = picture_in(answer.content)
    plain = picture(7)
    assert image.shape[0] > plain.shape[0]  # the band below
    assert image[plain.shape[0] :].max() > 200  # with words in it
    grey = image[plain.shape[0] // 4 : plain.shape[0] // 2].astype(int)
    right = grey[:, plain.shape[1] // 2 :]
    assert 0.001 < float((np.abs(right - 128).max(axis=2) > 12).mean()) < 0.5  # faint words across it
    if masked:  # nothing shows through, words may lie over it
        left = image[: plain.shape[0], : plain.shape[1] // 2]
        assert float((left.max(axis=2) < 40).mean()) > 0.8


def test_a_snapshot_needs_the_session_token_and_a_picture(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    with edge_of(backend, running=False):
        assert browser.post("/api/v1/cameras/cam-a1/live/snapshot").status_code == 409
    del browser.headers["x-csrf-token"]
    assert browser.post("/api/v1/cameras/cam-a1/live/snapshot").status_code == 403


def boxes(edge: Edge) -> Callable[[], None]:
    """Give the camera a feed of tracks; the answer tells it of one more analysed frame."""
    live = edge.cameras["cam-a1"]
    # The film bears times of its own: the analysis follows it by 80 ms.
    clock = ManualClock()
    feed = live.tracks = TrackFeed(live.sub, clock)
    image = picture(1)

    def look() -> None:
        newest = live.sub.newest
        assert newest is not None
        moment = newest.captured_at
        clock.set_wall(moment + timedelta(milliseconds=80))
        track = Track(3, "head", "no_hat", 0.81234, Box(0.1, 0.2, 0.3, 0.4), moment, moment, 5)
        frame = Frame("cam-a1", 0.0, moment, image, 320, 192, full=lambda: image)
        assert edge.loop is not None
        edge.loop.call_soon_threadsafe(feed.saw, Seen(frame, (), (track,), ()))

    return look


def test_boxes_of_tracks_come_as_lines_and_end_with_the_right(backend: Backend) -> None:
    with edge_of(backend) as edge:
        look = boxes(edge)
        browser = backend.logged_in("manager_a")
        look()
        with browser.stream("GET", "/api/v1/cameras/cam-a1/live/tracks") as stream:
            assert stream.headers["content-type"].startswith("application/x-ndjson")
            lines = stream.iter_lines()
            first = json.loads(next(lines))
            look()
            second = json.loads(next(lines))
            log_out(backend_copy(backend, browser))
            assert list(lines) == []
    (track,) = first["tracks"]
    assert track == {"track_id": 3, "label": "no_hat", "confidence": 0.812, "box": [0.1, 0.2, 0.3, 0.4]}
    assert second["seconds"] >= first["seconds"] >= 0
    assert first["captured_at"].endswith("+00:00")
    assert [row.facts["kind"] for row in audited(backend, "live_view_opened")] == ["tracks"]
