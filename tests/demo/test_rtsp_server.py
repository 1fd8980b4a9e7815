"""The demo's RTSP server on loopback: cameras with one time line, that change films and drop off."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest

from kitchen_watch.demo.rtsp_server import ServedCamera, serve
from kitchen_watch.demo.schedule import Fault, FaultPlan, Film, Showing
from kitchen_watch.errors import ConfigError
from tests.demo.films import watch, write_film

pytestmark = pytest.mark.integration

LIGHT, DARK = 200, 40


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[Film, Path]:
    home = tmp_path_factory.mktemp("films")
    return {
        Film.USUAL: write_film(home / "usual.mp4", grey=LIGHT),
        Film.EMPTY: write_film(home / "empty.mp4", grey=DARK),
    }


async def pictures(url: str, count: int) -> list[tuple[float, int]]:
    """The first pictures of a camera, watched in a thread."""
    return await asyncio.to_thread(lambda: list(islice(watch(url), count)))


async def eventually(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    """Return once the condition holds, looked at in a thread."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return bool(list(islice(watch(url), 1)))
    except (av.FFmpegError, OSError):
        return False


async def test_a_film_loops_without_a_jump_in_time_for_several_viewers(films: dict[Film, Path]) -> None:
    async with serve([ServedCamera("one", films)]) as urls:
        seen = await asyncio.gather(*(pictures(urls["one"], 45) for _ in range(3)))

    for viewer in seen:
        steps = [later[0] - earlier[0] for earlier, later in pairwise(viewer)]
        assert all(step == pytest.approx(0.1, abs=0.02) for step in steps)
        assert {round(grey / 10) for _, grey in viewer} == {LIGHT // 10}


async def test_a_programme_changes_the_film_without_breaking_the_connection(films: dict[Film, Path]) -> None:
    camera = ServedCamera("one", films, programme=(Showing(Film.USUAL, 1.5), Showing(Film.EMPTY, 1.5)))
    async with serve([camera]) as urls:
        seen = await pictures(urls["one"], 50)

    greys = [round(grey / 10) * 10 for _, grey in seen]
    changes = sum(first != second for first, second in pairwise(greys))
    assert set(greys) == {LIGHT, DARK}
    assert changes >= 2
    assert all(later > earlier for (earlier, _), (later, _) in pairwise(seen))


async def test_a_viewer_who_comes_late_sees_the_present_moment(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_film(film, seconds=6)
    camera = ServedCamera("one", {Film.USUAL: film})
    camera.first_viewed = time.monotonic() - 3.2

    packets = camera.packets()
    first = await anext(packets)
    await packets.aclose()

    # Seconds count from the viewer's own start; the picture is the keyframe at 3.0 s of the film.
    assert first.second == 0
    assert first.keyframe
    assert camera.showing()[1] == pytest.approx(3.2, abs=0.5)


async def test_one_camera_drops_off_the_network_and_returns_while_the_other_stays(
    films: dict[Film, Path],
) -> None:
    fragile = ServedCamera(
        "fragile", films, plan=FaultPlan(Fault.OFFLINE, first_s=1.0, lasting_s=2.0, every_s=600)
    )
    async with serve([ServedCamera("steady", films), fragile]) as urls:
        steady = asyncio.create_task(pictures(urls["steady"], 60))
        # A cut connection looks like the end of the film to libav, or like an error.
        with contextlib.suppress(av.FFmpegError, OSError):
            assert len(await pictures(urls["fragile"], 200)) < 200
        assert not await asyncio.to_thread(answers, urls["fragile"])
        await eventually(lambda: answers(urls["fragile"]))
        assert len(await steady) == 60


async def test_an_unknown_path_is_answered_with_404(films: dict[Film, Path]) -> None:
    async with serve([ServedCamera("one", films)]) as urls:
        for path in ("two", "", "../etc/passwd", "one.mp4"):
            with pytest.raises(av.error.HTTPNotFoundError):
                await pictures(urls["one"].rsplit("/", 1)[0] + f"/{path}", 1)


async def test_a_port_in_use_is_said_in_one_sentence(films: dict[Film, Path]) -> None:
    async with serve([ServedCamera("one", films)]) as urls:
        port = int(urls["one"].rsplit(":", 1)[1].split("/")[0])
        with pytest.raises(ConfigError, match=f"Port {port} for the demo cameras cannot be used"):
            async with serve([ServedCamera("two", films)], port=port):
                pass
