"""Scores within a person's scope: the ranking of a subtree, one premises' derivation, frozen half-years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.schemas import PremisesBrief
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.public.service import visible_premises
from kitchen_watch.backend.ratings.formula import rate
from kitchen_watch.backend.ratings.halves import HALF, Half
from kitchen_watch.backend.ratings.honours import honours_in_force, honours_of, may_award
from kitchen_watch.backend.ratings.inputs import read_inputs
from kitchen_watch.backend.ratings.schemas import (
    RatingDetail,
    RatingLine,
    RatingPage,
    SnapshotBrief,
    SnapshotDetail,
)
from kitchen_watch.backend.ratings.settings import RatingSettings
from kitchen_watch.backend.ratings.snapshots import is_intact, rating_of, recalculated
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow
from kitchen_watch.errors import NotFound


def ranking(
    session: Session,
    person: Person,
    settings: RatingSettings,
    *,
    now: datetime,
    node_id: int | None = None,
    limit: int = 200,
    worst_first: bool = False,
) -> RatingPage:
    """The running score of every premises in business in scope (below a node), ranked."""
    chosen = _chosen(person, node_id).where(PremisesRow.active.is_(True))
    ids = list(session.scalars(chosen))
    since_at = now - settings.period
    inputs = read_inputs(
        session, ids, since_at=since_at, until_at=now, now=now, formula=settings.formula, chosen=chosen
    )
    scored = []
    for premises_id, one in inputs.items():
        counted = sum(1 for alert in one.alerts if alert.found_at >= since_at)
        scored.append((rate(one, settings.formula).score, premises_id, counted))
    return RatingPage(
        since_at=since_at,
        until_at=now,
        half=None,
        formula_version=settings.formula.version,
        count=len(ids),
        items=_ranked(session, scored, limit=limit, worst_first=worst_first),
    )


def frozen_ranking(
    session: Session,
    person: Person,
    half: str,
    *,
    node_id: int | None = None,
    limit: int = 200,
    worst_first: bool = False,
) -> RatingPage:
    """The same of a frozen half-year.

    Raises:
        NotFound: ``half`` is no half-year.
    """
    wanted = _half(half)
    rows = session.execute(
        select(
            RatingSnapshotRow.score,
            RatingSnapshotRow.premises_id,
            RatingSnapshotRow.lines,
            RatingSnapshotRow.formula_version,
        ).where(
            RatingSnapshotRow.half == wanted.name,
            RatingSnapshotRow.premises_id.in_(_chosen(person, node_id)),
        )
    ).all()
    scored = [
        (score, premises_id, sum(line["count"] for line in lines if line["kind"] == "alerts"))
        for score, premises_id, lines, _ in rows
    ]
    versions = {row.formula_version for row in rows}
    since_at, until_at = wanted.span(zone_in(session))
    return RatingPage(
        since_at=since_at,
        until_at=until_at,
        half=wanted.name,
        formula_version=versions.pop() if len(versions) == 1 else None,
        count=len(rows),
        items=_ranked(session, scored, limit=limit, worst_first=worst_first),
    )


def rating_detail(
    session: Session, person: Person, premises_id: int, settings: RatingSettings, *, now: datetime
) -> RatingDetail:
    """The running score of one premises with its derivation.

    Raises:
        NotFound: there is no such premises in the person's scope.
    """
    premises = visible_premises(session, person, premises_id)
    since_at = now - settings.period
    inputs = read_inputs(
        session, [premises.id], since_at=since_at, until_at=now, now=now, formula=settings.formula
    )
    rating = rate(inputs[premises.id], settings.formula)
    snapshots = session.scalars(
        select(RatingSnapshotRow)
        .where(RatingSnapshotRow.premises_id == premises.id)
        .order_by(RatingSnapshotRow.half.desc())
    )
    return RatingDetail(
        premises=_briefs(session, [premises])[premises.id],
        since_at=since_at,
        until_at=now,
        score=rating.score,
        formula_version=rating.formula_version,
        lines=list(rating.lines),
        honours=honours_of(session, premises.id),
        snapshots=[_snapshot(row) for row in snapshots],
        may_award=may_award(person),
    )


def snapshot_detail(session: Session, person: Person, premises_id: int, half: str) -> SnapshotDetail:
    """A frozen half-year of one premises, checked against its seal and calculated anew.

    Raises:
        NotFound: not theirs to know about, or it was never frozen.
    """
    premises = visible_premises(session, person, premises_id)
    row = session.scalars(
        select(RatingSnapshotRow).where(
            RatingSnapshotRow.premises_id == premises.id, RatingSnapshotRow.half == _half(half).name
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"No score of {half} was frozen for this premises.")
    return SnapshotDetail(
        **_snapshot(row).model_dump(),
        premises=_briefs(session, [premises])[premises.id],
        since_at=row.since_at,
        until_at=row.until_at,
        lines=list(rating_of(row).lines),
        inputs=row.inputs,
        formula=row.formula,
        intact=is_intact(row),
        reproduced=recalculated(row) == rating_of(row),
    )


def halves_there_are(session: Session, person: Person) -> list[str]:
    """The half-years of which anything in scope was frozen, the newest first."""
    return list(
        session.scalars(
            select(RatingSnapshotRow.half)
            .where(person.scope.owned(RatingSnapshotRow.premises_id))
            .distinct()
            .order_by(RatingSnapshotRow.half.desc())
        )
    )


def _half(name: str) -> Half:
    found = HALF.fullmatch(name)
    if found is None or not 2000 <= int(found[1]) < 9000:
        raise NotFound("There is no such half-year; write one like 2026H1.")
    return Half(int(found[1]), int(found[2]))


def _chosen(person: Person, node_id: int | None) -> Select[int]:
    chosen = person.scope.premises_query()
    return chosen if node_id is None else chosen.where(PremisesRow.node_id.in_(subtree_ids(node_id)))


def _ranked(
    session: Session, scored: list[tuple[float, int, int]], *, limit: int, worst_first: bool
) -> list[RatingLine]:
    scored.sort(key=lambda one: (-one[0], one[1]))
    ranks: dict[float, int] = {}
    for place, (score, _, _) in enumerate(scored, start=1):
        ranks.setdefault(score, place)
    shown = list(reversed(scored))[:limit] if worst_first else scored[:limit]
    ids = [premises_id for _, premises_id, _ in shown]
    briefs = _briefs(session, list(session.scalars(select(PremisesRow).where(PremisesRow.id.in_(ids)))))
    honours = honours_in_force(session, ids)
    return [
        RatingLine(
            rank=ranks[score],
            premises=briefs[premises_id],
            score=score,
            alerts=alerts,
            honours=honours.get(premises_id, []),
        )
        for score, premises_id, alerts in shown
    ]


def _snapshot(row: RatingSnapshotRow) -> SnapshotBrief:
    return SnapshotBrief(
        half=row.half,
        score=row.score,
        formula_version=row.formula_version,
        frozen_at=row.frozen_at,
        sha256=row.sha256,
    )


def _briefs(session: Session, rows: Sequence[PremisesRow]) -> dict[int, PremisesBrief]:
    places = place_names(session, {row.node_id for row in rows})
    return {
        row.id: PremisesBrief(
            id=row.id, name=row.name, name_en=row.name_en, time_zone=row.time_zone, place=places[row.node_id]
        )
        for row in rows
    }
