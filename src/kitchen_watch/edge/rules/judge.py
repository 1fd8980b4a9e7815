"""The rule book of one camera: every rule in force, faults first, content paused by faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from kitchen_watch.edge.rules.attire import attire_rule
from kitchen_watch.edge.rules.camera import OfflineRule, PictureRule
from kitchen_watch.edge.rules.held import LONGEST_STEP
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.label_rule import label_rule
from kitchen_watch.edge.rules.observation import Observation
from kitchen_watch.edge.rules.parameters import (
    AttireParameters,
    CameraParameters,
    LabelParameters,
    NightParameters,
    OfflineParameters,
    PestParameters,
    ZoneParameters,
)
from kitchen_watch.edge.rules.pest import PestRule
from kitchen_watch.edge.rules.presence import ZoneRule, night_rule
from kitchen_watch.edge.rules.rule import Look, Place, Rule, TrackRule
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.edge.rules.situation import Situation
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.rules.zone import Zone

Fault = PictureRule | OfflineRule


class RuleBook:
    """Judges one camera. Pure: the same observations in the same order give the same changes
    (violation ids apart, which come from ``new_id``).
    """

    def __init__(
        self,
        camera_id: str,
        rule_set: RuleSet,
        *,
        zones: Iterable[Zone] = (),
        hours: OpeningHours | None = None,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        """``rule_set`` is the camera's own: see :meth:`RuleSet.for_camera`.

        Raises:
            ConfigError: a rule names a zone that is not among ``zones``.
        """
        zones = tuple(zones)
        hours = hours or OpeningHours.always_open()
        rule_set = rule_set.for_camera(CameraRules(zones=zones), where=f"camera {camera_id}")
        self.camera_id = camera_id
        place = Place(camera_id, {zone.zone_id: zone for zone in zones}, rule_set.grow_s, new_id)
        self._offline: list[OfflineRule] = []
        self._faults: list[PictureRule] = []
        self._content: list[Rule] = []
        for code, parameters in rule_set.items():
            if not parameters.enabled:
                continue
            match parameters:
                case OfflineParameters():
                    self._offline.append(OfflineRule(code, parameters, place, hours))
                case CameraParameters():
                    self._faults.append(PictureRule(code, parameters, place))
                case AttireParameters():
                    self._content.append(attire_rule(code, parameters, place))
                case PestParameters():
                    self._content.append(PestRule(code, parameters, place))
                case NightParameters():
                    self._content.append(night_rule(code, parameters, place, hours))
                case ZoneParameters():
                    self._content.append(ZoneRule(code, parameters, place))
                case LabelParameters():
                    self._content.append(label_rule(code, parameters, place))
        self._orphans: list[Violation] = []
        self._last_at: datetime | None = None
        self._elapsed = 0.0
        self._suspended = False

    def judge(self, observation: Observation) -> tuple[ViolationChange, ...]:
        """What changes by this observation, in order. A clock that goes back lets no time pass."""
        look = self._look(observation)
        changes = [_ended(violation, look.at) for violation in self._orphans]
        self._orphans = []
        for offline in self._offline:
            changes += offline.judge(look)
        if observation.offline:
            for rule in (*self._faults, *self._content):
                rule.pause()
            return tuple(changes)
        for fault in self._faults:
            changes += fault.judge(look)
        if self._blind(observation):
            for rule in self._content:
                rule.pause()
        elif observation.analysed:
            for rule in self._content:
                changes += rule.judge(look)
        return tuple(changes)

    def suspend(self) -> None:
        """Nobody looks for a while: the camera waits for its turn.

        What builds up on tracks is forgotten, what is open stays open, and until the next frame is
        analysed no time passes in which anything could be missed. Camera faults go on building up
        from turn to turn: they do not walk away.
        """
        self._suspended = True
        for rule in self._content:
            rule.pause()

    @property
    def paused(self) -> bool:
        """Whether an open camera fault keeps the content rules from judging."""
        faults: Sequence[Fault] = (*self._offline, *self._faults)
        return any(fault.pauses and fault.situations[0].open is not None for fault in faults)

    def open_violations(self) -> tuple[Violation, ...]:
        """Every open violation in its latest state, growth that was not told included."""
        return tuple(
            situation.open for _, situation in self._situations() if situation.open is not None
        ) + tuple(self._orphans)

    def recent_violations(self) -> tuple[Violation, ...]:
        """Closed violations that a recurrence would still re-open."""
        recent = (situation.recent(self._elapsed) for _, situation in self._situations())
        return tuple(violation for violation in recent if violation is not None)

    def suspects(self) -> frozenset[int]:
        """Track ids that may open a violation soon, of rules that ask for a second look first."""
        rules = [rule for rule in self._content if isinstance(rule, TrackRule | PestRule)]
        return frozenset().union(*(rule.suspects() for rule in rules if rule.second_look))

    def second_look_labels(self) -> frozenset[str]:
        """The labels that a second look may be asked about."""
        rules = [rule for rule in self._content if isinstance(rule, TrackRule | PestRule)]
        return frozenset().union(*(rule.labels for rule in rules if rule.second_look))

    def wanted_labels(self) -> frozenset[str]:
        """The labels by which something may still open that is better seen in full resolution: of rules
        that ask for a second look, and of animals. What is open needs no such look any more."""
        rules = [
            rule
            for rule in self._content
            if isinstance(rule, PestRule) or (isinstance(rule, TrackRule) and rule.second_look)
        ]
        return frozenset().union(
            *(rule.labels for rule in rules if any(one.open is None for one in rule.situations))
        )

    def tile_labels(self) -> frozenset[str]:
        """The labels of animals that are looked for where something small moves."""
        rules = [rule for rule in self._content if isinstance(rule, PestRule)]
        return frozenset().union(*(rule.labels for rule in rules))

    def resume(self, violations: Iterable[Violation], *, at: datetime | None = None) -> None:
        """Go on with violations of an earlier life (a restart, a crash, other parameters).

        An open one continues as itself; one that closed less than its cooldown before ``at`` (now)
        will be re-opened by a recurrence. An open one whose rule or zone is no more is closed by
        the next observation. Those of other cameras are not this book's business.
        """
        places: Mapping[tuple[str, str | None], tuple[Rule, Situation]] = {
            (situation.identity.code, situation.identity.zone_id): (rule, situation)
            for rule, situation in self._situations()
        }
        # Open ones last: a situation holds one violation, and an open one matters more.
        for violation in sorted(violations, key=lambda v: (v.ended_at is None, v.last_seen_at)):
            if violation.camera_id != self.camera_id:
                continue
            found = places.get((violation.code, violation.zone_id))
            if found is None or (violation.ended_at is None and found[1].open is not None):
                if violation.ended_at is None:
                    self._orphans.append(violation)
                continue
            rule, situation = found
            if violation.ended_at is not None and at is None:
                continue
            ended_ago = (at - violation.ended_at).total_seconds() if violation.ended_at and at else 0.0
            situation.resume(violation, watched=rule.watched, elapsed=self._elapsed, ended_ago=ended_ago)

    def finish(self, at: datetime) -> tuple[ViolationChange, ...]:
        """Close everything where it was last seen: the end of a file, or a removed camera."""
        changes = [_ended(violation, at) for violation in self._orphans]
        self._orphans = []
        for _, situation in self._situations():
            if situation.open is not None:
                changes.append(situation.close(at))
        return tuple(changes)

    def _look(self, observation: Observation) -> Look:
        gap = 0.0
        if self._last_at is not None:
            gap = max(0.0, (observation.at - self._last_at).total_seconds())
        self._last_at = observation.at
        self._elapsed += gap
        step = min(gap, LONGEST_STEP)
        if self._suspended and observation.analysed:
            self._suspended, step = False, 0.0
        return Look(observation, step=step, gap=gap, elapsed=self._elapsed)

    def _blind(self, observation: Observation) -> bool:
        """A fault is open, or the picture shows one that has yet to hold: nothing can be judged."""
        health = observation.health
        suspicious = health is not None and (health.covered is True or health.frozen is True)
        return suspicious or self.paused

    def _situations(self) -> list[tuple[Rule, Situation]]:
        rules: tuple[Rule, ...] = (*self._offline, *self._faults, *self._content)
        return [(rule, situation) for rule in rules for situation in rule.situations]


def _ended(violation: Violation, at: datetime) -> ViolationChange:
    closed = replace(violation, ended_at=violation.last_seen_at)
    return ViolationChange(ChangeKind.CLOSED, closed, at)
