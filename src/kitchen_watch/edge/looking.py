"""How a camera, or a file played as one, is looked at: first look, second look, tracker and rules."""

from __future__ import annotations

from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.main_view import MainStream, MainView
from kitchen_watch.edge.motion_tiles import MotionTiles
from kitchen_watch.edge.pipeline import Analysis
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.second_look import SecondLook
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.still_scenes import StillGate
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.tracking import Tracker, TrackerSettings


def build_analysis(
    *,
    detector: Detector,
    rules: RuleBook,
    health: HealthMonitor,
    settings: AnalysisSettings,
    hours: OpeningHours | None = None,
    mask: PrivacyMask | None = None,
    gated: bool = False,
    main: MainStream | None = None,
) -> Analysis:
    """The analysis of one camera; suspicions are tracked only where a second look can settle them, and
    tiles cut only where a rule about pests asks for it. ``gated``: frames of still scenes may be left out
    (settings permitting); files are looked at in full. ``main``: the main stream of a camera whose frames are
    those of its sub stream.
    """
    schedule = hours or OpeningHours.always_open()
    pests = rules.tile_labels() if settings.motion_tiles.enabled else frozenset()
    tiles = None
    if pests:
        tiles = MotionTiles(
            detector, pests, settings.motion_tiles, closed=lambda at: not schedule.is_open(at)
        )
    second = SecondLook(detector, settings.second_look) if settings.second_look.enabled else None
    suspicions = rules.second_look_labels() if second is not None else frozenset()
    analysis = Analysis(
        detector=detector,
        tracker=Tracker(TrackerSettings(suspicions=suspicions)),
        health=health,
        rules=rules,
        mask=mask,
        tiles=tiles,
        second_look=second,
        gate=StillGate(settings.still_scenes) if gated and settings.still_scenes.enabled else None,
    )
    if main is not None and settings.main_view.enabled:
        analysis.main = MainView(main, settings.main_view)
    return analysis
