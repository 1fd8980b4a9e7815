"""Renders the demo cameras' films once and keeps them: H.264 in MP4, made by several processes.

The films are kept under a key made of everything that shapes them, so an upgrade renders anew and an
ordinary start renders nothing.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TYPE_CHECKING

from kitchen_watch.demo.keeping import is_whole, seal, sweep
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS, SampleCamera
from kitchen_watch.demo.scene import Scene, SceneSettings
from kitchen_watch.demo.schedule import Film
from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    import av

FRAMES_PER_SECOND = 12
_SHAPED_BY = (
    "canvas",
    "furniture",
    "kitchen",
    "photographs",
    "rendering",
    "sample_cameras",
    "scene",
    "schedule",
)
_KEY_LENGTH = 12
# One keyframe a second: evidence clips can start close to the wished moment. No B-frames, as cameras.
_ENCODER = {
    "preset": "veryfast",
    "crf": "26",
    # Hardly visible in pictures of a camera that stands still, and it saves a third of the encoder's work.
    "x264-params": "subme=1:me=dia",
    "bf": "0",
    "g": str(FRAMES_PER_SECOND),
    "keyint_min": str(FRAMES_PER_SECOND),
    "sc_threshold": "0",
    "threads": "1",
}
Progress = Callable[[int, int], None]
"""Called with frames rendered so far, and frames in all."""


@dataclass(frozen=True)
class CameraFilms:
    """Where one camera's films lie."""

    camera: SampleCamera
    paths: dict[Film, Path]


def films(directory: Path, cameras: Sequence[SampleCamera] = SAMPLE_CAMERAS) -> list[CameraFilms]:
    """Where the cameras' films lie (or will lie) under ``directory``."""
    home = directory / _version_key()
    return [
        CameraFilms(camera, {film: home / f"{camera.camera_id}.{film}.mp4" for film in camera.films})
        for camera in cameras
    ]


def missing(
    directory: Path, cameras: Sequence[SampleCamera] = SAMPLE_CAMERAS
) -> list[tuple[SceneSettings, Path]]:
    """The loops that must still be rendered, or anew because their film is damaged; longest first."""
    wanted = [
        (scene, made.paths[film])
        for made in films(directory, cameras)
        for film, scene in made.camera.films.items()
    ]
    lacking = [(scene, path) for scene, path in wanted if not is_whole(path)]
    return sorted(lacking, key=lambda item: -item[0].seconds)


def render_missing(
    directory: Path, *, cameras: Sequence[SampleCamera] = SAMPLE_CAMERAS, progress: Progress | None = None
) -> list[CameraFilms]:
    """Render what is missing and return where all films lie.

    Raises:
        ConfigError: the directory cannot be written, or a sample photograph is missing.
    """
    tasks = missing(directory, cameras)
    result = films(directory, cameras)
    if tasks:
        try:
            (directory / _version_key()).mkdir(parents=True, exist_ok=True)
            sweep(directory / _version_key())
            _render_in_processes(tasks, progress or (lambda _done, _total: None))
        except OSError as error:
            raise ConfigError(
                f"{directory}: the demo's films cannot be written: {error.strerror or error}. "
                "Free some space or choose another directory with --data-dir."
            ) from error
        _forget_older(directory)
    return result


def render(scene: SceneSettings, path: Path, *, each: Callable[[], None] = lambda: None) -> None:
    """Render one loop into ``path``; the file appears only when it is whole."""
    import av  # noqa: PLC0415 - the command line starts quickly without it

    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=dict(_ENCODER))
            stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
            stream.time_base = Fraction(1, FRAMES_PER_SECOND)
            for frame in _pictures(scene):
                container.mux(stream.encode(frame))
                each()
            container.mux(stream.encode(None))
        partial.replace(path)
        seal(path)
    finally:
        partial.unlink(missing_ok=True)


def _pictures(settings: SceneSettings) -> Iterator[av.VideoFrame]:
    import av  # noqa: PLC0415 - as above

    scene = Scene(settings)
    for index in range(round(settings.seconds * FRAMES_PER_SECOND)):
        frame = av.VideoFrame.from_ndarray(scene.luma_chroma(index, FRAMES_PER_SECOND), format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
        yield frame


_rendered: Synchronized[int] | None = None


def _begin_worker(counter: Synchronized[int]) -> None:
    global _rendered  # noqa: PLW0603 - a pool's initializer can hand things over in no other way
    _rendered = counter
    # Ctrl-C goes to the whole process group; the parent alone decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import cv2  # noqa: PLC0415 - as above

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(scene: SceneSettings, path: Path) -> None:
    counter = _rendered

    def count() -> None:
        if counter is not None:
            with counter.get_lock():
                counter.value += 1

    render(scene, path, each=count)


def _render_in_processes(tasks: list[tuple[SceneSettings, Path]], progress: Progress) -> None:
    # "spawn" works the same on Linux and macOS and inherits no threads or locks.
    context = multiprocessing.get_context("spawn")
    counter: Synchronized[int] = context.Value("i", 0)
    total = sum(round(scene.seconds * FRAMES_PER_SECOND) for scene, _ in tasks)
    workers = min(len(tasks), os.cpu_count() or 1)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker, initargs=(counter,))
    try:
        waiting: set[Future[None]] = {pool.submit(_work, scene, path) for scene, path in tasks}
        while waiting:
            done, waiting = wait(waiting, timeout=0.2)
            for future in done:
                future.result()
            progress(counter.value, total)
    except BaseException:
        for process in list((pool._processes or {}).values()):  # a pool offers no other way to stop at once
            with suppress(ProcessLookupError):
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _version_key() -> str:
    digest = hashlib.sha256()
    for name in _SHAPED_BY:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:_KEY_LENGTH]


def _forget_older(directory: Path) -> None:
    """Remove films of earlier versions; only directories that look like ours."""
    for old in directory.iterdir():
        looks_ours = len(old.name) == _KEY_LENGTH and all(letter in "0123456789abcdef" for letter in old.name)
        if old.is_dir() and looks_ours and old.name != _version_key():
            shutil.rmtree(old, ignore_errors=True)
