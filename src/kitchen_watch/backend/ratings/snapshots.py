"""Half-year scores: frozen once by the timer, sealed, and calculated again by anybody who doubts them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.ratings.formula import Rating, RatingInputs, rate
from kitchen_watch.backend.ratings.halves import Half
from kitchen_watch.backend.ratings.inputs import read_inputs
from kitchen_watch.backend.ratings.settings import RatingFormula
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow


def freeze(
    session: Session, premises: Sequence[PremisesRow], half: Half, *, formula: RatingFormula, now: datetime
) -> int:
    """Freeze the half-year of these premises as it stands now; returns how many were new.

    The caller holds the lock under which no other process freezes.
    """
    known = set(
        session.scalars(
            select(RatingSnapshotRow.premises_id).where(
                RatingSnapshotRow.half == half.name,
                RatingSnapshotRow.premises_id.in_([row.id for row in premises]),
            )
        )
    )
    by_zone: dict[str, list[PremisesRow]] = {}
    for row in premises:
        if row.id not in known:
            by_zone.setdefault(row.time_zone, []).append(row)
    made = 0
    for zone, rows in by_zone.items():
        since_at, until_at = half.span(zone_of(zone))
        inputs = read_inputs(
            session,
            [row.id for row in rows],
            since_at=since_at,
            until_at=until_at,
            now=now,
            formula=formula,
        )
        session.add_all(_row(row, half, inputs[row.id], formula, now) for row in rows)
        made += len(rows)
    session.flush()
    return made


def seal(inputs: dict[str, Any], formula: dict[str, Any], rating: dict[str, Any]) -> str:
    """SHA-256 of what a snapshot says, in one canonical form."""
    content = {"formula": formula, "inputs": inputs, "rating": rating}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rating_of(row: RatingSnapshotRow) -> Rating:
    """The rating as it was frozen."""
    return Rating.model_validate(
        {"score": row.score, "formula_version": row.formula_version, "lines": row.lines}
    )


def is_intact(row: RatingSnapshotRow) -> bool:
    """Whether nobody has changed what was frozen."""
    rating = rating_of(row).model_dump(mode="json")
    return seal(row.inputs, row.formula, rating) == row.sha256


def recalculated(row: RatingSnapshotRow) -> Rating:
    """The rating made anew from the stored inputs and the stored formula."""
    return rate(RatingInputs.model_validate(row.inputs), RatingFormula.model_validate(row.formula))


def ripe_since(half: Half, time_zone: str, freeze_after: timedelta) -> datetime:
    """From when on a half-year may be frozen."""
    return half.span(zone_of(time_zone))[1] + freeze_after


def _row(
    premises: PremisesRow, half: Half, inputs: RatingInputs, formula: RatingFormula, now: datetime
) -> RatingSnapshotRow:
    rating = rate(inputs, formula)
    stored, points = inputs.model_dump(mode="json"), formula.model_dump(mode="json")
    result = rating.model_dump(mode="json")
    return RatingSnapshotRow(
        premises_id=premises.id,
        node_id=premises.node_id,
        half=half.name,
        since_at=inputs.since_at,
        until_at=inputs.until_at,
        score=rating.score,
        formula_version=rating.formula_version,
        formula=points,
        inputs=stored,
        lines=result["lines"],
        sha256=seal(stored, points, result),
        frozen_at=now,
    )
