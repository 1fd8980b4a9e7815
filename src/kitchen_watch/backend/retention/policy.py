"""When something may be deleted: pure rules of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.retention.settings import RetentionSettings


@dataclass(frozen=True, slots=True)
class Case:
    """What counts of an alert: for one that went on in another, the state and time of that other."""

    state: AlertState
    tier: int
    code: str
    finished_at: datetime | None
    """When the case reached its present state, if that is a final one."""


@dataclass(frozen=True, slots=True)
class Term:
    """From when on something may be deleted, and the rule that says so."""

    ends_at: datetime
    policy: str


def evidence_term(policy: RetentionSettings, case: Case) -> Term | None:
    """The term of evidence files; ``None`` while the case is open."""
    rule = _evidence_rule(policy, case)
    return _term(case, *rule)


def shortest_term(policy: RetentionSettings, case: Case) -> Term | None:
    """The term of evidence files while the disk is short; what enforcement has stays its full time."""
    if case.state is AlertState.TRANSFERRED:
        return evidence_term(policy, case)
    return _term(case, "evidence_minimum", policy.evidence_minimum)


def photos_term(policy: RetentionSettings, case: Case) -> Term | None:
    """The term of the restaurant's photos; ``None`` while the case is open."""
    return _term(case, "photos", max(policy.photos, _evidence_rule(policy, case)[1]))


def _evidence_rule(policy: RetentionSettings, case: Case) -> tuple[str, timedelta]:
    if case.state is AlertState.TRANSFERRED:
        return "evidence_of_transferred", policy.evidence_of_transferred
    if case.state is AlertState.FALSE_ALARM and policy.evidence_of_false_alarms is not None:
        return "evidence_of_false_alarms", policy.evidence_of_false_alarms
    if case.code in policy.evidence_of_code:
        return f"evidence_of_code.{case.code}", policy.evidence_of_code[case.code]
    if case.tier in policy.evidence_of_tier:
        return f"evidence_of_tier.{case.tier}", policy.evidence_of_tier[case.tier]
    return "evidence", policy.evidence


def _term(case: Case, name: str, length: timedelta) -> Term | None:
    if case.state not in FINISHED or case.finished_at is None:
        return None
    return Term(case.finished_at + length, f"{name}={length.days}d")
