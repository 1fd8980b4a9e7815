"""Decisions teach what they settle, and nothing more."""

from __future__ import annotations

import pytest

from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.feedback.lessons import LABELS, Lesson, lesson
from kitchen_watch.training import dataset

HEAD, FACE = frozenset({"hat", "no_hat"}), frozenset({"mask", "no_mask"})


@pytest.mark.parametrize(
    ("code", "state", "reason", "taught"),
    [
        ("NO_HAT", "verified", None, Lesson("no_hat", HEAD)),
        ("NO_HAT", "closed", None, Lesson("no_hat", HEAD)),
        ("NO_MASK", "assigned", None, Lesson("no_mask", FACE)),
        ("RODENT", "transferred", None, Lesson("rat", frozenset({"rat"}))),
        ("NO_HAT", "false_alarm", "misread_clothing", Lesson("hat", HEAD)),
        ("NO_MASK", "false_alarm", "misread_clothing", Lesson("mask", FACE)),
        ("RODENT", "false_alarm", "other_animal", Lesson(None, frozenset({"rat"}))),
        ("COCKROACH", "false_alarm", "glare_or_dark", Lesson(None, frozenset({"cockroach"}))),
        ("NO_HAT", "false_alarm", "steam_or_smoke", Lesson(None, HEAD)),
        ("RODENT", "false_alarm", "misread_clothing", None),
        ("NO_HAT", "false_alarm", "hidden", None),
        ("NO_HAT", "false_alarm", "not_staff", None),
        ("NO_HAT", "false_alarm", "wrong_hours", None),
        ("NO_HAT", "false_alarm", None, None),
        ("NO_HAT", "pending_verification", None, None),
        ("NO_HAT", "appealed", None, None),
        ("CAM_COVERED", "verified", None, None),
        ("SMOKING", "verified", None, None),
    ],
)
def test_what_a_decision_teaches(code: str, state: str, reason: str | None, taught: Lesson | None) -> None:
    assert lesson(code, AlertState(state), reason) == taught


def test_every_reason_has_been_thought_of() -> None:
    for reason in FalseAlarmReason:
        taught = lesson("NO_HAT", AlertState.FALSE_ALARM, reason)
        assert taught is None or taught.label != "no_hat"


def test_class_numbers_are_those_of_the_training_side() -> None:
    assert LABELS == dataset.LABELS
