"""What a rule is: a pure state machine that looks at one camera and moves its situations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from kitchen_watch.edge.rules.held import HeldFor
from kitchen_watch.edge.rules.observation import Observation
from kitchen_watch.edge.rules.parameters import ContentParameters, HeldParameters, RuleParameters
from kitchen_watch.edge.rules.situation import Identity, Pace, Sighting, Situation
from kitchen_watch.edge.rules.violation import ViolationChange
from kitchen_watch.edge.rules.zone import Zone, anchor
from kitchen_watch.edge.tracks import Track


@dataclass(frozen=True, slots=True)
class Look:
    """One observation with its place in time.

    ``step`` is the time since the previous one as far as it counts as watched, ``gap`` the whole
    of it, and ``elapsed`` the sum of all gaps; seconds, never negative.
    """

    observation: Observation
    step: float
    gap: float
    elapsed: float

    @property
    def at(self) -> datetime:
        """The observation's time, aware UTC."""
        return self.observation.at

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Everything firmly seen in this frame."""
        return tuple(track for track in self.observation.tracks if track.firm)

    @property
    def suspected(self) -> tuple[Track, ...]:
        """The same with suspicions, where second looks are taken that can confirm them."""
        return self.tracks if self.observation.opinions is None else self.observation.tracks

    def confirmed(self, tracks: Iterable[Track], labels: Collection[str]) -> list[Track]:
        """Those that may be accused: a second look agrees, or nobody takes second looks."""
        opinions = self.observation.opinions
        if opinions is None:
            return list(tracks)
        return [
            track
            for track in tracks
            if (opinion := opinions.get(track.track_id)) is not None
            and opinion.agrees
            and opinion.label in labels
        ]

    def sentence(self, tracks: Iterable[Track]) -> str | None:
        """What second looks say of these tracks, for the evidence."""
        opinions = self.observation.opinions or {}
        said = [opinions[track.track_id].sentence for track in tracks if track.track_id in opinions]
        return said[0] if said else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is at work: the camera and what all its rules share."""

    camera_id: str
    zones: Mapping[str, Zone]
    grow: float
    new_id: Callable[[], UUID]

    def chosen(self, parameters: ContentParameters) -> tuple[Zone | None, ...]:
        """The zones that a rule names, or ``None`` for the whole picture."""
        return tuple(self.zones[zone_id] for zone_id in parameters.zones) or (None,)

    def situation(
        self,
        code: str,
        parameters: RuleParameters,
        *,
        zone: Zone | None = None,
        needs_model: bool = True,
        context: Mapping[str, Any] | None = None,
    ) -> Situation:
        """A situation of this camera; its parameters say all that was in force, the zone included."""
        values: dict[str, Any] = parameters.model_dump(mode="json")
        if zone is not None:
            values["zone"] = zone.model_dump(mode="json")
        values.update(context or {})
        identity = Identity(
            camera_id=self.camera_id,
            code=code,
            tier=parameters.tier,
            zone_id=None if zone is None else zone.zone_id,
            parameters=values,
            needs_model=needs_model,
        )
        pace = Pace(absent=parameters.absent_s, cooldown=parameters.cooldown_s, grow=self.grow)
        return Situation(identity, pace, self.new_id)


class Rule(Protocol):
    """One rule at one camera."""

    @property
    def code(self) -> str:
        """Its violation code."""
        ...

    @property
    def watched(self) -> float:
        """Seconds in which it could see; the time on which its situations count absence."""
        ...

    @property
    def situations(self) -> Sequence[Situation]:
        """Its situations: one for the whole picture, or one per zone."""
        ...

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one look."""
        ...

    def pause(self) -> None:
        """Nothing can be judged now: forget what was building up, keep what is open."""
        ...


Selection = Callable[[Look], Iterable[Track]]
"""The tracks of a look that show a violation, wherever they are."""


class TrackRule:
    """A violation that a track shows: it must hold on one and the same track.

    ``select`` says which tracks accuse in this frame; everything about zones, time and growth is
    the same for all such rules and lives here.
    """

    def __init__(
        self,
        code: str,
        parameters: HeldParameters,
        place: Place,
        select: Selection,
        *,
        context: Mapping[str, Any] | None = None,
        second_look: bool = False,
    ) -> None:
        self.code = code
        self.watched = 0.0
        self.second_look = second_look
        self.labels = frozenset(parameters.labels)
        self._select = select
        self._parts = tuple(
            (
                zone,
                HeldFor[int](parameters.held_s, parameters.fraction),
                place.situation(code, parameters, zone=zone, context=context),
            )
            for zone in place.chosen(parameters)
        )

    @property
    def situations(self) -> tuple[Situation, ...]:
        """One for the whole picture, or one per zone."""
        return tuple(situation for _, _, situation in self._parts)

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one analysed frame."""
        self.watched += look.step
        accusing = tuple(self._select(look))
        changes: list[ViolationChange] = []
        for zone, held, situation in self._parts:
            seen = {
                track.track_id: track for track in accusing if zone is None or zone.contains(anchor(track))
            }
            held.look(self.watched, look.at, seen)
            since = {key: start for key, start in held.holding().items() if key in seen}
            accused = [seen[key] for key in since]
            if self.second_look:
                accused = look.confirmed(accused, self.labels)
            staying = [track for key, track in seen.items() if key in held.staying()]
            changes += situation.step(
                look.at,
                watched=self.watched,
                elapsed=look.elapsed,
                holds=_sighting(
                    accused,
                    min((since[track.track_id] for track in accused), default=look.at),
                    look.sentence(accused) if self.second_look else None,
                ),
                stays=_sighting(staying, look.at),
            )
        return changes

    def suspects(self) -> set[int]:
        """Track ids that accuse now and may open a violation soon: the ones worth a second look."""
        return {key for _, held, situation in self._parts if situation.open is None for key in held.staying()}

    def pause(self) -> None:
        """Forget what was building up."""
        for _, held, _ in self._parts:
            held.forget()


def _sighting(tracks: Sequence[Track], since: datetime, detail: str | None = None) -> Sighting | None:
    if not tracks:
        return None
    return Sighting(
        since=since,
        confidence=max(track.confidence for track in tracks),
        track_ids=tuple(track.track_id for track in tracks),
        detail=detail,
    )
