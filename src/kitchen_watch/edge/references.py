"""The view each camera is supposed to have, kept over restarts: a camera turned away while the edge was
down is still found out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import structlog

from kitchen_watch.edge.streams.frame import Image

FOLDER = "references"

log = structlog.get_logger(__name__)


class References:
    """One PNG per camera under the data directory; privacy areas are burnt out before they come here."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._kept: dict[str, Image] = {}

    def load(self, camera_id: str) -> Image | None:
        """The kept view (BGR uint8), or ``None`` if there is none that can be read."""
        path = self._path(camera_id)
        if not path.exists():
            return None
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            log.warning("reference view cannot be read; a new one is taken", file=str(path))
            return None
        image: Image = np.asarray(picture, dtype=np.uint8)
        self._kept[camera_id] = image
        return image

    def keep(self, camera_id: str, view: Image | None) -> None:
        """Write a view that is new. A disk that does not take it costs nothing but the view."""
        if view is None or view is self._kept.get(camera_id):
            return
        encoded, png = cv2.imencode(".png", view)
        path = self._path(camera_id)
        draft = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(png.tobytes() if encoded else b"")
            draft.replace(path)
        except OSError as error:
            log.warning("reference view not kept", camera_id=camera_id, reason=error.strerror)
            return
        self._kept[camera_id] = view

    def forget(self, camera_id: str) -> None:
        """The camera is gone for good."""
        self._kept.pop(camera_id, None)
        self._path(camera_id).unlink(missing_ok=True)

    def _path(self, camera_id: str) -> Path:
        return self._folder / f"{camera_id}.png"
