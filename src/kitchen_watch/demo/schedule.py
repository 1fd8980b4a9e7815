"""When which demo camera misbehaves: pure functions of the seconds since its first viewer.

Real cameras fail seldom; these fail soon after the start, so that nobody has to wait, and then now
and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What a demo camera does when it misbehaves."""

    COVERED = "covered"
    OFFLINE = "offline"


@dataclass(frozen=True)
class FaultPlan:
    """One camera's script: from ``first_s`` on, every ``every_s`` seconds, for ``lasting_s`` seconds."""

    fault: Fault
    first_s: float
    lasting_s: float
    every_s: float


def fault_at(plan: FaultPlan | None, elapsed_s: float) -> Fault | None:
    """The fault in force ``elapsed_s`` seconds after the first viewer came, if any."""
    if plan is None or elapsed_s < plan.first_s:
        return None
    since = (elapsed_s - plan.first_s) % plan.every_s
    return plan.fault if since < plan.lasting_s else None


def into_fault(plan: FaultPlan, elapsed_s: float) -> float:
    """Seconds since the present (or last) occurrence began; negative before the first."""
    if elapsed_s < plan.first_s:
        return elapsed_s - plan.first_s
    return (elapsed_s - plan.first_s) % plan.every_s
