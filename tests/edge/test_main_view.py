"""Cameras with a sub stream: it is watched, and the main stream is looked at while something happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.detect.detection import Box, Detection, Detector
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import Snapshots
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.main_view import MainView, MainViewSettings
from kitchen_watch.edge.opening import fit_rules, open_rules
from kitchen_watch.edge.pipeline import Analysis, Seen
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.attention import Attention
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.streams.newest import NewestSlot
from kitchen_watch.edge.streams.picture import Scaler
from kitchen_watch.edge.streams.reader import Reader, ReadingPlan
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.streams.status import Tally
from kitchen_watch.events import ModelUsed
from tests.edge.streams.films import Showing, Taken, film
from tests.edge.streams.media import kitchen, moving_box

NIGHT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
KITCHEN = kitchen()
NOISE = np.random.default_rng(1).normal(0, 1.2, (12, *KITCHEN.shape)).astype(np.float32)
FULL = np.zeros((1080, 1920, 3), np.uint8)
LATE = timedelta(seconds=0.03)
"""The main stream's pictures are so much older than the sub stream's that come with them."""


def _at(number: float) -> datetime:
    return NIGHT + timedelta(seconds=number / 5)


def _sub(number: int, picture: Image = KITCHEN) -> Frame:
    image = np.clip(picture + NOISE[number % len(NOISE)], 0, 255).astype(np.uint8)
    return Frame(
        stream_id="cam-1", pts=number / 5, captured_at=_at(number), image=image, width=640, height=360,
        full=lambda: image, discontinuity=number == 0,
    )  # fmt: skip


def _main(number: float, picture: Image = KITCHEN, *, discontinuity: bool = False) -> Frame:
    return Frame(
        stream_id="cam-1/main", pts=900 + number / 5, captured_at=_at(number) - LATE, image=picture,
        width=1920, height=1080, full=lambda: FULL, discontinuity=discontinuity,
    )  # fmt: skip


@dataclass
class Main:
    """A main stream that gives what it is told to, if anybody looks."""

    asked: list[bool] = field(default_factory=list)
    frame: Frame | None = None

    def attend(self, here: bool) -> None:
        self.asked.append(here)

    @property
    def here(self) -> bool:
        return self.asked[-1]

    def poll(self) -> Frame | None:
        frame, self.frame = self.frame, None
        return frame


@dataclass
class Eyes:
    """Finds a person wherever there is a dark box, and remembers what it was shown."""

    shown: list[Frame] = field(default_factory=list)
    model: ModelUsed = field(
        default_factory=lambda: ModelUsed(name="eyes", version="1", sha256="0" * 64, precision="f32")
    )
    labels: tuple[str, ...] = ("person", "hat", "no_hat")
    bare: bool = False
    """Whether the person has no hat."""
    nobody: bool = False
    """Whether the box is no person."""

    async def detect(self, frame: Frame) -> tuple[Detection, ...]:
        self.shown.append(frame)
        if frame.image.shape != KITCHEN.shape:  # a second look: nothing is so sure as it seemed
            return ()
        if frame.image[150, 100].max() > 40 or self.nobody:
            return ()
        person = Detection("person", 0.9, Box(0.1, 0.3, 0.3, 0.9))
        return (person, Detection("no_hat", 0.9, Box(0.15, 0.3, 0.25, 0.45))) if self.bare else (person,)

    def looked_again(self) -> list[bool]:
        """For every second look, whether it was at the main stream's own pixels."""
        crops = [frame for frame in self.shown if frame.image.shape != KITCHEN.shape]
        return [not frame.image.any() for frame in crops]

    async def close(self) -> None:
        pass


def _person(number: int) -> Image:
    picture = KITCHEN.copy()
    picture[120:320, 64 + number : 192 + number] = 20
    return picture


def _analysis(main: Main, eyes: Eyes | None = None, **settings: object) -> tuple[Analysis, Eyes]:
    eyes = eyes or Eyes()
    rule_set, _ = fit_rules(open_rules(None, changes={}), eyes.labels)
    chosen = AnalysisSettings(
        main_view=MainViewSettings.model_validate({"quiet_s": 2, "when": "active"} | settings)
    )
    analysis = build_analysis(
        detector=cast("Detector", eyes), health=HealthMonitor(), rules=RuleBook("cam-1", rule_set),
        settings=chosen, gated=True, main=main,
    )  # fmt: skip
    return analysis, eyes


async def _watch(
    analysis: Analysis, main: Main, numbers: Sequence[int], *, person: bool, away: bool = False
) -> list[Seen]:
    seen = []
    for number in numbers:
        picture = _person(number % 7) if person else KITCHEN
        # Decoded only while somebody looked when its packets came.
        main.frame = _main(number, picture) if main.here and not away else None
        one = await analysis.look(_sub(number, picture))
        assert one is not None
        seen.append(one)
    return seen


async def test_while_the_scene_is_still_the_main_stream_is_not_decoded() -> None:
    main = Main()
    analysis, _ = _analysis(main)
    seen = await _watch(analysis, main, range(80), person=False)
    assert not main.here
    assert not any(one.frame.main for one in seen[50:])
    assert sum(one.still for one in seen[50:]) > 20


async def test_what_begins_to_move_is_looked_at_at_once_and_from_then_on_in_full() -> None:
    main = Main()
    analysis, eyes = _analysis(main)
    await _watch(analysis, main, range(45), person=False)
    eyes.shown.clear()
    moving = await _watch(analysis, main, range(80, 100), person=True)
    assert not moving[0].still, "the sub stream's own frame shows it first, without any delay"
    assert not moving[0].frame.main
    assert all(one.frame.main for one in moving[1:])
    assert {(frame.stream_id, frame.discontinuity) for frame in eyes.shown} == {("cam-1", False)}
    assert moving[5].frame.full().shape == (1080, 1920, 3)
    assert {track.track_id for one in moving[3:] for track in one.tracks} == {moving[3].tracks[0].track_id}, (
        "who was tracked on one stream is the same on the other"
    )
    times = [one.frame.captured_at for one in moving]
    assert times == sorted(set(times))


async def _occupied(*, bare: bool, away: bool = False) -> tuple[Main, Analysis, Eyes, list[Seen]]:
    """Somebody comes into a still kitchen and stays; the main stream is decoded when it is needed."""
    main = Main()
    analysis, eyes = _analysis(main, when="needed")
    await _watch(analysis, main, range(45), person=False)
    await _watch(analysis, main, range(45, 70), person=True, away=away)
    eyes.shown.clear()
    eyes.bare = bare
    return main, analysis, eyes, await _watch(analysis, main, range(70, 100), person=True, away=away)


async def test_people_who_wear_hats_need_no_more_than_the_sub_stream() -> None:
    main, _, _, seen = await _occupied(bare=False)
    assert not main.here
    assert not any(one.frame.main or one.still for one in seen)
    assert all(one.tracks for one in seen)


async def test_whom_a_rule_suspects_is_looked_at_in_the_main_streams_pixels_and_in_no_others() -> None:
    main, analysis, eyes, seen = await _occupied(bare=True)
    assert not seen[0].frame.main
    assert all(one.frame.main for one in seen[1:]), "awake before anybody is suspected, at the first hint"
    looks = eyes.looked_again()
    assert len(looks) >= 5
    assert all(looks)
    eyes.bare = False
    after = await _watch(analysis, main, range(100, 130), person=True)
    assert after[0].frame.main
    assert not main.here, "nobody is suspected any more"
    assert not after[-1].frame.main


async def test_a_second_look_does_not_wait_long_for_a_main_stream_that_is_away() -> None:
    _, _, eyes, seen = await _occupied(bare=True, away=True)
    looks = eyes.looked_again()
    assert len(looks) >= 3
    assert not any(looks), "they are at what the sub stream has"
    assert not any(one.frame.main for one in seen)


async def test_while_nobody_is_seen_what_moves_is_looked_at_in_full() -> None:
    main = Main()
    analysis, _ = _analysis(main, Eyes(labels=("person", "no_hat", "rat"), nobody=True), when="needed")
    await _watch(analysis, main, range(80), person=False)
    assert not main.here
    moving = await _watch(analysis, main, range(80, 120), person=True)
    assert not moving[0].frame.main
    assert all(one.frame.main for one in moving[1:])
    quiet = await _watch(analysis, main, range(120, 160), person=False)
    assert not main.here
    assert any(one.still for one in quiet)


def test_a_still_scenes_clock_does_not_wake_the_main_stream() -> None:
    main = Main()
    view = MainView(main)
    for number in range(60):
        view.notice(_at(number), still=True)
        view.judged(_at(number), suspects=False, alone=True, tiled=True)
    assert True not in main.asked
    view.notice(_at(60), still=False)
    assert main.here


async def test_after_a_quiet_time_it_is_the_sub_stream_again() -> None:
    main = Main()
    analysis, _ = _analysis(main)
    await _watch(analysis, main, range(80), person=False)
    await _watch(analysis, main, range(80, 100), person=True)
    assert main.here
    quiet = await _watch(analysis, main, range(100, 180), person=False)
    assert not main.here
    assert any(one.still for one in quiet[-20:])


async def test_a_main_stream_that_is_away_delays_nothing() -> None:
    main = Main()
    analysis, _ = _analysis(main)
    await _watch(analysis, main, range(80), person=False)
    moving = await _watch(analysis, main, range(80, 100), person=True, away=True)
    assert [one.frame.captured_at for one in moving] == [_at(number) for number in range(80, 100)]
    assert not any(one.still or one.frame.main for one in moving)


async def test_a_setting_keeps_the_analysis_on_the_sub_stream() -> None:
    main = Main()
    analysis, _ = _analysis(main, enabled=False)
    seen = await _watch(analysis, replace(main, asked=[True]), range(40), person=True)
    assert main.asked == []
    assert not any(one.frame.main for one in seen)


async def test_a_camera_that_waits_for_its_turn_lets_the_main_stream_sleep() -> None:
    main = Main()
    analysis, _ = _analysis(main)
    await _watch(analysis, main, range(10), person=True)
    assert main.here
    analysis.rest()
    assert not main.here


def test_a_picture_is_never_older_than_what_was_judged_nor_newer_than_what_is_watched() -> None:
    main = Main()
    view = MainView(main, MainViewSettings(when="active"))
    view.notice(_at(0), still=False)
    main.frame = _main(1.5)
    assert view.instead_of(_sub(1), after=None) is None, "it shows what comes later"
    chosen = view.instead_of(_sub(2), after=_at(1))
    assert chosen is not None
    assert chosen.captured_at == _at(1.5) - LATE
    main.frame = _main(1.6)
    assert view.instead_of(_sub(3), after=_at(2)) is None, "that moment has been judged"
    main.frame = _main(3)
    assert view.instead_of(_sub(8), after=_at(7)) is None, "a second late"
    view.notice(_at(9), still=True)
    assert view.awake, "for ten seconds"
    view.notice(_at(60), still=True)
    main.frame = _main(61)
    assert view.instead_of(_sub(61), after=None) is None


def test_the_snapshot_is_the_main_streams_own_picture() -> None:
    """Without decoding it once more out of the ring."""
    snapshots = Snapshots(
        cast("Packages", None), cast("Workshop", None), mask=PrivacyMask(), ring=cast("None", object())
    )
    chosen = replace(_main(4), main=True)
    image, at = snapshots._picture(chosen)
    assert image is FULL
    assert at == chosen.captured_at


def _woken_at(packet: int, *, gop: int, count: int) -> tuple[Taken, Showing, list[bytes]]:
    """Nobody looks at a film until so many of its packets have come."""
    shown, clock = film(moving_box(count, (128, 96)), gop=gop), ManualClock()
    camera, taken, attention = Showing(shown, clock), Taken(), Attention()
    attention.turn(here=False, now=0.0)
    handed = iter(range(count))

    class Waker:
        def opened(self, _info: object) -> None: ...
        def closed(self) -> None: ...
        def packet(self, _packet: object) -> None:
            if next(handed) == packet:
                attention.turn(here=True, now=1.0)

    plan = ReadingPlan(
        "cam1/main", SourceSettings(url="rtsp://cam/1"), 5, (64, 48), (Waker(),), True, attention, 5
    )
    reader = Reader(
        plan, open_video=camera, clock=clock, tally=Tally(), slot=cast("NewestSlot", taken), wake=lambda: None
    )
    reader.start()
    reader.join(20)
    decoder, scaler = Showing(shown, ManualClock()), Scaler((64, 48))
    pictures = [
        scaler.scale(picture).tobytes() for one in shown.packets for picture in decoder.decode(one) or []
    ]
    return taken, camera, pictures


@pytest.mark.parametrize(("packet", "gop"), [(37, 50), (50, 50), (7, 50), (49, 12)])
def test_decoding_catches_up_from_the_last_keyframe(packet: int, gop: int) -> None:
    taken, camera, pictures = _woken_at(packet, gop=gop, count=60)
    first = taken.frames[0]
    assert first.pts == pytest.approx(packet / 25), "the very picture at which somebody began to look"
    assert first.image.tobytes() == pictures[packet], "exactly as if everything had been decoded"
    assert first.discontinuity
    assert camera.tried <= 60 - packet // gop * gop, "nothing before the last keyframe is decoded"
