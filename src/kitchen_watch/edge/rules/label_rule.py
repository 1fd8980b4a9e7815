"""Rules that a label makes by itself: any model that has the label switches them on."""

from __future__ import annotations

from kitchen_watch.edge.rules.parameters import LabelParameters
from kitchen_watch.edge.rules.rule import Look, Place, TrackRule
from kitchen_watch.edge.tracks import Track


def label_rule(code: str, parameters: LabelParameters, place: Place) -> TrackRule:
    """A rule that accuses every track of its labels, unless an excusing label is in the picture."""
    labels = frozenset(parameters.labels)
    excuses = frozenset(parameters.unless_labels)

    def select(look: Look) -> list[Track]:
        if any(track.label in excuses for track in look.tracks):
            return []
        return [track for track in look.tracks if track.label in labels]

    return TrackRule(code, parameters, place, select)
