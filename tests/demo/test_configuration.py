"""The files that a start writes are accepted by the programs that read them, and are private."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest
import yaml

from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.config import load_settings
from kitchen_watch.demo import configuration as files
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.errors import ConfigError
from kitchen_watch.resources import shipped
from kitchen_watch.signing import new_secret

STREAMS = {camera.camera_id: f"rtsp://127.0.0.1:8554/{camera.camera_id}" for camera in SAMPLE_CAMERAS}


def edge_file(tmp_path: Path, **changes: object) -> Path:
    values = files.edge_configuration(
        data_dir=tmp_path / "edge",
        backend_url="http://127.0.0.1:8000",
        secret=new_secret(),
        status_port=9300,
        streams=STREAMS,
        **changes,  # type: ignore[arg-type] # keyword arguments of one test each
    )
    path = tmp_path / "edge.yaml"
    files.write_private(path, values)
    return path


def test_the_edge_accepts_its_file(tmp_path: Path) -> None:
    settings = load_settings(edge_file(tmp_path), EdgeSettings)

    assert [camera.camera_id for camera in settings.cameras] == list(STREAMS)
    closed = [camera.camera_id for camera in settings.cameras if camera.opening_hours is not None]
    assert closed == ["demo-store"]


def test_the_catalogue_knows_every_rule_and_parameter_of_the_demo() -> None:
    rule_set = RuleSet.load(shipped("configs/rules.yaml"))
    changes = [
        f"{code}.{name}={value}"
        for code, values in files.DEMO_RULES.items()
        for name, value in values.items()
    ]

    assert rule_set.override(*changes) != rule_set


def test_the_backend_accepts_its_file(tmp_path: Path) -> None:
    path = tmp_path / "backend.yaml"
    files.write_private(path, files.backend_configuration(data_dir=tmp_path / "backend", port=8123))

    settings = load_settings(path, BackendSettings)

    assert (settings.port, settings.public_url) == (8123, "http://127.0.0.1:8123")


def test_only_the_owner_may_read_what_holds_secrets(tmp_path: Path) -> None:
    path = edge_file(tmp_path)
    files.kept_secret(tmp_path / "edge-secret")

    for private in (path, tmp_path / "edge-secret"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_the_edges_secret_stays_the_same_over_starts(tmp_path: Path) -> None:
    first = files.kept_secret(tmp_path / "edge-secret")

    assert files.kept_secret(tmp_path / "edge-secret") == first
    assert files.kept_secret(tmp_path / "another") != first


def test_a_cameras_credentials_leave_its_address(tmp_path: Path) -> None:
    (guest,) = files.guest_cameras(["rtsp://viewer:p%40ss%2Fword@192.0.2.10:554/Streaming/101"])

    settings = load_settings(edge_file(tmp_path, guests=[guest]), EdgeSettings)

    source = settings.cameras[-1].main
    assert source.url == "rtsp://192.0.2.10:554/Streaming/101"
    assert source.password is not None
    assert source.password.get_secret_value() == "p@ss/word"
    assert "p@ss" not in repr(guest)
    assert "p%40ss" not in yaml.safe_dump(source.model_dump(mode="json"))


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.10/",
        "rtsp://",
        "192.0.2.10",
        "rtsp://u:hidden@bad host/",
        "rtsp://user:hidden#word@host:99999/x",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="is not an address") as refused:
        files.guest_cameras(["rtsp://192.0.2.1/fine", url])

    assert "number 2" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_port_in_use_is_replaced_unless_the_user_asked_for_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert files.free_ports(port) != port
        with pytest.raises(ConfigError, match=f"--port {port}: the port is in use"):
            files.free_ports(port, required=True, what="--port")


def test_a_fresh_start_forgets_alerts_but_not_films(tmp_path: Path) -> None:
    for part in ("backend", "edge", "films"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "kept").touch()

    home = files.prepare(tmp_path)
    files.forget(home)

    assert (home / "films" / "kept").exists()
    assert not (home / "backend").exists()
    assert not (home / "edge").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"--data-dir .*file/demo: cannot be used"):
        files.prepare(tmp_path / "file" / "demo")
