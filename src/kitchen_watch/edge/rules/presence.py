"""NIGHT_INTRUSION and ZONE_INTRUSION: somebody is where, or when, nobody should be."""

from __future__ import annotations

from kitchen_watch.edge.rules.held import HeldFor
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.parameters import NightParameters, ZoneParameters
from kitchen_watch.edge.rules.rule import Look, Place, TrackRule
from kitchen_watch.edge.rules.situation import Sighting, Situation
from kitchen_watch.edge.rules.violation import ViolationChange
from kitchen_watch.edge.rules.zone import Zone, anchor
from kitchen_watch.edge.tracks import Track


def night_rule(code: str, parameters: NightParameters, place: Place, hours: OpeningHours) -> TrackRule:
    """A rule that accuses every person while the kitchen is closed."""
    labels = frozenset(parameters.labels)

    def select(look: Look) -> list[Track]:
        if hours.is_open(look.at):
            return []
        return [track for track in look.tracks if track.label in labels]

    return TrackRule(code, parameters, place, select, context={"hours": hours.model_dump(mode="json")})


class ZoneRule:
    """More people in a zone than are allowed there, whoever they are from frame to frame."""

    def __init__(self, code: str, parameters: ZoneParameters, place: Place) -> None:
        self.code = code
        self.watched = 0.0
        self._most = parameters.max_persons
        self._labels = frozenset(parameters.labels)
        zones = [zone for zone in place.chosen(parameters) if zone is not None]
        self._parts = tuple(
            (
                zone,
                HeldFor[str](parameters.held_s, parameters.fraction),
                place.situation(code, parameters, zone=zone),
            )
            for zone in zones
        )

    @property
    def situations(self) -> tuple[Situation, ...]:
        """One per zone; none where no zone is named."""
        return tuple(situation for _, _, situation in self._parts)

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one analysed frame."""
        self.watched += look.step
        changes: list[ViolationChange] = []
        for zone, held, situation in self._parts:
            inside = [
                track for track in look.tracks if track.label in self._labels and zone.contains(anchor(track))
            ]
            crowded = len(inside) > self._most
            held.look(self.watched, look.at, [zone.zone_id] if crowded else [])
            since = held.holding().get(zone.zone_id)
            stays = self._sighting(inside, look, zone) if crowded and held.staying() else None
            holds = None
            if crowded and since is not None:
                holds = self._sighting(inside, look, zone)
                holds = Sighting(since, holds.confidence, holds.track_ids, holds.detail)
            changes += situation.step(
                look.at, watched=self.watched, elapsed=look.elapsed, holds=holds, stays=stays
            )
        return changes

    def _sighting(self, inside: list[Track], look: Look, zone: Zone) -> Sighting:
        return Sighting(
            since=look.at,
            # As sure as the one person whose absence would end it.
            confidence=sorted((track.confidence for track in inside), reverse=True)[self._most],
            track_ids=tuple(track.track_id for track in inside),
            detail=f"{len(inside)} in zone {zone.name or zone.zone_id}, {self._most} allowed.",
        )

    def pause(self) -> None:
        """Forget what was building up."""
        for _, held, _ in self._parts:
            held.forget()
