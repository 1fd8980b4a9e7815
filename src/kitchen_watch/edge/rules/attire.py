"""NO_HAT and NO_MASK: absence that is seen on a head or face, never inferred.

A bare head is a detection of its own label; a head without a hat *detection* is unknown. Too small
a person, or a head cut by the upper edge of the picture, is unknown as well.
"""

from __future__ import annotations

from kitchen_watch.edge.rules.parameters import AttireParameters
from kitchen_watch.edge.rules.rule import Look, Place, Selection, TrackRule
from kitchen_watch.edge.tracks import Track

HEADS_PER_PERSON = 6.5
"""A standing adult is six to seven heads tall (head box with hair)."""
FACES_PER_PERSON = 8.0
"""A face box leaves out hair and crown."""
_EDGE_PX = 1.5


def attire_rule(code: str, parameters: AttireParameters, place: Place) -> TrackRule:
    """A rule that accuses bare heads (or faces) of people large enough to judge."""
    return TrackRule(code, parameters, place, _bare(parameters), second_look=parameters.second_look)


def _bare(parameters: AttireParameters) -> Selection:
    labels = frozenset(parameters.labels)

    def select(look: Look) -> list[Track]:
        height = look.observation.size[1]
        persons = [track for track in look.tracks if track.group == "person"]
        return [
            track
            for track in (look.suspected if parameters.second_look else look.tracks)
            if track.label in labels
            and person_height(track, persons) * height >= parameters.min_person_px
            and not (parameters.whole_head and track.box.y1 * height < _EDGE_PX)
        ]

    return select


def person_height(part: Track, persons: list[Track]) -> float:
    """Height in 0..1 of the whole person a head or face belongs to.

    The head's own size speaks for people whom the picture's edge or a counter cuts; the box of the
    smallest person around its centre speaks for the others.
    """
    heads = FACES_PER_PERSON if part.group == "face" else HEADS_PER_PERSON
    owner = owner_of(part, persons)
    return max(part.box.height * heads, owner.box.height if owner is not None else 0.0)


def owner_of(part: Track, persons: list[Track]) -> Track | None:
    """The person a head or face belongs to: the smallest whose box holds its centre."""
    x, y = part.box.centre
    around = [
        person
        for person in persons
        if person.box.x1 <= x <= person.box.x2 and person.box.y1 <= y <= person.box.y2
    ]
    return min(around, key=lambda person: person.box.width * person.box.height, default=None)
