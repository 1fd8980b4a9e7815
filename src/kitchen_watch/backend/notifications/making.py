"""A follower of the feed: makes notifications, and messages for those who want them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.feed import FeedEntry
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.notifications.happenings import Happening, happenings_of
from kitchen_watch.backend.notifications.outside import Carried, Outside
from kitchen_watch.backend.notifications.recipients import recipients_of
from kitchen_watch.backend.notifications.rules import Subject
from kitchen_watch.backend.notifications.tables import NotificationRow, PreferencesRow
from kitchen_watch.backend.organisations.tables import PremisesRow


@dataclass(frozen=True, slots=True)
class Notifications:
    """Makes them."""

    outside: Outside
    public_url: str

    def __call__(self, session: Session, entries: Sequence[FeedEntry], now: datetime) -> None:
        """Store who is told of these entries."""
        for happening in happenings_of(session, entries, now=now):
            premises = session.get_one(PremisesRow, happening.alert.premises_id)
            facts = self._facts(happening, premises)
            for person in recipients_of(session, happening):
                self._tell(session, person, happening, facts, premises.time_zone, now)
            carried = _carried(happening, facts, premises.time_zone)
            self.outside.groups(session, happening.node_path, carried, now)
        session.flush()

    def _facts(self, happening: Happening, premises: PremisesRow) -> dict[str, Any]:
        page = f"letters/{happening.letter_id}" if happening.letter_id else f"alerts/{happening.alert.id}"
        return {
            "code": happening.alert.code,
            "tier": happening.alert.tier,
            "alert_id": happening.alert.id,
            "letter_id": happening.letter_id,
            "premises": premises.name,
            "premises_en": premises.name_en,
            "suspected": happening.suspected,
            "level": happening.level,
            "url": f"{self.public_url}/{page}",
        }

    def _tell(
        self,
        session: Session,
        person: PersonRow,
        happening: Happening,
        facts: dict[str, Any],
        time_zone: str,
        now: datetime,
    ) -> None:
        occasion = happening.telling.occasion
        known = select(NotificationRow.id).where(
            NotificationRow.person_id == person.id, NotificationRow.source == happening.source
        )
        if session.scalar(known) is not None:
            return
        preferences = session.get(PreferencesRow, person.id)
        tier = happening.alert.tier
        if preferences is not None and occasion in preferences.muted and tier != 1:
            return
        session.add(
            NotificationRow(
                person_id=person.id,
                source=happening.source,
                occasion=occasion,
                alert_id=happening.alert.id,
                letter_id=happening.letter_id,
                subject_kind=Subject.LETTER if happening.letter_id else Subject.ALERT,
                subject_id=happening.letter_id or happening.alert.id,
                tier=tier,
                suspected=happening.suspected,
                facts=facts,
                at=happening.at,
            )
        )
        self.outside.mail(session, person, preferences, _carried(happening, facts, time_zone), now)


def _carried(happening: Happening, facts: dict[str, Any], time_zone: str) -> Carried:
    return Carried(
        source=happening.source,
        lane=f"a{happening.alert.id}",
        occasion=happening.telling.occasion,
        tier=happening.alert.tier,
        facts=facts,
        at=happening.at,
        zone=zone_of(time_zone),
        code=happening.alert.code,
    )
