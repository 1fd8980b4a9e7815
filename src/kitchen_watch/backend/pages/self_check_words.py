"""Names of the self-checks, and a period's alerts in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType

from kitchen_watch.backend.alerts.states import FINISHED
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import N_, languages
from kitchen_watch.backend.self_checks.schemas import PeriodAlert

KINDS = MappingProxyType(
    {
        FormKind.DAILY: N_("Daily control"),
        FormKind.WEEKLY: N_("Weekly review"),
        FormKind.MONTHLY: N_("Monthly meeting"),
    }
)
"""日管控, 周排查, 月调度."""
ALERTS_SO_FAR = N_("Alerts of the cameras in this period: %(list)s.")
SO_MANY = N_("%(what)s %(count)d (%(done)d closed)")


def alerts_in_words(alerts: Sequence[PeriodAlert]) -> str:
    """The alerts by code with how many are finished, in Chinese: the forms are Chinese documents."""
    chinese = languages()["zh"]
    found, done = Counter[str](), Counter[str]()
    for alert in alerts:
        found[alert.code] += 1
        done[alert.code] += alert.state in FINISHED
    parts = [
        chinese.gettext(SO_MANY)
        % {
            "what": chinese.gettext(wording.CODES[code]) if code in wording.CODES else code,
            "count": count,
            "done": done[code],
        }
        for code, count in sorted(found.items())
    ]
    return chinese.gettext(ALERTS_SO_FAR) % {"list": "；".join(parts)}
