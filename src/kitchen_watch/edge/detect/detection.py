"""What a detector finds, and the protocol that every detector follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.events import ModelUsed

if TYPE_CHECKING:
    from kitchen_watch.edge.detect.scheduler import StreamStatistics


class Box(NamedTuple):
    """A rectangle as xyxy in 0..1 of the picture's width and height."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in 0..1."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in 0..1."""
        return self.y2 - self.y1

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    @property
    def bottom_centre(self) -> tuple[float, float]:
        """(x, y) where a person stands."""
        return (self.x1 + self.x2) / 2, self.y2

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0..1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.width * self.height + other.width * other.height - shared)


@dataclass(frozen=True, slots=True)
class Detection:
    """One labelled box in one frame; ``confidence`` in 0..1."""

    label: str
    confidence: float
    box: Box
    firm: bool = True
    """False below the label's threshold in the model card: such a detection may keep a track alive
    through a weak moment, but no rule ever counts it."""
    suspect: bool = False
    """Not firm, but near it (the card's ``suspicion``): worth a second look."""


class Detector(Protocol):
    """A model that looks at frames. Implementations share one model between all cameras."""

    @property
    def model(self) -> ModelUsed:
        """Name, version, hash and precision of the model in use."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model can give, in class order."""
        ...

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        """What is in the frame, highest confidence first; ``None`` if it was superseded.

        Detections reach down to the model card's ``track_threshold``; those above their label's own
        threshold are ``firm``. A frame waits for the model only until a newer frame of the same
        stream arrives: the older call then returns ``None`` (nobody looked), which is not the same
        as an empty tuple (looked, and found nothing).

        Raises:
            DetectorError: inference failed, or the detector is closed.
        """
        ...

    def statistics(self) -> dict[str, StreamStatistics]:
        """Counters by stream id, since the start."""
        ...

    async def close(self) -> None:
        """Finish what is under way and release the model."""
        ...


@runtime_checkable
class Preferring(Protocol):
    """A detector that can let some streams go first."""

    def prefer(self, ranks: Mapping[str, int]) -> None:
        """Streams of a higher rank go first; those that are not named have rank 0."""
        ...


def preferring(detector: Detector) -> Callable[[Mapping[str, int]], None]:
    """The detector's ``prefer``; without effect where it has none and serves all streams alike."""
    return detector.prefer if isinstance(detector, Preferring) else lambda _ranks: None
