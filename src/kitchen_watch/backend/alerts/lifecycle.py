"""The state machine of an alert's life: which step leads where, who may take it, and what it needs.

Pure: it is asked with the facts of a case and an act, and answers with the new state or a refusal
in a sentence. Nothing is decided by who called which route; everything about it is in ``STEPS``.

    pending_verification → verified | false_alarm
    verified → assigned → accepted → rectifying → submitted → closed | returned → rectifying
    assigned, rectifying → appealed → false_alarm | appeal_rejected → rectifying
    closed → reopened → assigned;  verified → transferred | merged
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.auth.roles import PREMISES_SIDE, REGULATORS, Role
from kitchen_watch.errors import Conflict, InvalidRequest, NotPermitted

_S = AlertState


class Step(StrEnum):
    """What somebody does to an alert."""

    VERIFY = "verify"
    REJECT = "reject"
    ASSIGN = "assign"
    ACCEPT = "accept"
    BEGIN = "begin"
    SUBMIT = "submit"
    CLOSE = "close"
    RETURN = "return"
    APPEAL = "appeal"
    UPHOLD_APPEAL = "uphold_appeal"
    REJECT_APPEAL = "reject_appeal"
    REOPEN = "reopen"
    TRANSFER = "transfer"
    MERGE = "merge"


class FalseAlarmReason(StrEnum):
    """Why an alert was false; becomes the label of a training sample."""

    STEAM_OR_SMOKE = "steam_or_smoke"
    GLARE_OR_DARK = "glare_or_dark"
    TOO_SMALL = "too_small"
    HIDDEN = "hidden"
    """The head, face or hands are turned away or covered."""
    MISREAD_CLOTHING = "misread_clothing"
    OTHER_ANIMAL = "other_animal"
    OTHER_OBJECT = "other_object"
    NOT_STAFF = "not_staff"
    WRONG_HOURS = "wrong_hours"
    """Opening hours, zone or another setting was wrong."""
    CAMERA_WORK = "camera_work"
    """Maintenance, cleaning or a test of the camera."""
    OTHER = "other"
    """Something else; a note is needed."""


@dataclass(frozen=True, slots=True)
class StepRule:
    """Where a step leads from where, who may take it, and whether it must be explained."""

    sources: frozenset[AlertState]
    target: AlertState
    roles: frozenset[Role]
    who: str
    past: str
    """What has been done, for sentences: "Wang has verified this alert"."""
    needs_note: bool = False
    needs_reason: bool = False


_MANAGER = frozenset({Role.PREMISES_MANAGER})
_OFFICERS = "supervision staff"
_RESTAURANT = "the restaurant's own people"


def _by_officers(
    sources: set[AlertState], target: AlertState, past: str, *, note: bool = False, reason: bool = False
) -> StepRule:
    return StepRule(frozenset(sources), target, REGULATORS, _OFFICERS, past, note, reason)


def _by_restaurant(sources: set[AlertState], target: AlertState, past: str) -> StepRule:
    return StepRule(frozenset(sources), target, PREMISES_SIDE, _RESTAURANT, past)


STEPS: Mapping[Step, StepRule] = {
    Step.VERIFY: _by_officers({_S.PENDING_VERIFICATION}, _S.VERIFIED, "verified"),
    Step.REJECT: _by_officers({_S.PENDING_VERIFICATION}, _S.FALSE_ALARM, "called a false alarm", reason=True),
    Step.ASSIGN: _by_officers({_S.VERIFIED, _S.REOPENED}, _S.ASSIGNED, "assigned"),
    Step.ACCEPT: _by_restaurant({_S.ASSIGNED}, _S.ACCEPTED, "accepted"),
    Step.BEGIN: _by_restaurant(
        {_S.ACCEPTED, _S.RETURNED, _S.APPEAL_REJECTED}, _S.RECTIFYING, "begun to rectify"
    ),
    Step.SUBMIT: _by_restaurant({_S.RECTIFYING}, _S.SUBMITTED, "submitted the rectification of"),
    Step.CLOSE: _by_officers({_S.SUBMITTED}, _S.CLOSED, "closed"),
    Step.RETURN: _by_officers({_S.SUBMITTED}, _S.RETURNED, "returned the rectification of", note=True),
    Step.APPEAL: StepRule(
        frozenset({_S.ASSIGNED, _S.RECTIFYING}),
        _S.APPEALED,
        _MANAGER,
        "the restaurant's manager",
        "appealed against",
        needs_note=True,
    ),
    Step.UPHOLD_APPEAL: _by_officers(
        {_S.APPEALED}, _S.FALSE_ALARM, "upheld the appeal against", note=True, reason=True
    ),
    Step.REJECT_APPEAL: _by_officers(
        {_S.APPEALED}, _S.APPEAL_REJECTED, "rejected the appeal against", note=True
    ),
    Step.REOPEN: _by_officers({_S.CLOSED}, _S.REOPENED, "reopened", note=True),
    Step.TRANSFER: _by_officers({_S.VERIFIED}, _S.TRANSFERRED, "transferred to enforcement", note=True),
    Step.MERGE: _by_officers({_S.VERIFIED}, _S.MERGED, "merged"),
}

LEADS_TO: Mapping[AlertState, tuple[Step, ...]] = {
    state: tuple(step for step, rule in STEPS.items() if state in rule.sources) for state in AlertState
}
"""The steps that are possible in each state."""

STATE_WORDS: Mapping[AlertState, str] = {
    _S.PENDING_VERIFICATION: "not verified yet",
    _S.FALSE_ALARM: "a false alarm",
    _S.TRANSFERRED: "transferred to enforcement",
    _S.MERGED: "merged into another alert",
    _S.RECTIFYING: "being rectified",
    _S.APPEALED: "under appeal",
    _S.APPEAL_REJECTED: "to be rectified, its appeal rejected",
}


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the rules must know of an alert. Ids are those of people."""

    state: AlertState
    accusers: frozenset[int] = frozenset()
    """Who has verified or assigned it, ever."""
    submitter: int | None = None
    appellant: int | None = None


@dataclass(frozen=True, slots=True)
class Doer:
    """Who takes a step; that they may see the alert at all is decided elsewhere."""

    person_id: int
    role: Role


def next_state(
    case: CaseFacts, step: Step, by: Doer, *, reason: str | None = None, note: str = ""
) -> AlertState:
    """The state after a step.

    Raises:
        NotPermitted: the step is not for this role, or not for this person in this case.
        Conflict: the step is impossible in the present state.
        InvalidRequest: a reason or note is missing, or the reason is not one of the list.
    """
    rule = STEPS[step]
    if by.role not in rule.roles:
        raise NotPermitted(f"Only {rule.who} may do this.")
    if case.state not in rule.sources:
        raise Conflict(impossible(case.state, step))
    _check_person(case, step, by.person_id)
    _check_words(rule, reason, note)
    return rule.target


def allowed_steps(case: CaseFacts, by: Doer) -> tuple[Step, ...]:
    """The steps that this person may take now, for buttons."""
    found = []
    for step in LEADS_TO[case.state]:
        if by.role in STEPS[step].roles:
            try:
                _check_person(case, step, by.person_id)
            except NotPermitted:
                continue
            found.append(step)
    return tuple(found)


def impossible(state: AlertState, step: Step) -> str:
    """Why a step cannot be taken in a state."""
    word = STATE_WORDS.get(state, state.value)
    wanted = " or ".join(
        STATE_WORDS.get(source, source.value) for source in sorted(STEPS[step].sources, key=list(_S).index)
    )
    name = step.value.replace("_", " ")
    return f'This alert is {word}; the step "{name}" is possible only while it is {wanted}.'


def _check_person(case: CaseFacts, step: Step, person_id: int) -> None:
    if step in {Step.UPHOLD_APPEAL, Step.REJECT_APPEAL}:
        if person_id in case.accusers:
            raise NotPermitted(
                "You have verified or assigned this alert; another officer must decide its appeal."
            )
        if person_id == case.appellant:
            raise NotPermitted("Nobody decides their own appeal.")
    if step in {Step.CLOSE, Step.RETURN} and person_id == case.submitter:
        raise NotPermitted("Nobody reviews a rectification that they have submitted.")


def _check_words(rule: StepRule, reason: str | None, note: str) -> None:
    if rule.needs_reason:
        listed = ", ".join(FalseAlarmReason)
        if reason not in set(FalseAlarmReason):
            raise InvalidRequest(f"Say why it is a false alarm: one of {listed}.")
        if reason == FalseAlarmReason.OTHER and not note.strip():
            raise InvalidRequest("The reason is another than those listed: describe it in the note.")
    if rule.needs_note and not note.strip():
        raise InvalidRequest("Say why in the note; it stays in the alert's history.")
