"""How a campaign goes: premises it covers, edges that confirmed it, alerts before and during it.

A campaign belongs to everybody; its figures are of the reader's own part of the world. "Before" is
as long as what of the campaign is over, and ends where it begins, so that both can be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.rule_sets.answers import answers_of
from kitchen_watch.backend.rule_sets.schemas import (
    CampaignBrief,
    CampaignCode,
    CampaignGrid,
    CampaignProgress,
)
from kitchen_watch.backend.rule_sets.tables import RuleSetRow
from kitchen_watch.errors import NotFound

UNCOUNTED = (AlertState.PENDING_VERIFICATION, AlertState.FALSE_ALARM, AlertState.MERGED)
"""Only what somebody has verified is compared."""


def campaigns(session: Session, person: Person, *, now: datetime) -> list[CampaignBrief]:
    """Campaigns that are about any camera in scope, the newest first."""
    rows = session.scalars(
        select(RuleSetRow)
        .where(or_(RuleSetRow.starts_at.is_not(None), RuleSetRow.ends_at.is_not(None)))
        .order_by(func.coalesce(RuleSetRow.starts_at, RuleSetRow.created_at).desc(), RuleSetRow.id.desc())
    )
    return [_brief(row, now) for row in rows if _edges_and_premises(session, person, row)[1]]


def campaign_progress(
    session: Session, person: Person, rule_set_id: int, *, now: datetime
) -> CampaignProgress:
    """Its figures in the person's scope.

    Raises:
        NotFound: there is no such campaign, or it is about nothing in scope.
    """
    row = session.get(RuleSetRow, rule_set_id)
    if row is None or (row.starts_at is None and row.ends_at is None):
        raise NotFound(f"There is no campaign {rule_set_id} that you may see.")
    edges, premises = _edges_and_premises(session, person, row)
    if not premises:
        raise NotFound(f"There is no campaign {rule_set_id} that you may see.")
    starts_at = row.starts_at or row.created_at
    until_at = max(starts_at, now if row.ends_at is None else min(now, row.ends_at))
    length = until_at - starts_at
    before_at = starts_at - length
    answers = answers_of(session, edges, now=now)
    states = Counter(answer.state for answer in answers.values())
    codes = sorted(row.rules)
    counted = _alerts(session, person, row, codes, before_at, starts_at, until_at)
    names = place_names(session, set(premises) | {node_id for node_id, *_ in counted})
    return CampaignProgress(
        **_brief(row, now).model_dump(),
        before_at=before_at,
        until_at=until_at,
        premises=sum(premises.values()),
        edges=len(edges),
        edges_confirmed=states["accepted"],
        edges_refused=states["refused"],
        edges_waiting=states["waiting"] + states["due"],
        by_code=_by_code(codes, counted),
        by_grid=_by_grid(premises, counted, names),
    )


def _by_code(codes: Sequence[str], counted: Sequence[tuple[int, str, int, int]]) -> list[CampaignCode]:
    before, during = Counter[str](), Counter[str]()
    for _, code, earlier, later in counted:
        before[code] += earlier
        during[code] += later
    return [CampaignCode(code=code, before=before[code], during=during[code]) for code in codes]


def _by_grid(
    premises: dict[int, int], counted: Sequence[tuple[int, str, int, int]], names: dict[int, str]
) -> list[CampaignGrid]:
    before, during = Counter[int](), Counter[int]()
    for node_id, _, earlier, later in counted:
        before[node_id] += earlier
        during[node_id] += later
    return [
        CampaignGrid(
            node_id=node_id,
            place=names[node_id],
            premises=premises.get(node_id, 0),
            before=before[node_id],
            during=during[node_id],
        )
        for node_id in sorted(names, key=lambda node_id: (-during[node_id], names[node_id]))
        if node_id in premises or node_id in before or node_id in during
    ]


def _edges_and_premises(session: Session, person: Person, row: RuleSetRow) -> tuple[set[str], dict[int, int]]:
    """Edges of the cameras concerned in scope, and premises by the node in which they lie now."""
    found = session.execute(
        select(CameraRow.edge_id, PremisesRow.id, PremisesRow.node_id)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(*_concerned(row), person.scope.premises())
        .distinct()
    ).all()
    premises = {premises_id: node_id for _, premises_id, node_id in found}
    return {edge_id for edge_id, _, _ in found}, dict(Counter(premises.values()))


def _concerned(row: RuleSetRow) -> list[ColumnElement[bool]]:
    """Conditions on cameras joined with their premises; the same as in :mod:`.concerned`."""
    wanted: list[ColumnElement[bool]] = []
    if row.camera_id is not None:
        wanted.append(CameraRow.camera_id == row.camera_id)
    if row.premises_id is not None:
        wanted.append(CameraRow.premises_id == row.premises_id)
    if row.area_type is not None:
        wanted.append(CameraRow.area_type == row.area_type)
    if row.business_type is not None:
        wanted.append(PremisesRow.business_type == row.business_type)
    if row.node_id is not None:
        wanted.append(PremisesRow.node_id.in_(subtree_ids(row.node_id)))
    return wanted


def _alerts(
    session: Session,
    person: Person,
    row: RuleSetRow,
    codes: Sequence[str],
    before_at: datetime,
    starts_at: datetime,
    until_at: datetime,
) -> list[tuple[int, str, int, int]]:
    """Verified alerts by the grid in which they were found and code: before and during."""
    during = and_(AlertRow.found_at >= starts_at, AlertRow.found_at < until_at)
    rows = session.execute(
        select(
            AlertRow.node_id,
            AlertRow.code,
            func.sum(case((during, 0), else_=1)),
            func.sum(case((during, 1), else_=0)),
        )
        .join(CameraRow, CameraRow.camera_id == AlertRow.camera_id)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(
            *_concerned(row),
            person.scope.owned(AlertRow.premises_id),
            AlertRow.code.in_(codes),
            AlertRow.state.not_in(UNCOUNTED),
            AlertRow.found_at >= before_at,
            AlertRow.found_at < until_at,
        )
        .group_by(AlertRow.node_id, AlertRow.code)
    )
    return [(node_id, code, int(earlier), int(later)) for node_id, code, earlier, later in rows]


def _brief(row: RuleSetRow, now: datetime) -> CampaignBrief:
    starts_at = row.starts_at or row.created_at
    days = None if row.ends_at is None else max(timedelta(0), row.ends_at - starts_at)
    gone = max(timedelta(0), now - starts_at)
    over = row.ends_at is not None and row.ends_at <= now
    return CampaignBrief(
        id=row.id,
        name=row.name,
        starts_at=starts_at,
        ends_at=row.ends_at,
        enabled=row.enabled,
        state="over" if over else "running" if starts_at <= now else "planned",
        share_of_time=None if not days else min(1.0, gone / days),
    )
