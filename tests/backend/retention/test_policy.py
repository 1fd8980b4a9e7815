"""When evidence may go: rules of time, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.retention.policy import Case, evidence_term, photos_term, shortest_term
from kitchen_watch.backend.retention.settings import RetentionSettings

CLOSED = datetime(2026, 3, 2, tzinfo=UTC)


def case(state: AlertState = AlertState.CLOSED, *, tier: int = 2, code: str = "NO_HAT") -> Case:
    return Case(state, tier, code, CLOSED if state in FINISHED else None)


@pytest.mark.parametrize("state", sorted(set(AlertState) - FINISHED))
def test_an_open_case_has_no_term(state: AlertState) -> None:
    policy = RetentionSettings()
    assert [of(policy, case(state)) for of in (evidence_term, shortest_term, photos_term)] == [None] * 3


@pytest.mark.parametrize(
    ("settings", "which", "days", "rule"),
    [
        ({}, {}, 365, "evidence=365d"),
        ({"evidence_of_tier": {3: timedelta(days=90)}}, {"tier": 3}, 90, "evidence_of_tier.3=90d"),
        ({"evidence_of_tier": {3: timedelta(days=90)}}, {"tier": 1}, 365, "evidence=365d"),
        ({"evidence_of_code": {"RODENT": timedelta(days=730)}}, {"code": "RODENT"}, 730,
         "evidence_of_code.RODENT=730d"),
        ({"evidence_of_false_alarms": timedelta(days=100)}, {"state": AlertState.FALSE_ALARM}, 100,
         "evidence_of_false_alarms=100d"),
        ({}, {"state": AlertState.TRANSFERRED}, 1825, "evidence_of_transferred=1825d"),
    ],
)  # fmt: skip
def test_the_nearest_rule_counts(
    settings: dict[str, Any], which: dict[str, Any], days: int, rule: str
) -> None:
    term = evidence_term(RetentionSettings(**settings), case(**which))
    assert term is not None
    assert (term.ends_at - CLOSED, term.policy) == (timedelta(days=days), rule)


def test_a_short_disk_shortens_the_term_but_not_of_what_enforcement_has() -> None:
    policy = RetentionSettings(evidence_minimum=timedelta(days=30))
    short, handed_over = (
        shortest_term(policy, case()),
        shortest_term(policy, case(AlertState.TRANSFERRED)),
    )
    assert short is not None
    assert handed_over is not None
    assert (short.ends_at - CLOSED).days == 30
    assert (handed_over.ends_at - CLOSED).days == 1825


def test_photos_never_go_before_the_evidence_that_they_answer() -> None:
    policy = RetentionSettings(photos=timedelta(days=400), evidence_of_code={"RODENT": timedelta(days=900)})
    term = photos_term(policy, case(code="RODENT"))
    assert term is not None
    assert (term.ends_at - CLOSED).days == 900


def test_the_audit_log_outlives_what_it_tells_of() -> None:
    with pytest.raises(ValidationError, match="at least as long"):
        RetentionSettings(audit=timedelta(days=100))
    with pytest.raises(ValidationError, match="evidence_minimum"):
        RetentionSettings(evidence_of_tier={3: timedelta(days=5)})
