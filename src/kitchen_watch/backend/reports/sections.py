"""Which sections each kind of report has, in their order; a room that counts something adds its maker."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kitchen_watch.backend.reports.alert_section import alert_section, child_section, ranking_section
from kitchen_watch.backend.reports.bulletin_section import named_section
from kitchen_watch.backend.reports.case_sections import (
    evidence_section,
    offender_section,
    order_section,
    overdue_section,
)
from kitchen_watch.backend.reports.drawing import Maker
from kitchen_watch.backend.reports.place_section import place_section
from kitchen_watch.backend.reports.room_sections import (
    complaint_section,
    patrol_section,
    rating_section,
    self_check_section,
)
from kitchen_watch.backend.reports.tables import ReportKind

_REPORT: tuple[Maker, ...] = (
    place_section,
    alert_section,
    child_section,
    overdue_section,
    offender_section,
    patrol_section,
    complaint_section,
    self_check_section,
    rating_section,
    evidence_section,
    order_section,
)
_MAKERS: Mapping[ReportKind, tuple[Maker, ...]] = MappingProxyType(
    {kind: _REPORT for kind in ReportKind if kind is not ReportKind.BULLETIN}
    | {ReportKind.BULLETIN: (ranking_section, named_section)}
)


def makers_of(kind: ReportKind) -> tuple[Maker, ...]:
    """The makers of its sections."""
    return _MAKERS[kind]
