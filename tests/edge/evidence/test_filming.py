"""From a moment to a proven clip in its package, or to the reason why there is none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.filming import ClipMaker
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import EvidenceKind
from tests.edge.evidence.cameras import at, camera, feed, filled, numbers_in

FOLDER = "evidence/2026/03/02/v"


def maker(tmp_path: Path, workshop: Workshop) -> ClipMaker:
    packages = Packages(tmp_path, zone=ZoneInfo("UTC"), reserve_bytes=0)
    return ClipMaker(packages, workshop, mask=PrivacyMask(), clock=ManualClock(at(8.0)))


async def test_a_clip_is_kept_in_its_package(tmp_path: Path) -> None:
    workshop = Workshop()
    clip = await maker(tmp_path, workshop).make(filled(camera()).cut(at(8.0)), FOLDER)
    (file,) = clip.package.files
    assert file.kind is EvidenceKind.CLIP
    assert (file.starts_at, file.ends_at) == (at(2.0), at(18.0))
    assert list(numbers_in(tmp_path / FOLDER / file.name)) == list(range(20, 181))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [file.name]
    assert clip.notes == ()
    await workshop.close()


async def test_several_cuts_at_once_each_get_their_clip(tmp_path: Path) -> None:
    ring, workshop = filled(camera()), Workshop()
    making = maker(tmp_path, workshop)
    clips = await asyncio.gather(*(making.make(ring.cut(at(7.0 + n / 10)), FOLDER) for n in range(5)))
    assert len({clip.package.files[0].name for clip in clips}) == 5
    await workshop.close()


async def test_a_failure_leaves_nothing_behind_and_says_why(tmp_path: Path) -> None:
    stream, workshop = camera(), Workshop()
    rubbish = [replace(packet, data=b"\x00\x00\x00\x01" + b"\x7f" * 30) for packet in stream.packets]
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, rubbish)
    with pytest.raises(EvidenceError, match="no clip: "):
        await maker(tmp_path, workshop).make(ring.cut(at(8.0)), FOLDER)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    await workshop.close()


async def test_a_camera_that_stays_away_is_not_waited_for_longer_than_agreed(tmp_path: Path) -> None:
    workshop, clock, ring = Workshop(), ManualClock(at(8.0)), PacketRing()
    packages = Packages(tmp_path, zone=ZoneInfo("UTC"), reserve_bytes=0)
    making = ClipMaker(packages, workshop, mask=PrivacyMask(), clock=clock)
    task = asyncio.create_task(making.make(ring.cut(at(8.0)), FOLDER))
    await asyncio.sleep(0.01)
    clock.advance(15)
    with pytest.raises(EvidenceError, match="no clip: the camera sent no pictures at that moment"):
        await task
    await workshop.close()
