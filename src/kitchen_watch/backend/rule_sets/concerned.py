"""Which edges a rule set concerns."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.rule_sets.tables import RuleSetRow


def edges_concerned(session: Session, row: RuleSetRow) -> set[str]:
    """The edges of all cameras that it is about, whether it holds just now or not."""
    query = select(CameraRow.edge_id).join(PremisesRow, PremisesRow.id == CameraRow.premises_id).distinct()
    if row.camera_id is not None:
        query = query.where(CameraRow.camera_id == row.camera_id)
    if row.premises_id is not None:
        query = query.where(CameraRow.premises_id == row.premises_id)
    if row.area_type is not None:
        query = query.where(CameraRow.area_type == row.area_type)
    if row.business_type is not None:
        query = query.where(PremisesRow.business_type == row.business_type)
    if row.node_id is not None:
        query = query.where(PremisesRow.node_id.in_(subtree_ids(row.node_id)))
    return set(session.scalars(query))
