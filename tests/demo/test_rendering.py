"""Films are rendered once, whole or not at all, in a form that a camera could send."""

from __future__ import annotations

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

SHORT = SampleCamera("short", SceneSettings(room="cold-dishes", title="", seconds=2, figures=()))
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

    made.paths[Film.USUAL].write_bytes(b"")
    assert [path for _, path in rendering.missing(tmp_path, [SHORT])] == [made.paths[Film.USUAL]]


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="file/films: the demo's films cannot be written"):
        rendering.render_missing(tmp_path / "file" / "films", cameras=[SHORT])
