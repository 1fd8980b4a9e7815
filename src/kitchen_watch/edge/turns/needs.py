"""What one camera needs of a turn: so long that each of its rules could fire, and how much it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.parameters import (
    CameraParameters,
    ContentParameters,
    HeldParameters,
    NightParameters,
    PestParameters,
)
from kitchen_watch.edge.rules.rule_set import RuleSet

WARM_UP_S = 5.0
"""From the beginning of a turn to the first track: a keyframe comes, the tracker and a second look follow."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the rules of one camera ask of its turns."""

    shortest_s: float = WARM_UP_S
    """A shorter turn could not see what its rules are about."""
    tier_1: bool = False
    """Some rule of tier 1 looks at it by day and night."""
    tier_1_closed: bool = False
    """Some rule of tier 1 looks at it while the kitchen is closed."""
    hours: OpeningHours = field(default_factory=OpeningHours.always_open)

    def weight(self, at: datetime) -> float:
        """How long its turns are at that moment, 1 to 2: tier 1 and opening hours count half each."""
        return 1.0 + 0.5 * self.urgent(at) + 0.5 * self.hours.is_open(at)

    def urgent(self, at: datetime) -> bool:
        """Whether a rule of tier 1 looks at it at that moment."""
        return self.tier_1 or (self.tier_1_closed and not self.hours.is_open(at))


def needs_of(rules: RuleSet, hours: OpeningHours, *, frozen_after_s: float = 0.0) -> Needs:
    """The needs of a camera with these rules; ``frozen_after_s`` is what its health check compares over.

    Content must hold within one turn, because tracks end with it. Camera faults build up over turns.
    """
    longest = 0.0
    tier_1 = tier_1_closed = False
    for _, parameters in rules.items():
        if not parameters.enabled:
            continue
        match parameters:
            case HeldParameters():
                longest = max(longest, parameters.held_s)
            case PestParameters():
                longest = max(longest, parameters.within_s)
            case CameraParameters():
                longest = max(longest, frozen_after_s)
        if isinstance(parameters, ContentParameters) and parameters.tier == 1:
            tier_1_closed = True
            tier_1 = tier_1 or not isinstance(parameters, NightParameters)
    return Needs(longest + WARM_UP_S, tier_1, tier_1_closed, hours)


def turn_lengths(needs: Mapping[str, Needs], watch_s: float, at: datetime) -> dict[str, float]:
    """Seconds of a turn by camera at that moment: ``watch_s`` or what its rules need, and more of it where
    it matters more. In whole seconds: they are told to people."""
    least = min((one.weight(at) for one in needs.values()), default=1.0)
    return {
        camera_id: ceil(max(watch_s, one.shortest_s) * one.weight(at) / least)
        for camera_id, one in needs.items()
    }
