"""What a decision about an alert teaches the detector about the box it rests on. Pure.

A lesson never says more than a person has decided: it speaks of one box and of the classes that box
could have been. Decisions that do not settle what is in the box (turned away, too small, not staff,
wrong opening hours ...) teach nothing; training on them would teach the detector opinions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason
from kitchen_watch.backend.alerts.states import AlertState

LABELS: tuple[str, ...] = ("person", "hat", "no_hat", "mask", "no_mask", "rat", "cockroach")
"""The class numbers of the label files: the order that `training.dataset` reads."""

ACCUSED: Mapping[str, str] = {
    "NO_HAT": "no_hat",
    "NO_MASK": "no_mask",
    "RODENT": "rat",
    "COCKROACH": "cockroach",
}
"""The label each code rests on; the other codes rest on no single box."""

OPPOSITE: Mapping[str, str] = {"no_hat": "hat", "no_mask": "mask"}

_NOTHING_THERE = frozenset(
    {
        FalseAlarmReason.STEAM_OR_SMOKE,
        FalseAlarmReason.GLARE_OR_DARK,
        FalseAlarmReason.OTHER_ANIMAL,
        FalseAlarmReason.OTHER_OBJECT,
    }
)

_UNDECIDED = frozenset({AlertState.PENDING_VERIFICATION, AlertState.APPEALED})


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is in the box (``None``: neither of the classes), and which classes are thereby known."""

    label: str | None
    known: frozenset[str]


def lesson(code: str, state: AlertState, reason: str | None) -> Lesson | None:
    """What the decision teaches; ``None`` where it does not settle what is in the box."""
    accused = ACCUSED.get(code)
    if accused is None or state in _UNDECIDED:
        return None
    known = frozenset({accused, OPPOSITE.get(accused, accused)})
    if state is not AlertState.FALSE_ALARM:
        return Lesson(accused, known)
    if reason == FalseAlarmReason.MISREAD_CLOTHING:
        opposite = OPPOSITE.get(accused)
        return Lesson(opposite, known) if opposite is not None else None
    return Lesson(None, known) if reason in _NOTHING_THERE else None
