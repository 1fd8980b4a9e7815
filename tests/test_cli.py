"""Bad input on the command line: one clear sentence, the right exit code, nothing half done."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

from kitchen_watch import cli
from kitchen_watch.resources import shipped
from kitchen_watch.signing import new_secret
from tests.edge.streams.media import moving_box, write_video

CANARY = "Wok-und-Dampf-7731"


class Run:
    """What one call of the command line gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | Path) -> Run:
        monkeypatch.setattr(sys, "argv", ["kitchen-watch", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capfd.readouterr()
        return Run(code, said.out, said.err)

    return call


@pytest.fixture
def edge_yaml(tmp_path: Path) -> Path:
    """A valid edge configuration for changes; its backend is nobody."""
    path = tmp_path / "edge.yaml"
    values = {
        "edge_id": "edge-1", "data_dir": str(tmp_path / "edge"), "status": {"port": 0},
        "backend": {"url": "http://127.0.0.1:9", "secret": new_secret()},
        "cameras": [{"camera_id": "cam-1", "main": {"url": "rtsp://127.0.0.1:9/kitchen", "open_timeout": 2}}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def _change(path: Path, **changes: Any) -> Path:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values.update(changes)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def _no_traceback(result: Run) -> None:
    assert "Traceback" not in result.err + result.out
    assert any(line.startswith("error: ") for line in result.err.splitlines())


def test_an_unknown_key_refuses_to_start(run: Any, edge_yaml: Path) -> None:
    result = run("edge", "--config", _change(edge_yaml, camras=[]))
    _no_traceback(result)
    assert result.code == 2
    assert "camras: is not a known key" in result.err


def test_two_cameras_with_one_id_refuse_to_start(run: Any, edge_yaml: Path) -> None:
    camera = {"camera_id": "cam-1", "main": {"url": "rtsp://127.0.0.1:9/x"}}
    result = run("edge", "--config", _change(edge_yaml, cameras=[camera, camera]))
    assert (result.code, "two cameras are called cam-1" in result.err) == (2, True)


def test_a_zone_of_two_points_refuses_to_start(run: Any, edge_yaml: Path) -> None:
    zone = {"zone_id": "stove", "polygon": [[0.1, 0.1], [0.5, 0.5]]}
    camera = {"camera_id": "cam-1", "main": {"url": "rtsp://127.0.0.1:9/x"}, "zones": [zone]}
    result = run("edge", "--config", _change(edge_yaml, cameras=[camera]))
    assert (result.code, "at least three" in result.err) == (2, True)


def test_a_model_of_no_bytes_refuses_to_start(run: Any, edge_yaml: Path, tmp_path: Path) -> None:
    model = tmp_path / "empty.onnx"
    model.touch()
    shutil.copyfile(shipped("models/kitchen-yolo26n.yaml"), tmp_path / "empty.yaml")
    result = run("edge", "--config", _change(edge_yaml, model=str(model)))
    _no_traceback(result)
    assert result.code == 4
    assert "empty.onnx" in result.err


def test_a_model_that_was_exchanged_refuses_to_start(run: Any, edge_yaml: Path, tmp_path: Path) -> None:
    name = "kitchen-yolo26n"
    shutil.copyfile(shipped(f"models/{name}.yaml"), tmp_path / f"{name}.yaml")
    (tmp_path / f"{name}.onnx").write_bytes(shipped(f"models/{name}.onnx").read_bytes() + b"!")
    result = run("edge", "--config", _change(edge_yaml, model=str(tmp_path / f"{name}.onnx")))
    assert result.code == 4
    assert f"{name}.onnx" in result.err


def test_a_status_port_in_use_is_said(run: Any, edge_yaml: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("edge", "--config", _change(edge_yaml, status={"port": port}))
    assert result.code == 2
    assert f"127.0.0.1:{port} is in use" in result.err


def test_a_backend_port_in_use_is_said(run: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "backend.yaml"
        config.write_text(f"data_dir: {tmp_path / 'backend'}\nport: {port}\n", encoding="utf-8")
        result = run("backend", "--config", config)
    assert result.code == 2
    assert str(port) in result.err


@pytest.mark.parametrize(
    ("content", "name"), [(None, "nowhere.mp4"), (b"", "empty.mp4"), (b"no video at all" * 99, "text.mp4")]
)
def test_a_file_that_is_no_video_is_said(run: Any, tmp_path: Path, content: bytes | None, name: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    for command in ("probe", "replay"):
        result = run(command, file)
        _no_traceback(result)
        assert result.code == 3
        assert name in result.err


def test_a_camera_that_is_not_there_is_said_without_its_password(run: Any) -> None:
    result = run("probe", f"rtsp://admin:{CANARY}@127.0.0.1:9/kitchen", "--timeout", "2")
    _no_traceback(result)
    assert result.code == 3
    assert CANARY not in result.err + result.out


def test_a_wrong_override_is_said(run: Any, tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", moving_box(10))
    for override in ("NO_HAT", "NO_HAT.helt_s=1", "NO_SHOES.held_s=1", "NO_HAT.held_s=-1"):
        result = run("replay", film, "--rule", override)
        assert result.code == 2, override
        assert "NO_" in result.err


def test_a_truncated_film_is_replayed_as_far_as_it_goes(run: Any, tmp_path: Path) -> None:
    film = write_video(tmp_path / "whole.mkv", moving_box(100), rate=10, gop=10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    result = run("replay", cut, "--json")
    assert result.code == 0
    assert [json.loads(line) for line in result.out.splitlines()] == []


def test_a_film_that_was_cut_off_in_transfer_is_said(run: Any, tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    with av.open(str(whole), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for picture in moving_box(200):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = run("replay", cut, "--json")
    assert result.code == 0
    assert "are missing" in result.err


def test_replay_prints_json_lines_and_nothing_else(run: Any, tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", moving_box(60), rate=10, gop=10)
    result = run("replay", film, "--json", "--rule", "CAM_FROZEN.enabled=false")
    assert result.code == 0
    assert all(json.loads(line)["code"] for line in result.out.splitlines())


def test_check_lists_every_finding_and_fails_for_the_bad_ones(run: Any, edge_yaml: Path) -> None:
    result = run("check", edge_yaml, "--json")
    findings = {line["what"]: line["ok"] for line in map(json.loads, result.out.splitlines())}
    assert result.code == 2
    assert findings["configuration"]
    assert findings["model and rules"]
    assert not findings["backend"]
    assert not findings["camera cam-1 main stream"]


def test_help_names_every_command(run: Any) -> None:
    said = run("--help").out
    for command in ("demo", "edge", "backend", "check", "probe", "replay", "evidence", "outbox"):
        assert command in said
