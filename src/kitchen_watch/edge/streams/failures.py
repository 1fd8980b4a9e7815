"""The one place where libav's errors become ours: what happened, where, what to do.

The sentences name the source without its credentials, and the translated errors do not carry the
original one, because its text contains the whole URL.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av.error

from kitchen_watch.edge.streams.source import SourceKind, SourceSettings
from kitchen_watch.errors import (
    StreamEnded,
    StreamError,
    StreamRefused,
    StreamStalled,
    StreamUnreachable,
)

_REFUSING_USER = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}


class WrongPassword(StreamRefused):
    """A :class:`StreamRefused` that must not be retried quickly: cameras lock accounts."""


def opening_failed(error: Exception, source: SourceSettings, *, elapsed: float) -> StreamError:
    """What it means that ``source`` could not be opened within ``elapsed`` seconds."""
    if source.kind is SourceKind.FILE:
        return _file(error, source.place)
    if source.kind is SourceKind.WEBCAM:
        return _webcam(error, source.place)
    if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return _answered_no(error, source)
    if isinstance(error, av.error.DecoderNotFoundError):
        return unknown_codec(source, None)
    return _no_answer(error, source, elapsed)


def _answered_no(error: Exception, source: SourceSettings) -> StreamError:
    place = source.place
    if isinstance(error, _REFUSING_USER):
        if source.username is None and source.password is None:
            return WrongPassword(
                f"{place}: the camera asks for a user name and password. Give username and password of "
                "a camera account in this camera's source."
            )
        return WrongPassword(
            f"{place}: the camera refuses this user name or password. Correct username and password; "
            "too many wrong attempts lock the account for a while."
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return StreamRefused(
            f"{place}: the camera has no stream at this path (404). Correct the part of the URL after "
            "the address; the camera's manual names its paths."
        )
    if isinstance(error, av.error.HTTPClientError):
        return StreamRefused(
            f"{place}: the camera refuses the request (4xx). Check the path, and try the other transport "
            f"than {source.transport}."
        )
    return StreamUnreachable(
        f"{place}: the camera has a fault of its own (5xx). It is tried again; restart the camera if this "
        "stays."
    )


def _no_answer(error: Exception, source: SourceSettings, elapsed: float) -> StreamError:
    place = source.place
    if isinstance(error, ConnectionRefusedError):
        return StreamUnreachable(
            f"{place}: nothing listens at {source.host}. Check address and port, and that RTSP is "
            "switched on in the camera."
        )
    if _timed_out(error) or elapsed >= source.open_timeout.total_seconds():
        return StreamUnreachable(
            f"{place}: no answer from {source.host} within {source.open_timeout.total_seconds():g} s. "
            "Check that the camera has power and network."
        )
    if isinstance(error, OSError) and error.errno in _NO_ROUTE:
        return StreamUnreachable(
            f"{place}: there is no way to {source.host} in this network. Check the address, cable and VLAN."
        )
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return StreamUnreachable(
            f"{place}: {source.host} cannot be found or reached. Check the host name, and that the camera "
            "has power and network."
        )
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError | ConnectionError):
        return StreamUnreachable(
            f"{place}: {source.host} closes the connection or does not speak RTSP. Check the port (RTSP "
            "is usually 554), and rtsp:// against rtsps://."
        )
    return StreamUnreachable(f"{place}: cannot be opened ({_reason(error)}). It is tried again.")


def reading_failed(error: Exception | None, source: SourceSettings) -> StreamError:
    """What it means that an open ``source`` gives no more packets; ``None``: it simply ended."""
    place = source.place
    if source.kind is SourceKind.FILE:
        if error is None or isinstance(error, av.error.EOFError):
            return StreamEnded(f"{place}: the file came to its end.")
        return StreamEnded(
            f"{place}: cannot be read any further ({_reason(error)}); the file is damaged or cut off there."
        )
    if error is not None and _timed_out(error):
        return StreamStalled(
            f"{place}: is connected but has sent nothing for {source.read_timeout.total_seconds():g} s. "
            "It is connected again; restart the camera if this repeats."
        )
    why = "" if error is None else f" ({_reason(error)})"
    return StreamUnreachable(
        f"{place}: the camera ended the connection{why}. It is connected again; check power and network if "
        "this repeats."
    )


def no_video(source: SourceSettings) -> StreamRefused:
    """The source opened, but carries no video."""
    return StreamRefused(
        f"{source.place}: there is no video in this stream. Choose the path of a video channel."
    )


def unknown_codec(source: SourceSettings, name: str | None) -> StreamRefused:
    """The source's video is in a codec that libav cannot decode."""
    named = f" {name}" if name else ""
    return StreamRefused(
        f"{source.place}: the video codec{named} is not known. Set the camera to H.264 or H.265."
    )


def check_file(source: SourceSettings) -> None:
    """Refuse a file that cannot possibly be a video, with a sentence that says so.

    Raises:
        StreamRefused: it does not exist, is not a file, is empty or may not be read.
    """
    path: Path = source.path
    if not path.exists():
        raise StreamRefused(f"{source.place}: there is no such file. Correct the path.")
    if path.is_dir():
        raise StreamRefused(f"{source.place}: is a directory. Give the path of one video file.")
    if not os.access(path, os.R_OK):
        raise StreamRefused(f"{source.place}: may not be read. Give this user the right to read it.")
    if path.is_file() and path.stat().st_size == 0:
        raise StreamRefused(f"{source.place}: is empty (0 bytes). Copy the video again.")


def _file(error: Exception, place: str) -> StreamError:
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
        return StreamRefused(
            f"{place}: is not a video that can be read: damaged, cut off, or not a video at all. Copy or "
            "export it again."
        )
    if isinstance(error, av.error.DecoderNotFoundError):
        return StreamRefused(f"{place}: its video codec is not known. Convert the file to H.264 or H.265.")
    return StreamRefused(f"{place}: cannot be opened ({_reason(error)}).")


def _webcam(error: Exception, place: str) -> StreamError:
    if isinstance(error, PermissionError):
        return StreamRefused(
            f"{place}: this user may not use the webcam. Add the user to the group video, or allow the "
            "camera in the system's privacy settings."
        )
    if isinstance(error, FileNotFoundError):
        return StreamUnreachable(f"{place}: there is no such webcam. Plug it in, or correct its number.")
    return StreamUnreachable(
        f"{place}: the webcam cannot be opened ({_reason(error)}). Close other programs that use it."
    )


def _timed_out(error: Exception) -> bool:
    # ExitError is what libav reports when the time-out's interrupt callback fired.
    return isinstance(error, (TimeoutError, av.error.ExitError))


def _reason(error: Exception) -> str:
    """libav's words without the file name that its errors carry."""
    if isinstance(error, av.error.FFmpegError) and error.strerror:
        return error.strerror
    return type(error).__name__
