"""Who may take an archive and what is in it; taking it is written down with its purpose."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.archive.packing import Plan
from kitchen_watch.backend.archive.paper import CoverFacts
from kitchen_watch.backend.archive.settings import ArchiveSettings
from kitchen_watch.backend.audit.service import record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import REGULATORS, Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.complaints.tables import ComplaintRow
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.holds.held import held_alerts
from kitchen_watch.backend.letters.service import letters_for
from kitchen_watch.backend.letters.tables import LetterRow
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.tables import PremisesOfficialRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.checks import visible as visible_patrols
from kitchen_watch.backend.patrols.tables import CheckState, PatrolCheckRow
from kitchen_watch.backend.public.service import visible_premises
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow
from kitchen_watch.backend.self_checks.tables import SelfCheckRow
from kitchen_watch.errors import InvalidRequest, NotPermitted

LAST_MOMENT = timedelta(microseconds=1)
TAKERS = REGULATORS | {Role.PREMISES_MANAGER}


def may_take(person: Person) -> bool:
    """Supervision staff for their part of the world, a restaurant's manager for the own one."""
    return person.role in TAKERS


def plan_archive(
    session: Session,
    by: Author,
    settings: ArchiveSettings,
    premises_id: int,
    *,
    since_at: datetime,
    until_at: datetime,
    purpose: str,
    sealed: bool,
) -> Plan:
    """What the archive holds; from here on it is written down that it was taken.

    Raises:
        NotFound: there is no such premises in the person's scope.
        NotPermitted: not for this role, or sealed originals for the premises side.
        InvalidRequest: the period is upside down or too long, or there is too much in it.
    """
    premises = visible_premises(session, by.person, premises_id)
    if not may_take(by.person):
        raise NotPermitted("Only supervision staff and the restaurant's manager take its archive.")
    if sealed and by.person.is_premises_side:
        raise NotPermitted("Pictures without a watermark are for supervision staff only.")
    if not timedelta(0) < until_at - since_at <= settings.longest:
        raise InvalidRequest(f"The period must end after it begins, {settings.longest.days} days at most.")
    found = list(
        session.scalars(
            select(AlertRow.id)
            .where(
                AlertRow.premises_id == premises.id,
                AlertRow.found_at >= since_at,
                AlertRow.found_at < until_at,
            )
            .order_by(AlertRow.id)
            .limit(settings.most_alerts + 1)
        )
    )
    if len(found) > settings.most_alerts:
        raise InvalidRequest(f"There are more than {settings.most_alerts} alerts. Take shorter periods.")
    letters = list(
        session.scalars(
            select(LetterRow.id)
            .where(
                LetterRow.premises_id == premises.id,
                letters_for(by.person),
                LetterRow.issued_at >= since_at,
                LetterRow.issued_at < until_at,
            )
            .order_by(LetterRow.id)
        )
    )
    checks = list(
        session.scalars(
            select(SelfCheckRow.id)
            .where(
                SelfCheckRow.premises_id == premises.id,
                SelfCheckRow.submitted_at.is_not(None),
                SelfCheckRow.due_at >= since_at,
                SelfCheckRow.due_at < until_at,
            )
            .order_by(SelfCheckRow.due_at, SelfCheckRow.id)
        )
    )
    patrols = list(
        session.scalars(
            select(PatrolCheckRow.id)
            .where(
                PatrolCheckRow.premises_id == premises.id,
                visible_patrols(by.person),
                PatrolCheckRow.state == CheckState.COMPLETED,
                PatrolCheckRow.finished_at >= since_at,
                PatrolCheckRow.finished_at < until_at,
            )
            .order_by(PatrolCheckRow.id)
        )
    )
    complaints = _complaints(session, by.person, premises.id, since_at, until_at)
    halves = list(
        session.scalars(
            select(RatingSnapshotRow.id)
            .where(
                RatingSnapshotRow.premises_id == premises.id,
                RatingSnapshotRow.since_at < until_at,
                RatingSnapshotRow.until_at > since_at,
            )
            .order_by(RatingSnapshotRow.half)
        )
    )
    zone = zone_of(premises.time_zone)
    counts = Counter(
        {
            "告警": len(found),
            "文书": len(letters),
            "自查": len(checks),
            "检查": len(patrols),
            "投诉举报": len(complaints),
            "评分": len(halves),
        }
    )
    record(
        session, by.actor, "archive_taken", at=by.now, about=("premises", premises.id),
        premises_id=premises.id, purpose=purpose, since_at=since_at.isoformat(),
        until_at=until_at.isoformat(), sealed=sealed, alerts=len(found), letters=len(letters),
    )  # fmt: skip
    session.flush()
    return Plan(
        cover=_cover(session, by, premises, zone, since_at, until_at, purpose, counts),
        zone=zone,
        sealed=sealed,
        alert_ids=tuple(found),
        # A restaurant is not told of holds: they would say that somebody has complained.
        held=frozenset()
        if by.person.is_premises_side
        else frozenset(held_alerts(session, found, now=by.now)),
        letter_ids=tuple(letters),
        self_check_ids=tuple(checks),
        patrol_ids=tuple(patrols),
        complaint_ids=tuple(complaints),
        halves=tuple(halves),
    )


def _cover(
    session: Session,
    by: Author,
    premises: PremisesRow,
    zone: ZoneInfo,
    since_at: datetime,
    until_at: datetime,
    purpose: str,
    counts: Counter[str],
) -> CoverFacts:
    grid = place_names(session, {premises.node_id})[premises.node_id]
    official = session.execute(
        select(PersonRow.display_name, PremisesOfficialRow.level)
        .join(PersonRow, PersonRow.id == PremisesOfficialRow.person_id)
        .where(PremisesOfficialRow.premises_id == premises.id, PremisesOfficialRow.until_at.is_(None))
    ).first()
    first, last = since_at.astimezone(zone), (until_at - LAST_MOMENT).astimezone(zone)
    period = f"{first:%Y-%m-%d} 至 {last:%Y-%m-%d}"
    when = f"{by.now.astimezone(zone):%Y-%m-%d %H:%M}"
    return CoverFacts(
        reference=f"食安档〔{by.now.astimezone(zone):%Y}〕{premises.licence_no}-{first:%Y%m%d}",
        premises=premises.name,
        period=period,
        grid=grid,
        rows=(
            ("经营者名称", premises.name),
            ("许可证编号", premises.licence_no),
            ("经营地址", premises.address),
            ("所属网格", grid),
            ("企业负责人", premises.responsible_person),
            ("包保干部", f"{official[0]}（{official[1]}级）" if official else ""),
            ("档案期间", period),
            ("卷内件数", "，".join(f"{name} {count}" for name, count in counts.items())),
            ("调取人", by.person.display_name),
            ("调取时间", when),
            ("调取用途", purpose),
            ("保管期限", ""),
        ),
        made_at=by.now,
        mark=f"{by.person.display_name}　{when}　用途：{purpose}",
    )


def _complaints(
    session: Session, person: Person, premises_id: int, since_at: datetime, until_at: datetime
) -> list[int]:
    """Those filed in the period; the restaurant is not told of complaints, in its archive neither."""
    if person.is_premises_side:
        return []
    return list(
        session.scalars(
            select(ComplaintRow.id)
            .where(
                ComplaintRow.premises_id == premises_id,
                ComplaintRow.filed_at >= since_at,
                ComplaintRow.filed_at < until_at,
            )
            .order_by(ComplaintRow.id)
        )
    )
