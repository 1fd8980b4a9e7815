"""From rows to checks as people see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.forms.answers import answers_of
from kitchen_watch.backend.forms.content import FormContent
from kitchen_watch.backend.forms.service import form_view
from kitchen_watch.backend.forms.tables import CheckFormVersionRow
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.patrols.checks import judged, visible
from kitchen_watch.backend.patrols.queue import premises_short, purpose_of
from kitchen_watch.backend.patrols.schemas import (
    CheckFilters,
    CheckPage,
    CheckSummary,
    CheckView,
    FindingPhotoView,
    FindingView,
    ItemProblem,
    PersonBrief,
    PictureView,
    RoundView,
)
from kitchen_watch.backend.patrols.tables import (
    CheckReason,
    CheckState,
    FindingPhotoRow,
    PatrolCheckRow,
    PatrolFindingRow,
    PatrolPictureRow,
)


def check_page(session: Session, person: Person, filters: CheckFilters, *, now: datetime) -> CheckPage:
    """Checks in scope, the newest first."""
    query = select(PatrolCheckRow).where(visible(person))
    equal = {
        PatrolCheckRow.state: filters.state,
        PatrolCheckRow.kind: filters.kind,
        PatrolCheckRow.premises_id: filters.premises_id,
        PatrolCheckRow.person_id: filters.person_id,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if filters.node_id is not None:
        below = select(PremisesRow.id).where(PremisesRow.node_id.in_(subtree_ids(filters.node_id)))
        query = query.where(PatrolCheckRow.premises_id.in_(below))
    if filters.finished_from is not None:
        query = query.where(PatrolCheckRow.finished_at >= filters.finished_from)
    if filters.finished_to is not None:
        query = query.where(PatrolCheckRow.finished_at < filters.finished_to)
    if filters.with_findings is not None:
        query = query.where((PatrolCheckRow.findings > 0) == filters.with_findings)
    if filters.unsettled:
        waiting = select(PatrolFindingRow.check_id).where(PatrolFindingRow.settled_at.is_(None))
        query = query.where(PatrolCheckRow.id.in_(waiting))
    if filters.after is not None:
        query = query.where(PatrolCheckRow.id < filters.after)
    rows = list(session.scalars(query.order_by(PatrolCheckRow.id.desc()).limit(filters.limit + 1)))
    shown = rows[: filters.limit]
    return CheckPage(
        items=_summaries(session, person, shown, now),
        next_cursor=str(shown[-1].id) if len(rows) > filters.limit else None,
    )


def check_view(session: Session, person: Person, row: PatrolCheckRow, *, now: datetime) -> CheckView:
    """Everything about a check that this person may see; who sees it was decided before."""
    session.flush()
    version = session.get_one(CheckFormVersionRow, row.form_version_id)
    form = form_view(session, version.form_id, version=version.version)
    finished = row.state is CheckState.COMPLETED
    # What an officer writes is the premises' to read once it is finished.
    told = finished or not person.is_premises_side
    open_problems = judged(session, row).problems if told and not finished else ()
    (summary,) = _summaries(session, person, [row], now)
    return CheckView(
        **dict(summary),
        version=row.version,
        note=row.note if told else "",
        mine=row.person_id == person.id and row.state in {CheckState.OPEN, CheckState.LAPSED},
        form=form,
        answers=answers_of(row.answers) if told else {},
        pictures=_pictures(session, row) if told else [],
        finding_list=_findings(session, person, row, form.content, now) if told else [],
        problems=[ItemProblem(item=one.item, code=one.code, sentence=one.sentence) for one in open_problems],
        views=_views(session, row) if not person.is_premises_side else 0,
    )


def picture_view(row: PatrolPictureRow) -> PictureView:
    """A picture and where to look at it."""
    return PictureView(
        picture_id=row.id,
        item=row.item,
        source=row.source,
        camera_id=row.camera_id,
        at=row.at,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        url=f"/api/v1/patrols/{row.check_id}/pictures/{row.id}",
        deleted=row.deleted_at is not None,
    )


def finding_photo_view(row: FindingPhotoRow, by: PersonBrief) -> FindingPhotoView:
    """A photo of an answer and where to look at it."""
    return FindingPhotoView(
        photo_id=row.id,
        by=by,
        at=row.at,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        url=f"/api/v1/patrols/findings/{row.finding_id}/photos/{row.id}",
        deleted=row.deleted_at is not None,
    )


def _summaries(
    session: Session, person: Person, rows: Sequence[PatrolCheckRow], now: datetime
) -> list[CheckSummary]:
    premises = premises_short(session, [row.premises_id for row in rows])
    names = _names(session, {row.person_id for row in rows})
    unsettled = dict(
        session.execute(
            select(PatrolFindingRow.check_id, func.count())
            .where(
                PatrolFindingRow.check_id.in_([row.id for row in rows]), PatrolFindingRow.settled_at.is_(None)
            )
            .group_by(PatrolFindingRow.check_id)
        ).all()
    )
    return [
        CheckSummary(
            check_id=row.id,
            premises=premises[row.premises_id],
            kind=row.kind,
            # That somebody complained is not the premises' to know.
            reason=CheckReason.OTHER if person.is_premises_side else row.reason,
            announced=row.announced,
            planned_at=row.planned_at,
            state=_state(row, now),
            by=names[row.person_id],
            taken_at=row.taken_at,
            lapses_at=row.lapses_at,
            finished_at=row.finished_at,
            items=row.items,
            answered=row.answered,
            findings=row.findings,
            findings_open=unsettled.get(row.id, 0),
        )
        for row in rows
    ]


def _state(row: PatrolCheckRow, now: datetime) -> CheckState:
    lapsed = row.state is CheckState.OPEN and row.lapses_at <= now
    return CheckState.LAPSED if lapsed else row.state


def _pictures(session: Session, row: PatrolCheckRow) -> list[PictureView]:
    rows = session.scalars(
        select(PatrolPictureRow).where(PatrolPictureRow.check_id == row.id).order_by(PatrolPictureRow.id)
    )
    return [picture_view(one) for one in rows]


def _findings(
    session: Session, person: Person, row: PatrolCheckRow, content: FormContent, now: datetime
) -> list[FindingView]:
    rows = session.scalars(
        select(PatrolFindingRow).where(PatrolFindingRow.check_id == row.id).order_by(PatrolFindingRow.id)
    ).all()
    items = {item.key: item for item in content.all_items()}
    people = {one[key] for found in rows for one in found.rounds for key in ("person_id", "judged_by")}
    photos = _photos(session, [found.id for found in rows])
    people |= {photo.person_id for photo in photos}
    names = _names(session, people - {None})

    def shown(finding_id: int, answer: int | None) -> list[FindingPhotoView]:
        mine = [one for one in photos if (one.finding_id, one.answer) == (finding_id, answer)]
        return [finding_photo_view(one, names[one.person_id]) for one in mine]

    return [
        FindingView(
            finding_id=found.id,
            item=found.item,
            item_name=items[found.item].name if found.item in items else "",
            item_name_en=items[found.item].name_en if found.item in items else "",
            value=found.value,
            text=found.text,
            due_at=found.due_at,
            overdue=found.settled_at is None and found.due_at < now,
            rounds=[
                RoundView(
                    at=datetime.fromisoformat(one["at"]),
                    by=names[one["person_id"]],
                    text=one["text"],
                    judged_at=one["judged_at"] and datetime.fromisoformat(one["judged_at"]),
                    judged_by=names.get(one["judged_by"]),
                    accepted=one["accepted"],
                    note=one["note"],
                    photos=shown(found.id, number),
                )
                for number, one in enumerate(found.rounds)
            ],
            loose_photos=shown(found.id, None) if person.is_premises_side else [],
            waits_for="nobody"
            if found.settled_at is not None
            else "officer"
            if found.rounds and found.rounds[-1]["judged_at"] is None
            else "premises",
        )
        for found in rows
    ]


def _photos(session: Session, finding_ids: Sequence[int]) -> Sequence[FindingPhotoRow]:
    query = select(FindingPhotoRow).where(FindingPhotoRow.finding_id.in_(finding_ids))
    return session.scalars(query.order_by(FindingPhotoRow.id)).all()


def _views(session: Session, row: PatrolCheckRow) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                AuditRow.premises_id == row.premises_id,
                AuditRow.at >= row.taken_at,
                AuditRow.action == "live_view_opened",
                AuditRow.purpose == purpose_of(row.id),
            )
        )
        or 0
    )


def _names(session: Session, ids: set[int]) -> dict[int, PersonBrief]:
    rows = session.execute(select(PersonRow.id, PersonRow.display_name).where(PersonRow.id.in_(ids)))
    return {person_id: PersonBrief(id=person_id, name=name) for person_id, name in rows}
