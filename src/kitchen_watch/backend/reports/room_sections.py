"""What other rooms say of a report's period, each through its own figures."""

from __future__ import annotations

from kitchen_watch.backend.complaints.figures import complaints_figures
from kitchen_watch.backend.patrols.figures import patrols_figures
from kitchen_watch.backend.ratings.figures import ratings_figures
from kitchen_watch.backend.reports.content import Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene
from kitchen_watch.backend.self_checks.figures import self_checks_figures


def patrol_section(scene: Scene) -> Section:
    """网上巡查: coverage, frequency, quality, and who watched what."""
    found = patrols_figures(
        scene.session, scene.node.path, scene.period.since_at, scene.period.until_at, settings=scene.patrols
    )
    return Section(
        key="patrols",
        figures=[
            _figure("premises_looked_at", found.premises_looked_at, found.premises),
            _figure("premises_late", found.premises_late, found.premises),
            _figure("checks", found.checks),
            _figure("forms_complete", found.forms_complete, found.forms),
            _figure("checks_with_findings", found.checks_with_findings, found.checks),
            _figure("findings", found.findings),
            _figure("findings_in_time", found.findings_in_time, found.findings_due),
        ],
        tables=[
            Rows(
                key="watchers",
                columns=["person", "premises_watched", "views", "patrol_views", "minutes"],
                rows=[
                    [one.name, one.premises, one.views, one.patrol_views, int(one.seconds // 60)]
                    for one in found.watchers[: scene.settings.top]
                ],
            )
        ],
    )


def complaint_section(scene: Scene) -> Section:
    """12315: received, answered in time, still open."""
    found = complaints_figures(scene.session, scene.node.path, scene.period.since_at, scene.period.until_at)
    return Section(
        key="complaints",
        figures=[
            _figure("received", found.received),
            _figure("refused", found.refused, found.received),
            _figure("answered", found.answered, found.received),
            _figure("answered_in_time", found.answered_in_time, found.due),
            _figure("complaints_open", found.open),
            _figure("complaints_overdue", found.overdue, found.open),
        ],
    )


def self_check_section(scene: Scene) -> Section:
    """日管控、周排查、月调度 that fell due: handed in, late, missing."""
    found = self_checks_figures(scene.session, scene.node.path, scene.period.since_at, scene.period.until_at)
    return Section(
        key="self_checks",
        figures=[
            _figure("submitted", found.submitted, found.due),
            _figure("submitted_late", found.late, found.submitted),
            _figure("missing", found.missing, found.due),
            _figure("self_check_findings", found.findings),
        ],
    )


def rating_section(scene: Scene) -> Section | None:
    """Half-years that were frozen and honours of the period; nothing in a period without either."""
    found = ratings_figures(scene.session, scene.node.path, scene.period.since_at, scene.period.until_at)
    if not (found.rated or found.honoured or found.admonished or found.withdrawn):
        return None
    return Section(
        key="ratings",
        figures=[
            _figure("rated_good", found.good, found.rated),
            _figure("rated_fair", found.fair, found.rated),
            _figure("rated_poor", found.poor, found.rated),
            _figure("honoured", found.honoured),
            _figure("admonished", found.admonished),
        ],
    )


def _figure(key: str, value: int, out_of: int | None = None) -> Figure:
    return Figure(key=key, now=Count(value=value, out_of=out_of))
