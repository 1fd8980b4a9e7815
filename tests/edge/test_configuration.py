"""Configurations from the backend lie over the local file; a bad one leaves the old one in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from kitchen_watch.control import ConfigurationOffer
from kitchen_watch.edge.configuration import keep_offer, load_configuration, merge, with_offer
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.errors import ConfigError
from kitchen_watch.signing import new_secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "edge.yaml"
    path.write_text(
        f"edge_id: edge-1\ndata_dir: {tmp_path}\n"
        f"backend: {{url: 'http://127.0.0.1:8000', secret: {new_secret()}}}\n"
        "cameras:\n"
        "  - camera_id: cam-1\n    main: {url: 'rtsp://192.0.2.1/main'}\n    zones: []\n"
        "  - camera_id: cam-2\n    main: {url: 'rtsp://192.0.2.2/main'}\n",
        encoding="utf-8",
    )
    return path


def _offer(version: str = "v7", **cameras: Any) -> ConfigurationOffer:
    named = {key.replace("_", "-"): value for key, value in cameras.items()}
    return ConfigurationOffer(offer_id=uuid4(), version=version, cameras=named)


TRIANGLE = {"zone_id": "stove", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.3, 0.6]]}


def test_an_offer_changes_a_camera_and_keeps_its_address(file: Path) -> None:
    settings = with_offer(file, _offer(cam_1={"zones": [TRIANGLE]})).settings
    assert settings.cameras[0].zones[0].zone_id == "stove"
    assert settings.cameras[0].main.url == "rtsp://192.0.2.1/main"
    assert settings.cameras[1].zones == ()


def test_an_accepted_offer_survives_a_restart(file: Path) -> None:
    keep_offer(with_offer(file, _offer(cam_1={"zones": [TRIANGLE]})))
    again = load_configuration(file)
    assert again.version == "v7"
    assert again.settings.cameras[0].zones[0].zone_id == "stove"


def test_a_polygon_of_two_points_is_refused_with_its_place(file: Path) -> None:
    bad = {"zone_id": "stove", "polygon": [[0.1, 0.1], [0.5, 0.1]]}
    with pytest.raises(ConfigError, match=r"configuration v8: cameras\.0\.zones\.0\.polygon"):
        with_offer(file, _offer("v8", cam_1={"zones": [bad]}))
    assert load_configuration(file).version is None


def test_a_camera_can_be_added_and_switched_off(file: Path) -> None:
    settings = with_offer(file, _offer(cam_2=None, cam_3={"main": {"url": "rtsp://192.0.2.3/s"}})).settings
    assert [(camera.camera_id, camera.enabled) for camera in settings.cameras] == [
        ("cam-1", True), ("cam-2", False), ("cam-3", True),
    ]  # fmt: skip


def test_a_mask_of_the_local_file_is_never_uncovered_from_afar() -> None:
    local = {**TRIANGLE, "zone_id": "window"}
    values = {"cameras": [{"camera_id": "cam-1", "privacy": [local]}]}
    for offered, kept in (
        ([], [local]),
        ([{**TRIANGLE, "zone_id": "door"}], [local, {**TRIANGLE, "zone_id": "door"}]),
        ([{**TRIANGLE, "zone_id": "window"}], [{**TRIANGLE, "zone_id": "window"}]),
    ):
        assert merge(values, {"cam-1": {"privacy": offered}})["cameras"][0]["privacy"] == kept
    assert merge(values, {"cam-1": {"rules": {}}})["cameras"][0]["privacy"] == [local]


def test_two_cameras_with_one_id_are_refused(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("cam-2", "cam-1")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="two cameras are called cam-1"):
        load_configuration(file)


@pytest.mark.parametrize(
    "kept", ["{", "[]", '{"version": "v1", "cameras": {"cam-1": 5}}', "[" * 100_000], ids=range(4)
)
def test_a_broken_kept_offer_is_said_and_not_hidden(file: Path, tmp_path: Path, kept: str) -> None:
    (tmp_path / "accepted-configuration.json").write_text(kept, encoding="utf-8")
    with pytest.raises(ConfigError, match="Move the file away"):
        load_configuration(file)


def test_an_offer_over_a_file_that_was_damaged_since_the_start_is_refused(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("camera_id: cam-1", "camera_id: []"), "utf-8")
    with pytest.raises(ConfigError, match=r"edge\.yaml, line 5: cameras\.0\.camera_id"):
        with_offer(file, _offer(cam_2={"zones": [TRIANGLE]}))


def test_merging_leaves_a_file_without_cameras_alone() -> None:
    assert merge({"edge_id": "e"}, {}) == {"edge_id": "e", "cameras": []}


def test_secrets_in_a_camera_address_do_not_show(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("192.0.2.1/main", "admin:canary@192.0.2.1/main")
    file.write_text(text, encoding="utf-8")
    assert "canary" not in repr(load_configuration(file).settings)


def test_cameras_that_are_always_watched_must_leave_a_turn_for_the_others() -> None:
    def edge(always: int, at_once: int) -> EdgeSettings:
        cameras = [
            {"camera_id": f"cam-{n}", "main": {"url": "rtsp://192.0.2.1/1"}, "always_watched": n < always}
            for n in range(6)
        ]
        turns = {"mode": "always", "at_once": at_once}
        backend = {"url": "http://backend", "secret": new_secret()}
        return EdgeSettings.model_validate(
            {"edge_id": "edge-1", "backend": backend, "turns": turns, "cameras": cameras}
        )

    assert edge(1, 2).turns.at_once == 2
    assert edge(6, 6).turns.at_once == 6, "nobody takes turns"
    with pytest.raises(ValueError, match="no turn for the other 4"):
        edge(2, 2)
