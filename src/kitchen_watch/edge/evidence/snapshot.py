"""Snapshots of a violation: one clean, one annotated, both with everything private burnt out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import cv2
import numpy as np

from kitchen_watch.edge.evidence.annotation import Caption, annotate
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.cutting import packet_seconds
from kitchen_watch.edge.evidence.movie import decode
from kitchen_watch.edge.evidence.package import PackageFiles, Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import DetectionSeen, EvidenceKind

QUALITY = 90
CLOSE = timedelta(milliseconds=200)
"""Boxes of the analysed frame still fit a picture of the main stream this far from it."""


class Snapshots:
    """Makes the snapshots of one camera. ``ring`` is that of its main stream, where analysis reads
    a sub stream: pictures then come from there.
    """

    def __init__(
        self, packages: Packages, workshop: Workshop, *, mask: PrivacyMask, ring: PacketRing | None = None
    ) -> None:
        self._packages = packages
        self._workshop = workshop
        self._mask = mask
        self._ring = ring

    async def keep(
        self, violation: Violation, frame: Frame, detections: Sequence[DetectionSeen], caption: Caption
    ) -> PackageFiles:
        """Both snapshots of ``frame``, durable on disk.

        Raises:
            EvidenceError: the disk is full or cannot be written; no file is left behind.
        """
        return await self._workshop.picture(lambda: self._keep(violation, frame, detections, caption))

    async def live(self, frame: Frame) -> bytes:
        """The frame as JPEG without boxes, for somebody who asks how the camera looks."""
        return await self._workshop.picture(lambda: jpeg(self._mask.burnt(frame.full())))

    def _keep(
        self, violation: Violation, frame: Frame, detections: Sequence[DetectionSeen], caption: Caption
    ) -> PackageFiles:
        image, at = self._picture(frame)
        clean = self._mask.burnt(image)
        annotated = annotate(clean, detections, set(violation.track_ids), caption)
        folder = self._packages.folder(violation.violation_id, violation.started_at)
        files = [self._packages.put(folder, EvidenceKind.CLEAN, jpeg(clean), at=at)]
        try:
            files.append(self._packages.put(folder, EvidenceKind.ANNOTATED, jpeg(annotated), at=at))
        except EvidenceError:
            self._packages.discard(PackageFiles(folder, tuple(files)))
            raise
        return PackageFiles(folder, tuple(files))

    def _picture(self, frame: Frame) -> tuple[Image, datetime]:
        if self._ring is not None and not frame.main:
            try:
                image, at = picture_at(self._ring, frame.captured_at)
            except EvidenceError:  # the main stream is away or late: the analysed one shows it too
                pass
            else:
                if abs(at - frame.captured_at) <= CLOSE:
                    return image, at
        return frame.full(), frame.captured_at


def picture_at(ring: PacketRing, moment: datetime) -> tuple[Image, datetime]:
    """The picture nearest to ``moment`` that the ring holds, decoded: BGR and its device time.

    Raises:
        EvidenceError: the ring has none near it, or it cannot be decoded.
    """
    info, packets = ring.group_at(moment)
    nearest = min(packets, key=lambda packet: abs(packet.captured_at - moment))
    wanted = packet_seconds(nearest)
    # A few pictures more than needed: where pictures are reordered, the wanted one comes out late.
    known = [packet for packet in packets if packet_seconds(packet) <= wanted + 1.0]
    best = min(decode(info, known), key=lambda shown: abs(shown[1] - wanted), default=None)
    if best is None:
        raise EvidenceError("the picture of that moment cannot be decoded")
    picture, seconds = best
    image = np.ascontiguousarray(picture.to_ndarray(format="bgr24"), dtype=np.uint8)
    return image, nearest.captured_at + timedelta(seconds=seconds - wanted)


def jpeg(image: Image) -> bytes:
    """BGR as JPEG."""
    encoded, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not encoded:
        raise EvidenceError("the picture cannot be written as JPEG")
    return bytes(content)
