"""libav's errors as sentences: what, where, what to do, and never the password."""

from __future__ import annotations

import errno

import av.error
import pytest

from kitchen_watch.edge.streams.failures import WrongPassword, opening_failed, reading_failed
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import (
    StreamEnded,
    StreamError,
    StreamRefused,
    StreamStalled,
    StreamUnreachable,
)

CAMERA = SourceSettings(url="rtsp://admin:canary77@192.0.2.7/ch1", open_timeout=5, read_timeout=8)
FILE = SourceSettings(url="clips/a.mp4")
WEBCAM = SourceSettings(url="webcam:2")
ADDRESS = CAMERA.address().get_secret_value()


def libav(kind: type[av.error.FFmpegError], number: int = 1) -> av.error.FFmpegError:
    """An error as libav raises it: with the whole address in it."""
    return kind(number, "libav's words", ADDRESS)


@pytest.mark.parametrize(
    ("source", "error", "elapsed", "kind", "part"),
    [
        (CAMERA, libav(av.error.HTTPUnauthorizedError), 0.1, WrongPassword, "refuses this user name"),
        (CAMERA, libav(av.error.HTTPNotFoundError), 0.1, StreamRefused, "no stream at this path"),
        (CAMERA, libav(av.error.HTTPServerError), 0.1, StreamUnreachable, "fault of its own"),
        (CAMERA, libav(av.error.DecoderNotFoundError), 0.1, StreamRefused, "H.264 or H.265"),
        (CAMERA, libav(av.error.ConnectionRefusedError), 0.1, StreamUnreachable, "192.0.2.7:554"),
        (CAMERA, libav(av.error.ExitError), 5.0, StreamUnreachable, "within 5 s"),
        (CAMERA, libav(av.error.InvalidDataError), 5.1, StreamUnreachable, "within 5 s"),
        (CAMERA, libav(av.error.InvalidDataError), 0.1, StreamUnreachable, "does not speak RTSP"),
        (CAMERA, libav(av.error.OSError, errno.EHOSTUNREACH), 0.1, StreamUnreachable, "no way to"),
        (CAMERA, libav(av.error.OSError, errno.EIO), 0.1, StreamUnreachable, "cannot be found or reached"),
        (CAMERA, libav(av.error.UndefinedError), 0.1, StreamUnreachable, "libav's words"),
        (FILE, libav(av.error.InvalidDataError), 0.1, StreamRefused, "damaged, cut off"),
        (FILE, libav(av.error.OSError, errno.EIO), 0.1, StreamRefused, "cannot be opened"),
        (WEBCAM, libav(av.error.FileNotFoundError), 0.1, StreamUnreachable, "no such webcam"),
        (WEBCAM, libav(av.error.PermissionError), 0.1, StreamRefused, "group video"),
        (WEBCAM, libav(av.error.OSError, errno.EBUSY), 0.1, StreamUnreachable, "other programs"),
    ],
)
def test_opening(
    source: SourceSettings, error: Exception, elapsed: float, kind: type[StreamError], part: str
) -> None:
    failure = opening_failed(error, source, elapsed=elapsed)
    assert type(failure) is kind
    assert part in str(failure)
    assert str(failure).startswith(source.place)
    assert "canary77" not in str(failure)


@pytest.mark.parametrize(
    ("source", "error", "kind", "part"),
    [
        (CAMERA, None, StreamUnreachable, "ended the connection"),
        (CAMERA, libav(av.error.ConnectionResetError), StreamUnreachable, "ended the connection"),
        (CAMERA, libav(av.error.ExitError), StreamStalled, "nothing for 8 s"),
        (CAMERA, libav(av.error.TimeoutError), StreamStalled, "nothing for 8 s"),
        (FILE, None, StreamEnded, "came to its end"),
        (FILE, libav(av.error.InvalidDataError), StreamEnded, "damaged or cut off there"),
    ],
)
def test_reading(source: SourceSettings, error: Exception | None, kind: type[StreamError], part: str) -> None:
    failure = reading_failed(error, source)
    assert type(failure) is kind
    assert part in str(failure)
    assert "canary77" not in str(failure)
