"""Snapshots show what was seen, to people who read Chinese or English, and nothing private."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFont

from kitchen_watch.edge.evidence.annotation import (
    LABELS,
    SMALLEST_TEXT,
    TIER_COLOURS,
    Caption,
    annotate,
    font,
    label_text,
)
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import Snapshots, picture_at
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import DetectionSeen, EvidenceKind
from kitchen_watch.resources import shipped
from tests.edge.evidence.cameras import at, camera, filled, number_in, picture

HEAD = DetectionSeen(label="no_hat", confidence=0.81, box=(0.5, 0.4, 0.7, 0.8), track_id=7)
PERSON = DetectionSeen(label="person", confidence=0.93, box=(0.1, 0.3, 0.3, 0.95), track_id=1)
CAPTION = Caption(
    camera_name="后厨 1", code="NO_HAT", name_zh="未戴厨师帽", name_en="No chef's hat", tier=2,
    at=at(0.25), zone=ZoneInfo("Asia/Shanghai"),
)  # fmt: skip


def frame(image: Image, seconds: float = 0.0) -> Frame:
    height, width = image.shape[:2]
    return Frame(
        stream_id="cam-1", pts=seconds, captured_at=at(seconds), image=image[::2, ::2], width=width,
        height=height, full=lambda: image,
    )  # fmt: skip


def violation() -> Violation:
    return Violation(
        violation_id=uuid4(), camera_id="cam-1", code="NO_HAT", tier=2, rule_id="NO_HAT",
        rule_version="0123456789ab", parameters={}, zone_id=None, started_at=at(0), last_seen_at=at(0),
        ended_at=None, confidence=0.8, track_ids=(7,), needs_model=True,
    )  # fmt: skip


def grey(width: int = 640, height: int = 360) -> Image:
    return np.full((height, width, 3), 90, np.uint8)


def has_colour(image: Image, rgb: tuple[int, int, int]) -> bool:
    return bool((image[:, :, ::-1] == np.array(rgb)).all(axis=2).any())


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (352, 288)])
def test_boxes_lie_where_they_were_seen_and_the_band_hides_nothing(size: tuple[int, int]) -> None:
    width, height = size
    before = grey(width, height)
    after = annotate(before, [PERSON, HEAD], {7}, CAPTION)
    assert after.shape[0] > height
    assert after.shape[1] == width
    middle_left = after[round(0.6 * (height - 1)), round(0.5 * (width - 1)), ::-1]
    assert tuple(middle_left) == TIER_COLOURS[2]
    assert (after[round(0.6 * height), round(0.6 * width)] == 90).all()  # inside of a box stays visible
    assert (after[height // 2 : height, width - 10 :] == before[height // 2 :, width - 10 :]).all()


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_the_colour_tells_how_serious_it_is(tier: int) -> None:
    caption = Caption("cam", "X", "", "x", tier, at(0), ZoneInfo("UTC"))
    shown = annotate(grey(), [HEAD], {7}, caption)
    assert has_colour(shown, TIER_COLOURS[tier])
    assert not any(has_colour(shown, colour) for other, colour in TIER_COLOURS.items() if other != tier)


def test_what_the_violation_is_about_stands_out_from_the_rest() -> None:
    shown = annotate(grey(), [PERSON, HEAD], {1}, CAPTION)
    left_of_person = shown[200, round(0.1 * 639), ::-1]
    assert tuple(left_of_person) == TIER_COLOURS[2]
    assert not has_colour(annotate(grey(), [HEAD], {1}, CAPTION)[:360], TIER_COLOURS[2])


def test_the_caption_says_what_where_and_when_in_local_time() -> None:
    first, second = CAPTION.lines()
    assert first == "未戴厨师帽 No chef's hat · NO_HAT · 后厨 1"
    assert second == "2026-03-02 12:00:00.250 +0800"


def test_labels_are_in_both_languages_and_unknown_ones_as_they_are() -> None:
    assert label_text(HEAD) == "未戴帽 no hat 81%"
    assert label_text(HEAD.model_copy(update={"label": "hair_net"})) == "hair net 81%"


def test_no_character_is_drawn_as_an_empty_box() -> None:
    rules = RuleSet.load(shipped("configs/rules.yaml"))
    names = [parameters.name.zh + parameters.name.en for _, parameters in rules.items()]
    letters = set("".join([*LABELS.values(), *LABELS, *names, *CAPTION.lines(), "0123456789%…·"])) - {" "}
    used: ImageFont.FreeTypeFont = font(20)
    unknown = bytes(used.getmask("\U000e0123"))
    assert unknown
    tofu = [letter for letter in letters if bytes(used.getmask(letter)) in (unknown, b"")]
    assert tofu == []


def test_letters_never_become_too_small_to_read_and_never_leave_the_picture() -> None:
    long = Caption("一个名字很长的摄像头 " * 12, "NO_HAT", "未戴厨师帽", "No hat", 2, at(0), ZoneInfo("UTC"))
    edge = DetectionSeen(label="no_mask", confidence=0.5, box=(0.97, 0.0, 1.0, 0.05), track_id=7)
    shown = annotate(grey(320, 180), [edge], {7}, long)
    assert shown.shape[1] == 320
    assert SMALLEST_TEXT >= 14


async def test_both_snapshots_are_kept_without_what_is_private(tmp_path: Path) -> None:
    mask = PrivacyMask([((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))])
    writer, workshop = Packages(tmp_path, zone=ZoneInfo("UTC"), reserve_bytes=0), Workshop()
    snapshots = Snapshots(writer, workshop, mask=mask)
    kept = await snapshots.keep(violation(), frame(picture(77), 3.0), [PERSON], CAPTION)
    assert [file.kind for file in kept.files] == [EvidenceKind.CLEAN, EvidenceKind.ANNOTATED]
    for file in kept.files:
        assert file.starts_at == at(3.0)
        with Pillow.open(tmp_path / kept.folder / file.name) as opened:
            shown = np.asarray(opened.convert("RGB"))
        lower = shown[110:185, 110:300]  # clear of the person's box
        assert lower.max() < 24
        assert shown[:90].max() > 200
    live = await snapshots.live(frame(picture(5)))
    with Pillow.open(io.BytesIO(live)) as opened:
        assert np.asarray(opened)[110:].max() < 24
    await workshop.close()


async def test_pictures_come_from_the_main_stream_where_there_is_one(tmp_path: Path) -> None:
    ring = filled(camera(size=(640, 384)))
    writer, workshop = Packages(tmp_path, zone=ZoneInfo("UTC"), reserve_bytes=0), Workshop()
    snapshots = Snapshots(writer, workshop, mask=PrivacyMask(), ring=ring)
    kept = await snapshots.keep(violation(), frame(picture(1), 7.34), [HEAD], CAPTION)
    with Pillow.open(tmp_path / kept.folder / kept.files[0].name) as opened:
        shown = np.asarray(opened.convert("RGB"))
    assert shown.shape == (384, 640, 3)
    assert number_in(cast("Image", shown)) == 73
    assert abs(kept.files[0].starts_at - at(7.3)) < timedelta(milliseconds=1)

    away = await snapshots.keep(violation(), frame(picture(9), 600.0), [HEAD], CAPTION)
    with Pillow.open(tmp_path / away.folder / away.files[0].name) as opened:
        assert number_in(cast("Image", np.asarray(opened.convert("RGB")))) == 9
    await workshop.close()


@pytest.mark.parametrize("reordered", [False, True])
def test_the_picture_of_a_moment_is_the_nearest_one(reordered: bool) -> None:
    ring = filled(camera(reordered=reordered))
    for seconds, number in [(0.0, 0), (1.94, 19), (2.0, 20), (11.11, 111), (19.9, 199)]:
        image, shown_at = picture_at(ring, at(seconds))
        assert number_in(image) == number
        assert abs(shown_at - at(number / 10)) < timedelta(milliseconds=1)


def test_a_moment_that_the_ring_does_not_hold_has_no_picture() -> None:
    with pytest.raises(EvidenceError, match="no picture near"):
        picture_at(PacketRing(), at(0))
    with pytest.raises(EvidenceError, match="no picture near"):
        picture_at(filled(camera()), at(100))


async def test_a_full_disk_refuses_and_leaves_no_half_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, workshop = Packages(tmp_path, zone=ZoneInfo("UTC"), reserve_bytes=0), Workshop()
    snapshots = Snapshots(writer, workshop, mask=PrivacyMask())
    whole = writer.put

    def second_fails(folder: str, kind: EvidenceKind, content: bytes, **rest: object) -> object:
        if kind is EvidenceKind.ANNOTATED:
            raise EvidenceError("the disk is full")
        return whole(folder, kind, content, **rest)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(writer, "put", second_fails)
    with pytest.raises(EvidenceError, match="full"):
        await snapshots.keep(violation(), frame(picture(1)), [HEAD], CAPTION)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    await workshop.close()
