"""The page of one alert: its evidence, how its handling stands, and what the reader may do now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from kitchen_watch.backend.alerts.feed import latest_feed_id
from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason, Step
from kitchen_watch.backend.alerts.schemas import AlertSummary
from kitchen_watch.backend.alerts.service import AlertFilters, alert_detail, alert_page, visible_alert
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.handling.owners import owners_of
from kitchen_watch.backend.handling.schemas import CaseView, PersonBrief
from kitchen_watch.backend.handling.service import CONTAINABLE, WITH_PREMISES
from kitchen_watch.backend.handling.tables import StatementKind
from kitchen_watch.backend.handling.views import case_view
from kitchen_watch.backend.pages.answers import page
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts

MERGE_CHOICES = 30
FINISHED_STEPS = frozenset({Step.BEGIN})
"""Never a button of its own: a submission begins by itself."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a step was not taken: in words, and whether somebody else was faster."""

    words: str
    overtaken: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the person had written, so that it is not lost."""
    status: int = 409


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the history of the handling; ``by`` is empty where the clock itself acted."""

    at: datetime
    step: str
    by: str | None
    reason: str | None = None
    note: str = ""
    to_state: str | None = None
    level: int = 0
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader may do now, and what they can choose from."""

    steps: tuple[str, ...]
    owners: tuple[PersonBrief | None, PersonBrief] | None = None
    """Premises and territory side, as an assignment would name them now."""
    others: tuple[AlertSummary, ...] = ()
    """Open alerts of the same premises, to merge into."""
    may_upload: bool = False
    may_press: bool = False
    """Remind and supervise."""
    highest_level: int = 0


def show_alert_page(
    parts: Parts, frame: Frame, person: Person, alert_id: int, *, refused: Refused | None = None
) -> Response:
    """The whole page; with ``refused`` it says first why the last step was not taken."""
    status = 200 if refused is None else refused.status
    return page(
        "alert.html", frame, status=status, refused=refused, **content(parts, frame, person, alert_id)
    )


def content(parts: Parts, frame: Frame, person: Person, alert_id: int) -> dict[str, Any]:
    """What the templates of one alert are told.

    Raises:
        NotFound: there is no such alert in the person's scope.
    """
    with parts.database.read() as session:
        after = latest_feed_id(session)  # read first: what comes later arrives by the stream
        alert = alert_detail(session, person, alert_id, links=parts.links, store=parts.evidence)
        case = case_view(session, person, visible_alert(session, person, alert_id), now=frame.now)
        choices = _choices(session, parts, person, case)
    return {
        "alert": alert,
        "case": case,
        "after": after,
        "history": history(case),
        "choices": choices,
        "reasons": tuple(FalseAlarmReason),
    }


def history(case: CaseView) -> list[Happening]:
    """Steps, statements, reminders and supervision in the order in which they happened."""
    lines = [
        Happening(
            at=one.at,
            step=one.step.value,
            by=one.by.name,
            reason=one.reason,
            note=one.note,
            to_state=one.to_state.value,
            merged_into=one.merged_into,
        )
        for one in case.transitions
    ]
    lines += [
        Happening(
            at=one.at,
            step="remind" if one.kind == "reminder" else "supervise",
            by=None if one.by is None else one.by.name,
            note=one.note,
            level=one.level,
        )
        for one in case.notices
    ]
    lines += [
        Happening(at=one.at, step="contain", by=one.by.name, note=one.text)
        for one in case.rectifications
        if one.kind is StatementKind.CONTAINMENT
    ]
    return sorted(lines, key=lambda line: line.at)


def _choices(session: Session, parts: Parts, person: Person, case: CaseView) -> Choices:
    steps = [step.value for step in case.steps if step not in FINISHED_STEPS]
    if person.is_premises_side and Step.BEGIN in case.steps:
        steps.append(Step.SUBMIT.value)  # what was not formally begun is begun with it
    waits_for_containment = any(one.step == "contain" and one.settled_at is None for one in case.deadlines)
    suspected = case.state in {AlertState.PENDING_VERIFICATION, AlertState.VERIFIED}
    if person.is_premises_side and case.state in CONTAINABLE and (waits_for_containment or suspected):
        steps.append("contain")
    alert = visible_alert(session, person, case.alert_id)
    owners = None
    if Step.ASSIGN in case.steps:
        found = owners_of(session, alert, otherwise=person.id)
        owners = (
            None if found.premises is None else _named(session, found.premises),
            _named(session, found.territory),
        )
    others: tuple[AlertSummary, ...] = ()
    if Step.MERGE in case.steps:
        wanted = AlertFilters(
            premises_id=alert.premises_id,
            states=tuple(state for state in AlertState if state not in FINISHED),
        )
        found_page = alert_page(session, person, links=parts.links, filters=wanted, limit=MERGE_CHOICES + 1)
        others = tuple(one for one in found_page.items if one.alert_id != case.alert_id)
        if not others:
            steps.remove(Step.MERGE.value)
    return Choices(
        steps=tuple(dict.fromkeys(steps)),
        owners=owners,
        others=others,
        may_upload=person.is_premises_side and case.state in WITH_PREMISES,
        may_press=person.is_regulator and case.state not in FINISHED,
        highest_level=parts.settings.deadlines.highest_level,
    )


def _named(session: Session, person_id: int) -> PersonBrief:
    return PersonBrief(id=person_id, name=session.get_one(PersonRow, person_id).display_name)
