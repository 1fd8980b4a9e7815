"""All tables in one import, for migrations and tests; nothing else needs all of them."""

from __future__ import annotations

from sqlalchemy import MetaData

from kitchen_watch.backend.alerts import tables as _alerts
from kitchen_watch.backend.audit import tables as _audit
from kitchen_watch.backend.auth import tables as _auth
from kitchen_watch.backend.complaints import tables as _complaints
from kitchen_watch.backend.deadlines import tables as _deadlines
from kitchen_watch.backend.edges import tables as _edges
from kitchen_watch.backend.evidence import tables as _evidence
from kitchen_watch.backend.forms import tables as _forms
from kitchen_watch.backend.handling import tables as _handling
from kitchen_watch.backend.holds import tables as _holds
from kitchen_watch.backend.ingest import tables as _ingest
from kitchen_watch.backend.letters import tables as _letters
from kitchen_watch.backend.notifications import tables as _notifications
from kitchen_watch.backend.organisations import import_tables as _imports
from kitchen_watch.backend.organisations import tables as _organisations
from kitchen_watch.backend.patrols import tables as _patrols
from kitchen_watch.backend.presence import tables as _presence
from kitchen_watch.backend.public import tables as _public
from kitchen_watch.backend.ratings import tables as _ratings
from kitchen_watch.backend.reports import tables as _reports
from kitchen_watch.backend.retention import tables as _retention
from kitchen_watch.backend.rule_sets import tables as _rule_sets
from kitchen_watch.backend.self_checks import tables as _self_checks
from kitchen_watch.backend.statistics import tables as _statistics
from kitchen_watch.backend.tables import Table
from kitchen_watch.backend.tasks import tables as _tasks
from kitchen_watch.backend.webhooks import tables as _webhooks

ROOMS = (
    _alerts,
    _audit,
    _auth,
    _complaints,
    _deadlines,
    _edges,
    _evidence,
    _forms,
    _handling,
    _holds,
    _imports,
    _ingest,
    _letters,
    _notifications,
    _organisations,
    _patrols,
    _presence,
    _public,
    _ratings,
    _retention,
    _reports,
    _rule_sets,
    _tasks,
    _self_checks,
    _statistics,
    _webhooks,
)


def metadata() -> MetaData:
    """Every table of the service."""
    return Table.metadata
