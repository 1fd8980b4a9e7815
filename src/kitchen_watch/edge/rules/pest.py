"""RODENT and COCKROACH: a few hits on one track, and for rodents a track that moves by itself.

A toy, a stain or a statue stands still; a cat is a cat; and where the whole picture moves nothing
can be said about what moves in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kitchen_watch.edge.rules.parameters import PestParameters
from kitchen_watch.edge.rules.rule import Look, Place
from kitchen_watch.edge.rules.situation import Sighting, Situation
from kitchen_watch.edge.rules.violation import ViolationChange
from kitchen_watch.edge.rules.zone import anchor
from kitchen_watch.edge.tracks import Track

SAME_PLACE = 0.3
"""Share of the pest's box that a cat or dog must cover to explain it."""


REMEMBER_PEOPLE_S = 3600.0
"""How tall people are in a picture is known for one to two hours of watched time."""


class _Tallest:
    """The tallest person lately seen, in 0..1 of the picture's height; 0 while nobody was."""

    def __init__(self) -> None:
        self._now = self._before = 0.0
        self._since = 0.0

    @property
    def height(self) -> float:
        return max(self._now, self._before)

    def see(self, look: Look, watched: float) -> None:
        if watched - self._since >= REMEMBER_PEOPLE_S:
            self._before, self._now, self._since = self._now, 0.0, watched
        people = (track.box.height for track in look.tracks if track.group == "person")
        self._now = max(self._now, *people, 0.0)


@dataclass(slots=True)
class _Hits:
    times: list[tuple[float, datetime]] = field(default_factory=list)


class PestRule:
    """So many hits on one track within a window of watched time."""

    def __init__(self, code: str, parameters: PestParameters, place: Place) -> None:
        self.code = code
        self.watched = 0.0
        self.second_look = parameters.second_look
        self.labels = frozenset(parameters.labels)
        self._parameters = parameters
        self._vetoes = frozenset(parameters.veto_labels)
        self._hits: dict[int, _Hits] = {}
        self._people = _Tallest()
        self._parts = tuple(
            (zone, place.situation(code, parameters, zone=zone)) for zone in place.chosen(parameters)
        )

    @property
    def situations(self) -> tuple[Situation, ...]:
        """One for the whole picture, or one per zone."""
        return tuple(situation for _, situation in self._parts)

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one analysed frame."""
        self.watched += look.step
        pests = self._hit(look)
        changes: list[ViolationChange] = []
        for zone, situation in self._parts:
            here = [track for track in pests if zone is None or zone.contains(anchor(track))]
            enough = [
                track for track in here if len(self._hits[track.track_id].times) >= self._parameters.hits
            ]
            if self.second_look:
                enough = look.confirmed(enough, self.labels)
            since = min((self._hits[track.track_id].times[0][1] for track in enough), default=look.at)
            changes += situation.step(
                look.at,
                watched=self.watched,
                elapsed=look.elapsed,
                holds=_sighting(enough, since, look.sentence(enough) if self.second_look else None),
                stays=_sighting(here, look.at),
            )
        return changes

    def suspects(self) -> set[int]:
        """Track ids with hits while nothing is open: the ones worth a second look."""
        return set() if all(situation.open for _, situation in self._parts) else set(self._hits)

    def pause(self) -> None:
        """Forget what was building up."""
        self._hits.clear()

    def _hit(self, look: Look) -> list[Track]:
        """Count this frame's hits; the tracks that are pests as far as motion and vetoes go."""
        others = [track for track in look.tracks if track.label in self._vetoes]
        self._people.see(look, self.watched)
        vetoed = set()
        seen = []
        for track in look.suspected if self.second_look else look.tracks:
            if track.label not in self.labels or track.confidence < self._parameters.min_confidence:
                continue
            if self._too_large(track, look) or any(_explains(other, track) for other in others):
                vetoed.add(track.track_id)
            elif not (self._parameters.moving and _everything_moves(look)):
                seen.append(track)
        for track_id in vetoed:
            self._hits.pop(track_id, None)
        for track in seen:
            self._hits.setdefault(track.track_id, _Hits()).times.append((self.watched, look.at))
        self._forget_old()
        return [track for track in seen if not self._parameters.moving or self._moves(track, look)]

    def _too_large(self, track: Track, look: Look) -> bool:
        """A cat or a dog may be a rat to a model that knows no other animal; its size tells."""
        share, tallest = self._parameters.max_person_share, self._people.height
        if share is None or not tallest:
            return False
        width, height = look.observation.size
        return max(track.box.width * width / height, track.box.height) > share * tallest

    def _moves(self, track: Track, look: Look) -> bool:
        width, height = look.observation.size
        length = max(track.box.width, track.box.height * height / width)
        return track.travelled >= self._parameters.min_travel * length

    def _forget_old(self) -> None:
        oldest = self.watched - self._parameters.within_s
        for track_id, hits in list(self._hits.items()):
            hits.times = [hit for hit in hits.times if hit[0] >= oldest]
            if not hits.times:
                del self._hits[track_id]


def _everything_moves(look: Look) -> bool:
    health = look.observation.health
    return health is not None and health.moved is True


def _explains(other: Track, pest: Track) -> bool:
    width = min(other.box.x2, pest.box.x2) - max(other.box.x1, pest.box.x1)
    height = min(other.box.y2, pest.box.y2) - max(other.box.y1, pest.box.y1)
    if width <= 0 or height <= 0:
        return False
    return width * height >= SAME_PLACE * pest.box.width * pest.box.height


def _sighting(tracks: list[Track], since: datetime, detail: str | None = None) -> Sighting | None:
    if not tracks:
        return None
    return Sighting(
        since=since,
        confidence=max(track.confidence for track in tracks),
        track_ids=tuple(track.track_id for track in tracks),
        detail=detail,
    )
