"""What a demo camera shows when, and when it misbehaves: functions of the seconds since its first viewer.

People come and go, so that alerts end and new ones arrive. Real cameras fail seldom; these fail soon
after the start, so that nobody has to wait, and then now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What a demo camera does when it misbehaves."""

    COVERED = "covered"
    OFFLINE = "offline"


class Film(StrEnum):
    """The films that a camera may have."""

    USUAL = "usual"
    EMPTY = "empty"
    COVERED = "covered"


@dataclass(frozen=True)
class FaultPlan:
    """One camera's script: from ``first_s`` on, every ``every_s`` seconds, for ``lasting_s`` seconds."""

    fault: Fault
    first_s: float
    lasting_s: float
    every_s: float


@dataclass(frozen=True)
class Showing:
    """One piece of a camera's programme: a film, repeated for ``lasting_s`` seconds."""

    film: Film
    lasting_s: float


def fault_at(plan: FaultPlan | None, elapsed_s: float) -> Fault | None:
    """The fault in force ``elapsed_s`` seconds after the first viewer came, if any."""
    if plan is None or elapsed_s < plan.first_s:
        return None
    since = (elapsed_s - plan.first_s) % plan.every_s
    return plan.fault if since < plan.lasting_s else None


def showing_at(programme: Sequence[Showing], plan: FaultPlan | None, elapsed_s: float) -> tuple[Film, float]:
    """The film that is shown, and for how many seconds it has been.

    A covered lens comes before the programme; the programme repeats for ever. An empty programme
    means the usual film all the time.
    """
    if plan is not None and fault_at(plan, elapsed_s) is Fault.COVERED:
        return Film.COVERED, (elapsed_s - plan.first_s) % plan.every_s
    if not programme:
        return Film.USUAL, elapsed_s
    into = elapsed_s % sum(showing.lasting_s for showing in programme)
    for showing in programme:
        if into < showing.lasting_s:
            return showing.film, into
        into -= showing.lasting_s
    return programme[0].film, 0.0  # only by a rounding error at the very end
