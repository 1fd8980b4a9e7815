"""The state machine: every step from every state by every role, and who is too close to decide."""

from __future__ import annotations

import itertools

import pytest

from kitchen_watch.backend.alerts.lifecycle import (
    LEADS_TO,
    CaseFacts,
    Doer,
    FalseAlarmReason,
    Step,
    allowed_steps,
    next_state,
)
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.auth.roles import PREMISES_SIDE, REGULATORS, Role
from kitchen_watch.errors import Conflict, InvalidRequest, NotPermitted

OFFICER = Doer(1, Role.GRID_OFFICER)
OTHER_OFFICER = Doer(2, Role.SUPERVISOR)
MANAGER = Doer(3, Role.PREMISES_MANAGER)
STAFF = Doer(4, Role.PREMISES_STAFF)

PATHS = """
pending_verification verify verified
pending_verification reject false_alarm
verified assign assigned
assigned accept accepted
accepted begin rectifying
rectifying submit submitted
submitted close closed
submitted return returned
returned begin rectifying
assigned appeal appealed
rectifying appeal appealed
appealed uphold_appeal false_alarm
appealed reject_appeal appeal_rejected
appeal_rejected begin rectifying
closed reopen reopened
reopened assign assigned
verified transfer transferred
verified merge merged
"""
TRANSITIONS = {
    (AlertState(source), Step(step)): AlertState(target)
    for source, step, target in (line.split() for line in PATHS.strip().splitlines())
}
OF_THE_RESTAURANT = {Step.ACCEPT, Step.BEGIN, Step.SUBMIT}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "step"), list(itertools.product(AlertState, Step)))
def test_every_step_from_every_state_by_every_role(state: AlertState, step: Step, role: Role) -> None:
    if step is Step.APPEAL:
        permitted = frozenset({Role.PREMISES_MANAGER})
    else:
        permitted = PREMISES_SIDE if step in OF_THE_RESTAURANT else REGULATORS
    case, doer = CaseFacts(state), Doer(9, role)
    if role not in permitted:
        with pytest.raises(NotPermitted, match=r"^Only .* may do this\.$"):
            next_state(case, step, doer, reason="steam_or_smoke", note="because")
    elif (state, step) not in TRANSITIONS:
        with pytest.raises(Conflict, match=f'the step "{step.value.replace("_", " ")}" is possible only'):
            next_state(case, step, doer, reason="steam_or_smoke", note="because")
    else:
        after = next_state(case, step, doer, reason="steam_or_smoke", note="because")
        assert after is TRANSITIONS[state, step]
    assert (step in allowed_steps(case, doer)) == (role in permitted and (state, step) in TRANSITIONS)


def test_every_state_can_be_reached_and_only_finished_ones_are_the_end() -> None:
    assert set(TRANSITIONS.values()) == set(AlertState) - {AlertState.PENDING_VERIFICATION}
    ends = {state for state in AlertState if not LEADS_TO[state]}
    assert ends == FINISHED - {AlertState.CLOSED}


@pytest.mark.parametrize("step", [Step.UPHOLD_APPEAL, Step.REJECT_APPEAL])
def test_an_appeal_is_decided_neither_by_the_accuser_nor_by_the_accused(step: Step) -> None:
    case = CaseFacts(AlertState.APPEALED, accusers=frozenset({1}), appellant=3)
    with pytest.raises(NotPermitted, match="another officer must decide"):
        next_state(case, step, OFFICER, reason="too_small", note="x")
    with pytest.raises(NotPermitted, match="supervision staff"):
        next_state(case, step, MANAGER, reason="too_small", note="x")
    with pytest.raises(NotPermitted, match="their own appeal"):
        next_state(case, step, Doer(3, Role.ADMIN), reason="too_small", note="x")  # became an officer since
    next_state(case, step, OTHER_OFFICER, reason="too_small", note="x")
    assert step not in allowed_steps(case, OFFICER)
    assert step in allowed_steps(case, OTHER_OFFICER)


@pytest.mark.parametrize("step", [Step.CLOSE, Step.RETURN])
def test_nobody_reviews_what_they_have_submitted(step: Step) -> None:
    case = CaseFacts(AlertState.SUBMITTED, submitter=1)
    with pytest.raises(NotPermitted, match="have submitted"):
        next_state(case, step, OFFICER, note="x")
    next_state(case, step, OTHER_OFFICER, note="x")


def test_a_false_alarm_has_a_reason_from_the_list() -> None:
    case = CaseFacts(AlertState.PENDING_VERIFICATION)
    for reason in (None, "", "bad light"):
        with pytest.raises(InvalidRequest, match="one of steam_or_smoke"):
            next_state(case, Step.REJECT, OFFICER, reason=reason)
    with pytest.raises(InvalidRequest, match="describe it"):
        next_state(case, Step.REJECT, OFFICER, reason=FalseAlarmReason.OTHER, note=" ")
    next_state(case, Step.REJECT, OFFICER, reason=FalseAlarmReason.OTHER, note="a mascot")


@pytest.mark.parametrize(
    ("state", "step", "doer"),
    [
        (AlertState.SUBMITTED, Step.RETURN, OFFICER),
        (AlertState.CLOSED, Step.REOPEN, OFFICER),
        (AlertState.VERIFIED, Step.TRANSFER, OFFICER),
        (AlertState.APPEALED, Step.REJECT_APPEAL, OFFICER),
        (AlertState.RECTIFYING, Step.APPEAL, MANAGER),
    ],
)
def test_grave_steps_are_explained(state: AlertState, step: Step, doer: Doer) -> None:
    with pytest.raises(InvalidRequest, match="in the note"):
        next_state(CaseFacts(state), step, doer, note="  ")


def test_a_refusal_says_how_things_stand() -> None:
    with pytest.raises(Conflict) as refusal:
        next_state(CaseFacts(AlertState.PENDING_VERIFICATION), Step.ASSIGN, OFFICER)
    assert str(refusal.value) == (
        'This alert is not verified yet; the step "assign" is possible only while it is verified or reopened.'
    )


def test_staff_rectify_but_do_not_appeal() -> None:
    case = CaseFacts(AlertState.RECTIFYING)
    assert allowed_steps(case, STAFF) == (Step.SUBMIT,)
    assert allowed_steps(case, MANAGER) == (Step.SUBMIT, Step.APPEAL)
