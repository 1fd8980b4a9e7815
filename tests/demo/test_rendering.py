"""Films are rendered once, whole or not at all, in a form that a camera could send."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from kitchen_watch.demo import rendering
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS, SampleCamera
from kitchen_watch.demo.scene import SceneSettings
from kitchen_watch.demo.schedule import Film
from kitchen_watch.errors import ConfigError
from tests.demo.test_children import wait_for

SHORT = SampleCamera("short", SceneSettings(room="cold-dishes", title="", seconds=2, figures=()))
LONG = replace(SHORT, scene=replace(SHORT.scene, seconds=60))
REPOSITORY = Path(__file__).parents[2]
COLD_DISHES = next(camera for camera in SAMPLE_CAMERAS if Film.COVERED in camera.films)


def test_a_film_is_what_a_camera_sends(tmp_path: Path) -> None:
    rendering.render(SHORT.scene, tmp_path / "film.mp4")

    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt, codec.width, codec.height) == ("h264", "yuv420p", 1280, 720)
        assert not codec.has_b_frames
        assert stream.average_rate == Fraction(rendering.FRAMES_PER_SECOND)
        packets = [packet for packet in container.demux(stream) if packet.size]
    keyframes = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert len(packets) == 2 * rendering.FRAMES_PER_SECOND
    assert keyframes == [0, rendering.FRAMES_PER_SECOND]


def test_all_films_share_their_parameter_sets_so_that_a_camera_can_change_between_them(
    tmp_path: Path,
) -> None:
    headers = set()
    for number, scene in enumerate((SHORT.scene, replace(COLD_DISHES.films[Film.COVERED], seconds=1))):
        rendering.render(scene, tmp_path / f"{number}.mp4")
        with av.open(str(tmp_path / f"{number}.mp4")) as container:
            headers.add(container.streams.video[0].codec_context.extradata)

    assert len(headers) == 1


def test_an_interrupted_rendering_leaves_no_file(tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendering.render(SHORT.scene, tmp_path / "film.mp4", each=stop)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_only_what_is_missing_is_rendered_and_older_versions_go(tmp_path: Path) -> None:
    (tmp_path / "0123456789ab").mkdir()
    (tmp_path / "clips").mkdir()
    seen: list[tuple[int, int]] = []

    (made,) = rendering.render_missing(
        tmp_path, cameras=[SHORT], progress=lambda done, total: seen.append((done, total))
    )

    assert made.paths[Film.USUAL].is_file()
    assert seen[-1] == (24, 24)
    assert not (tmp_path / "0123456789ab").exists()
    assert (tmp_path / "clips").exists()
    assert rendering.missing(tmp_path, [SHORT]) == []


@pytest.mark.integration
def test_a_damaged_film_is_noticed_and_rendered_anew(tmp_path: Path) -> None:
    (made,) = rendering.render_missing(tmp_path, cameras=[SHORT])
    film = made.paths[Film.USUAL]
    whole = film.read_bytes()

    for damaged in (b"", whole[: len(whole) // 2], bytes(len(whole))):
        film.write_bytes(damaged)
        assert [path for _, path in rendering.missing(tmp_path, [SHORT])] == [film]

    rendering.render_missing(tmp_path, cameras=[SHORT])
    assert rendering.missing(tmp_path, [SHORT]) == []
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 2 * rendering.FRAMES_PER_SECOND


@pytest.mark.integration
def test_a_rendering_that_is_killed_begins_anew_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from kitchen_watch.demo import rendering\n"
        "from tests.demo.test_rendering import LONG\n"
        "if __name__ == '__main__':\n"
        f"    rendering.render_missing(Path({str(tmp_path)!r}), cameras=[LONG])\n"
    )
    script = tmp_path / "render.py"
    script.write_text(program, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    wait_for(lambda: any(tmp_path.glob("*/.*.mp4.*")))
    process.kill()
    process.wait()
    assert len(rendering.missing(tmp_path, [LONG])) == 1
    assert any(tmp_path.glob("*/.*.mp4.*")), "killed too late to prove anything"

    (made,) = rendering.render_missing(tmp_path, cameras=[SHORT])

    assert rendering.missing(tmp_path, [SHORT]) == []
    left = {path.name for path in made.paths[Film.USUAL].parent.iterdir()}
    assert left == {"short.usual.mp4", "short.usual.mp4.sha256"}


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="file/films: the demo's films cannot be written"):
        rendering.render_missing(tmp_path / "file" / "films", cameras=[SHORT])
