"""A user's own video files as cameras: which can be served as they are, which must be converted first.

Cameras send H.264 or H.265 without B-frames, so only MP4, MOV and MKV files of that kind go out
unchanged; other files that can be decoded are converted once and kept beside the demo's films.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from kitchen_watch.demo.film import FilmReader
from kitchen_watch.demo.keeping import is_whole, seal
from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv"}
)
_AS_THEY_ARE = frozenset({".mp4", ".m4v", ".mov", ".mkv"})
_CAMERA_CODECS = frozenset({"h264", "hevc"})
_WIDEST = 1920
_SHORTEST_S = 1.0
_ENCODER = {"preset": "veryfast", "crf": "23", "bf": "0", "sc_threshold": "0"}
Progress = Callable[[str, float], None]
"""Called with a file's name and the share of it that is converted, 0..1."""


@dataclass(frozen=True)
class Clip:
    """A file that can be served."""

    camera_id: str
    name: str
    film: Path


def usable_clips(
    directory: Path, kept: Path, *, progress: Progress = lambda _name, _share: None
) -> tuple[list[Clip], list[str]]:
    """The video files in ``directory`` as cameras, and one sentence for each that cannot be one.

    Converted files are kept in ``kept``.

    Raises:
        ConfigError: the directory does not exist, or nothing in it can be served.
    """
    if not directory.is_dir():
        raise ConfigError(
            f"--clips {directory}: there is no such directory. Give one with video files in it."
        )
    clips: list[Clip] = []
    refusals: list[str] = []
    for path in sorted(directory.iterdir()):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        try:
            clips.append(Clip(_free_id(path, clips), path.stem, _film(path, kept, progress)))
        except ConfigError as error:
            refusals.append(str(error))
    if not clips:
        reasons = " ".join(refusals) or f"Video files end in {', '.join(sorted(SUFFIXES))}."
        raise ConfigError(f"--clips {directory}: no file in it can be served as a camera. {reasons}")
    return clips, refusals


def _film(path: Path, kept: Path, progress: Progress) -> Path:
    if path.stat().st_size == 0:
        raise ConfigError(f"{path}: is empty (0 bytes). Copy it again.")
    fitting = _fits(path)
    if fitting:
        return path.resolve()
    status = path.stat()
    key = hashlib.sha256(f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:12]
    film = kept / "clips" / f"{key}.mp4"
    if not is_whole(film):
        _convert(path, film, progress)
    return film


def _fits(path: Path) -> bool:
    """Whether the file can go out as it is.

    Raises:
        ConfigError: it cannot be read, has no picture, or is too short.
    """
    import av  # noqa: PLC0415 - the command line starts quickly without it

    reader = FilmReader(path)
    try:
        begins = reader.read(1)
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(f"{path}: is damaged ({error}). Copy it again or convert it.") from error
    finally:
        reader.close()
    if not begins:
        raise ConfigError(f"{path}: has no pictures in it.")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        try:
            next(container.decode(stream), None)
        except (av.FFmpegError, OSError) as error:
            raise ConfigError(f"{path}: cannot be decoded ({error}). Convert it to H.264.") from error
        if 0 < reader.duration_s < _SHORTEST_S:
            raise ConfigError(f"{path}: lasts only {reader.duration_s:.1f} s; a camera needs at least 1 s.")
        return (
            path.suffix.lower() in _AS_THEY_ARE
            and codec.name in _CAMERA_CODECS
            and not codec.has_b_frames
            and bool(codec.extradata)
            and begins[0].keyframe
        )


def _convert(path: Path, film: Path, progress: Progress) -> None:
    """Decode and encode again, at most 1920 pixels wide, without B-frames and sound."""
    import av  # noqa: PLC0415 - as above

    film.parent.mkdir(parents=True, exist_ok=True)
    partial = film.with_suffix(".partial")
    try:
        with av.open(str(path)) as source, av.open(str(partial), "w", format="mp4") as target:
            pictures = _copy(
                source, source.streams.video[0], target, lambda share: progress(path.name, share)
            )
        if pictures == 0:
            raise ConfigError(f"{path}: has no pictures that can be decoded.")
        partial.replace(film)
        seal(film)
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(f"{path}: cannot be converted to H.264 ({error}).") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _copy(
    source: InputContainer, stream: VideoStream, target: OutputContainer, report: Callable[[float], None]
) -> int:
    stream.thread_type = "AUTO"
    rate = stream.average_rate or Fraction(25)
    shrink = min(1.0, _WIDEST / max(stream.width, 1))
    output = target.add_stream("libx264", rate=rate, options={**_ENCODER, "g": str(max(1, round(rate * 2)))})
    output.width = max(2, int(stream.width * shrink) // 2 * 2)
    output.height = max(2, int(stream.height * shrink) // 2 * 2)
    output.pix_fmt = "yuv420p"
    length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    count = 0
    for picture in source.decode(stream):
        fitting = picture.reformat(width=output.width, height=output.height, format="yuv420p")
        fitting.pts, fitting.time_base = count, 1 / rate
        target.mux(output.encode(fitting))
        count += 1
        if length:
            report(min(1.0, count / float(rate) / length))
    target.mux(output.encode(None))
    return count


def _free_id(path: Path, taken: list[Clip]) -> str:
    """An id made of the file's name: letters, digits and dashes, unlike those taken."""
    base = "clip-" + (re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-")[:40] or "video")
    ids = {clip.camera_id for clip in taken}
    number, wish = 1, base
    while wish in ids:
        number += 1
        wish = f"{base}-{number}"
    return wish
