"""From the network's rows to detections: thresholds, labels, and boxes in 0..1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kitchen_watch.edge.detect.card import ModelCard
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.letterbox import Letterbox
from kitchen_watch.errors import ModelMismatch

_THINNEST = 1e-4


def detections_from_rows(
    rows: NDArray[np.float32], box: Letterbox, card: ModelCard, least: float | None = None
) -> tuple[Detection, ...]:
    """Detections of one picture, highest confidence first.

    ``rows`` has shape (n, 6): x1, y1, x2, y2 in canvas pixels, confidence, class index. What lies
    under the card's ``track_threshold`` (or under ``least``, where given) is dropped.

    Raises:
        ModelMismatch: a class index beyond the card's labels.
    """
    confidences = np.minimum(rows[:, 4].astype(np.float64), 1.0)
    classes = rows[:, 5].astype(int)
    floor = least
    if floor is None:
        floor = min(card.track_threshold, *card.thresholds.values())
    kept = np.flatnonzero(confidences >= floor)
    kept = kept[np.argsort(-confidences[kept], kind="stable")]
    if kept.size and not 0 <= classes[kept].min() <= classes[kept].max() < len(card.labels):
        raise ModelMismatch(
            f"Model {card.name} {card.version} gives class {classes[kept].max()}, but its card names "
            f"only {len(card.labels)} labels. Export it again with its card."
        )
    corners = box.back(rows[kept, :4])
    detections = []
    for (x1, y1, x2, y2), index in zip(corners.tolist(), kept.tolist(), strict=True):
        if x2 - x1 < _THINNEST or y2 - y1 < _THINNEST:
            continue
        label = card.labels[classes[index]]
        confidence = float(confidences[index])
        threshold = card.thresholds[label]
        firm = confidence >= threshold
        suspect = not firm and confidence >= card.suspicion * threshold
        detections.append(Detection(label, confidence, Box(x1, y1, x2, y2), firm, suspect))
    return tuple(detections)
