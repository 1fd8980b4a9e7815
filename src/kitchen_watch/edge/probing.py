"""`kitchen-watch probe`: what one camera is, as plain facts, and its first picture as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2

from kitchen_watch.config import validate
from kitchen_watch.edge.streams.probe import probe
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import ConfigError

JPEG_QUALITY = 90


def probe_camera(
    url: str, *, transport: Literal["tcp", "udp"], timeout_s: float, snapshot: Path | None
) -> dict[str, str | int | float | None]:
    """Facts of the camera at ``url``; the first picture goes to ``snapshot`` as JPEG if given.

    Raises:
        ConfigError: the URL cannot be used, or the snapshot cannot be written.
        StreamError: why the camera cannot be read.
    """
    source = validate(
        {"url": url, "transport": transport, "open_timeout": timeout_s, "read_timeout": timeout_s},
        SourceSettings,
        where="probe",
    )
    result = probe(source)
    facts: dict[str, str | int | float | None] = {
        "address": source.place,
        "codec": result.codec,
        "profile": result.profile,
        "width": result.width,
        "height": result.height,
        "rate": None if result.rate is None else round(result.rate, 2),
    }
    if snapshot is not None:
        encoded, jpeg = cv2.imencode(".jpg", result.first_picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        try:
            if encoded:
                snapshot.write_bytes(jpeg.tobytes())
        except OSError as error:
            raise ConfigError(
                f"{snapshot}: the snapshot cannot be written: {error.strerror}. Choose another place."
            ) from error
        facts["snapshot"] = str(snapshot)
    return facts
