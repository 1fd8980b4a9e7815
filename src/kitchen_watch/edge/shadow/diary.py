"""What a model in the shadow saw differently, kept on disk: counters, the newest differences, pictures.

``<directory>/<first 12 digits of the shadow model's hash>/differences.json`` is always whole: it is
written beside itself and moved into place. Another model has another folder.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import cv2
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.edge.shadow.comparing import Comparison
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.errors import ConfigError, EvidenceError
from kitchen_watch.events import ModelUsed

FILE = "differences.json"
QUALITY = 85


class Sight(BaseModel):
    """One box that only one of the two models saw; ``box`` is xyxy in 0..1."""

    model_config = ConfigDict(frozen=True)

    by: str = Field(description="current or shadow")
    label: str
    confidence: float
    box: tuple[float, float, float, float]


class Difference(BaseModel):
    """One frame on which they differed."""

    model_config = ConfigDict(frozen=True)

    number: int
    camera_id: str
    at: AwareDatetime
    sights: tuple[Sight, ...]
    picture: str


class Count(BaseModel):
    """Of one label: boxes that both saw, and that only one did."""

    both: int = 0
    only_current: int = 0
    only_shadow: int = 0


class Account(BaseModel):
    """Everything that is remembered of one shadow model."""

    current: ModelUsed
    shadow: ModelUsed
    since: AwareDatetime
    frames: int = 0
    superseded: int = 0
    failures: int = 0
    labels: dict[str, Count] = Field(default_factory=dict)
    differences: list[Difference] = Field(default_factory=list)


class Diary:
    """The account of one pair of models. Belongs to one thread at a time."""

    def __init__(
        self, directory: Path, *, current: ModelUsed, shadow: ModelUsed, keep: int, now: datetime
    ) -> None:
        self._folder = directory / shadow.sha256[:12]
        self._keep = keep
        self._folder.mkdir(parents=True, exist_ok=True)
        earlier = _read(self._folder / FILE)
        if earlier is None or earlier.current.sha256 != current.sha256:
            earlier = Account(current=current, shadow=shadow, since=now)
        self.account = earlier

    def note(self, camera_id: str, at: datetime, picture: Image, seen: Comparison) -> None:
        """Count one compared frame; keep its picture (BGR, masks burnt in already) if they differ.

        Raises:
            EvidenceError: the disk does not take it.
        """
        account = self.account
        account.frames += 1
        for name, found in (
            ("both", seen.both), ("only_current", seen.only_current), ("only_shadow", seen.only_shadow)
        ):  # fmt: skip
            for one in found:
                count = account.labels.setdefault(one.label, Count())
                setattr(count, name, getattr(count, name) + 1)
        try:
            if seen.differs:
                self._keep_picture(camera_id, at, picture, seen)
            self._write()
        except OSError as error:
            raise EvidenceError(f"Differences of the model in the shadow cannot be kept: {error}.") from error

    def _keep_picture(self, camera_id: str, at: datetime, picture: Image, seen: Comparison) -> None:
        kept = self.account.differences
        number = kept[-1].number + 1 if kept else 1
        name = f"{number:08d}.jpg"
        encoded, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not encoded:
            raise EvidenceError("A picture of the model in the shadow cannot be encoded.")
        (self._folder / name).write_bytes(content.tobytes())
        sights = [_sight("current", one) for one in seen.only_current]
        sights += [_sight("shadow", one) for one in seen.only_shadow]
        kept.append(Difference(number=number, camera_id=camera_id, at=at, sights=tuple(sights), picture=name))
        while len(kept) > self._keep:
            (self._folder / kept.pop(0).picture).unlink(missing_ok=True)

    def _write(self) -> None:
        part = self._folder / f"{FILE}.part"
        part.write_text(self.account.model_dump_json(), encoding="utf-8")
        part.replace(self._folder / FILE)


def accounts(directory: Path) -> list[tuple[Path, Account]]:
    """Every account below ``directory`` with its folder, the newest first.

    Raises:
        ConfigError: there is none.
    """
    found = [(path.parent, _read(path)) for path in sorted(directory.glob(f"*/{FILE}"))]
    read = [(folder, account) for folder, account in found if account is not None]
    if not read:
        raise ConfigError(
            f"No model has looked along yet: there is nothing in {directory}. Set shadow.model in the edge's "
            "configuration, or give the edge's data_dir."
        )
    return sorted(read, key=lambda one: one[1].since, reverse=True)


def _read(path: Path) -> Account | None:
    """``None`` where there is no account, or one that nobody can read: it is begun anew."""
    try:
        return Account.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _sight(by: str, one: Detection) -> Sight:
    return Sight(by=by, label=one.label, confidence=round(one.confidence, 4), box=tuple(one.box))
