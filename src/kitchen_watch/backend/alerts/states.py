"""The states of an alert's life (DOMAIN: an alert's life). New alerts await verification."""

from __future__ import annotations

from enum import StrEnum


class AlertState(StrEnum):
    """Where the handling of an alert stands; separate from whether its violation still goes on."""

    PENDING_VERIFICATION = "pending_verification"
    VERIFIED = "verified"
    FALSE_ALARM = "false_alarm"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    RECTIFYING = "rectifying"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    CLOSED = "closed"
    APPEALED = "appealed"
    APPEAL_REJECTED = "appeal_rejected"
    REOPENED = "reopened"
    TRANSFERRED = "transferred"
    MERGED = "merged"


FINISHED = frozenset({AlertState.FALSE_ALARM, AlertState.CLOSED, AlertState.TRANSFERRED, AlertState.MERGED})
"""Nothing more is waited for."""


class FeedKind(StrEnum):
    """What a feed entry tells of its alert."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    EVIDENCE = "evidence"
    STATE = "state"
